//! What a node sends, on its way: two lanes to each peer, so that no append delays a heartbeat; a lane is a task that
//! lives while there is something to send. Queues are bounded and messages may be lost: the protocol sends again what
//! matters, so a dead or slow peer costs nobody else anything.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::protocol::{Message, MessageKind};
use crate::runtime::call::Call;
use crate::runtime::lane::{Lane, Road};
use crate::runtime::seat::{Addresses, World};
use crate::types::{Config, NodeId};

/// How many messages may wait in a lane. One append and one heartbeat are in flight at a time; more is repetition.
const QUEUE: usize = 4;

/// The least time a large message is given.
const LEAST_BULK: Duration = Duration::from_secs(1);

/// Everything a node sends to its peers.
pub struct Transport {
    road: Arc<Road>,
    /// Base URLs by the names they were configured under.
    peers: Addresses,
    /// Those whose real names were learned since.
    learned: BTreeMap<NodeId, String>,
    /// Of those that something was sent to: most nodes of a large cluster only answer.
    lanes: BTreeMap<NodeId, Lanes>,
    urgent: Duration,
}

#[derive(Default)]
struct Lanes {
    urgent: Option<mpsc::Sender<Message>>,
    bulk: Option<mpsc::Sender<Message>>,
}

impl Transport {
    /// The ways from the node of `config` to `peers` (base URLs). Ends with `stop`.
    pub(super) fn new(
        config: &Config,
        peers: Addresses,
        world: &World,
        inbox: mpsc::Sender<Call>,
        stop: CancellationToken,
    ) -> Transport {
        Transport {
            road: Arc::new(Road {
                from: config.id.clone(),
                mode: config.mode,
                net: world.net.clone(),
                ice: world.standstill.ports.clone(),
                inbox,
                stop,
            }),
            peers,
            learned: BTreeMap::new(),
            lanes: BTreeMap::new(),
            urgent: config.election_timeout,
        }
    }

    /// Sends `message`, unless its lane is full of others.
    pub fn send(&mut self, to: &NodeId, message: Message) {
        let Some(url) = self.url(to) else {
            return;
        };
        let lanes = self.lanes.entry(to.clone()).or_default();
        let (slot, timeout) = match is_urgent(message.kind()) {
            true => (&mut lanes.urgent, self.urgent),
            false => (&mut lanes.bulk, self.urgent.max(LEAST_BULK)),
        };
        let open = || Lane::open(self.road.clone(), to, authority(&url), timeout, QUEUE);
        let lane = slot.get_or_insert_with(open);
        // A lane that was idle has closed: the message opens another.
        if let Err(mpsc::error::TrySendError::Closed(message)) = lane.try_send(message) {
            *lane = open();
            let _ = lane.try_send(message);
        }
    }

    fn url(&self, id: &NodeId) -> Option<String> {
        let known = self.learned.get(id).cloned();
        known.or_else(|| self.peers().get(id).cloned())
    }

    fn peers(&self) -> RwLockReadGuard<'_, BTreeMap<NodeId, String>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer known by `address` is called `id`.
    pub fn rename(&mut self, address: &NodeId, id: &NodeId) {
        // Its lanes carry the old name.
        self.lanes.remove(address);
        let url = self.peers().get(address).cloned();
        if let Some(url) = url {
            self.learned.insert(id.clone(), url);
        }
    }
}

fn is_urgent(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::Heartbeat
            | MessageKind::BareHeartbeat
            | MessageKind::Probe
            | MessageKind::PreVote
            | MessageKind::Vote
            | MessageKind::TimeoutNow
            | MessageKind::ReadIndex
            | MessageKind::ReadAt
            | MessageKind::Restored
    )
}

/// `host:port` of a base URL.
pub fn authority(url: &str) -> &str {
    url.strip_prefix("http://")
        .unwrap_or(url)
        .trim_end_matches('/')
}
