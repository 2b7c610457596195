//! `kill` and `revive`.

use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::target::{self, Peers, Running};
use crate::cli::{out, wait};
use crate::client::gather;
use crate::engine::Harm;
use crate::rng::Rng;
use crate::types::NodeId;
use crate::wire::control::{ClusterStatus, NodeAddress, NodeChanged, NodeRow, NodeState};

/// Kill nodes, for real: the task is gone, the port refuses, connections are reset
///
/// A node's disk is kept for `revive`.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster kill node-1
  cluster kill leader --wait           returns when the survivors have a leader
  cluster kill follower
  cluster kill all
  cluster kill node-2 --wipe           its disk is lost too")]
pub(super) struct Kill {
    #[command(flatten)]
    nodes: Nodes,
    /// Their disks lose what was not synced, as in a power cut
    #[arg(long, conflicts_with = "wipe")]
    lose_unsynced: bool,
    /// Their disks are destroyed; what only they held is reported lost
    #[arg(long)]
    wipe: bool,
}

/// Bring killed nodes back, with the disks they had
#[derive(Args)]
#[command(after_help = "Examples:
  cluster revive node-1
  cluster revive all --wait            returns when all follow one leader and hold the same data")]
pub(super) struct Revive {
    #[command(flatten)]
    nodes: Nodes,
    /// Let them vote at once, though their disks were lost: what only lost disks held is given up
    #[arg(long)]
    bootstrap: bool,
}

#[derive(Args)]
struct Nodes {
    /// Nodes by name, or leader, follower, random, all
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    names: Vec<String>,
    /// Return when the cluster has settled
    #[arg(long)]
    wait: bool,
    /// How long to wait for that
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    timeout: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    Kill(Harm),
    Revive { trust: bool },
}

impl Change {
    fn kills(self) -> bool {
        matches!(self, Change::Kill(_))
    }
}

pub(super) async fn kill(args: &Kill, common: &Common) -> Result<(), Failure> {
    let harm = match (args.wipe, args.lose_unsynced) {
        (true, _) => Harm::Wipe,
        (false, true) => Harm::LoseUnsynced,
        (false, false) => Harm::None,
    };
    run(&args.nodes, common, Change::Kill(harm)).await
}

pub(super) async fn revive(args: &Revive, common: &Common) -> Result<(), Failure> {
    let trust = args.bootstrap;
    run(&args.nodes, common, Change::Revive { trust }).await
}

async fn run(args: &Nodes, common: &Common, change: Change) -> Result<(), Failure> {
    let running = target::running(common)?;
    let chosen = choose(args, &running, change).await?;
    let mut done = Vec::new();
    for node in &chosen {
        let changed = match change {
            Change::Kill(harm) => running.control.kill(node, harm).await,
            Change::Revive { trust } => running.control.revive(node, trust).await,
        };
        let changed = changed.map_err(|error| running.failure(error))?;
        if !common.json {
            out::print(&say(&changed, change))?;
        }
        done.push(changed);
    }
    if common.json {
        out::print_json(&done)?;
    }
    if args.wait {
        settle(&running, common, args.timeout, !change.kills()).await?;
    }
    Ok(())
}

fn say(changed: &NodeChanged, change: Change) -> String {
    let node = &changed.node;
    match (change, changed.changed) {
        (Change::Kill(Harm::Wipe), _) => format!("{node} killed, and its disk destroyed"),
        (Change::Kill(_), true) => format!("{node} killed"),
        (Change::Kill(_), false) => format!("{node} was dead already"),
        (Change::Revive { .. }, true) => format!("{node} revived"),
        (Change::Revive { .. }, false) => format!("{node} was up already"),
    }
}

/// The nodes that are meant, each once; names that mean nothing fail before anything is done.
async fn choose(args: &Nodes, running: &Running, change: Change) -> Result<Vec<NodeId>, Failure> {
    let needs_status = args
        .names
        .iter()
        .any(|name| ["leader", "follower", "random", "all"].contains(&name.as_str()));
    let status = match needs_status {
        true => Some(running.status().await?),
        false => None,
    };
    let nodes = running.state.nodes.clone();
    let mut chosen: Vec<NodeId> = Vec::new();
    for name in &args.names {
        let meant = match &status {
            Some(status) => meant(name, status, &nodes, change, &chosen)?,
            None => vec![named(name, &nodes)?],
        };
        chosen.extend(
            meant
                .into_iter()
                .filter(|id| !chosen.contains(id))
                .collect::<Vec<_>>(),
        );
    }
    Ok(chosen)
}

fn meant(
    name: &str,
    status: &ClusterStatus,
    nodes: &[NodeAddress],
    change: Change,
    taken: &[NodeId],
) -> Result<Vec<NodeId>, Failure> {
    let alive = |row: &&NodeRow| matches!(row.state, NodeState::Up | NodeState::Silent);
    // Those that run may have lost their disks too.
    let trusts = change == Change::Revive { trust: true };
    let fits =
        |row: &&NodeRow| (trusts || alive(row) == change.kills()) && !taken.contains(&row.id);
    let fitting: Vec<NodeId> = status
        .nodes
        .iter()
        .filter(fits)
        .map(|row| row.id.clone())
        .collect();
    let state = if change.kills() { "up" } else { "dead" };
    let none = || {
        Failure::new(
            "no-such-node",
            match name {
                "random" => format!("no node is {state}"),
                _ => format!("no node that is {state} is a {name}"),
            },
        )
    };
    match name {
        "all" => Ok(fitting),
        "random" => Ok(vec![draw(fitting).ok_or_else(none)?]),
        "leader" | "follower" if !change.kills() => Err(Failure::new(
            "no-such-node",
            format!("a dead node is no {name}"),
        )
        .hint("name it, or: cluster revive all")),
        "leader" => Ok(vec![status.leader.clone().ok_or_else(|| {
            Failure::new("no-leader", "nobody leads just now").hint("cluster wait leader")
        })?]),
        "follower" => {
            let followers = fitting
                .into_iter()
                .filter(|id| Some(id) != status.leader.as_ref());
            Ok(vec![draw(followers.collect()).ok_or_else(none)?])
        }
        _ => Ok(vec![named(name, nodes)?]),
    }
}

fn named(name: &str, nodes: &[NodeAddress]) -> Result<NodeId, Failure> {
    by_name(name, nodes)
        .map_err(|failure| failure.hint("leader, follower, random and all mean nodes too"))
}

pub(super) fn by_name(name: &str, nodes: &[NodeAddress]) -> Result<NodeId, Failure> {
    let found = nodes.iter().find(|node| node.id.as_str() == name);
    found.map(|node| node.id.clone()).ok_or_else(|| {
        let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
        let those = match ids.as_slice() {
            [first, .., last] if ids.len() > 12 => format!("{first} to {last}"),
            few => few.join(", "),
        };
        let message = format!("no node is called {name}; there are {those}");
        Failure::new("unknown-node", message)
    })
}

fn draw(mut nodes: Vec<NodeId>) -> Option<NodeId> {
    let mut rng = Rng::new(getrandom::u64().ok()?);
    match nodes.len() {
        0 => None,
        n => Some(nodes.swap_remove(rng.below(n as u64) as usize)),
    }
}

/// Waits for those that are up to obey one leader; with `equal`, as after a revival, also for them to hold the same.
pub(super) async fn settle(
    running: &Running,
    common: &Common,
    timeout: Duration,
    equal: bool,
) -> Result<(), Failure> {
    let first = running.status().await?;
    let votes = gather::votes(&first);
    let settled = |status: &ClusterStatus| {
        let agreed = gather::settled(status).is_some();
        let caught_up = || gather::equal(status) && !gather::any_recovers(status);
        match status.up {
            0 => true,
            // A leader without a majority does not lead for long.
            up if votes && 2 * up <= status.total => status.leader.is_none(),
            _ => agreed && (!equal || caught_up()),
        }
    };
    let status = wait::until(first, common, &Peers::default(), timeout, settled).await?;
    match (gather::settled(&status), common.json) {
        (_, true) => Ok(()),
        (Some((leader, term)), false) => out::print(&format!("{leader} leads term {term}")),
        (None, false) if status.up == 0 => out::print("no node is up"),
        (None, false) => out::print(&format!(
            "nobody leads: {} of {} nodes are up, no majority",
            status.up, status.total
        )),
    }
}
