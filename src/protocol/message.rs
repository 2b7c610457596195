//! What nodes say to each other. Each field says what its receiver may conclude from it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::protocol::log::{Entry, Run};
use crate::store::Item;
use crate::types::{Boot, EntryId, Index, Leadership, NodeId, Term};
use crate::value::{Key, Value};

/// What one node says to another.
///
/// `claim` is the sender's claim to lead: a receiver that knows a greater one refuses, and otherwise obeys. In an answer
/// `known` is the greatest claim the answerer knows of: a leader that reads a greater one than its own steps down.
/// `boot` names the life of the answerer's disk: if it changed, everything known of its log is void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Message {
    /// The leader lives. An answer tells where the follower's log ends.
    Heartbeat {
        /// Who leads.
        claim: Leadership,
        /// Numbers the leader's messages; the answer repeats it, so that late answers are known as late.
        round: u64,
    },
    /// Answer to a heartbeat.
    HeartbeatAck {
        /// The greatest claim known.
        known: Known,
        /// The life of the disk.
        boot: Boot,
        /// The heartbeat's number.
        round: u64,
        /// Where the log ends. The leader compares: part of its own history, or not.
        last: Option<EntryId>,
    },
    /// Entries that follow `prev`.
    Append {
        /// Who leads.
        claim: Leadership,
        /// As in a heartbeat.
        round: u64,
        /// The entry before the first: if the receiver has it, the logs are equal up to there.
        prev: Option<EntryId>,
        /// The entries, at most [`MAX_APPEND_BYTES`] unless there is only one.
        entries: Vec<Entry>,
    },
    /// Answer to an append.
    AppendAck {
        /// The greatest claim known.
        known: Known,
        /// The life of the disk.
        boot: Boot,
        /// The append's number.
        round: u64,
        /// Whether they could be stored.
        outcome: AppendOutcome,
    },
    /// A piece of the leader's store, for a follower whose log cannot be continued.
    InstallSnapshot {
        /// Who leads.
        claim: Leadership,
        /// As in a heartbeat.
        round: u64,
        /// The last entry applied to the snapshot: its name. Pieces of different snapshots never mix.
        last: Option<EntryId>,
        /// The history that led there: tells the follower which of its own entries are not part of it. Only the first
        /// piece carries it.
        history: Arc<Vec<Run>>,
        /// The piece continues behind this place (`None`: it is the first piece).
        after: Option<u64>,
        /// The items, at most [`MAX_APPEND_BYTES`] unless there is only one.
        items: Vec<Item>,
        /// Whether this is the last piece.
        done: bool,
    },
    /// Answer to a piece of a snapshot.
    SnapshotAck {
        /// The greatest claim known.
        known: Known,
        /// The life of the disk.
        boot: Boot,
        /// The piece's number.
        round: u64,
        /// The snapshot's name.
        last: Option<EntryId>,
        /// What the follower has of it.
        progress: SnapshotProgress,
    },
    /// lowest-id: "my leader is silent; do you live, and do you know a leader?"
    Probe {
        /// The asker's term.
        term: Term,
    },
    /// Answer to a probe: "I live."
    ProbeAck {
        /// The greatest claim known.
        known: Known,
        /// How long ago the known leader was heard; zero from the leader itself. `None`: no leader is known.
        heard_ago: Option<Duration>,
        /// Whether the answerer would ever lead by itself. A program of the chapter would not, so nobody waits for it.
        contends: bool,
    },
    /// A heartbeat in the chapter's bare form, from a program that speaks no more than that. It proves that its sender
    /// leads in that term and nothing about anybody's log.
    BareHeartbeat {
        /// Who leads.
        claim: Leadership,
    },
    /// A chapter leader's whole map, or ours for a chapter's follower. Keys it lacks stay as they are.
    WholeMap {
        /// Who leads.
        claim: Leadership,
        /// Keys and values, in order.
        data: Arc<Vec<(Key, Value)>>,
    },
    /// `{"success":true}` and nothing else, to the message named: its sender lives and speaks only the chapter's protocol.
    BareAck {
        /// What was answered.
        to: MessageKind,
    },
}

/// The largest append or snapshot piece, in bytes of keys and values (more only if a single one is larger).
pub const MAX_APPEND_BYTES: usize = 1 << 20;

/// The greatest claim a node knows: its term, and who leads it, if known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The highest term seen.
    pub term: Term,
    /// Its leader.
    pub leader: Option<NodeId>,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AppendOutcome {
    /// It is on the disk: follower and leader are equal up to this index.
    Stored(Index),
    /// It cannot be continued from `prev`; the log ends here instead.
    Mismatch(Option<EntryId>),
    /// The sender's claim is outdated; nothing was read.
    Stale,
}

/// What a follower has of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SnapshotProgress {
    /// Everything up to this place (`None`: nothing); go on behind it.
    Upto(Option<u64>),
    /// All of it: the store is replaced.
    Installed,
    /// The sender's claim is outdated; nothing was read.
    Stale,
}

/// The kinds of messages: for naming one without its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is documented at its Message")]
pub enum MessageKind {
    Heartbeat,
    HeartbeatAck,
    Append,
    AppendAck,
    InstallSnapshot,
    SnapshotAck,
    Probe,
    ProbeAck,
    BareHeartbeat,
    WholeMap,
    BareAck,
}

impl Message {
    /// Its kind.
    pub fn kind(&self) -> MessageKind {
        match self {
            Message::Heartbeat { .. } => MessageKind::Heartbeat,
            Message::HeartbeatAck { .. } => MessageKind::HeartbeatAck,
            Message::Append { .. } => MessageKind::Append,
            Message::AppendAck { .. } => MessageKind::AppendAck,
            Message::InstallSnapshot { .. } => MessageKind::InstallSnapshot,
            Message::SnapshotAck { .. } => MessageKind::SnapshotAck,
            Message::Probe { .. } => MessageKind::Probe,
            Message::ProbeAck { .. } => MessageKind::ProbeAck,
            Message::BareHeartbeat { .. } => MessageKind::BareHeartbeat,
            Message::WholeMap { .. } => MessageKind::WholeMap,
            Message::BareAck { .. } => MessageKind::BareAck,
        }
    }

    /// Whether it answers a message, and so may travel back on that message's connection.
    pub fn is_answer(&self) -> bool {
        match self.kind() {
            MessageKind::HeartbeatAck
            | MessageKind::AppendAck
            | MessageKind::SnapshotAck
            | MessageKind::ProbeAck
            | MessageKind::BareAck => true,
            MessageKind::Heartbeat
            | MessageKind::Append
            | MessageKind::InstallSnapshot
            | MessageKind::Probe
            | MessageKind::BareHeartbeat
            | MessageKind::WholeMap => false,
        }
    }

    /// The highest term it speaks of, for the check that no stranger runs terms to their maximum.
    pub fn term(&self) -> Term {
        match self {
            Message::Heartbeat { claim, .. }
            | Message::Append { claim, .. }
            | Message::InstallSnapshot { claim, .. }
            | Message::BareHeartbeat { claim }
            | Message::WholeMap { claim, .. } => claim.term,
            Message::HeartbeatAck { known, .. }
            | Message::AppendAck { known, .. }
            | Message::SnapshotAck { known, .. }
            | Message::ProbeAck { known, .. } => known.term,
            Message::Probe { term } => *term,
            Message::BareAck { .. } => 0,
        }
    }
}
