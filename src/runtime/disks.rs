//! Where the nodes of a cluster keep their data: in memory, or below one directory, with a list of who there is.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::engine::Engine;
use crate::event::Event;
use crate::faults::UNBREAKABLE;
use crate::runtime::cluster::Cluster;
use crate::storage::ailing::Ailing;
use crate::storage::ailment::Ailments;
use crate::storage::files::Files;
use crate::storage::io::Io;
use crate::storage::memory::Memory;
use crate::storage::meta::{Census, FORMAT, Meta, read_meta, write_census};
use crate::storage::{Disk, DiskError};
use crate::types::NodeId;

/// A disk that is not slow for the moment, whatever it suffers from.
pub(super) struct Hurried(Ailments);

impl Drop for Hurried {
    fn drop(&mut self) {
        self.0.hurry(false);
    }
}

impl Cluster {
    /// Writes down who there is.
    pub(super) fn take_census(&self) -> Result<(), DiskError> {
        let Some(directory) = &self.options().data_dir else {
            return Ok(());
        };
        let nodes = self.slots().into_iter().map(|(id, _)| id).collect();
        let highest = self.highest.load(Ordering::Relaxed);
        write_census(directory, &Census { nodes, highest })
    }

    /// What the disk of `id` suffers from, whichever it has.
    pub(super) fn ailments(&self, id: &NodeId) -> Ailments {
        let mut all = self.ailments.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(id.clone()).or_default().clone()
    }

    /// Lets nobody wait for a slow disk of `id`, as long as what is returned is held.
    pub(super) fn hurry(&self, id: &NodeId) -> Hurried {
        let ailments = self.ailments(id);
        ailments.hurry(true);
        Hurried(ailments)
    }

    /// The disk of `id`: what it left there, or a new one. With `is_bereft` it had one that is gone: in raft nobody knows
    /// what it promised there.
    pub(super) fn new_disk(
        &self,
        id: &NodeId,
        is_bereft: bool,
    ) -> Result<Box<dyn Disk>, DiskError> {
        let boot = self.seeds().boot();
        let recovering = is_bereft && self.mode().is_linearizable();
        let Some(directory) = &self.options().data_dir else {
            let mut memory = Memory::new(boot);
            memory.wipe(boot, recovering)?;
            if UNBREAKABLE {
                return Ok(Box::new(memory));
            }
            return Ok(Box::new(Ailing::new(memory, self.ailments(id))));
        };
        let meta = Meta {
            format: FORMAT,
            id: id.clone(),
            members: self.members.iter().cloned().collect(),
            boot,
            mode: self.mode().to_string(),
            recovering,
            wiping: false,
        };
        let directory = directory.join(id.as_str());
        let before = read_meta(&directory)?.map(|meta| meta.mode);
        let files = Files::open(&directory, meta, Io::ailing(self.ailments(id)))?;
        if let Some(was) = before.filter(|was| *was != self.mode().to_string()) {
            let is = self.mode().to_string();
            self.report(Some(id.clone()), Event::OtherMode { was, is });
        }
        Ok(Box::new(files))
    }
}
