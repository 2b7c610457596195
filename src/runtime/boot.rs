//! What a cluster is told before it boots, and why it may not.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::runtime::descriptors::TooFew;
use crate::runtime::roster::number;
use crate::runtime::sockets::{self, Reserved};
use crate::runtime::tap::Tap;
use crate::storage::DiskError;
use crate::types::{Mode, NodeId, Safeguards};

/// What a cluster is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its name.
    pub name: String,
    /// How many nodes; `None`: those on disk, or three.
    pub nodes: Option<usize>,
    /// Where they keep their data; `None`: in memory.
    pub data_dir: Option<PathBuf>,
    /// Where they listen.
    pub host: IpAddr,
    /// The first one's port, the others' follow; 0: free ones.
    pub port: u16,
    /// The rules.
    pub mode: Mode,
    /// What keeps raft elections calm.
    pub safeguards: Safeguards,
    /// How long a write waits for its acknowledgements.
    pub write_timeout: Duration,
    /// How many entries lie between two snapshots.
    pub snapshot_every: Option<usize>,
    /// How often a leader shows that it lives.
    pub heartbeat: Duration,
    /// How long a follower waits for it.
    pub election_timeout: Duration,
    /// The largest value, in bytes.
    pub max_value: usize,
    /// Whether clients' requests are reported as events.
    pub course: bool,
    /// The language of the lines that it is watched in.
    pub lang: String,
    /// Who is told everything that goes through the nodes' doors.
    pub tap: Option<Tap>,
}

/// Why a cluster did not start. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A port is held by somebody else.
    #[error("port {port}, for {node}, is taken{}", .by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())]
    PortTaken {
        /// Which.
        port: u16,
        /// What it is for.
        node: String,
        /// By whom, if the system tells.
        by: Option<String>,
    },
    /// The system refused.
    #[error("cannot listen on {address}, for {node}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What it is for.
        node: String,
        /// What it said.
        source: io::Error,
    },
    /// Too few file descriptors.
    #[error(transparent)]
    Descriptors(#[from] TooFew),
    /// What is on disk cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The members on disk are others.
    #[error("{} holds the data of {found}; {wanted} nodes are not these", .directory.display())]
    OtherMembers {
        /// Where.
        directory: PathBuf,
        /// Whose data it is.
        found: String,
        /// How many nodes were wanted.
        wanted: usize,
    },
    /// The system has no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// Reserves `address` for `what`, or says who holds it.
pub fn reserve(address: SocketAddr, what: &str) -> Result<Reserved, BootError> {
    Reserved::new(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BootError::PortTaken {
            port: address.port(),
            node: what.to_owned(),
            by: sockets::owner(address.port()),
        },
        _ => BootError::Listen {
            address,
            node: what.to_owned(),
            source,
        },
    })
}

/// A seed from the system.
pub fn seed() -> Result<u64, BootError> {
    getrandom::u64().map_err(|error| BootError::Random(error.to_string()))
}

/// Reserves the port of `id`, the `at`-th node from 0: the first node's, plus what its own number says, so that it stays
/// the same whoever else comes and goes.
pub(super) fn reserve_nth(
    options: &Options,
    id: &NodeId,
    at: usize,
) -> Result<(Reserved, SocketAddr), BootError> {
    let offset = number(id).map_or(at, |number| number.saturating_sub(1));
    let port = match options.port {
        0 => Some(0),
        first => u16::try_from(usize::from(first) + offset).ok(),
    };
    let wanted = SocketAddr::new(options.host, port.unwrap_or(0));
    let reserved = reserve(wanted, id.as_str())?;
    let address = reserved.address().map_err(|source| BootError::Listen {
        address: wanted,
        node: id.to_string(),
        source,
    })?;
    Ok((reserved, address))
}
