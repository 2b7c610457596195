//! Under which rules: how a leader is found, and when a write is answered.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a leader is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Election {
    /// The lowest live id leads; no votes, no majority (the chapter's way).
    #[default]
    LowestId,
    /// The highest live id leads, once a majority of the cluster votes for it (Garcia-Molina's bully algorithm, with votes).
    Bully,
    /// Random timeouts, pre-vote, votes by log freshness, check-quorum (Ongaro's dissertation, §3.4, §9.6, §6.2).
    Raft,
}

/// When a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// Once the leader has applied it (the chapter's way).
    #[default]
    Async,
    /// Once a majority has it on disk.
    Quorum,
    /// Once every member has it on disk.
    Sync,
}

/// An election and a replication mode. Nodes of different modes refuse each other's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mode {
    /// How a leader is found.
    pub election: Election,
    /// When a write is answered.
    pub replication: Replication,
}

impl Mode {
    /// Raft as its paper has it.
    pub const RAFT: Mode = Mode {
        election: Election::Raft,
        replication: Replication::Quorum,
    };

    /// Whether entries are applied only once a majority has them; otherwise as soon as they are in the log.
    pub fn commits(self) -> bool {
        self.replication != Replication::Async
    }

    /// Whether a leader needs a majority of the cluster, dead nodes counted.
    pub fn needs_majority(self) -> bool {
        self.election != Election::LowestId
    }

    /// Whether reads can be linearizable, and members change: only where every leader knows all that was committed.
    pub fn is_linearizable(self) -> bool {
        self.election == Election::Raft && self.commits()
    }

    /// What this pair promises, and what it does not, in one sentence for `status` and the first lines of `up`.
    pub fn promise(self) -> &'static str {
        match (self.election, self.replication) {
            (Election::LowestId, Replication::Async) => {
                "writes are acknowledged before they are copied: a leader's death can lose them, and a partition can have two leaders"
            }
            (Election::LowestId, Replication::Quorum) => {
                "each of a majority has held a write when it is acknowledged, but the lowest id leads even if it does not: acknowledged writes can be lost, and a partition can have two leaders"
            }
            (Election::LowestId, Replication::Sync) => {
                "every node holds a write when it is acknowledged: a dead node blocks all writes; a partition can have two leaders, neither of which acknowledges any"
            }
            (Election::Bully, Replication::Async) => {
                "writes are acknowledged before they are copied, and the highest live id leads even if it is behind: acknowledged writes can be lost"
            }
            (Election::Bully, Replication::Quorum) => {
                "each of a majority has held a write when it is acknowledged, but the highest live id leads even if it does not: acknowledged writes can be lost"
            }
            (Election::Bully, Replication::Sync) => {
                "every node holds a write when it is acknowledged: a dead node blocks all writes"
            }
            (Election::Raft, Replication::Async) => {
                "one leader a term, by votes; but writes are acknowledged before they are copied: a leader's death can lose them"
            }
            (Election::Raft, Replication::Quorum) => {
                "linearizable: no acknowledged write is lost while a majority of the disks lives; without a majority nothing is written"
            }
            (Election::Raft, Replication::Sync) => {
                "linearizable, and every node holds a write when it is acknowledged: a dead node blocks all writes"
            }
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = ();

    /// As it is displayed.
    fn from_str(text: &str) -> Result<Mode, ()> {
        let elections = [Election::LowestId, Election::Bully, Election::Raft];
        let replications = [Replication::Async, Replication::Quorum, Replication::Sync];
        let mut modes = elections.into_iter().flat_map(|election| {
            replications.map(|replication| Mode {
                election,
                replication,
            })
        });
        modes.find(|mode| mode.to_string() == text).ok_or(())
    }
}

impl fmt::Display for Mode {
    /// `lowest-id + async`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let election = match self.election {
            Election::LowestId => "lowest-id",
            Election::Bully => "bully",
            Election::Raft => "raft",
        };
        let replication = match self.replication {
            Replication::Async => "async",
            Replication::Quorum => "quorum",
            Replication::Sync => "sync",
        };
        f.pad(&format!("{election} + {replication}"))
    }
}

/// What keeps raft elections calm; each can be taken away, so that one sees what it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Safeguards {
    /// Election timeouts are drawn from [T, 2T) (§3.4). Without it they are all T, heartbeats leave together, and votes
    /// can be split for ever.
    pub random_timeout: bool,
    /// Whoever cannot win raises no term (§9.6). Without it a node that was away deposes a healthy leader on its return.
    pub pre_vote: bool,
    /// A leader that hears no majority for T steps down (§6.2), and who hears a leader votes for nobody (§4.2.3). Without
    /// it a leader that is cut off never notices.
    pub check_quorum: bool,
}

impl Default for Safeguards {
    fn default() -> Safeguards {
        Safeguards {
            random_timeout: true,
            pre_vote: true,
            check_quorum: true,
        }
    }
}
