//! `wait`: for scripts, until something holds.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::target::{self, Peers};
use crate::client::gather;
use crate::types::Role;
use crate::views::table;
use crate::wire::control::{ClusterStatus, NodeState};

/// How often to look.
pub(super) const GLANCE: Duration = Duration::from_millis(20);

/// Wait until something holds, for scripts
///
/// `leader`: one node leads, and every node that is up obeys it. `equal`: every node that is up holds the same data.
/// NODE=WHAT: that node is leader, follower, candidate, up or killed. Several must hold at once.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster wait leader
  cluster wait node-1=follower equal --timeout 5s
  cluster kill leader && cluster wait leader && cluster put k v")]
pub(super) struct Wait {
    /// What to wait for: leader, equal, NODE=follower, … [default: leader]
    #[arg(value_name = "CONDITION")]
    conditions: Vec<Condition>,
    /// How long
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    peers: Peers,
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Leader,
    Equal,
    Node(String, What),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Role(Role),
    State(NodeState),
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Condition, String> {
        let what = |word: &str| {
            Some(match word {
                "leader" => What::Role(Role::Leader),
                "follower" => What::Role(Role::Follower),
                "candidate" => What::Role(Role::Candidate),
                "up" => What::State(NodeState::Up),
                "killed" | "dead" => What::State(NodeState::Killed),
                _ => return None,
            })
        };
        let node = |(node, word): (&str, &str)| Some(Condition::Node(node.to_owned(), what(word)?));
        match text {
            "leader" => Ok(Condition::Leader),
            "equal" => Ok(Condition::Equal),
            _ => text.split_once('=').and_then(node).ok_or_else(|| {
                "it is leader, equal, or NODE=leader|follower|candidate|up|killed".to_owned()
            }),
        }
    }
}

impl Condition {
    fn holds(&self, status: &ClusterStatus) -> bool {
        match self {
            Condition::Leader => gather::settled(status).is_some(),
            Condition::Equal => gather::equal(status),
            Condition::Node(node, what) => {
                let mut rows = status.nodes.iter().filter(|row| row.id.as_str() == node);
                rows.any(|row| match what {
                    What::State(state) => row.state == *state,
                    What::Role(role) => row.answer.as_ref().is_some_and(|a| a.role == *role),
                })
            }
        }
    }

    fn check(&self, status: &ClusterStatus) -> Result<(), Failure> {
        match self {
            Condition::Node(node, _) if !status.nodes.iter().any(|row| row.id.as_str() == node) => {
                let ids: Vec<&str> = status.nodes.iter().map(|row| row.id.as_str()).collect();
                Err(Failure::new(
                    "unknown-node",
                    format!("no node is called {node}; there are {}", ids.join(", ")),
                ))
            }
            Condition::Leader | Condition::Equal | Condition::Node(..) => Ok(()),
        }
    }
}

pub(super) async fn run(args: &Wait, common: &Common) -> Result<(), Failure> {
    let conditions = match args.conditions.as_slice() {
        [] => &[Condition::Leader][..],
        given => given,
    };
    let first = target::status(common, &args.peers).await?;
    conditions
        .iter()
        .try_for_each(|condition| condition.check(&first))?;
    let status = until(first, common, &args.peers, args.timeout, |status| {
        conditions.iter().all(|condition| condition.holds(status))
    })
    .await?;
    match common.json {
        true => out::print_json(&status),
        false => Ok(()),
    }
}

/// Looks again and again until `holds`; otherwise says what was seen instead.
pub(super) async fn until(
    first: ClusterStatus,
    common: &Common,
    peers: &Peers,
    timeout: Duration,
    holds: impl Fn(&ClusterStatus) -> bool,
) -> Result<ClusterStatus, Failure> {
    let deadline = Instant::now() + timeout;
    let mut status = first;
    while !holds(&status) {
        if Instant::now() >= deadline {
            let waited = humantime::format_duration(timeout);
            let seen = table::status(&status);
            return Err(Failure::new(
                "timeout",
                format!("it did not hold within {waited}; what was seen instead:\n{seen}"),
            ));
        }
        tokio::time::sleep(GLANCE).await;
        status = target::status(common, peers).await?;
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_nonsense_is_refused() {
        assert_eq!("leader".parse(), Ok(Condition::Leader));
        let node = Condition::Node("node-2".to_owned(), What::Role(Role::Follower));
        assert_eq!("node-2=follower".parse(), Ok(node));
        assert!("node-2=happy".parse::<Condition>().is_err());
        assert!("happy".parse::<Condition>().is_err());
    }
}
