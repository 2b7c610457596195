//! The clock of a process: moments since its nodes' common beginning.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::types::Time;

/// A clock that never goes back. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// A clock whose beginning is now.
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    /// What time it is.
    pub fn now(&self) -> Time {
        Time::after(self.0.elapsed())
    }

    /// The moment `time` in the timer's terms.
    pub fn instant(&self, time: Time) -> Instant {
        // Further away than the timer can count is as good as never.
        let never = Duration::from_secs(365 * 24 * 3600);
        self.0 + time.elapsed().min(never)
    }

    /// The calendar's time in Unix milliseconds, for messages that show it.
    pub fn unix_millis() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64)
    }
}
