//! What a node is given to live on, and what it shares with others.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use tokio::net::TcpListener;

use crate::event::Event;
use crate::runtime::clock::Clock;
use crate::runtime::ice::Standstill;
use crate::runtime::net::Net;
use crate::runtime::tap::Tap;
use crate::storage::Disk;
use crate::types::{Config, NodeId};

/// Takes events; must not block.
pub type Events = Arc<dyn Fn(&NodeId, Event) + Send + Sync>;

/// Where everybody is. Shared, since a thousand nodes know a thousand each, and members come and go.
pub type Addresses = Arc<RwLock<BTreeMap<NodeId, String>>>;

/// What a node finds around it. All nodes of one process share it, but for what is said to be each one's own. Cheap to
/// clone.
#[derive(Clone)]
pub struct World {
    /// What time it is: each one's own.
    pub clock: Clock,
    /// What makes it stand still: each one's own.
    pub standstill: Standstill,
    /// Where events go.
    pub events: Events,
    /// What is between nodes, and between them and clients.
    pub net: Net,
    /// The largest value taken, in bytes.
    pub max_value: usize,
    /// Whether clients' requests are reported as events, as the chapter's programs log them.
    pub course: bool,
    /// Who is told everything that goes through the nodes' doors.
    pub tap: Option<Tap>,
}

/// Everything a node needs to live.
pub struct Seat {
    /// What it is told.
    pub config: Config,
    /// The base URL of every other member, `http://127.0.0.1:4002`.
    pub peers: Addresses,
    /// Its port: listening, non-blocking.
    pub listener: TcpListener,
    /// Its disk.
    pub disk: Box<dyn Disk>,
    /// What it shares.
    pub world: World,
}
