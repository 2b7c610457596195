//! How long a judge may think.

use std::time::{Duration, Instant};

/// How long a judge may think about one question: until a moment, or for so many steps, which are the same on every
/// machine.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    until: Option<Instant>,
    steps: u64,
}

/// How often the clock is asked: once in so many steps.
const STEPS: u64 = 16;

impl From<Instant> for Budget {
    fn from(deadline: Instant) -> Budget {
        Budget {
            until: Some(deadline),
            steps: u64::MAX,
        }
    }
}

impl Budget {
    /// For so many steps of a search, however long they take.
    pub fn steps(steps: u64) -> Budget {
        Budget { until: None, steps }
    }

    /// The same, but at most so many steps.
    pub(super) fn within(self, steps: u64) -> Budget {
        let steps = self.steps.min(steps);
        Budget { steps, ..self }
    }

    /// How many steps there are.
    pub(super) fn count(&self) -> u64 {
        self.steps
    }

    /// Until a moment so many parts of what is left away, if that is before its end.
    pub(super) fn soon(self, slice: Duration) -> Budget {
        let until = self.until.map(|until| until.min(Instant::now() + slice));
        Budget { until, ..self }
    }

    /// How much time is left, where it counts.
    pub(super) fn left(&self) -> Duration {
        let left = self
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        left.unwrap_or_default()
    }

    /// One part of `parts` of the time that is left; as many steps.
    pub(super) fn turn(self, parts: usize) -> Budget {
        let parts = u32::try_from(parts).unwrap_or(u32::MAX);
        Budget {
            steps: self.steps,
            ..self.share(parts)
        }
    }

    /// One part of `parts` of what is left.
    pub(super) fn share(self, parts: u32) -> Budget {
        let until = self.until.map(|until| {
            let now = Instant::now();
            now + until.saturating_duration_since(now) / parts
        });
        let steps = self.steps / u64::from(parts);
        Budget { until, steps }
    }

    /// Whether it ends at a moment.
    pub(super) fn is_timed(&self) -> bool {
        self.until.is_some()
    }

    /// Whether the moment is over.
    pub(super) fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() > until)
    }

    /// Whether a search that has gone so many steps must end.
    pub(super) fn is_over(&self, steps: u64) -> bool {
        steps > self.steps || (steps.is_multiple_of(STEPS) && self.is_late())
    }
}
