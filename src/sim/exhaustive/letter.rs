//! What is asked of a message in every state, and when it is a dead letter: when it can never again do anything.
//!
//! A node goes through *epochs*: in each term it may collect votes, then lead, then do neither, and it never goes back. A vote
//! for somebody who collects none in that term any more, an answer to somebody who led then and does not now, a question
//! whose answer would be such a one: they are dead, whatever else happens. To know that takes knowledge of the protocol, and
//! the protocol may be wrong; so it is not believed, but tried (`proof`): of every node that was met, in every state it was in.

use crate::protocol::{Message, MessageKind};
use crate::sim::exhaustive::envelope::Envelope;
use crate::sim::exhaustive::seat::Seat;
use crate::types::{Election, Term};

/// What a node has behind it.
pub(super) type Epoch = u64;

/// Never.
const NEVER: Epoch = Epoch::MAX;

/// While it collects votes for `term` …
const fn collecting(term: Term) -> Epoch {
    3 * term
}

/// … while it leads …
const fn leading(term: Term) -> Epoch {
    3 * term + 1
}

/// … and afterwards, or if it did neither.
const fn over(term: Term) -> Epoch {
    3 * term + 2
}

/// The epoch of a node.
pub(super) fn epoch(seat: &Seat) -> Epoch {
    let term = seat.disk().found().ballot.term;
    match seat.node() {
        Some(node) if node.leads() => leading(node.term()),
        Some(node) if node.collects_votes() => collecting(node.term()),
        Some(_) | None => over(term),
    }
}

/// What is asked of a message in every state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: MessageKind,
    pub(super) is_answer: bool,
    /// Whether it makes a difference how long ago its receiver heard a leader.
    pub(super) asks_who_is_heard: bool,
    /// It is dead once its receiver …
    pub(super) dead_there: Epoch,
    /// … and its sender have come so far.
    pub(super) dead_here: Epoch,
}

impl Letter {
    pub(super) fn new(envelope: &Envelope, election: Election) -> Letter {
        let message = &envelope.message;
        let (dead_there, dead_here) = death(message, election);
        Letter {
            from: envelope.from,
            to: envelope.to,
            kind: message.kind(),
            is_answer: message.is_answer(),
            asks_who_is_heard: matches!(
                message,
                Message::PreVote { .. } | Message::Vote { .. } | Message::Probe { .. }
            ),
            dead_there,
            dead_here,
        }
    }
}

/// From which epochs of its receiver and of its sender on a message is dead.
fn death(message: &Message, election: Election) -> (Epoch, Epoch) {
    let is_raft = election == Election::Raft;
    match message {
        // A pre-vote is for a term that its asker has not begun; so is a vote in bully.
        Message::VoteAck { term, pre, .. } if *pre || !is_raft => (collecting(*term), 0),
        Message::VoteAck { term, .. } => (leading(*term), 0),
        // An answer to a leader speaks of one leadership.
        Message::HeartbeatAck { known, .. }
        | Message::AppendAck { known, .. }
        | Message::SnapshotAck { known, .. } => (over(known.term), 0),
        // Asking for a pre-vote changes nobody.
        Message::PreVote { term, .. } => (0, collecting(*term)),
        Message::Vote { term, .. } if is_raft => (collecting(*term + 1), leading(*term)),
        // What a leader says, however old, makes its receiver answer with a higher term, which the leader may not know.
        Message::Heartbeat { .. }
        | Message::Append { .. }
        | Message::InstallSnapshot { .. }
        | Message::Vote { .. }
        | Message::Probe { .. }
        | Message::ProbeAck { .. }
        | Message::TimeoutNow { .. }
        | Message::ReadIndex { .. }
        | Message::ReadAt { .. }
        | Message::Restored { .. }
        | Message::BareHeartbeat { .. }
        | Message::WholeMap { .. }
        | Message::BareAck { .. } => (NEVER, NEVER),
    }
}
