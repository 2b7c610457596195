//! What nodes say to each other. Each field says what its receiver may conclude from it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::protocol::history::Run;
use crate::protocol::log::Entry;
use crate::store::Piece;
use crate::types::{Boot, EntryId, Index, Leadership, Members, NodeId, Term};
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
        /// The last entry committed: whoever has it has everything up to there as it will stay. Left out with `async`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<EntryId>,
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
        /// The last entry applied, with modes that commit: the log up to there is never taken back entry by entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied: Option<EntryId>,
        /// Whether the answerer lost its disk, and must not vote before it is told that it has caught up.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        recovering: bool,
    },
    /// Entries that follow `prev`.
    Append {
        /// Who leads.
        claim: Leadership,
        /// As in a heartbeat.
        round: u64,
        /// The entry before the first: if the receiver has it, the logs are equal up to there.
        prev: Option<EntryId>,
        /// The entries, at most [`append_bytes`](crate::types::Config::append_bytes) unless there is only one.
        entries: Vec<Entry>,
        /// As in a heartbeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<EntryId>,
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
        /// The life of the leader's disk: an earlier one may have led the same term.
        #[serde(default)]
        boot: Boot,
        /// The last entry applied to the snapshot: its name. Pieces of different snapshots never mix.
        last: Option<EntryId>,
        /// The history that led there: tells the follower which of its own entries are not part of it. Only the first
        /// piece carries it.
        history: Arc<Vec<Run>>,
        /// The members as of `last`. Only the first piece carries them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        members: Option<Box<Members>>,
        /// The piece continues behind this place (`None`: it is the first piece).
        after: Option<u64>,
        /// The items, at most [`append_bytes`](crate::types::Config::append_bytes) unless there is only one.
        items: Vec<Piece>,
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
    /// raft: "would you vote for me in `term`?" Whoever hears a leader, or knows more, would not. Commits nobody to
    /// anything (§9.6).
    PreVote {
        /// The term that the asker would begin.
        term: Term,
        /// Where its log ends.
        last: Option<EntryId>,
    },
    /// raft and bully: "vote for me in `term`."
    Vote {
        /// The term to be led.
        term: Term,
        /// Where the asker's log ends.
        last: Option<EntryId>,
        /// The leader itself asked for this election, so hearing it is no reason to refuse (§3.10).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        transfer: bool,
    },
    /// Answer to either.
    VoteAck {
        /// The greatest claim known.
        known: Known,
        /// The term that was asked for: votes for another are not for this one.
        term: Term,
        /// Whether a pre-vote was asked for.
        pre: bool,
        /// Whether it was given.
        granted: bool,
        /// How long ago the known leader was heard; zero from the leader itself.
        heard_ago: Option<Duration>,
    },
    /// "Stand for election at once, I hand over to you" (§3.10).
    TimeoutNow {
        /// Who leads.
        claim: Leadership,
    },
    /// A follower's clients want to read: up to where is the log committed?
    ReadIndex {
        /// Numbers the question.
        id: u64,
    },
    /// "Whoever asked before may read what the log up to `commit` makes": said after a majority confirmed the leader.
    ReadAt {
        /// Who leads.
        claim: Leadership,
        /// The question's number.
        id: u64,
        /// The entry up to which the log must be applied first.
        commit: Option<EntryId>,
    },
    /// To a node that lost its disk: it has everything that was committed when a majority without it confirmed the
    /// leader, and may vote again.
    Restored {
        /// The life of the disk that this is about: what a later one forgot, nobody vouched for.
        boot: Boot,
        /// Who leads.
        claim: Leadership,
        /// The entry it must have.
        commit: Option<EntryId>,
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
    Mismatch {
        /// Its last entry.
        last: Option<EntryId>,
        /// As in the answer to a heartbeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied: Option<EntryId>,
    },
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
    PreVote,
    Vote,
    VoteAck,
    TimeoutNow,
    ReadIndex,
    ReadAt,
    Restored,
    BareHeartbeat,
    WholeMap,
    BareAck,
}

impl MessageKind {
    /// All of them, in the order of their declaration.
    pub const ALL: [MessageKind; 18] = [
        MessageKind::Heartbeat,
        MessageKind::HeartbeatAck,
        MessageKind::Append,
        MessageKind::AppendAck,
        MessageKind::InstallSnapshot,
        MessageKind::SnapshotAck,
        MessageKind::Probe,
        MessageKind::ProbeAck,
        MessageKind::PreVote,
        MessageKind::Vote,
        MessageKind::VoteAck,
        MessageKind::TimeoutNow,
        MessageKind::ReadIndex,
        MessageKind::ReadAt,
        MessageKind::Restored,
        MessageKind::BareHeartbeat,
        MessageKind::WholeMap,
        MessageKind::BareAck,
    ];
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
            Message::PreVote { .. } => MessageKind::PreVote,
            Message::Vote { .. } => MessageKind::Vote,
            Message::VoteAck { .. } => MessageKind::VoteAck,
            Message::TimeoutNow { .. } => MessageKind::TimeoutNow,
            Message::ReadIndex { .. } => MessageKind::ReadIndex,
            Message::ReadAt { .. } => MessageKind::ReadAt,
            Message::Restored { .. } => MessageKind::Restored,
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
            | MessageKind::VoteAck
            | MessageKind::BareAck => true,
            MessageKind::Heartbeat
            | MessageKind::Append
            | MessageKind::InstallSnapshot
            | MessageKind::Probe
            | MessageKind::PreVote
            | MessageKind::Vote
            | MessageKind::TimeoutNow
            | MessageKind::ReadIndex
            | MessageKind::ReadAt
            | MessageKind::Restored
            | MessageKind::BareHeartbeat
            | MessageKind::WholeMap => false,
        }
    }

    /// The greatest claim that an answer's sender knows.
    pub fn known(&self) -> Option<&Known> {
        match self {
            Message::HeartbeatAck { known, .. }
            | Message::AppendAck { known, .. }
            | Message::SnapshotAck { known, .. }
            | Message::ProbeAck { known, .. }
            | Message::VoteAck { known, .. } => Some(known),
            _ => None,
        }
    }

    /// The highest term it speaks of, for the check that no stranger runs terms to their maximum.
    pub fn term(&self) -> Term {
        match self {
            Message::Heartbeat { claim, .. }
            | Message::Append { claim, .. }
            | Message::InstallSnapshot { claim, .. }
            | Message::TimeoutNow { claim }
            | Message::ReadAt { claim, .. }
            | Message::Restored { claim, .. }
            | Message::BareHeartbeat { claim }
            | Message::WholeMap { claim, .. } => claim.term,
            Message::HeartbeatAck { known, .. }
            | Message::AppendAck { known, .. }
            | Message::SnapshotAck { known, .. }
            | Message::ProbeAck { known, .. } => known.term,
            Message::VoteAck { known, term, .. } => known.term.max(*term),
            Message::Probe { term }
            | Message::PreVote { term, .. }
            | Message::Vote { term, .. } => *term,
            Message::ReadIndex { .. } | Message::BareAck { .. } => 0,
        }
    }
}
