//! How far the search goes: how often what may happen.

use crate::sim::exhaustive::Invariant;
use crate::types::{Election, Mode, Safeguards};

/// The most that can be counted of anything.
pub const MOST: u32 = 31;

/// The most nodes.
pub const MOST_NODES: usize = 5;

/// What is searched. Everything in it is tried at any moment, in any order, at any node, as often as it says.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How many nodes, 1 to [`MOST_NODES`].
    pub nodes: usize,
    /// The longest path, in steps; `None`: as long as the rest allows.
    pub depth: Option<u32>,
    /// How often a node's patience ends: a follower's or a candidate's, or a leader's that hears no majority.
    pub timeouts: u32,
    /// How often a leader lets a heartbeat interval pass. It always sends the first heartbeats of its leadership.
    pub heartbeats: u32,
    /// How often a node loses all that is not on its disk, and comes back at any later moment.
    pub crashes: u32,
    /// How many writes clients make.
    pub writes: u32,
    /// How often a message arrives twice; `None`: any message, any number of times.
    pub duplicates: Option<u32>,
    /// How often a message is taken off the wire. That finds nothing that zero does not find, since a message may stay
    /// there for ever; it is here to show just that.
    pub losses: u32,
    /// The rules.
    pub mode: Mode,
    /// What keeps raft elections calm.
    pub safeguards: Safeguards,
    /// How many entries lie between two snapshots; `None`: there are none.
    pub snapshot_every: Option<usize>,
    /// What must hold in every state.
    pub invariants: Vec<Invariant>,
    /// Whether states that differ only in who is who count as one, where ids decide nothing (`raft`).
    pub symmetry: bool,
    /// Whether letters that can never again do anything are taken off the wire. Nothing is found without that which is not
    /// found with it, but it takes hundreds of times as long.
    pub bury: bool,
    /// What is wrong on purpose.
    pub flaw: Option<Flaw>,
    /// The search ends, unfinished, once it has this many states.
    pub most_states: u64,
}

/// A disk that does not keep what it was given, to show that the search finds what follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A crash loses the vote, though not the term.
    ForgetsVote,
    /// A crash loses the last entry of the log: it was acknowledged before it was synced.
    ForgetsEntry,
}

impl Default for Bounds {
    /// Three nodes of `raft + quorum`: two timeouts, a crash and a write.
    fn default() -> Bounds {
        Bounds::of(Mode::RAFT)
    }
}

impl Bounds {
    /// Three nodes of `mode`, two timeouts, a crash and a write, and what the mode promises.
    pub fn of(mode: Mode) -> Bounds {
        Bounds {
            nodes: 3,
            depth: None,
            timeouts: 2,
            heartbeats: 0,
            crashes: 1,
            writes: 1,
            duplicates: Some(0),
            losses: 0,
            mode,
            safeguards: Safeguards::default(),
            snapshot_every: None,
            invariants: Invariant::promised(mode),
            symmetry: true,
            bury: true,
            flaw: None,
            most_states: u64::from(u32::MAX) - 1,
        }
    }

    /// Why this cannot be searched, as a sentence.
    pub fn problem(&self) -> Option<String> {
        let counts = [
            ("timeouts", self.timeouts),
            ("heartbeats", self.heartbeats),
            ("crashes", self.crashes),
            ("writes", self.writes),
            ("duplicates", self.duplicates.unwrap_or(0)),
            ("losses", self.losses),
        ];
        let too_many = counts.iter().find(|(_, count)| *count > MOST);
        match too_many {
            _ if !(1..=MOST_NODES).contains(&self.nodes) => Some(format!(
                "{} nodes cannot be searched: choose 1 to {MOST_NODES}",
                self.nodes
            )),
            Some((what, count)) => Some(format!(
                "{count} {what} are too many: choose at most {MOST} (no search of more than a few ends)"
            )),
            None => None,
        }
    }

    /// Whether states are compared whoever is who: only where ids decide nothing.
    pub(super) fn renames(&self) -> bool {
        self.symmetry && self.mode.election == Election::Raft
    }

    /// Whether every message may arrive any number of times.
    pub(super) fn keeps_all(&self) -> bool {
        self.duplicates.is_none()
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Budget {
    Timeout,
    Heartbeat,
    Crash,
    Write,
    Duplicate,
    Loss,
}

/// What a path has used up: five bits of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Spent(pub(super) u32);

const ALL: [Budget; 6] = [
    Budget::Timeout,
    Budget::Heartbeat,
    Budget::Crash,
    Budget::Write,
    Budget::Duplicate,
    Budget::Loss,
];

impl Spent {
    /// How much of `what`.
    pub(super) fn of(self, what: Budget) -> u32 {
        self.0 >> (5 * what as u32) & MOST
    }

    /// One more of `what`, if `bounds` allow it.
    pub(super) fn and(self, what: Budget, bounds: &Bounds) -> Option<Spent> {
        let most = match what {
            Budget::Timeout => bounds.timeouts,
            Budget::Heartbeat => bounds.heartbeats,
            Budget::Crash => bounds.crashes,
            Budget::Write => bounds.writes,
            Budget::Duplicate => bounds.duplicates.unwrap_or(0),
            Budget::Loss => bounds.losses,
        };
        (self.of(what) < most).then(|| Spent(self.0 + (1 << (5 * what as u32))))
    }

    /// Whether whoever has spent this can do all that whoever has spent `other` can.
    pub(super) fn is_at_most(self, other: Spent) -> bool {
        ALL.iter().all(|what| self.of(*what) <= other.of(*what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_counted_up_to_its_bound_and_apart_from_the_rest() {
        let bounds = Bounds::default();
        let once = Spent::default().and(Budget::Timeout, &bounds).unwrap();
        let twice = once.and(Budget::Timeout, &bounds).unwrap();
        assert_eq!(twice.and(Budget::Timeout, &bounds), None);
        let crashed = once.and(Budget::Crash, &bounds).unwrap();
        assert_eq!(
            (crashed.of(Budget::Timeout), crashed.of(Budget::Crash)),
            (1, 1)
        );
        assert!(
            once.is_at_most(crashed) && !twice.is_at_most(crashed) && !crashed.is_at_most(twice)
        );
    }

    #[test]
    fn what_cannot_be_searched_is_refused_in_words() {
        let many = Bounds {
            nodes: 6,
            ..Bounds::default()
        };
        assert!(many.problem().is_some_and(|why| why.contains("1 to 5")));
        let long = Bounds {
            timeouts: 32,
            ..Bounds::default()
        };
        assert!(long.problem().is_some_and(|why| why.contains("timeouts")));
        assert_eq!(Bounds::default().problem(), None);
    }
}
