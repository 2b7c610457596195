//! A disk in virtual time: the same [`Disk`] as on ports, with the failures that real ones have.
//!
//! It keeps what [`files`](crate::storage::files) keeps and loses what that may lose. A write is made of frames, one a
//! call but for snapshots, which stand in files of their own; a crash within it leaves some first part of the frames,
//! never part of one, since a torn frame is found by its checksum and cut. What promises nothing stays in memory until
//! something that does is written. After a failed sync nothing of that write may be relied on, and it is gone.
//!
//! Caveat: a bit that flips makes the whole disk unreadable here, as it does with files, but for the very last frame;
//! flips there are left out, since files take that one for torn (their own caveat).

use std::path::PathBuf;

use crate::protocol::{Record, Recovered};
use crate::storage::memory::Memory;
use crate::storage::{Disk, DiskError};
use crate::types::{Boot, EntryId};

#[derive(Debug)]
pub(super) struct SimDisk {
    kept: Memory,
    /// Written and not synced, since it promises nothing.
    unsynced: Vec<Record>,
    /// The next sync fails.
    pub(super) fails: bool,
    /// A bit of it has flipped.
    pub(super) is_damaged: bool,
    syncs: u64,
}

impl SimDisk {
    pub(super) fn new(boot: Boot) -> SimDisk {
        SimDisk {
            kept: Memory::new(boot),
            unsynced: Vec::new(),
            fails: false,
            is_damaged: false,
            syncs: 0,
        }
    }

    /// A write of `records` that a power cut interrupts: the first `frames` of them are there. How many records that is.
    pub(super) fn tear(&mut self, records: &[Record], frames: usize) -> usize {
        let mut kept = 0;
        for frame in frames_of(records).take(frames) {
            self.flush(frame);
            kept += frame.len();
        }
        kept
    }

    fn flush(&mut self, frame: &[Record]) {
        self.kept.keep(&self.unsynced);
        self.unsynced.clear();
        self.kept.keep(frame);
        self.syncs += 1;
    }

    /// Whether what is synced holds this very entry, or a snapshot of it.
    pub(super) fn holds(&self, id: &EntryId) -> bool {
        self.kept.holds(id)
    }

    /// What is synced.
    pub(super) fn kept(&self) -> &Memory {
        &self.kept
    }
}

/// How many frames a write of `records` has.
pub(super) fn count_frames(records: &[Record]) -> usize {
    frames_of(records).count()
}

/// The frames of a write: what stands in files of its own ends one.
fn frames_of(records: &[Record]) -> impl Iterator<Item = &[Record]> {
    let is_apart = |record: &Record| matches!(record, Record::Compact { .. } | Record::Install(_));
    records.chunk_by(move |a, b| !is_apart(a) && !is_apart(b))
}

impl Disk for SimDisk {
    fn recover(&mut self) -> Result<Recovered, DiskError> {
        match self.is_damaged {
            true => Err(DiskError::Damaged {
                path: PathBuf::from("log"),
                position: 0,
                what: "a bit has flipped",
            }),
            false => {
                self.unsynced.clear();
                Ok(self.kept.found())
            }
        }
    }

    fn write(&mut self, records: &[Record]) -> Result<(), DiskError> {
        if !self.blocks(records) {
            self.unsynced.extend(records.iter().cloned());
            return Ok(());
        }
        if std::mem::take(&mut self.fails) {
            return Err(DiskError::Io {
                what: "sync",
                path: PathBuf::from("log"),
                source: std::io::Error::other("made to fail"),
            });
        }
        self.flush(records);
        Ok(())
    }

    fn blocks(&self, records: &[Record]) -> bool {
        let waits =
            |record: &Record| record.is_promise() || matches!(record, Record::Compact { .. });
        records.iter().any(waits)
    }

    fn lose_unsynced(&mut self) {
        self.unsynced.clear();
        self.kept.lose_unsynced();
    }

    fn wipe(&mut self, boot: Boot, recovering: bool) -> Result<(), DiskError> {
        self.unsynced.clear();
        (self.is_damaged, self.fails) = (false, false);
        self.kept.wipe(boot, recovering)
    }

    fn syncs(&self) -> u64 {
        self.syncs
    }
}
