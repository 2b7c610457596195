//! A node's own clock: it may run fast or slow, and jump ahead. It never goes back: what nodes go by is monotonic.

use crate::types::Time;

/// Nanoseconds since some common beginning.
type Nanos = u64;

/// True speed, in millionths.
const TRUE: u64 = 1_000_000;

/// A clock, in terms of the true one.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// What it showed …
    shown: Nanos,
    /// … when.
    at: Nanos,
    /// How fast it has run since, in millionths of the true speed.
    rate: u64,
}

impl Clock {
    /// One that shows the truth from `at` on.
    pub fn true_from(at: Nanos) -> Clock {
        Clock {
            shown: at,
            at,
            rate: TRUE,
        }
    }

    /// What it shows at `at`.
    pub fn shows(&self, at: Nanos) -> Nanos {
        let passed = at.saturating_sub(self.at);
        match self.rate {
            TRUE => self.shown + passed,
            rate => self.shown + (u128::from(passed) * u128::from(rate) / u128::from(TRUE)) as u64,
        }
    }

    /// The same, as nodes take it.
    pub fn time(&self, at: Nanos) -> Time {
        Time::after_nanos(self.shows(at))
    }

    /// When it will show `time`, or something later.
    pub fn when(&self, time: Time) -> Nanos {
        let ahead = time.elapsed_nanos().saturating_sub(self.shown);
        match self.rate {
            TRUE => self.at + ahead,
            rate => {
                let true_span = u128::from(ahead) * u128::from(TRUE);
                self.at + true_span.div_ceil(u128::from(rate)) as u64
            }
        }
    }

    /// From `now` on it runs at `rate` millionths of the true speed.
    pub fn set_rate(&mut self, now: Nanos, rate: u32) {
        *self = Clock {
            shown: self.shows(now),
            at: now,
            rate: u64::from(rate.max(1)),
        };
    }

    /// It jumps ahead.
    pub fn jump(&mut self, by: Nanos) {
        self.shown += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skewed_clock_shows_a_time_when_it_says_it_will() {
        let mut clock = Clock::true_from(5);
        for (rate, now) in [(1_200_000, 1_000), (900_000, 7_777), (1_000_000, 9_999)] {
            clock.set_rate(now, rate);
            for ahead in [1, 10, 1_000_001] {
                let wanted = clock.shows(now) + ahead;
                let time = Time::after_nanos(wanted);
                let when = clock.when(time);
                assert!(clock.shows(when) >= wanted && clock.shows(when - 1) < wanted);
            }
        }
        let before = clock.shows(20_000);
        clock.jump(500);
        assert_eq!(clock.shows(20_000), before + 500);
    }
}
