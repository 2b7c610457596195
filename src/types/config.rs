//! What a node is told.

use std::sync::Arc;
use std::time::Duration;

use crate::types::{Members, Mode, NodeId, Safeguards};

/// Everything a node must be told before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own name.
    pub id: NodeId,
    /// All configured nodes, itself included; a peer known only by URL stands under that URL until it is identified. What
    /// the log says of members comes first. Shared, since a thousand nodes know a thousand each.
    pub members: Arc<Members>,
    /// The rules.
    pub mode: Mode,
    /// What keeps raft elections calm.
    pub safeguards: Safeguards,
    /// How often a leader shows each follower that it lives.
    pub heartbeat: Duration,
    /// How long a follower waits for a leader before it stands. Above `heartbeat`.
    pub election_timeout: Duration,
    /// How long a write waits for its acknowledgements.
    pub write_timeout: Duration,
    /// Under load with `async`, how long entries gather before the next append to a follower leaves; the first leaves at
    /// once. Elsewhere, how long followers wait to be told that something is committed, if nothing else is sent.
    pub append_pause: Duration,
    /// How many entries stay in the log, behind the last one, for followers that were away; at least the number of
    /// live keys stays, so that memory is bounded by live data and yet a snapshot can be followed by entries.
    pub log_window: usize,
    /// The largest append or piece of a snapshot, in bytes of keys and values (more only if a single one is larger).
    pub append_bytes: usize,
    /// How many entries lie between two snapshots; by default a quarter of what stays in the log.
    pub snapshot_every: Option<usize>,
}

impl Config {
    /// How long a write waits for its acknowledgements, if nothing else is said.
    pub const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

    /// The default heartbeat of a cluster of `nodes`: 50 ms, growing to 1 ms a node, so that a leader's heartbeats
    /// cost the same share of a core however many it sends.
    pub fn default_heartbeat(nodes: usize) -> Duration {
        Duration::from_millis(nodes.max(50) as u64)
    }

    /// The default election timeout: six heartbeats, so that a few lost ones depose nobody.
    pub fn default_election_timeout(heartbeat: Duration) -> Duration {
        heartbeat * 6
    }

    /// A node of the default mode and timing.
    pub fn new(id: NodeId, members: Vec<NodeId>) -> Config {
        let heartbeat = Config::default_heartbeat(members.len());
        Config {
            id,
            members: Arc::new(Members::new(members)),
            mode: Mode::default(),
            safeguards: Safeguards::default(),
            heartbeat,
            election_timeout: Config::default_election_timeout(heartbeat),
            write_timeout: Config::WRITE_TIMEOUT,
            append_pause: Duration::from_millis(2),
            log_window: 10_000,
            append_bytes: 1 << 20,
            snapshot_every: None,
        }
    }
}
