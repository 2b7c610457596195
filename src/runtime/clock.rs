//! The clocks of a process: moments since its nodes' common beginning. Each node has one of its own, which shows the
//! truth until somebody makes it run wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::faults::{UNBREAKABLE, skew};
use crate::types::Time;

/// A clock that never goes back. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// It was never made to run wrong: nobody needs to look further.
    is_true: AtomicBool,
    shape: Mutex<skew::Clock>,
    changed: Notify,
}

impl Clock {
    /// A clock whose beginning is now.
    pub fn start() -> Clock {
        Clock::since(Instant::now())
    }

    fn since(start: Instant) -> Clock {
        Clock(Arc::new(Inner {
            start,
            is_true: AtomicBool::new(true),
            shape: Mutex::new(skew::Clock::true_from(0)),
            changed: Notify::new(),
        }))
    }

    /// Another clock with the same beginning, which shows the truth.
    pub fn another(&self) -> Clock {
        Clock::since(self.0.start)
    }

    /// What time it is.
    pub fn now(&self) -> Time {
        let elapsed = self.0.start.elapsed();
        match self.is_true() {
            true => Time::after(elapsed),
            false => self.shape().time(nanos(elapsed)),
        }
    }

    /// The moment `time` in the timer's terms.
    pub fn instant(&self, time: Time) -> Instant {
        // Further away than the timer can count is as good as never.
        let never = Duration::from_secs(365 * 24 * 3600);
        let ahead = match self.is_true() {
            true => time.elapsed(),
            false => Duration::from_nanos(self.shape().when(time)),
        };
        self.0.start + ahead.min(never)
    }

    /// From now on it runs at `ppm` millionths of the true speed.
    pub fn set_rate(&self, ppm: u32) {
        let now = nanos(self.0.start.elapsed());
        self.change(|shape| shape.set_rate(now, ppm));
    }

    /// It jumps ahead.
    pub fn jump(&self, by: Duration) {
        self.change(|shape| shape.jump(nanos(by)));
    }

    fn change(&self, change: impl FnOnce(&mut skew::Clock)) {
        change(&mut self.shape());
        self.0.is_true.store(false, Ordering::Relaxed);
        // Whoever sleeps by it looks again.
        self.0.changed.notify_one();
    }

    /// Waits until it is made to run otherwise.
    pub async fn changed(&self) {
        match UNBREAKABLE {
            true => std::future::pending().await,
            false => self.0.changed.notified().await,
        }
    }

    fn is_true(&self) -> bool {
        UNBREAKABLE || self.0.is_true.load(Ordering::Relaxed)
    }

    fn shape(&self) -> MutexGuard<'_, skew::Clock> {
        self.0.shape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calendar's time in Unix milliseconds, for messages that show it.
    pub fn unix_millis() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64)
    }
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos().min(u64::MAX.into()) as u64
}
