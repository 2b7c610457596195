//! How long a judge may think.

use std::time::Instant;

/// How long a judge may think about one question: until a moment, or for so many steps, which are the same on every
/// machine.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    until: Option<Instant>,
    steps: u64,
}

/// How often the clock is asked: once in so many steps.
const STEPS: u64 = 64;

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

    /// One part of `parts` of what is left.
    pub(super) fn share(self, parts: u32) -> Budget {
        let until = self.until.map(|until| {
            let now = Instant::now();
            now + until.saturating_duration_since(now) / parts
        });
        let steps = self.steps / u64::from(parts);
        Budget { until, steps }
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
