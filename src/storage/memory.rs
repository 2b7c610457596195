//! A disk in memory: it survives its node, as a disk survives a crash, but not the process.

use std::collections::VecDeque;

use crate::protocol::history::id_in;
use crate::protocol::{Ballot, Entry, Record, Recovered, Snapshot};
use crate::storage::{Disk, DiskError};
use crate::types::{Boot, EntryId, Index, index_of};

/// A node's disk.
#[derive(Debug, Clone)]
pub struct Memory {
    boot: Boot,
    ballot: Ballot,
    recovering: bool,
    snapshot: Snapshot,
    compacted: Option<EntryId>,
    entries: VecDeque<Entry>,
    commit: Index,
    /// What of that cannot be lost.
    sure: Index,
}

impl Memory {
    /// An empty disk, whose life is called `boot`.
    pub fn new(boot: Boot) -> Memory {
        Memory {
            boot,
            ballot: Ballot::default(),
            recovering: false,
            snapshot: Snapshot::default(),
            compacted: None,
            entries: VecDeque::new(),
            commit: 0,
            sure: 0,
        }
    }

    /// Keeps `records`, in their order.
    pub fn keep(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Ballot(ballot) => self.ballot = ballot.clone(),
                Record::Append(entries) => self.append(entries),
                Record::Commit { index, firm } => {
                    self.commit = *index;
                    self.sure = if *firm { *index } else { self.sure };
                }
                Record::Compact {
                    snapshot,
                    compacted,
                    tail: _,
                } => {
                    let gone = compacted.index - index_of(self.compacted.as_ref());
                    self.entries.drain(..gone as usize);
                    self.snapshot = Snapshot::clone(snapshot);
                    self.compacted = Some(compacted.clone());
                }
                Record::Install(snapshot) => {
                    self.entries.clear();
                    self.commit = index_of(snapshot.last.as_ref());
                    self.sure = self.commit;
                    self.compacted = snapshot.last.clone();
                    self.snapshot = Snapshot::clone(snapshot);
                }
                Record::Recovering(recovering) => self.recovering = *recovering,
            }
        }
    }

    fn append(&mut self, entries: &[Entry]) {
        if let Some(first) = entries.first() {
            let kept = first.id.index - 1 - index_of(self.compacted.as_ref());
            self.entries.truncate(kept as usize);
            self.entries.extend(entries.iter().cloned());
        }
    }

    /// The highest term seen, and the vote in it.
    pub fn ballot(&self) -> &Ballot {
        &self.ballot
    }

    /// Whether its node must not vote.
    pub fn is_recovering(&self) -> bool {
        self.recovering
    }

    /// The life of the disk.
    pub fn boot(&self) -> Boot {
        self.boot
    }

    /// The index of the last entry.
    pub fn last_index(&self) -> Index {
        index_of(self.compacted.as_ref()) + self.entries.len() as Index
    }

    /// Whether it holds this very entry, itself or in a snapshot.
    pub fn holds(&self, id: &EntryId) -> bool {
        let before = index_of(self.compacted.as_ref());
        match id.index.checked_sub(before + 1) {
            Some(at) => self.entries.get(at as usize).is_some_and(|e| e.id == *id),
            None => id_in(&self.snapshot.history, before, id.index).as_ref() == Some(id),
        }
    }

    /// Whether it holds it and says that it is committed.
    pub fn commits(&self, id: &EntryId) -> bool {
        self.commit >= id.index && self.holds(id)
    }

    /// Of [`Recovered::commit`] what cannot be lost.
    pub fn sure(&self) -> Index {
        self.sure
    }

    /// What a node that starts on this disk finds.
    pub fn found(&self) -> Recovered {
        Recovered {
            boot: self.boot,
            ballot: self.ballot.clone(),
            recovering: self.recovering,
            snapshot: self.snapshot.clone(),
            compacted: self.compacted.clone(),
            entries: self.entries.iter().cloned().collect(),
            commit: self.commit,
        }
    }
}

impl Disk for Memory {
    fn recover(&mut self) -> Result<Recovered, DiskError> {
        Ok(self.found())
    }

    fn write(&mut self, records: &[Record]) -> Result<(), DiskError> {
        self.keep(records);
        Ok(())
    }

    fn blocks(&self, _records: &[Record]) -> bool {
        false
    }

    fn lose_unsynced(&mut self) {
        self.commit = self.sure;
    }

    fn wipe(&mut self, boot: Boot, recovering: bool) -> Result<(), DiskError> {
        *self = Memory {
            recovering,
            ..Memory::new(boot)
        };
        Ok(())
    }
}
