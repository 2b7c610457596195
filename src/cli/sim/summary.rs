//! What a search found, for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::sim::report::Report;
use crate::cli::sim::story::Story;
use crate::sim::{Found, Met, is_stuck};

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    version: &'a str,
    command: String,
    verdict: &'a str,
    whole: bool,
    seeds: u64,
    virtual_seconds: f64,
    events: u64,
    operations: u64,
    acknowledged: u64,
    unknown: u64,
    undecided: u64,
    leader_changes: u64,
    elections: u64,
    crashes: u64,
    partitions: u64,
    snapshots: u64,
    median: Median,
    met: BTreeMap<&'static str, u64>,
    never_met: Vec<&'static str>,
    too_little: Option<String>,
    /// Of the one run that was asked for, if it breaks nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explanation: Vec<String>,
    violations: Vec<Violated<'a>>,
}

#[derive(Serialize)]
struct Median {
    acknowledged: u32,
    leader_changes: u32,
    kinds_of_faults: u8,
}

/// A failure. Only the first is shrunk and told.
#[derive(Serialize)]
struct Violated<'a> {
    seed: u64,
    verdict: &'a str,
    invariant: &'a str,
    what: &'a str,
    at_ms: f64,
    command: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    story: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explanation: Vec<String>,
}

impl Report<'_> {
    pub(super) fn summary<'a>(&'a self, story: Option<&Story>) -> Summary<'a> {
        let (tally, stats) = (self.tally, &self.tally.stats);
        let (acknowledged, leader_changes, kinds_of_faults) = tally.median();
        let options = self.asked.map(|asked| &asked.options);
        let never = options.map_or(Vec::new(), |options| tally.never_met(options));
        let all = tally.violations.iter().enumerate();
        let violated = |(at, found)| self.violated(found, story.filter(|_| at == 0));
        Summary {
            version: env!("CARGO_PKG_VERSION"),
            command: self
                .asked
                .map_or(String::new(), |asked| asked.typed.clone()),
            verdict: match tally.violations.first() {
                Some(found) if found.is_stuck() => "stuck",
                Some(_) => "unsafe",
                None if stats.undecided > 0 => "undecided",
                None => "safe",
            },
            whole: self.is_whole,
            seeds: tally.seeds,
            virtual_seconds: tally.virtual_time as f64 / 1e6,
            events: stats.events,
            operations: stats.asked,
            acknowledged: stats.acknowledged,
            unknown: stats.unknown,
            undecided: stats.undecided,
            leader_changes: stats.leader_changes,
            elections: stats.count(Met::Election),
            crashes: stats.count(Met::Killed) + stats.count(Met::PowerCut),
            partitions: stats.count(Met::Partitioned)
                + stats.count(Met::Isolated)
                + stats.count(Met::CutOneWay),
            snapshots: stats.snapshots,
            median: Median {
                acknowledged,
                leader_changes,
                kinds_of_faults,
            },
            met: Met::ALL
                .iter()
                .map(|met| (met.text(), stats.count(*met)))
                .collect(),
            never_met: never.into_iter().map(Met::text).collect(),
            too_little: self.too_little(),
            explanation: match tally.violations.is_empty() {
                true => self.explanation(story),
                false => Vec::new(),
            },
            violations: all.map(violated).collect(),
        }
    }

    fn violated<'a>(&self, found: &'a Found, told: Option<&Story>) -> Violated<'a> {
        Violated {
            seed: found.seed,
            verdict: match is_stuck(&found.invariant) {
                true => "stuck",
                false => "unsafe",
            },
            invariant: &found.invariant,
            what: &found.what,
            at_ms: found.at as f64 / 1e3,
            command: self.command(found.seed),
            events: told.map(Story::events),
            story: told.map_or(Vec::new(), Story::lines),
            explanation: self.explanation(told),
        }
    }

    fn explanation(&self, told: Option<&Story>) -> Vec<String> {
        let told = told.filter(|_| self.args.explain);
        told.map_or(Vec::new(), Story::sentences)
    }
}
