//! What must hold in every state, named after Raft's figure 3 where it is there.

use std::fmt;

use crate::types::{Election, Mode, Replication};

/// Something that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Invariant {
    /// No term ever has two leaders.
    ElectionSafety,
    /// A leader never takes back entries of its own log while it leads.
    LeaderAppendOnly,
    /// If two logs have an entry in common, they are equal up to there. Entries are the same if index and term are; in
    /// `lowest-id`, where a term can have two leaders, the leader counts too.
    LogMatching,
    /// Whoever leads has every entry that was committed in an earlier term.
    LeaderCompleteness,
    /// No two nodes ever commit or apply different entries at one index, and equal indexes make equal stores.
    StateMachineSafety,
    /// What is acknowledged is on the disks that the mode says: a majority's with `quorum`, everybody's with `sync`.
    Acknowledgement,
    /// After every step a node's term, vote and log are on its disk, where the term never goes back and the vote within a
    /// term never changes.
    Durability,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Invariant; 7] = [
        Invariant::ElectionSafety,
        Invariant::LeaderAppendOnly,
        Invariant::LogMatching,
        Invariant::LeaderCompleteness,
        Invariant::StateMachineSafety,
        Invariant::Acknowledgement,
        Invariant::Durability,
    ];

    /// What `mode` promises.
    pub fn promised(mode: Mode) -> Vec<Invariant> {
        let is_promised = |invariant: &Invariant| match invariant {
            Invariant::LeaderAppendOnly | Invariant::LogMatching | Invariant::Durability => true,
            Invariant::ElectionSafety => mode.election != Election::LowestId,
            // Without votes by log another leader may have taken it back from one of a majority meanwhile.
            Invariant::Acknowledgement => match mode.replication {
                Replication::Async => false,
                Replication::Quorum => mode.is_linearizable(),
                Replication::Sync => true,
            },
            Invariant::LeaderCompleteness | Invariant::StateMachineSafety => mode.is_linearizable(),
        };
        Invariant::ALL.into_iter().filter(is_promised).collect()
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Invariant::ElectionSafety => "election safety",
            Invariant::LeaderAppendOnly => "leader append-only",
            Invariant::LogMatching => "log matching",
            Invariant::LeaderCompleteness => "leader completeness",
            Invariant::StateMachineSafety => "state-machine safety",
            Invariant::Acknowledgement => "acknowledgement",
            Invariant::Durability => "durability",
        })
    }
}

/// An invariant that does not hold, and how that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) invariant: Invariant,
    pub(super) why: String,
}

impl Broken {
    pub(super) fn new(invariant: Invariant, why: String) -> Broken {
        Broken { invariant, why }
    }
}
