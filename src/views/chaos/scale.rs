//! Where times stand.

use crate::chaos::recording::Recording;
use crate::sim::plan::Micros;

/// How wide the picture is, with the names at its left.
pub(super) const WIDTH: f64 = 1224.0;

/// How much of it the names take.
pub(super) const NAMES: f64 = 84.0;

/// From times to places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    end: Micros,
}

impl Scale {
    pub(super) fn of(recording: &Recording) -> Scale {
        let asked = recording.asked.iter().map(|asked| asked.returned_at);
        let happened = recording.happened.iter().map(|happened| happened.at);
        let end = asked.chain(happened).chain([recording.until]).max();
        Scale {
            end: end.unwrap_or(1).max(1),
        }
    }

    /// The last moment.
    pub(super) fn end(self) -> Micros {
        self.end
    }

    /// Where a moment stands.
    pub(super) fn x(self, at: Micros) -> f64 {
        let share = at.min(self.end) as f64 / self.end as f64;
        NAMES + share * (WIDTH - NAMES - 8.0)
    }

    /// How wide a time is, at least so wide that it can be seen.
    pub(super) fn wide(self, from: Micros, until: Micros) -> f64 {
        (self.x(until) - self.x(from)).max(1.5)
    }

    /// The moments to name: about a dozen, round ones.
    pub(super) fn ticks(self) -> Vec<Micros> {
        let steps = [100_000, 250_000, 500_000, 1_000_000, 2_000_000, 5_000_000];
        let longer = [10_000_000, 30_000_000, 60_000_000, 300_000_000, 600_000_000];
        let mut steps = steps.into_iter().chain(longer);
        let step = steps.find(|step| self.end / step <= 14);
        let step = step.unwrap_or(3_600_000_000);
        (0..=self.end / step).map(|n| n * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_about_a_dozen() {
        for (end, step) in [
            (3_000_000, 250_000),
            (20_000_000, 2_000_000),
            (62_000_000, 5_000_000),
        ] {
            let ticks = Scale { end }.ticks();
            assert!((5..=15).contains(&ticks.len()), "{ticks:?}");
            assert_eq!(ticks[1] - ticks[0], step);
        }
    }
}
