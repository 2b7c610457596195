//! What all nodes are told, and what may happen to one.

use std::time::Duration;

use crate::protocol::MessageKind;
use crate::sim::exhaustive::bounds::{Bounds, Flaw};
use crate::sim::exhaustive::envelope::Envelope;
use crate::types::{Config, Election, NodeId};

/// An election timeout here. So long that no number of heartbeats reaches it: only a transition of its own does.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3600);

/// What all nodes are told.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) configs: Vec<Config>,
    pub(super) flaw: Option<Flaw>,
}

impl Rules {
    pub(super) fn new(bounds: &Bounds) -> Rules {
        let ids: Vec<NodeId> = (1..=bounds.nodes).map(NodeId::nth).collect();
        let config = |id: &NodeId| Config {
            mode: bounds.mode,
            safeguards: bounds.safeguards,
            election_timeout: TIMEOUT,
            write_timeout: TIMEOUT * 1000,
            snapshot_every: bounds.snapshot_every,
            ..Config::new(id.clone(), ids.clone())
        };
        Rules {
            configs: ids.iter().map(config).collect(),
            flaw: bounds.flaw,
        }
    }

    pub(super) fn id(&self, at: usize) -> NodeId {
        self.configs[at].id.clone()
    }

    pub(super) fn nodes(&self) -> usize {
        self.configs.len()
    }

    pub(super) fn election(&self) -> Election {
        self.configs[0].mode.election
    }
}

/// What may happen to one node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cause<'a> {
    /// A message arrives; `late`: when no leader was heard for an election timeout, though the node has not stood yet.
    Arrival {
        /// The message.
        envelope: &'a Envelope,
        /// When.
        late: bool,
    },
    /// The same, but it crashes while what that wrote was on its way to the disk, and starts on as many records as are there.
    Tear {
        /// The message.
        envelope: &'a Envelope,
        /// When.
        late: bool,
        /// How many records are there.
        kept: usize,
    },
    /// The port of a peer refused a message of this kind.
    Refusal(usize, MessageKind),
    /// Its patience ends: it stands, or asks again; a leader that heard no majority leads no more.
    Timeout,
    /// It leads, and a heartbeat interval passes.
    Heartbeat,
    /// A client writes the n-th value.
    Write(u32),
    /// It loses all that is not on its disk, and is gone.
    Crash,
    /// It starts again on its disk.
    Start,
}
