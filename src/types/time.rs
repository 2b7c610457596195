//! When.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on a node's own clock: time since some beginning that all moments of one run share. The protocol never
/// reads a clock; whoever drives it says what time it is. In nanoseconds, since it is compared more often than told: that
/// is enough for 584 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Time(u64);

impl Time {
    /// The beginning.
    pub const ZERO: Time = Time(0);

    /// The moment `since` after the beginning.
    pub fn after(since: Duration) -> Time {
        Time(nanos(since))
    }

    /// The moment that many nanoseconds after the beginning.
    pub fn after_nanos(since: u64) -> Time {
        Time(since)
    }

    /// Time since the beginning.
    pub fn elapsed(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Nanoseconds since the beginning.
    pub fn elapsed_nanos(self) -> u64 {
        self.0
    }
}

/// The sooner of two moments, as far as there are any.
#[inline]
pub fn sooner(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) => one,
        (None, other) => other,
    }
}

fn nanos(span: Duration) -> u64 {
    span.as_nanos().try_into().unwrap_or(u64::MAX)
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, later: Duration) -> Time {
        Time(self.0.saturating_add(nanos(later)))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;

    /// How long after `earlier` this is; zero if it is not.
    fn sub(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.elapsed())
    }
}
