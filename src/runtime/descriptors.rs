//! File descriptors: running out of them hangs rather than fails, so there must be enough before anything starts.

use rlimit::Resource;

/// What a process needs besides its nodes: the standard streams, the runtime, the control server and its clients.
const OWN: u64 = 64;
/// Probes that may be under way at once.
const PROBES: u64 = 128;
/// Clients that may be connected at once.
const CLIENTS: u64 = 1000;

/// There are not enough, and no more can be had.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{nodes} nodes need {needed} file descriptors, and this process may open only {allowed}")]
pub struct TooFew {
    /// For how many nodes.
    pub nodes: usize,
    /// How many they need.
    pub needed: u64,
    /// How many there may be.
    pub allowed: u64,
}

/// How many descriptors `nodes` nodes need: a port each, and in a star both ends of two lanes to each follower.
pub fn needed(nodes: usize) -> u64 {
    let nodes = nodes as u64;
    nodes + 4 * nodes.saturating_sub(1) + PROBES + CLIENTS + OWN
}

/// Makes sure of them, raising the soft limit as far as the hard one allows.
pub fn ensure(nodes: usize) -> Result<(), TooFew> {
    let needed = needed(nodes);
    // A system that does not tell its limit is not second-guessed.
    let Ok((soft, hard)) = Resource::NOFILE.get() else {
        return Ok(());
    };
    if soft >= needed {
        return Ok(());
    }
    let raised = hard >= needed && Resource::NOFILE.set(hard, hard).is_ok();
    let raised = raised || (hard >= needed && Resource::NOFILE.set(needed, hard).is_ok());
    match raised {
        true => Ok(()),
        false => Err(TooFew {
            nodes,
            needed,
            allowed: hard,
        }),
    }
}
