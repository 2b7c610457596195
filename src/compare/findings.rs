//! What was found of one pair.

use serde::Serialize;

use crate::chaos::measures::percentile;
use crate::sim::plan::Micros;
use crate::types::Mode;

/// What one pair costs, and what it gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// The pair, as in `raft + quorum`.
    pub pair: String,
    /// How many nodes.
    pub nodes: usize,
    /// Writes.
    pub put: Speed,
    /// Reads.
    pub get: Speed,
    /// From a leader's death to the next acknowledged write.
    pub failover: Failover,
    /// What leaders' deaths cost.
    pub deaths: Losses,
    /// What followers showed right after a write.
    pub stale: Staleness,
    /// How it is answered with one node gone.
    pub one_gone: Answered,
    /// How it is answered with a majority gone.
    pub majority_gone: Answered,
    /// How it fares when the network splits.
    pub partitions: Partitions,
}

impl Findings {
    /// Nothing found yet.
    pub fn of(mode: Mode, nodes: usize) -> Findings {
        Findings {
            pair: mode.to_string(),
            nodes,
            put: Speed::default(),
            get: Speed::default(),
            failover: Failover::default(),
            deaths: Losses::default(),
            stale: Staleness::default(),
            one_gone: Answered::default(),
            majority_gone: Answered::default(),
            partitions: Partitions::default(),
        }
    }
}

/// How fast it answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Speed {
    /// Answers a second, of all clients together; in virtual time there is no such thing.
    pub per_second: Option<f64>,
    /// How long each took, in microseconds.
    #[serde(skip)]
    pub took: Vec<Micros>,
    /// The median, in milliseconds.
    pub p50_ms: f64,
    /// Of a hundred all but one take no longer, in milliseconds.
    pub p99_ms: f64,
}

impl Speed {
    /// Adds what was measured.
    pub(super) fn add(&mut self, took: impl IntoIterator<Item = Micros>) {
        self.took.extend(took);
        // What was there is in order: a stable sort takes that for one run.
        self.took.sort();
        let at = |percent| percentile(&self.took, percent).map_or(0.0, |took| took as f64 / 1e3);
        (self.p50_ms, self.p99_ms) = (at(50), at(99));
    }
}

/// How long nobody acknowledged anything.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Failover {
    /// How long each took, in milliseconds.
    pub took_ms: Vec<f64>,
    /// How often none was acknowledged in time, until the dead came back.
    pub never: usize,
    /// The median of those that were.
    pub median_ms: Option<f64>,
    /// The longest of those.
    pub worst_ms: Option<f64>,
}

impl Failover {
    pub(super) fn add(&mut self, took: Option<Micros>) {
        match took {
            Some(took) => self.took_ms.push(took as f64 / 1e3),
            None => self.never += 1,
        }
        let mut sorted = self.took_ms.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        self.median_ms = percentile(&sorted, 50);
        self.worst_ms = sorted.last().copied();
    }
}

/// Acknowledged writes, and those that were gone afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Losses {
    /// How many leaders died.
    pub deaths: usize,
    /// How many writes were acknowledged.
    pub acknowledged: usize,
    /// How many of these were gone when all were back and agreed.
    pub lost: usize,
}

/// Reads right after an acknowledged write, and those that showed what was before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Staleness {
    /// How many reads of followers' own copies.
    pub reads: usize,
    /// How many of these were stale.
    pub stale: usize,
    /// How many reads of the strongest kind that the pair offers.
    pub strongest_reads: usize,
    /// How many of these were stale.
    pub strongest_stale: usize,
}

/// What was answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// How many writes were tried.
    pub writes_tried: usize,
    /// How many were acknowledged.
    pub writes: usize,
    /// How many reads of the strongest kind were tried.
    pub reads_tried: usize,
    /// How many were answered.
    pub reads: usize,
    /// How many reads of a node's own copy were tried.
    pub copies_tried: usize,
    /// How many were answered.
    pub copies: usize,
}

/// What became of simulated runs in which the network split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Partitions {
    /// How many seeds.
    pub seeds: usize,
    /// In how many something acknowledged was missing in the end.
    pub lost: usize,
    /// In how many no order explains what clients saw.
    pub not_linearizable: usize,
    /// In how many two could lead at the same time.
    pub two_leaders: usize,
    /// In how many the judge did not come to an end.
    pub undecided: usize,
    /// In how many the pair broke its own promise: a bug.
    pub broken: usize,
    /// How many operations there were.
    pub operations: usize,
    /// How many of these were answered.
    pub answered: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_measured_the_middle_and_the_slowest_but_one_in_a_hundred_are_told() {
        let mut speed = Speed::default();
        speed.add((1..=100).rev().map(|n| n * 1000));
        assert_eq!((speed.p50_ms, speed.p99_ms), (50.0, 99.0));
        speed.add([]);
        assert_eq!(speed.took.len(), 100);
        let mut failover = Failover::default();
        failover.add(None);
        assert_eq!((failover.median_ms, failover.never), (None, 1));
        for took in [300_000, 100_000, 200_000] {
            failover.add(Some(took));
        }
        assert_eq!(
            (failover.median_ms, failover.worst_ms),
            (Some(200.0), Some(300.0))
        );
    }
}
