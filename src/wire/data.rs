//! The data API of one node, in the chapter's shapes. Field order is part of it; fields of our own come last. The
//! Python edition of the chapter spells fields in snake_case: readers here accept both.

use serde::{Deserialize, Serialize};

use crate::types::{EntryId, Index, NodeId, Role, Term};
use crate::value::{Key, Value};

/// The header of whoever only shows what becomes of a cluster: faults between clients and nodes leave it alone.
pub const OBSERVER_HEADER: &str = "x-cluster-observer";

/// How many members a node lists at most. A thousand would cost more than they tell.
pub const LISTED: usize = 100;

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
    /// Entries up to here are committed, as far as it knows.
    #[serde(default)]
    pub commit_index: Index,
    /// The last index applied to its store.
    pub applied_index: Index,
    /// Entries up to here are compacted into the store.
    pub compacted_index: Index,
    /// The last index that its last snapshot held; 0 if it took none.
    #[serde(default)]
    pub snapshot_index: Index,
    /// Whom it voted for in its term, or null.
    #[serde(default)]
    pub voted_for: Option<NodeId>,
    /// Whether its disk was lost and it must not vote yet.
    #[serde(default)]
    pub recovering: bool,
    /// Why its disk failed, or null: then it takes no part any more.
    #[serde(default)]
    pub disk: Option<String>,
    /// How many syncs of its disk have completed; 0 in memory.
    #[serde(default)]
    pub syncs: u64,
    /// How many messages of its peers have arrived since it was started, answers not counted.
    #[serde(default)]
    pub received: u64,
    /// The members it knows, at most [`LISTED`]; a leader says what each of the others is missing.
    #[serde(default)]
    pub members: Vec<MemberState>,
    /// Milliseconds since it heard its leader; null if it knows none.
    pub heard_ago_ms: Option<u64>,
    /// The version of this program.
    pub program: String,
}

/// A member, as a node knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberState {
    /// Its id.
    pub id: NodeId,
    /// Whether its vote counts; otherwise it is a learner.
    pub voter: bool,
    /// It has everything up to here on its disk, as its leader knows; null on other nodes, or if that is not known.
    pub match_index: Option<Index>,
    /// How many entries it lacks, as its leader knows.
    pub missing: Option<u64>,
    /// Whether it is being sent a snapshot.
    pub snapshot: bool,
}

/// How consistent a read is to be: `GET /key/{key}?consistency=…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Consistency {
    /// What the node holds, which may be stale (the chapter's way).
    #[default]
    Local,
    /// What a node holds that believes it leads.
    Leader,
    /// At least what was committed before the question; refused where the mode cannot promise that.
    Linearizable,
}

impl Consistency {
    /// As it is written in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Consistency::Local => "local",
            Consistency::Leader => "leader",
            Consistency::Linearizable => "linearizable",
        }
    }
}

impl std::str::FromStr for Consistency {
    type Err = ();

    fn from_str(text: &str) -> Result<Consistency, ()> {
        let all = [
            Consistency::Local,
            Consistency::Leader,
            Consistency::Linearizable,
        ];
        all.into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

/// The answer to `GET /key/{key}`, as clients read it.
#[derive(Debug, Clone, Deserialize)]
pub struct Found {
    /// The key.
    pub key: Key,
    /// Its value.
    pub value: Value,
}

/// The answer to a request of which nobody knows, or can find out now, what the node was asked.
#[derive(Debug, Clone, Deserialize)]
pub struct Unanswered {
    /// `Outcome unknown`, `Unavailable` or `Not promised`.
    pub error: String,
    /// Why, as a sentence.
    pub reason: String,
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
