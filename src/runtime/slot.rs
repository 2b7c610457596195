//! The place of one node of a cluster: it keeps the node's disk and port while the node is dead.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex as SyncMutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::Mutex;

use crate::engine::Wanted;
use crate::protocol::history::id_in;
use crate::protocol::log::Log;
use crate::protocol::{Recovered, Run};
use crate::runtime::clock::Clock;
use crate::runtime::running::RunningNode;
use crate::runtime::sockets::Reserved;
use crate::storage::{Disk, DiskError};
use crate::types::{EntryId, Index, NodeId, index_of};

/// The place of a node.
pub(super) struct Slot {
    pub(super) url: String,
    pub(super) address: SocketAddr,
    pub(super) state: Mutex<State>,
    /// What time it is there, whether its node lives or not.
    pub(super) clock: Clock,
    wanted: SyncMutex<(bool, String)>,
    /// It was killed to be started again at once, and that failed.
    owes_a_start: AtomicBool,
}

/// What is in it.
pub(super) enum State {
    Running(RunningNode),
    /// Its port is none where another process took it in the moment between two lives.
    Killed(Box<dyn Disk>, Option<Reserved>),
    /// The cluster is going down, or the node was removed.
    Gone,
}

/// Which entries somebody holds.
pub(super) struct Holdings {
    history: std::sync::Arc<Vec<Run>>,
    last: Index,
}

impl Holdings {
    pub(super) fn contains(&self, id: &EntryId) -> bool {
        id_in(&self.history, self.last, id.index).as_ref() == Some(id)
    }
}

pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

impl Slot {
    pub(super) fn new(
        disk: Box<dyn Disk>,
        reserved: Reserved,
        address: SocketAddr,
        clock: Clock,
    ) -> Slot {
        Slot {
            url: format!("http://{address}"),
            address,
            state: Mutex::new(State::Killed(disk, Some(reserved))),
            clock,
            wanted: SyncMutex::new((true, now())),
            owes_a_start: AtomicBool::new(false),
        }
    }

    /// Whether it is dead only because it could not be started again.
    pub(super) fn owes_a_start(&self) -> bool {
        self.owes_a_start.load(Ordering::SeqCst)
    }

    /// It is to be started again; or it was, or somebody wants it dead.
    pub(super) fn owe_a_start(&self, owes: bool) {
        self.owes_a_start.store(owes, Ordering::SeqCst);
    }

    /// What is wanted of it from now on.
    pub(super) fn want(&self, alive: bool) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = (alive, now());
    }

    pub(super) fn wanted(&self, id: &NodeId) -> Wanted {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let (alive, since) = wanted.clone();
        Wanted {
            id: id.clone(),
            url: self.url.clone(),
            alive,
            paused: false,
            since,
        }
    }

    /// What it holds, running or dead.
    pub(super) async fn holdings(&self) -> Result<Option<Holdings>, DiskError> {
        match &mut *self.state.lock().await {
            State::Running(node) => Ok(Some(node.window().look(|view| Holdings {
                history: view.history.clone(),
                last: index_of(view.status.last.as_ref()),
            }))),
            State::Killed(disk, _) => {
                let log = Log::recover(&disk.recover()?);
                Ok(Some(Holdings {
                    history: log.history().clone(),
                    last: log.last_index(),
                }))
            }
            State::Gone => Ok(None),
        }
    }
}

/// Reads a disk on a thread of its own: that may take seconds.
pub(super) async fn recover(
    mut disk: Box<dyn Disk>,
) -> (Box<dyn Disk>, Result<Recovered, DiskError>) {
    let work = move || {
        let found = disk.recover();
        (disk, found)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(both) => both,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
