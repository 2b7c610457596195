//! What kinds of messages there are, as far as faults tell them apart.

use serde::{Deserialize, Serialize};

use crate::protocol::MessageKind;

/// A kind of messages, their answers included.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    /// Entries of the log, and the chapter's whole maps
    Replicate,
    /// The leader's signs of life
    Heartbeats,
    /// Elections: probes, votes, and hand-overs
    Votes,
    /// Copies of the whole store
    Snapshots,
    /// Questions where a read may stand
    Reads,
}

impl Traffic {
    /// All of them.
    pub const ALL: [Traffic; 5] = [
        Traffic::Replicate,
        Traffic::Heartbeats,
        Traffic::Votes,
        Traffic::Snapshots,
        Traffic::Reads,
    ];

    /// What `kind` belongs to. A bare acknowledgement does not tell: whoever knows what it answers asks for that.
    pub fn of(kind: MessageKind) -> Traffic {
        match kind {
            MessageKind::Append | MessageKind::AppendAck | MessageKind::WholeMap => {
                Traffic::Replicate
            }
            MessageKind::Heartbeat
            | MessageKind::HeartbeatAck
            | MessageKind::BareHeartbeat
            | MessageKind::BareAck => Traffic::Heartbeats,
            MessageKind::Probe
            | MessageKind::ProbeAck
            | MessageKind::PreVote
            | MessageKind::Vote
            | MessageKind::VoteAck
            | MessageKind::TimeoutNow
            | MessageKind::Restored => Traffic::Votes,
            MessageKind::InstallSnapshot | MessageKind::SnapshotAck => Traffic::Snapshots,
            MessageKind::ReadIndex | MessageKind::ReadAt => Traffic::Reads,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Traffic::Replicate => "replicate",
            Traffic::Heartbeats => "heartbeats",
            Traffic::Votes => "votes",
            Traffic::Snapshots => "snapshots",
            Traffic::Reads => "reads",
        }
    }
}
