//! `add`, `remove`, `transfer`: who belongs to the cluster, and who leads it.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::kill::by_name;
use crate::cli::{out, target};

/// Add a node (raft)
///
/// It learns first and votes once it has caught up; then this returns.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster add
  cluster add --json                   its name and URL")]
pub(super) struct Add {}

/// Remove a node, the leader included (raft)
///
/// Its process ends, its port is free, and it counts no more. With --data-dir its data is set aside.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster remove node-3
  cluster remove node-1 && cluster wait leader")]
pub(super) struct Remove {
    /// The node
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    node: String,
}

/// Have the leader hand over (raft)
///
/// To NODE, or to whoever has most. No write is lost, and none is refused for longer than a few messages take.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster transfer
  cluster transfer node-3")]
pub(super) struct Transfer {
    /// Who is to lead
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    node: Option<String>,
}

pub(super) async fn add(_: &Add, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    let added = running.control.add().await;
    let added = added.map_err(|error| running.failure(error))?;
    match common.json {
        true => out::print_json(&added),
        false => out::print(&format!("{} added at {}", added.id, added.url)),
    }
}

pub(super) async fn remove(args: &Remove, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    let node = by_name(&args.node, &running.state.nodes)?;
    let removed = running.control.remove(&node).await;
    let removed = removed.map_err(|error| running.failure(error))?;
    match common.json {
        true => out::print_json(&removed),
        false => out::print(&format!("{} removed", removed.node)),
    }
}

pub(super) async fn transfer(args: &Transfer, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    let to = match &args.node {
        Some(name) => Some(by_name(name, &running.state.nodes)?),
        None => None,
    };
    let handed = running.control.transfer(to.as_ref()).await;
    let handed = handed.map_err(|error| running.failure(error))?;
    match common.json {
        true => out::print_json(&handed),
        false => out::print(&format!("{} leads", handed.leader)),
    }
}
