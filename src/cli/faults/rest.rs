//! Waiting until a cluster has come to rest: after a fault until nobody changes its mind any more, after a mending until
//! all obey one leader and hold the same.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::Waiting;
use crate::cli::kill::settle;
use crate::cli::out;
use crate::cli::target::Running;
use crate::cli::wait::GLANCE;
use crate::event::Event;
use crate::types::Role;
use crate::wire::control::ClusterStatus;

/// For how many election timeouts nobody may have changed its mind: a randomised one lasts up to two.
const QUIET: u32 = 3;

/// Whether somebody changed its mind about who leads. (Who hears nobody may ask in vain for ever.)
fn is_restless(event: &Event) -> bool {
    matches!(
        event,
        Event::Leader { .. }
            | Event::Following { .. }
            | Event::SteppedDown { .. }
            | Event::NoQuorum { .. }
            | Event::DiskFailed { .. }
    )
}

/// Who leads, in the eyes of whom.
fn leaders(status: &ClusterStatus) -> String {
    let answers = status.nodes.iter().filter_map(|row| row.answer.as_ref());
    let leads = answers.filter(|answer| answer.role == Role::Leader);
    let leads: Vec<String> = leads
        .map(|answer| format!("{} leads term {}", answer.node_id, answer.term))
        .collect();
    match leads.as_slice() {
        [] => "nobody leads".to_owned(),
        leads => leads.join(", "),
    }
}

/// Waits, if that is wanted, until for a while nobody has changed its mind.
pub(super) async fn after_fault(
    running: &Running,
    waiting: &Waiting,
    common: &Common,
) -> Result<(), Failure> {
    if !waiting.wait {
        return Ok(());
    }
    let failure = |error| running.failure(error);
    let info = running.control.info().await.map_err(failure)?;
    let quiet = QUIET * Duration::from_millis(info.election_timeout_ms);
    let mut seq = running.status().await?.last_event;
    let deadline = Instant::now() + waiting.timeout;
    let mut restless = Instant::now();
    while restless.elapsed() < quiet {
        if Instant::now() > deadline {
            let waited = humantime::format_duration(waiting.timeout);
            let message = format!("it has not come to rest within {waited}; see cluster watch");
            return Err(Failure::new("timeout", message));
        }
        let events = running.control.events(seq, false).await.map_err(failure)?;
        for record in events.collect().await {
            seq = record.seq;
            if is_restless(&record.event) {
                restless = Instant::now();
            }
        }
        sleep(GLANCE).await;
    }
    match common.json {
        true => Ok(()),
        false => out::print(&leaders(&running.status().await?)),
    }
}

/// Waits, if that is wanted, until all that are up obey one leader and hold the same.
pub(super) async fn after_mending(
    running: &Running,
    waiting: &Waiting,
    common: &Common,
) -> Result<(), Failure> {
    match waiting.wait {
        true => settle(running, common, waiting.timeout, true).await,
        false => Ok(()),
    }
}
