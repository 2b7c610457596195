//! What the control plane may ask of a cluster, whatever runs it. Today `runtime` does, with nodes as tasks of
//! this process; an engine that drives processes fits behind the same few questions.

use std::future::Future;
use std::time::Duration;

use crate::event::Event;
use crate::types::NodeId;
use crate::wire::control::{ClusterInfo, EventRecord, LostTotals, NodeAddress};
use crate::wire::faults::{FaultInForce, FaultOrder, HealOrder, Healed};
use crate::wire::messages::Messages;

/// A cluster that can be asked and broken.
pub trait Engine: Send + Sync + 'static {
    /// What is fixed for the cluster's life, and its nodes as they are now.
    fn info(&self) -> ClusterInfo;

    /// What was asked of each node, in order of their ids. (What a node *is* must be asked of the node.)
    fn wanted(&self) -> Vec<Wanted>;

    /// Kills a node: its task is gone, its port refuses, open connections are reset, and its disk is harmed as asked.
    /// Returns once that is so, with whether anything had to be done.
    fn kill(
        &self,
        node: &NodeId,
        harm: Harm,
    ) -> impl Future<Output = Result<bool, EngineError>> + Send;

    /// Starts a killed node again with the disk it had. Returns once it listens, with whether anything had to be done.
    /// With `trust` it votes, even if that disk was lost.
    fn revive(
        &self,
        node: &NodeId,
        trust: bool,
    ) -> impl Future<Output = Result<bool, EngineError>> + Send;

    /// Makes one more node. Returns once it is a member that votes. If nobody knows whether it is ([`EngineError::Unknown`]),
    /// it stays up, and can be removed.
    fn add(&self) -> impl Future<Output = Result<NodeAddress, EngineError>> + Send;

    /// Makes a node no member, and ends it.
    fn remove(&self, node: &NodeId) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Has the leader hand over, to `to` if that is given. Returns who leads then.
    fn transfer(
        &self,
        to: Option<NodeId>,
    ) -> impl Future<Output = Result<NodeId, EngineError>> + Send;

    /// The faults in force, in the order in which they were set.
    fn faults(&self) -> Vec<FaultInForce>;

    /// Sets a fault, for as long as it is ordered. Returns once it is in force, with what was set; nothing is if it fails
    /// (though who was killed for it stays dead).
    fn disturb(
        &self,
        order: FaultOrder,
    ) -> impl Future<Output = Result<Vec<FaultInForce>, EngineError>> + Send;

    /// Undoes faults. Returns once they are gone. Dead nodes stay dead.
    fn heal(&self, order: HealOrder) -> impl Future<Output = Result<Healed, EngineError>> + Send;

    /// The events numbered above `seq` that are still kept, at most `limit`, oldest first.
    fn events_after(&self, seq: u64, limit: usize) -> Vec<EventRecord>;

    /// Waits until there is an event numbered above `seq`.
    fn event_after(&self, seq: u64) -> impl Future<Output = ()> + Send;

    /// The number of the last event.
    fn last_event(&self) -> u64;

    /// Acknowledged or applied writes that are gone.
    fn lost(&self) -> LostTotals;

    /// Has messages between nodes noted one by one, for so long; none from now on if that is no time.
    fn note_messages(&self, time: Duration);

    /// How many messages nodes sent each other; and those noted that are numbered `from` and above, at most `limit`.
    fn messages(&self, from: u64, limit: usize) -> Messages;

    /// Adds an event of the cluster's own.
    fn report(&self, node: Option<NodeId>, event: Event);
}

/// What becomes of the disk of a node that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Harm {
    /// It keeps what was written.
    #[default]
    None,
    /// It loses what was not synced, as in a power cut.
    LoseUnsynced,
    /// It is destroyed.
    Wipe,
    /// The end of its log is torn, as by a power cut in the middle of a write.
    TearTail,
}

/// What was asked of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its id.
    pub id: NodeId,
    /// Its URL.
    pub url: String,
    /// Whether it should run; otherwise it was killed.
    pub alive: bool,
    /// Whether it was made to stand still.
    pub paused: bool,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

/// Why an engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such node.
    #[error("no node is called {0}")]
    UnknownNode(String),
    /// No fault in force has these names.
    #[error("{}", unknown_faults(.names, .in_force))]
    UnknownFaults {
        /// The names.
        names: Vec<String>,
        /// The names that there are.
        in_force: Vec<String>,
    },
    /// Some faults could not be undone; the others were.
    #[error("{source}; {}", those_undone(.undone))]
    HealedInPart {
        /// The names of those that were.
        undone: Vec<String>,
        /// Why the first of them could not.
        source: Box<EngineError>,
    },
    /// What was asked makes no sense, whoever asks.
    #[error("{0}")]
    Senseless(String),
    /// The system refused.
    #[error("{node}: {what}: {source}")]
    System {
        /// The node.
        node: NodeId,
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The leader refused.
    #[error("{0}")]
    Refused(String),
    /// Nobody knows whether it was done, or will be.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The mode has no such thing.
    #[error("{0}")]
    Unsupported(String),
    /// The cluster is going down.
    #[error("the cluster is going down")]
    Stopping,
}

fn those_undone(names: &[String]) -> String {
    match names {
        [] => "nothing was undone".to_owned(),
        [one] => format!("{one} is undone"),
        some => format!("{} are undone", some.join(", ")),
    }
}

fn unknown_faults(names: &[String], in_force: &[String]) -> String {
    let there_are = match in_force {
        [] => "none is".to_owned(),
        some => format!("those that are: {}", some.join(", ")),
    };
    let names = names.join(", ");
    format!("no fault in force is called {names}, so nothing was healed; {there_are}")
}
