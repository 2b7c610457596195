//! The control API of a cluster: what `up` serves, and the commands, tests and other tools read. [`ClusterStatus`] is
//! versioned: fields may be added under the same number, none removed or changed.

use serde::{Deserialize, Serialize};

use crate::event::{Event, LostWrite};
use crate::types::{Election, NodeId, Replication, Term};
use crate::wire::data::{LISTED, NodeStatus};
use crate::wire::faults::FaultInForce;

/// The version of [`ClusterStatus`]'s shape.
pub const STATUS_VERSION: u32 = 1;

/// The header by which a server names this program's version, so that a client of another can say so.
pub const VERSION_HEADER: &str = "x-cluster-version";

/// `GET /api/info`: what is fixed for a cluster's life. Cheap: asks no node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterInfo {
    /// The version of the program that runs it.
    pub program: String,
    /// Its name.
    pub name: String,
    /// The process it runs in.
    pub pid: u32,
    /// Drawn at its start; the state file holds the same, which proves that file and server belong together.
    pub nonce: String,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// The rules.
    pub mode: ModeInfo,
    /// Where nodes keep their data: `memory`.
    pub storage: String,
    /// The heartbeat interval in milliseconds.
    pub heartbeat_ms: u64,
    /// The election timeout in milliseconds.
    pub election_timeout_ms: u64,
    /// Whether its lines are the chapter's.
    pub course: bool,
    /// The language of its lines: `en` or `fr`.
    pub lang: String,
    /// Its nodes, in order of their ids.
    pub nodes: Vec<NodeAddress>,
}

/// A mode, and what it promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeInfo {
    /// How a leader is found.
    pub election: Election,
    /// When a write is answered.
    pub replication: Replication,
    /// What that promises, and what it does not: one sentence.
    pub promise: String,
}

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAddress {
    /// Its id.
    pub id: NodeId,
    /// Its URL, `http://127.0.0.1:4001`.
    pub url: String,
}

/// `GET /api/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// [`STATUS_VERSION`].
    pub version: u32,
    /// What is fixed.
    #[serde(flatten)]
    pub info: ClusterInfoBrief,
    /// The node whose claim to lead is the greatest among those that answered and claim it.
    pub leader: Option<NodeId>,
    /// That leader's term.
    pub term: Option<Term>,
    /// How many nodes answered.
    pub up: usize,
    /// How many there are.
    pub total: usize,
    /// A row a node, in order of their ids.
    pub nodes: Vec<NodeRow>,
    /// Acknowledged or applied writes that are gone, since the cluster started.
    pub lost: LostTotals,
    /// The faults in force, in the order in which they were set.
    #[serde(default)]
    pub faults: Vec<FaultInForce>,
    /// What a person should know: several leaders, no majority, nodes that do not answer.
    pub warnings: Vec<String>,
    /// The number of the last event.
    pub last_event: u64,
}

impl ClusterStatus {
    /// Whether a node is there and no member, by what the leader says: nobody sends it anything, so it obeys nobody. What
    /// names its members by address, or leaves some out, says nothing of others.
    pub fn is_outsider(&self, row: &NodeRow) -> bool {
        let leads = |row: &&NodeRow| Some(&row.id) == self.leader.as_ref();
        let leader = self.nodes.iter().find(leads);
        let Some(more) = leader.and_then(|row| row.answer.as_ref()?.more.as_ref()) else {
            return false;
        };
        let are_all_named = (1..LISTED).contains(&more.members.len())
            && more.members.iter().all(|member| !member.id.is_address());
        are_all_named && more.members.iter().all(|member| member.id != row.id)
    }

    /// All but those that are no members.
    pub fn insiders(&self) -> impl Iterator<Item = &NodeRow> {
        self.nodes.iter().filter(|row| !self.is_outsider(row))
    }
}

/// The part of [`ClusterInfo`] that `status` repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterInfoBrief {
    /// The version of the program that runs it.
    pub program: String,
    /// Its name.
    pub name: String,
    /// The process it runs in; null if asked by `--peers`.
    pub pid: Option<u32>,
    /// When it started, RFC 3339 in UTC; null if asked by `--peers`.
    pub started_at: Option<String>,
    /// The rules; null if asked by `--peers`.
    pub mode: Option<ModeInfo>,
    /// Where nodes keep their data; null if asked by `--peers`.
    pub storage: Option<String>,
}

/// One node: what was asked of it, and what was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    /// Its id.
    pub id: NodeId,
    /// Its URL.
    pub url: String,
    /// What was seen when it was asked.
    pub state: NodeState,
    /// Since when it is started or killed (RFC 3339 in UTC); null if asked by `--peers`.
    pub since: Option<String>,
    /// How many log entries it is behind the leader; null without a leader or an answer.
    pub lag: Option<u64>,
    /// What it answered to `GET /status?keys=no`; null if it did not.
    pub answer: Option<NodeStatus>,
}

impl NodeRow {
    /// Whether it answers that its disk failed.
    pub fn has_failed_disk(&self) -> bool {
        let more = self.answer.as_ref().and_then(|a| a.more.as_ref());
        more.is_some_and(|more| more.disk.is_some())
    }
}

/// What was seen when a node was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It answered.
    Up,
    /// It was killed on request, and its port refuses.
    Killed,
    /// It should be up, but its port refuses.
    Down,
    /// It should be up and did not answer in time.
    Silent,
    /// It was made to stand still on request: it was not asked.
    Paused,
}

/// Totals of loss, kept by the launcher so that no kill forgets them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostTotals {
    /// How many writes, each counted once however many nodes discarded it.
    pub count: u64,
    /// The latest of them, at most a hundred.
    pub writes: Vec<LostWrite>,
}

/// A numbered event: `GET /api/events?from=N` (server-sent events whose id is `seq`; those with a number above `N`,
/// then the coming ones; `&follow=no` ends after those there are).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When, RFC 3339 in UTC with milliseconds.
    pub time: String,
    /// To which node; null for the cluster as a whole.
    pub node: Option<NodeId>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// The answer to `POST /api/nodes/{id}/kill`, `/revive`, `/pause` and `/resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChanged {
    /// The node.
    pub node: NodeId,
    /// Whether anything had to be done: killing the dead changes nothing.
    pub changed: bool,
    /// What it is now.
    pub state: NodeState,
}

/// The answer to `POST /api/members/{id}/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRemoved {
    /// The node, which is gone.
    pub node: NodeId,
}

/// The answer to `POST /api/transfer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Who leads now.
    pub leader: NodeId,
}

/// Any error of the control API, and of every command under `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// A word for programs: `unknown-node`, `no-cluster`, `no-leader`, `outcome-unknown`, …
    pub code: String,
    /// What happened, to which node or key.
    pub message: String,
    /// What to type next, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
