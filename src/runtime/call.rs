//! What a node's task is asked or told by those around it.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::protocol::{Change, MemberChange, Message, MessageKind, Reply};
use crate::store::Proviso;
use crate::types::{NodeId, Role};
use crate::value::Key;

/// What the task is asked or told.
pub(super) enum Call {
    /// Take part.
    Begin { bootstrap: bool },
    /// A client's write.
    Write {
        key: Key,
        change: Change,
        proviso: Option<Arc<Proviso>>,
        answer: oneshot::Sender<Reply>,
    },
    /// A client's linearizable read.
    Read { answer: oneshot::Sender<Reply> },
    /// A change of the members.
    Members {
        change: MemberChange,
        answer: oneshot::Sender<Reply>,
    },
    /// A change of the leader.
    Transfer {
        to: Option<NodeId>,
        answer: oneshot::Sender<Reply>,
    },
    /// Vote again, though the disk was lost.
    Trust,
    /// A peer's message.
    Request {
        from: NodeId,
        message: Message,
        answer: oneshot::Sender<Answer>,
    },
    /// A peer's answer.
    Response { from: NodeId, message: Message },
    /// A peer's port refused.
    Refused { peer: NodeId, message: MessageKind },
    /// A peer's id was learned.
    Identified { address: NodeId, id: NodeId },
    /// A peer of other rules knocked.
    OtherRules { peer: NodeId, rules: String },
}

/// The answer to a peer's message.
pub(super) enum Answer {
    /// Success, and perhaps more.
    Success(Option<Message>),
    /// No honest node could have said that.
    Unbelievable,
    /// The node takes no part any more.
    Gone,
}

/// A node whose disk failed says so to everybody.
pub(super) fn refuse(call: Call) {
    match call {
        Call::Write { answer, .. } => drop(answer.send(Reply::NotLeader {
            role: Role::Follower,
            leader: None,
        })),
        Call::Read { answer } | Call::Members { answer, .. } | Call::Transfer { answer, .. } => {
            let reason = "the disk of this node failed".to_owned();
            drop(answer.send(Reply::Unavailable { reason }));
        }
        Call::Request { answer, .. } => drop(answer.send(Answer::Gone)),
        Call::Begin { .. }
        | Call::Trust
        | Call::Response { .. }
        | Call::Refused { .. }
        | Call::Identified { .. }
        | Call::OtherRules { .. } => {}
    }
}
