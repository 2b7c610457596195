//! What is done to a cluster: to the messages between its nodes, and to the disks of those that are killed.

use std::io;

use crate::engine::{Engine, Harm};
use crate::event::{Event, Loss, LostWrite};
use crate::faults::Faults;
use crate::protocol::Node;
use crate::runtime::cluster::Cluster;
use crate::storage::Disk;
use crate::types::NodeId;

impl Cluster {
    /// Changes what becomes of the messages between nodes. Those already under way arrive.
    pub fn change_faults(&self, change: impl FnOnce(&mut Faults)) {
        self.world.net.change(change);
    }

    /// Destroys a dead node's disk, and reports what only it held. What cannot be read was lost before.
    async fn wipe(&self, id: &NodeId, disk: &mut Box<dyn Disk>) -> io::Result<()> {
        let mut others = Vec::new();
        for (other, slot) in self.slots() {
            if other != *id {
                others.extend(slot.holdings().await.ok().flatten());
            }
        }
        let mut writes: Vec<LostWrite> = Vec::new();
        if let Ok(found) = disk.recover() {
            let node = Node::new(self.config(id), found, 0);
            let only_here = node.store().iter().filter(|(_, slot)| {
                let version = slot.version.as_ref();
                !others.iter().any(|other| other.contains(version))
            });
            writes.extend(only_here.map(|(key, slot)| LostWrite {
                key: key.clone(),
                entry: Some(slot.version.as_ref().clone()),
            }));
        }
        // Alone it has promised nothing to others that could still hold it to that.
        let recovering = self.mode().is_linearizable() && self.slots().len() > 1;
        let boot = self.seeds().boot();
        disk.wipe(boot, recovering).map_err(io::Error::other)?;
        self.report(Some(id.clone()), Event::Wiped);
        if !writes.is_empty() {
            let (count, to) = (writes.len() as u64, None);
            self.report(Some(id.clone()), Event::Lost(Loss { count, writes, to }));
        }
        Ok(())
    }

    /// What becomes of the disk of a node that is dead.
    pub(super) async fn harm(
        &self,
        id: &NodeId,
        disk: &mut Box<dyn Disk>,
        harm: Harm,
    ) -> io::Result<()> {
        match harm {
            Harm::None => Ok(()),
            Harm::LoseUnsynced => {
                disk.lose_unsynced();
                Ok(())
            }
            Harm::Wipe => self.wipe(id, disk).await,
            Harm::TearTail => {
                disk.lose_unsynced();
                disk.tear().map(drop).map_err(io::Error::other)
            }
        }
    }
}
