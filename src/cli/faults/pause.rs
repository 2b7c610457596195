//! `pause` and `resume`: nodes that stand still.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, Waiting, names, rest, set};
use crate::cli::kill::by_name;
use crate::cli::target::Running;
use crate::cli::{out, target};
use crate::types::NodeId;
use crate::wire::control::NodeState;
use crate::wire::faults::Trouble;

/// Let nodes stand still, as under SIGSTOP or a long garbage collection
///
/// The port accepts and answers nothing. When it is resumed it takes what was sent to it meanwhile, and acts at once on
/// what it believes.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster pause leader --wait               the others elect another
  cluster pause node-2 --for 3s
  cluster pause minority")]
pub(in crate::cli) struct Pause {
    /// Nodes by name, or leader, follower, minority, majority, random, all
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    nodes: Vec<String>,
    #[command(flatten)]
    lasting: Lasting,
}

/// Let nodes that stand still go on
#[derive(Args)]
#[command(after_help = "Examples:
  cluster resume node-1
  cluster resume leader                     whoever was the leader when: cluster pause leader
  cluster resume all --wait                 returns when all follow one leader and hold the same data")]
pub(in crate::cli) struct Resume {
    /// Nodes by name, a role that was paused, as leader or minority, or all that stand still
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    nodes: Vec<String>,
    #[command(flatten)]
    waiting: Waiting,
}

pub(in crate::cli) async fn pause(args: &Pause, common: &Common) -> Result<(), Failure> {
    let nodes = args.nodes.iter().flat_map(|name| names(name)).collect();
    set(Trouble::Pause { nodes }, "pause", &args.lasting, common).await
}

/// Whom one can pause without a name. A node that stands still has no role: it is found by the one it was paused for.
const ROLES: [&str; 5] = ["leader", "follower", "minority", "majority", "random"];

/// Those that stand still because `role` meant them.
async fn paused_as(role: &str, running: &Running) -> Result<Vec<NodeId>, Failure> {
    let faults = running.control.faults().await;
    let faults = faults.map_err(|error| running.failure(error))?;
    let pauses = faults.into_iter().filter(|fault| {
        matches!(fault.trouble, Trouble::Pause { .. })
            && fault.roles.iter().any(|meant| meant.role == role)
    });
    let paused: Vec<NodeId> = pauses.flat_map(|fault| fault.struck).collect();
    match paused.is_empty() {
        false => Ok(paused),
        true => {
            let message = format!("no node stands still that was paused as {role}");
            Err(Failure::new("not-paused", message)
                .hint("who stands still: cluster faults; all go on: cluster resume all"))
        }
    }
}

pub(in crate::cli) async fn resume(args: &Resume, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    let mut chosen: Vec<NodeId> = Vec::new();
    for name in args.nodes.iter().flat_map(|name| names(name)) {
        match name.as_str() {
            "all" => {
                let rows = running.status().await?.nodes.into_iter();
                let paused = rows.filter(|row| row.state == NodeState::Paused);
                chosen.extend(paused.map(|row| row.id));
            }
            role if ROLES.contains(&role) => chosen.extend(paused_as(role, &running).await?),
            name => chosen.push(by_name(name, &running.state.nodes)?),
        }
    }
    let mut done = Vec::new();
    for node in &chosen {
        let resumed = running.control.resume(node).await;
        let resumed = resumed.map_err(|error| running.failure(error))?;
        let said = match resumed.changed {
            true => format!("{node} goes on"),
            false => format!("{node} did not stand still"),
        };
        if !common.json {
            out::print(&said)?;
        }
        done.push(resumed);
    }
    match (common.json, done.is_empty()) {
        (true, _) => out::print_json(&done)?,
        (false, true) => out::print("no node stands still")?,
        (false, false) => {}
    }
    rest::after_mending(&running, &args.waiting, common).await
}
