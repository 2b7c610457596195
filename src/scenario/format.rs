//! The format of a scenario, as it is written. What stands in it is described in [`scenario`](crate::scenario).

use serde::Deserialize;
use toml::Spanned;

use crate::scenario::brief::{Names, Span, either};
use crate::scenario::expected::ConditionTable;
use crate::scenario::tables::{
    CasTable, ClientTable, CutTable, DeleteTable, DiskTable, GetTable, HealWhat, IsolateTable,
    KillTable, LinkTable, PartitionTable, PutTable, ReviveTable, SkewTable,
};
use crate::sim::Expect;
use crate::types::{Election, Replication};

/// A whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// What it shows, in a line.
    pub name: String,
    /// The public report it follows, if it follows one.
    pub source: Option<String>,
    /// What the run is held to in the end.
    #[serde(default)]
    pub promise: Expect,
    /// Whether that is expected to be kept.
    #[serde(default)]
    pub verdict: Wanted,
    /// How long anything is awaited that says nothing else.
    pub within: Option<Span>,
    /// The cluster.
    #[serde(default)]
    pub cluster: ClusterTable,
    /// What is done, in order.
    #[serde(default, rename = "step")]
    pub steps: Vec<Spanned<StepTable>>,
}

/// What a scenario is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// The promise is kept.
    #[default]
    Kept,
    /// It is broken: the scenario shows a hole.
    Broken,
    /// Acknowledged writes are gone in the end, whatever else holds.
    Lost,
}

/// `[cluster]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClusterTable {
    /// How many nodes; three.
    pub nodes: Option<Spanned<usize>>,
    /// How a leader is found; by the lowest id.
    #[serde(default)]
    pub election: Election,
    /// When a write is answered; at once.
    #[serde(default)]
    pub replication: Replication,
    /// How often a leader shows that it lives.
    pub heartbeat: Option<Span>,
    /// How long a follower waits for it.
    pub election_timeout: Option<Spanned<Span>>,
    /// How long a write waits for its acknowledgements.
    pub write_timeout: Option<Span>,
    /// Elections without random timeouts.
    #[serde(default)]
    pub fixed_timeout: bool,
    /// `false`: elections without pre-vote.
    pub pre_vote: Option<bool>,
    /// `false`: a leader that hears no majority goes on.
    pub check_quorum: Option<bool>,
}

/// `[[step]]`: when, and one thing that is done.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StepTable {
    /// Not before this time since the cluster stands.
    pub at: Option<Spanned<Span>>,
    /// Not before this holds.
    #[serde(deserialize_with = "either")]
    pub after: Option<ConditionTable>,
    /// How long what is awaited may take.
    pub within: Option<Span>,
    /// A fault is undone after this time; `always` is watched for so long.
    #[serde(rename = "for")]
    pub lasts: Option<Span>,
    /// By which a fault can be healed.
    pub name: Option<String>,
    /// Who leads now is `old-leader` from here on, and its term the `same`.
    pub remember: bool,
    /// As the command.
    #[serde(deserialize_with = "either")]
    pub partition: Option<PartitionTable>,
    /// As the command.
    #[serde(deserialize_with = "either")]
    pub isolate: Option<IsolateTable>,
    /// As the command.
    #[serde(deserialize_with = "either")]
    pub cut: Option<CutTable>,
    /// As the command.
    pub link: Option<LinkTable>,
    /// As the command.
    pub client: Option<ClientTable>,
    /// As the command.
    pub pause: Option<Names>,
    /// As the command.
    pub resume: Option<Names>,
    /// As the command.
    pub skew: Option<SkewTable>,
    /// As the command.
    pub disk: Option<DiskTable>,
    /// As the command.
    #[serde(deserialize_with = "either")]
    pub heal: Option<HealWhat>,
    /// As the command.
    #[serde(deserialize_with = "either")]
    pub kill: Option<KillTable>,
    /// As the command.
    #[serde(deserialize_with = "either")]
    pub revive: Option<ReviveTable>,
    /// `true`: one more node.
    pub add: Option<bool>,
    /// One node less.
    pub remove: Option<Names>,
    /// Another leader.
    pub transfer: Option<Names>,
    /// A write.
    pub put: Option<PutTable>,
    /// A read.
    pub get: Option<GetTable>,
    /// A delete.
    pub delete: Option<DeleteTable>,
    /// A write, if the key holds what is said.
    pub cas: Option<CasTable>,
    /// Awaited; if it does not come, the scenario fails.
    #[serde(deserialize_with = "either")]
    pub eventually: Option<ConditionTable>,
    /// Holds at every look: for a time, or from here to the end of the steps.
    #[serde(deserialize_with = "either")]
    pub always: Option<ConditionTable>,
}
