//! What a leader knows of its followers, and what it has to do when.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::door::Snapshot;
use crate::types::{Boot, Index, NodeId, Time};

/// What a leader keeps while it leads.
#[derive(Debug)]
pub(super) struct Leading {
    /// Numbers its messages.
    pub(super) round: u64,
    pub(super) followers: BTreeMap<NodeId, Progress>,
    /// What is to be done when, in order.
    pub(super) duties: BTreeSet<(Time, Duty, NodeId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Duty {
    Heartbeat,
    Send,
}

/// What a leader knows of a follower.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) boot: Option<Boot>,
    pub(super) needs: Needs,
    /// The message without an answer yet, and when it left.
    pub(super) in_flight: Option<(u64, Time)>,
    /// Not before then does the next append or piece leave.
    pub(super) send_after: Time,
    /// Whether a `Duty::Send` is among the duties.
    pub(super) scheduled: bool,
    /// Answers to heartbeats up to this round may describe the log from before a snapshot was installed.
    pub(super) outdated: u64,
}

/// How a follower is brought up to date.
#[derive(Debug)]
pub(super) enum Needs {
    /// Not known before it answers.
    Unknown,
    /// It has everything up to this index: the entries behind.
    Entries(Index),
    /// A snapshot, of which it has everything up to a place.
    Snapshot(Snapshot, Option<u64>),
    /// It speaks the chapter's protocol: the whole map, whenever the log has grown beyond this index.
    Maps(Option<Index>),
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress {
            boot: None,
            needs: Needs::Unknown,
            in_flight: None,
            send_after: Time::ZERO,
            scheduled: false,
            outdated: 0,
        }
    }

    /// Forgets everything if the follower's disk is another than it was.
    pub(super) fn meet(&mut self, boot: Boot) {
        if self.boot.is_some_and(|known| known != boot) {
            *self = Progress {
                scheduled: self.scheduled,
                ..Progress::new()
            };
        }
        self.boot = Some(boot);
    }

    /// Takes the answer to `round`; whether it is the one waited for.
    pub(super) fn answered(&mut self, round: u64) -> bool {
        let expected = self.in_flight.is_some_and(|(sent, _)| sent == round);
        if expected {
            self.in_flight = None;
        }
        expected
    }
}

impl Leading {
    /// Leads `followers`: everyone is sent a heartbeat at once.
    pub(super) fn new(now: Time, followers: impl Iterator<Item = NodeId>) -> Leading {
        let followers: BTreeMap<NodeId, Progress> =
            followers.map(|id| (id, Progress::new())).collect();
        let duties = followers
            .keys()
            .map(|id| (now, Duty::Heartbeat, id.clone()))
            .collect();
        Leading {
            round: 0,
            followers,
            duties,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.duties.first().map(|(due, _, _)| *due)
    }

    /// A follower known by address has an id now.
    pub(super) fn rename(&mut self, address: &NodeId, id: &NodeId, own: &NodeId) {
        let Some(progress) = self.followers.remove(address) else {
            return;
        };
        let known = id == own || self.followers.contains_key(id);
        for (due, duty, to) in std::mem::take(&mut self.duties) {
            if to != *address {
                self.duties.insert((due, duty, to));
            } else if !known {
                self.duties.insert((due, duty, id.clone()));
            }
        }
        if !known {
            self.followers.insert(id.clone(), progress);
        }
    }

    pub(super) fn next_round(&mut self) -> u64 {
        self.round += 1;
        self.round
    }
}
