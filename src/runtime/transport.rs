//! What a node sends, on its way: two lanes to each peer, so that no append delays a heartbeat; a lane is a task that
//! lives while there is something to send. Queues are bounded and messages may be lost: the protocol sends again what
//! matters, so a dead or slow peer costs nobody else anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::protocol::{Message, MessageKind};
use crate::runtime::lane::{Lane, Road};
use crate::runtime::node_task::{Call, World};
use crate::types::{Config, NodeId};

/// How many messages may wait in a lane. One append and one heartbeat are in flight at a time; more is repetition.
const QUEUE: usize = 4;

/// The least time a large message is given.
const LEAST_BULK: Duration = Duration::from_secs(1);

/// Everything a node sends to its peers.
pub struct Transport {
    road: Arc<Road>,
    peers: BTreeMap<NodeId, Peer>,
    urgent: Duration,
}

struct Peer {
    /// `host:port`.
    authority: Arc<str>,
    urgent: Option<mpsc::Sender<Message>>,
    bulk: Option<mpsc::Sender<Message>>,
}

impl Transport {
    /// The ways from the node of `config` to `peers` (base URLs). Ends with `stop`.
    pub(super) fn new(
        config: &Config,
        peers: BTreeMap<NodeId, String>,
        world: &World,
        inbox: mpsc::Sender<Call>,
        stop: CancellationToken,
    ) -> Transport {
        let peer = |url: String| Peer {
            authority: authority(&url).into(),
            urgent: None,
            bulk: None,
        };
        Transport {
            road: Arc::new(Road {
                from: config.id.clone(),
                mode: config.mode,
                faults: world.faults.clone(),
                inbox,
                stop,
            }),
            peers: peers.into_iter().map(|(id, url)| (id, peer(url))).collect(),
            urgent: config.election_timeout,
        }
    }

    /// Sends `message`, unless its lane is full of others.
    pub fn send(&mut self, to: &NodeId, message: Message) {
        let Some(peer) = self.peers.get_mut(to) else {
            return;
        };
        let (slot, timeout) = match is_urgent(message.kind()) {
            true => (&mut peer.urgent, self.urgent),
            false => (&mut peer.bulk, self.urgent.max(LEAST_BULK)),
        };
        let lane = slot.get_or_insert_with(|| {
            Lane::open(self.road.clone(), to, &peer.authority, timeout, QUEUE)
        });
        // A lane that was idle has closed: the message opens another.
        if let Err(mpsc::error::TrySendError::Closed(message)) = lane.try_send(message) {
            *lane = Lane::open(self.road.clone(), to, &peer.authority, timeout, QUEUE);
            let _ = lane.try_send(message);
        }
    }

    /// The peer known by `address` is called `id`.
    pub fn rename(&mut self, address: &NodeId, id: &NodeId) {
        if let Some(mut peer) = self.peers.remove(address) {
            // Its lanes carry the old name.
            (peer.urgent, peer.bulk) = (None, None);
            self.peers.entry(id.clone()).or_insert(peer);
        }
    }
}

fn is_urgent(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::Heartbeat | MessageKind::BareHeartbeat | MessageKind::Probe
    )
}

/// `host:port` of a base URL.
pub fn authority(url: &str) -> &str {
    url.strip_prefix("http://")
        .unwrap_or(url)
        .trim_end_matches('/')
}
