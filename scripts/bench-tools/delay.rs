//! How late messages are on links that are made late: measured where they arrive, under a thousand a second. Prints a line
//! of JSON.
//!
//! `delay MILLISECONDS SECONDS`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use cluster::engine::Engine;
use cluster::faults::Fault;
use cluster::protocol::{Action, Input, Message};
use cluster::runtime::{Cluster, Options, Tap, Tapped};
use cluster::types::{Mode, NodeId, Safeguards, Time};
use cluster::wire::faults::{FaultOrder, Trouble};

/// A leader that shows its four followers every four milliseconds that it lives sends a thousand messages a second.
const HEARTBEAT: Duration = Duration::from_millis(4);

/// Heartbeats by their receivers and rounds: when they were sent, and how long they took.
#[derive(Default)]
struct Seen {
    sent: BTreeMap<(NodeId, u64), Time>,
    took: Vec<Duration>,
}

impl Seen {
    fn hear(&mut self, node: &NodeId, tapped: &Tapped) {
        let Tapped::Stepped(step) = tapped else {
            return;
        };
        if let Input::Message { message, .. } = &step.input
            && let Message::Heartbeat { round, .. } = message
            && let Some(sent) = self.sent.remove(&(node.clone(), *round))
        {
            self.took.push(step.now - sent);
        }
        for action in &step.actions {
            if let Action::Send { to, message } = action
                && let Message::Heartbeat { round, .. } = message
            {
                self.sent.insert((to.clone(), *round), step.now);
            }
        }
    }
}

fn options(tap: Tap) -> Result<Options> {
    Ok(Options {
        name: "delay".to_owned(),
        nodes: Some(5),
        data_dir: None,
        host: [127, 0, 0, 1].into(),
        port: 0,
        mode: "lowest-id + async".parse::<Mode>().ok().context("a mode")?,
        safeguards: Safeguards::default(),
        write_timeout: Duration::from_secs(2),
        snapshot_every: None,
        heartbeat: HEARTBEAT,
        election_timeout: Duration::from_secs(10),
        max_value: 1 << 20,
        course: false,
        lang: "en".to_owned(),
        tap: Some(tap),
    })
}

async fn measure(delay: Duration, time: Duration) -> Result<Vec<Duration>> {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let listener = seen.clone();
    let tap = Tap::new(move |node, tapped| {
        let mut seen = listener.lock().unwrap_or_else(PoisonError::into_inner);
        seen.hear(node, &tapped);
    });
    let cluster = Cluster::boot(options(tap)?).await?;
    let all = || vec!["all".to_owned()];
    let trouble = Trouble::Links {
        from: all(),
        to: all(),
        fault: Fault {
            delay,
            ..Fault::default()
        },
        only: Vec::new(),
        one_way: true,
    };
    cluster.disturb(FaultOrder::new(trouble, "bench")).await?;
    // What left before is not late.
    tokio::time::sleep(2 * delay + Duration::from_secs(1)).await;
    let fresh = || std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    drop(fresh());
    tokio::time::sleep(time).await;
    let took = fresh().took;
    cluster.stop().await;
    Ok(took)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let mut number = || numbers.next().context("delay MILLISECONDS SECONDS");
    let delay = Duration::from_millis(number()??);
    let time = Duration::from_secs(number()??);
    let mut took = measure(delay, time).await?;
    took.sort();
    let at = |permille: usize| {
        let place = (took.len() * permille / 1000).min(took.len().saturating_sub(1));
        took.get(place).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    println!(
        "{{\"rate\": {}, \"least\": {:.3}, \"median\": {:.3}, \"p99\": {:.3}, \"worst\": {:.3}}}",
        took.len() as u64 / time.as_secs().max(1),
        at(0),
        at(500),
        at(990),
        at(1000)
    );
    Ok(())
}
