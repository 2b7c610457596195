//! What a disk suffers from, on request: it is slow, full, or fails to sync. Knobs that are turned while a node runs.

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What systems say of a full disk: ENOSPC, the same on Linux and macOS.
const NO_SPACE: i32 = 28;

/// What they say of one that cannot be written to: EIO.
const INPUT_OUTPUT: i32 = 5;

/// The knobs of one disk. Clones turn the same.
#[derive(Debug, Clone, Default)]
pub struct Ailments(Arc<Knobs>);

#[derive(Debug, Default)]
struct Knobs {
    slow_micros: AtomicU64,
    is_full: AtomicBool,
    fails_to_sync: AtomicBool,
}

impl Ailments {
    /// Every synced write takes so much longer.
    pub fn set_slow(&self, by: Duration) {
        let micros = by.as_micros().min(u64::MAX.into()) as u64;
        self.0.slow_micros.store(micros, Ordering::Relaxed);
    }

    /// How much longer a synced write takes.
    pub fn slow(&self) -> Duration {
        Duration::from_micros(self.0.slow_micros.load(Ordering::Relaxed))
    }

    /// There is no space left, or there is again.
    pub fn set_full(&self, is_full: bool) {
        self.0.is_full.store(is_full, Ordering::Relaxed);
    }

    /// The next sync fails, or is not to any more.
    pub fn set_failing(&self, fails: bool) {
        self.0.fails_to_sync.store(fails, Ordering::Relaxed);
    }

    /// What the system says to a write.
    pub(super) fn on_write(&self) -> Result<(), Error> {
        match self.0.is_full.load(Ordering::Relaxed) {
            true => Err(Error::from_raw_os_error(NO_SPACE)),
            false => Ok(()),
        }
    }

    /// What it says to a sync, once that has taken its time.
    pub(super) fn on_sync(&self) -> Result<(), Error> {
        let slow = self.slow();
        if !slow.is_zero() {
            std::thread::sleep(slow);
        }
        let fails = &self.0.fails_to_sync;
        match fails.load(Ordering::Relaxed) && fails.swap(false, Ordering::Relaxed) {
            true => Err(Error::from_raw_os_error(INPUT_OUTPUT)),
            false => Ok(()),
        }
    }
}
