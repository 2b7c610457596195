//! A disk in memory: it survives its node, as a disk survives a crash, but not the process.

use std::collections::VecDeque;

use crate::protocol::{Entry, Record, Recovered, Snapshot};
use crate::types::{Boot, EntryId, Term, index_of};

/// A node's disk.
#[derive(Debug)]
pub struct Memory {
    boot: Boot,
    term: Term,
    snapshot: Snapshot,
    compacted: Option<EntryId>,
    entries: VecDeque<Entry>,
}

impl Memory {
    /// An empty disk, whose life is called `boot`.
    pub fn new(boot: Boot) -> Memory {
        Memory {
            boot,
            term: 0,
            snapshot: Snapshot::default(),
            compacted: None,
            entries: VecDeque::new(),
        }
    }

    /// Keeps `records`, in their order, all or nothing.
    pub fn write(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Term(term) => self.term = self.term.max(*term),
                Record::Append(entries) => self.entries.extend(entries.iter().cloned()),
                Record::Compact {
                    snapshot,
                    compacted,
                } => {
                    let gone = compacted.index - index_of(self.compacted.as_ref());
                    self.entries.drain(..gone as usize);
                    self.snapshot = snapshot.clone();
                    self.compacted = Some(compacted.clone());
                }
                Record::Install(snapshot) => {
                    self.entries.clear();
                    self.compacted = snapshot.last.clone();
                    self.snapshot = snapshot.clone();
                }
            }
        }
    }

    /// What a node that starts on this disk finds.
    pub fn recover(&self) -> Recovered {
        Recovered {
            boot: self.boot,
            term: self.term,
            snapshot: self.snapshot.clone(),
            compacted: self.compacted.clone(),
            entries: self.entries.iter().cloned().collect(),
        }
    }
}
