//! What becomes of the disk of a node that is killed.

use std::io;

use crate::engine::{Engine, Harm};
use crate::event::{Event, Loss, LostWrite};
use crate::protocol::Node;
use crate::runtime::cluster::Cluster;
use crate::storage::Disk;
use crate::types::NodeId;

impl Cluster {
    /// Destroys a dead node's disk, and reports what only it held.
    async fn wipe(&self, id: &NodeId, mut disk: Box<dyn Disk>) -> io::Result<Box<dyn Disk>> {
        let found = disk.recover().map_err(io::Error::other)?;
        let node = Node::new(self.config(id), found, 0);
        let mut others = Vec::new();
        for (other, slot) in self.slots() {
            if other != *id {
                others.extend(slot.holdings().await.map_err(io::Error::other)?);
            }
        }
        let only_here = node.store().iter().filter(|(_, slot)| {
            let version = slot.version.as_ref();
            !others.iter().any(|other| other.contains(version))
        });
        let writes: Vec<LostWrite> = only_here
            .map(|(key, slot)| LostWrite {
                key: key.clone(),
                entry: Some(slot.version.as_ref().clone()),
            })
            .collect();
        // Alone it has promised nothing to others that could still hold it to that.
        let recovering = self.mode().is_linearizable() && !others.is_empty();
        let boot = self.seeds().boot();
        disk.wipe(boot, recovering).map_err(io::Error::other)?;
        self.report(Some(id.clone()), Event::Wiped);
        if !writes.is_empty() {
            let (count, to) = (writes.len() as u64, None);
            self.report(Some(id.clone()), Event::Lost(Loss { count, writes, to }));
        }
        Ok(disk)
    }

    /// What becomes of the disk of a node that was just killed.
    pub(super) async fn harm(
        &self,
        id: &NodeId,
        disk: Option<Box<dyn Disk>>,
        harm: Harm,
    ) -> io::Result<Box<dyn Disk>> {
        let mut disk = match disk {
            Some(disk) => disk,
            // Its task had panicked, and the disk with it.
            None => self.new_disk(id).map_err(io::Error::other)?,
        };
        match harm {
            Harm::None => Ok(disk),
            Harm::LoseUnsynced => {
                disk.lose_unsynced();
                Ok(disk)
            }
            Harm::Wipe => self.wipe(id, disk).await,
        }
    }
}
