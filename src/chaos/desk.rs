//! The desk: where all clients of a live run write down what they ask and learn, in one order.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chaos::recording::Asked;
use crate::chaos::stage::Stage;
use crate::sim::plan::Micros;
use crate::value::Key;

/// What all clients share.
pub(super) struct Desk {
    pub(super) stage: Arc<Stage>,
    pub(super) keys: Vec<Key>,
    /// With which the names of this run's writes begin.
    pub(super) run: String,
    asked: Mutex<Vec<Asked>>,
    order: AtomicUsize,
    left_out: Mutex<Vec<Micros>>,
    answered: AtomicU64,
}

impl Desk {
    pub(super) fn new(stage: Arc<Stage>, keys: Vec<Key>, run: String) -> Desk {
        Desk {
            stage,
            keys,
            run,
            asked: Mutex::new(Vec::new()),
            order: AtomicUsize::new(0),
            left_out: Mutex::default(),
            answered: AtomicU64::new(0),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was asked, in the order of the asking.
    pub(super) fn take(&self) -> Vec<Asked> {
        let mut asked = std::mem::take(&mut *self.asked());
        asked.sort_by_key(|asked| asked.invoked);
        asked
    }

    fn all_left_out(&self) -> MutexGuard<'_, Vec<Micros>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client did not ask what was due then.
    pub(super) fn leave_out(&self, due: Vec<Micros>) {
        self.all_left_out().extend(due);
    }

    /// When what was not asked was due.
    pub(super) fn left_out(&self) -> Vec<Micros> {
        self.all_left_out().clone()
    }

    /// How many operations were asked, and how many of them answered.
    pub(super) fn so_far(&self) -> (usize, u64) {
        (self.asked().len(), self.answered.load(Ordering::Relaxed))
    }

    pub(super) fn tick(&self) -> usize {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    /// Writes down that something is asked for; its number.
    pub(super) fn begin(&self, asked: Asked) -> usize {
        let mut all = self.asked();
        all.push(asked);
        all.len() - 1
    }

    /// Writes down what became of it.
    pub(super) fn conclude(&self, at: usize, conclude: impl FnOnce(&mut Asked)) {
        let (returned, returned_at) = (self.tick(), self.stage.clock.now());
        let mut all = self.asked();
        let asked = &mut all[at];
        (asked.returned, asked.returned_at) = (Some(returned), returned_at);
        conclude(asked);
        if asked.is_answered() {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}
