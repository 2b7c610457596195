//! What a run is held to.

use serde::{Deserialize, Serialize};

/// What a run is held to, besides the invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// What the mode promises
    #[default]
    Promised,
    /// One order explains all writes and the strongest reads that the mode offers
    Linearizable,
    /// The same, if nothing counts but each client's own order
    Sequential,
    /// Who wrote a key never reads what was there before
    ReadYourWrites,
    /// Who read a key never reads what was there before that
    MonotonicReads,
    /// When nobody writes any more, everybody reads the same
    Eventual,
    /// What was acknowledged is there in the end, reported lost or not
    NoLostAcks,
    /// No two nodes lead at the same time in one term, nor in two while both can write
    OneLeader,
    /// While a majority of the nodes lives and is connected, writes are answered
    Available,
}
