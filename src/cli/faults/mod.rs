//! Faults by hand: a file a command. Whom roles mean is found out by the server when it sets the fault.

pub(super) mod client;
pub(super) mod cut;
pub(super) mod disk;
pub(super) mod heal;
pub(super) mod isolate;
pub(super) mod link;
pub(super) mod list;
pub(super) mod partition;
pub(super) mod pause;
mod rest;
pub(super) mod skew;

use std::time::Duration;

use clap::Args;

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::target::{self, Running};
use crate::client::control::ControlError;
use crate::faults::Fault;
use crate::faults::Permille;
use crate::wire::faults::{FaultInForce, FaultOrder, FaultsSet, Trouble, Who};

/// For how long, and whether to see what comes of it.
#[derive(Args)]
pub(super) struct Lasting {
    /// Undone by itself after this time, even if this command is long gone [default: until it is healed]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) time: Option<Duration>,
    #[command(flatten)]
    pub(super) waiting: Waiting,
}

/// Whether to see what comes of it.
#[derive(Args)]
pub(super) struct Waiting {
    /// Return when the cluster has come to rest
    #[arg(long)]
    wait: bool,
    /// How long to wait for that
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

/// What becomes of messages.
#[derive(Args)]
pub(super) struct Lateness {
    /// All are late by this much
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    delay: Option<Duration>,
    /// … and by up to this much more
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    jitter: Option<Duration>,
    /// So many are lost
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    loss: Option<Permille>,
    /// So many of those behind a lost one are lost too: on real links losses come in runs
    #[arg(long, value_name = "PERCENT", value_parser = percent, requires = "loss")]
    burst: Option<Permille>,
}

impl Lateness {
    fn fault(&self) -> Fault {
        Fault {
            delay: self.delay.unwrap_or_default(),
            jitter: self.jitter.unwrap_or_default(),
            loss: self.loss.unwrap_or_default(),
            burst: self.burst.unwrap_or_default(),
            ..Fault::default()
        }
    }
}

/// A chance, as in `10%` or `0.5%`.
fn percent(text: &str) -> Result<Permille, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    match number.parse::<f64>() {
        Ok(percent) if !(0.0..=100.0).contains(&percent) => {
            Err("a chance is between 0% and 100%".to_owned())
        }
        Ok(percent) if percent < 0.1 => Err("it must be at least 0.1%".to_owned()),
        Ok(percent) => Ok((percent * 10.0).round() as Permille),
        Err(_) => Err("write it as 10% or 0.5%".to_owned()),
    }
}

/// The names in one argument: `node-1,node-2`.
fn names(text: &str) -> Vec<Who> {
    let names = text.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Sets a fault, says what was set, on whom, and what to expect, and waits if that is wanted.
pub(super) async fn set(
    trouble: Trouble,
    command: &str,
    lasting: &Lasting,
    common: &Common,
) -> Result<(), Failure> {
    set_with_note(trouble, command, None, lasting, common).await
}

/// The same, with a word on how the command was understood.
async fn set_with_note(
    trouble: Trouble,
    command: &str,
    note: Option<String>,
    lasting: &Lasting,
    common: &Common,
) -> Result<(), Failure> {
    let running = target::running(common)?;
    let order = FaultOrder::new(trouble, &format!("cluster {command}")).lasting(lasting.time);
    let set = running.control.disturb(&order).await;
    let set = set.map_err(|error| refusal(&running, error))?;
    match common.json {
        true => out::print_json(&FaultsSet { set })?,
        false => set.iter().try_for_each(|fault| tell(fault, lasting.time))?,
    }
    if let Some(note) = note.filter(|_| !common.json) {
        out::print(&format!("  note:   {note}"))?;
    }
    rest::after_fault(&running, &lasting.waiting, common).await
}

/// What a refusal means: what makes no sense to the server was typed wrongly.
fn refusal(running: &Running, error: ControlError) -> Failure {
    match error {
        ControlError::Refused(detail) if detail.code == "usage" => Failure::usage(detail.message),
        ControlError::Refused(detail) if detail.code == "unknown-fault" => {
            Failure::new("unknown-fault", detail.message).hint("see what is: cluster faults")
        }
        error => running.failure(error),
    }
}

fn tell(fault: &FaultInForce, time: Option<Duration>) -> Result<(), Failure> {
    out::print(&format!("{}: {}", fault.name, fault.what))?;
    for meant in &fault.roles {
        let nodes: Vec<&str> = meant.nodes.iter().map(|id| id.as_str()).collect();
        if meant.role != "all" {
            out::print(&format!("  {} means {}", meant.role, nodes.join(", ")))?;
        }
    }
    out::print(&format!("  expect: {}", fault.expect))?;
    match (fault.undo.as_str(), time.filter(|_| fault.lasts)) {
        ("", _) => out::print("  it cannot be undone"),
        (undo, None) => out::print(&format!("  undo:   {undo}")),
        (undo, Some(time)) => {
            let time = humantime::format_duration(time);
            out::print(&format!("  undo:   {undo}; by itself in {time}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_read_and_impossible_ones_refused() {
        assert_eq!(percent("10%"), Ok(100));
        assert_eq!(percent("0.5"), Ok(5));
        for wrong in ["101%", "-1", "0", "much", "NaN"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }
}
