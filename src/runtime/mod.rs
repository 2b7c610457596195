//! The live engine: nodes as tokio tasks of this process, each on a port of its own.
//!
//! A node is a task ([`node_task`]) that owns a [`Node`](crate::protocol::Node) and a disk, a server ([`http`]) that
//! feeds it, and a [`transport`] that carries what it sends. They share nothing with other nodes but a [`World`]. A
//! [`cluster`] is many of them, with the ports and disks they keep while they are dead.

pub mod boot;
mod call;
pub mod clock;
pub mod cluster;
mod courier;
pub mod descriptors;
mod disks;
pub mod events;
mod harm;
pub mod http;
pub mod ice;
mod lane;
mod ledger;
mod life;
mod line;
mod mail;
mod membership;
pub mod net;
pub mod node_task;
pub mod roster;
mod running;
pub mod seat;
mod slot;
pub mod sockets;
pub mod tap;
pub mod transport;
mod troubles;
pub mod view;

pub use boot::{BootError, Options};
pub use cluster::Cluster;
pub use running::RunningNode;
pub use seat::{Seat, World};
pub use tap::{Birth, Step, Tap, Tapped};
