//! `watch`: the state, and then every event, until the cluster ends.

use std::time::Duration;

use clap::Args;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::target::{self, Running};
use crate::event::Event;
use crate::registry;
use crate::views::lines::{Lang, Lines};
use crate::views::table;
use crate::wire::control::EventRecord;

/// How long to wait before asking a server again that was gone.
const GLANCE: Duration = Duration::from_millis(200);

/// Watch the cluster live: its state, then a line an event
///
/// Ends when the cluster does. With --json the first line is the status, each further one an event.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster watch
  cluster watch --json | jq -c 'select(.event == \"leader\")'")]
pub(super) struct Watch {}

/// The wording in which the cluster itself speaks.
pub(super) async fn wording(running: &Running) -> Result<Lines, Failure> {
    let info = running
        .control
        .info()
        .await
        .map_err(|error| running.failure(error))?;
    let lang = if info.lang == "fr" {
        Lang::Fr
    } else {
        Lang::En
    };
    Ok(Lines::new(lang, info.course))
}

pub(super) fn show(
    record: &EventRecord,
    lines: &mut Lines,
    common: &Common,
) -> Result<(), Failure> {
    match lines.line(record) {
        _ if common.json => out::print_json(record),
        Some(line) => out::print(&line),
        None => Ok(()),
    }
}

pub(super) async fn run(_: &Watch, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    let mut lines = wording(&running).await?;
    let status = running.status().await?;
    match common.json {
        true => out::print_json(&status)?,
        false => out::print(&format!("{}\n", table::status(&status)))?,
    }
    follow(&running, status.last_event, |record| {
        show(record, &mut lines, common)
    })
    .await
}

/// Hands every event behind `seq` on, across interruptions, until the cluster ends.
pub(super) async fn follow(
    running: &Running,
    mut seq: u64,
    mut hand_on: impl FnMut(&EventRecord) -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        if let Ok(mut events) = running.control.events(seq, true).await {
            while let Some(record) = events.next().await {
                seq = record.seq;
                hand_on(&record)?;
                if record.event == Event::Stopping {
                    return Ok(());
                }
            }
        }
        // Gone for good, or only briefly: the state file tells.
        let is_same = |state: &registry::StateFile| state.nonce == running.state.nonce;
        if !registry::list().iter().any(is_same) {
            return Ok(());
        }
        tokio::time::sleep(GLANCE).await;
    }
}
