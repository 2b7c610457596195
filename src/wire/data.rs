//! The data API of one node, in the chapter's shapes. Field order is part of it; fields of our own come last. The
//! Python edition of the chapter spells fields in snake_case: readers here accept both.

use serde::{Deserialize, Serialize};

use crate::types::{EntryId, Index, NodeId, Role, Term};
use crate::value::{Key, Value};

/// `GET /status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// Who answers.
    #[serde(alias = "node_id")]
    pub node_id: NodeId,
    /// What it is.
    pub role: Role,
    /// The highest term it has seen.
    pub term: Term,
    /// The leader it obeys, itself if it leads, or null.
    #[serde(alias = "leader_id")]
    pub leader_id: Option<NodeId>,
    /// How many keys it holds.
    #[serde(alias = "total_keys")]
    pub total_keys: u64,
    /// The keys, in order of first insertion; left out of `GET /status?keys=no`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<Key>>,
    /// What only our own nodes say.
    #[serde(flatten)]
    pub more: Option<NodeDetail>,
}

/// The part of [`NodeStatus`] that the chapter's programs do not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeDetail {
    /// The rules it plays by, as in `lowest-id + async`.
    pub mode: String,
    /// Where its log ends: two nodes that show the same entry hold the same data.
    pub last_entry: Option<EntryId>,
    /// The last index of its log.
    pub last_index: Index,
    /// The last index applied to its store.
    pub applied_index: Index,
    /// Entries up to here are compacted into the store.
    pub compacted_index: Index,
    /// Milliseconds since it heard its leader; null if it knows none.
    pub heard_ago_ms: Option<u64>,
    /// The version of this program.
    pub program: String,
}

/// The answer to `GET /key/{key}`, as clients read it.
#[derive(Debug, Clone, Deserialize)]
pub struct Found {
    /// The key.
    pub key: Key,
    /// Its value.
    pub value: Value,
}

/// The answer to a write that a node refused because it does not lead.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotLeader {
    /// `Not the leader`.
    pub error: String,
    /// What the node is.
    #[serde(alias = "current_role")]
    pub current_role: String,
    /// Who leads, or `Unknown`.
    #[serde(alias = "leader_id")]
    pub leader_id: String,
}
