//! The disk: what a node's promises rest on. [`memory`] survives `kill` and `revive`, [`files`] the process too.
//!
//! # Why an own log, and not redb
//!
//! A node needs of its disk what a log is: append, sync, read all once at start, and now and then a snapshot. Measured on
//! ext4, five alternating pairs (`scripts/bench commits`): 6,889 durable commits of one entry a second beside redb's 5,563,
//! and 3,983 of a hundred entries beside 2,594. A commit is one write and one `fdatasync` of one file for us; redb (a B-tree)
//! writes its pages and header besides. The gain is no more than that, and would alone not be worth it; but the log costs
//! some 600 lines that are tested by a crash at each of their operations, a cut at its end and a refusal in its middle are
//! ours to word, and what it does not give, lookups on disk, nothing asks for, since the store lives in memory.

pub mod ailing;
pub mod ailment;
pub mod codec;
pub mod files;
pub mod frame;
pub mod io;
pub mod memory;
pub mod meta;
pub mod snapshot;

use std::fmt;
use std::io::Error;
use std::path::PathBuf;

use crate::protocol::{Record, Recovered};
use crate::types::Boot;

/// A node's disk.
pub trait Disk: Send + fmt::Debug {
    /// What a node that starts on it finds.
    fn recover(&mut self) -> Result<Recovered, DiskError>;

    /// Keeps `records`, in their order. When it returns, what they promise is on the disk for good. After an error
    /// nothing is: the disk must be recovered before it is written to again.
    fn write(&mut self, records: &[Record]) -> Result<(), DiskError>;

    /// Whether writing `records` waits for a device, so that nobody else should have to wait along.
    fn blocks(&self, records: &[Record]) -> bool;

    /// Loses what was written and not yet synced, as a power cut does.
    fn lose_unsynced(&mut self);

    /// Is destroyed, and replaced by an empty one of the life `boot`; `recovering`: whose node must not vote.
    fn wipe(&mut self, boot: Boot, recovering: bool) -> Result<(), DiskError>;

    /// Is left as by a power cut in the middle of a write: what was being written, and promised to nobody, is there in
    /// part. Whether it is a disk of which that can be said.
    fn tear(&mut self) -> Result<bool, DiskError> {
        Ok(false)
    }

    /// How many syncs have completed.
    fn syncs(&self) -> u64 {
        0
    }
}

/// What a disk could not do.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system refused.
    #[error("{path}: cannot {what}: {source}", path = .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: Error,
    },
    /// What is there is not what was written.
    #[error("{path} is damaged at byte {position}: {what}", path = .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        position: u64,
        /// How that shows.
        what: &'static str,
    },
    /// Another process has it open.
    #[error("{path} is in use by another process", path = .path.display())]
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// A later version of this program wrote it.
    #[error("{path} was written in format {format}; this program knows formats up to {known}", path = .path.display())]
    TooNew {
        /// Which directory.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The latest known here.
        known: u32,
    },
    /// It is another node's.
    #[error("{path} belongs to {found}, not to {wanted}", path = .path.display())]
    Foreign {
        /// Which directory.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
}
