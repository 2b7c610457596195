//! What a disk suffers from, on request: it is slow, full, or fails to sync. Knobs that are turned while a node runs.

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
    is_hurried: AtomicBool,
}

/// A slow sync looks this often whether it is to be slow any longer.
const GLANCE: Duration = Duration::from_millis(10);

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

    /// Whether the next sync fails.
    pub fn is_failing(&self) -> bool {
        self.0.fails_to_sync.load(Ordering::Relaxed)
    }

    /// Nobody waits for a slow sync any more, since its node is being killed; or one does again.
    pub fn hurry(&self, is_hurried: bool) {
        self.0.is_hurried.store(is_hurried, Ordering::Relaxed);
    }

    /// Sleeps as long as a sync takes longer, and no longer than it is to.
    fn take_time(&self) {
        let began = Instant::now();
        loop {
            let left = self.slow().saturating_sub(began.elapsed());
            if left.is_zero() || self.0.is_hurried.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(left.min(GLANCE));
        }
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
        self.take_time();
        let fails = &self.0.fails_to_sync;
        match fails.load(Ordering::Relaxed) && fails.swap(false, Ordering::Relaxed) {
            true => Err(Error::from_raw_os_error(INPUT_OUTPUT)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_sync_ends_when_the_disk_is_healed_or_its_node_killed() {
        let ends: [fn(&Ailments); 2] = [
            |ailments| ailments.set_slow(Duration::ZERO),
            |ailments| ailments.hurry(true),
        ];
        for end in ends {
            let ailments = Ailments::default();
            ailments.set_slow(Duration::from_secs(3600));
            let other = ailments.clone();
            let sync = std::thread::spawn(move || other.on_sync());
            end(&ailments);
            assert!(sync.join().is_ok_and(|synced| synced.is_ok()));
        }
    }
}
