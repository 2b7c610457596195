//! What a node shows to readers: published by its task after each batch of steps, before any reply of that batch leaves,
//! so that whoever was answered reads at least what was promised. Reads cost the task nothing.

use std::sync::{Arc, PoisonError, RwLock};

use crate::protocol::{Node, Record, Status};
use crate::store::Store;
use crate::types::Time;

/// A node as of its last batch.
#[derive(Debug, Clone)]
pub struct View {
    /// What it says of itself.
    pub status: Status,
    /// When that was; `status.heard_ago` counts from here.
    pub at: Time,
    /// Its store.
    pub store: Store,
}

impl View {
    /// A node as it is at `now`.
    pub fn of(node: &Node, now: Time) -> View {
        View {
            status: node.status(now),
            at: now,
            store: node.store().clone(),
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

    /// Shows what `records`, from the batch behind it, made of the node.
    ///
    /// The store shown is a second one, kept up by the same changes. Sharing the node's own would cost no memory, but
    /// then each write would copy the part of the tree that it touches: at 100,000 keys a third of the throughput.
    pub fn publish(&self, node: &Node, now: Time, records: &[Record]) {
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            match record {
                Record::Append(entries) => {
                    for entry in entries {
                        shown.store.apply(&entry.id, &entry.command);
                    }
                }
                Record::Install(snapshot) => shown.store = snapshot.store.clone(),
                Record::Term(_) | Record::Compact { .. } => {}
            }
        }
        (shown.status, shown.at) = (node.status(now), now);
    }

    /// Looks at what is shown. `look` must be quick.
    pub fn look<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
