//! What a node shows to readers: published by its task after each batch of steps, before any reply of that batch leaves,
//! so that whoever was answered reads at least what was promised. Reads cost the task nothing.

use std::sync::{Arc, PoisonError, RwLock};

use crate::protocol::{Node, Run, Status};
use crate::store::Store;
use crate::types::{Role, Time};

/// A node as of its last batch.
#[derive(Debug, Clone)]
pub struct View {
    /// What it says of itself.
    pub status: Status,
    /// When that was; `status.heard_ago` counts from here.
    pub at: Time,
    /// Its store.
    pub store: Store,
    /// Why its disk failed, if it did.
    pub disk: Option<String>,
    /// How many syncs of its disk have completed.
    pub syncs: u64,
    /// Which leaderships its log is made of.
    pub history: Arc<Vec<Run>>,
    /// How often the store was replaced as a whole.
    epoch: u64,
}

impl View {
    /// A node as it is at `now`.
    pub fn of(node: &Node, now: Time) -> View {
        View {
            status: node.status(now),
            at: now,
            store: node.store().clone(),
            disk: None,
            syncs: 0,
            history: node.log().history().clone(),
            epoch: node.epoch(),
        }
    }
}

/// Where a view is published.
#[derive(Debug, Clone)]
pub struct Window(Arc<RwLock<View>>);

impl Window {
    /// Shows `view`.
    pub fn new(view: View) -> Window {
        Window(Arc::new(RwLock::new(view)))
    }

    /// Shows what became of the node.
    ///
    /// The store shown is a second one, kept up by the same entries. Sharing the node's own would cost no memory, but
    /// then each write would copy the part of the tree that it touches: at 100,000 keys a third of the throughput.
    pub fn publish(&self, node: &Node, now: Time, syncs: u64) {
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let (epoch, applied) = (shown.epoch, shown.status.applied);
        let store = &mut shown.store;
        match node.applied_since(epoch, applied) {
            Some(entries) => {
                for entry in entries {
                    store.apply(&entry.id, &entry.command);
                }
            }
            None => *store = node.store().clone(),
        }
        (shown.status, shown.at, shown.epoch) = (node.status(now), now, node.epoch());
        (shown.syncs, shown.history) = (syncs, node.log().history().clone());
    }

    /// Shows a node whose disk failed: it leads nobody, and obeys nobody.
    pub fn fail(&self, why: String) {
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shown.status.role = Role::Follower;
        shown.status.leader = None;
        shown.status.heard_ago = None;
        shown.disk = Some(why);
    }

    /// Looks at what is shown. `look` must be quick.
    pub fn look<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
