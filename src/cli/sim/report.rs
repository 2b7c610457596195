//! What a search found, for people and for programs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::sim::asked::Asked;
use crate::cli::sim::{Sim, resume};
use crate::sim::{
    Found, Met, Moment, Plan, SHORT, Shrunk, THOROUGH, Tally, draw, events_of, is_stuck, shrink,
    words,
};
use crate::views::lines::grouped;

/// How many failing seeds are listed for people.
const LISTED: usize = 10;

pub(super) struct Report<'a> {
    pub(super) args: &'a Sim,
    pub(super) common: &'a Common,
    /// `None`: the run was read from a file.
    pub(super) asked: Option<&'a Asked>,
    pub(super) tally: &'a Tally,
    /// Nobody interrupted it.
    pub(super) is_whole: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
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
    violations: Vec<Violated<'a>>,
}

#[derive(Serialize)]
struct Median {
    acknowledged: u32,
    leader_changes: u32,
    kinds_of_faults: u8,
}

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
}

/// The first failure with as little as possible, and its story.
struct Story {
    shrunk: Shrunk,
    of: usize,
    moments: Vec<Moment>,
}

impl Report<'_> {
    /// Tells of one run.
    pub(super) fn one(&self, plan: &Arc<Plan>) -> Result<(), Failure> {
        if !self.common.json {
            let seed = plan.seed;
            out::print(&format!(
                "{}, {} nodes, seed {seed}: {}",
                plan.mode,
                plan.nodes,
                self.verdict()
            ))?;
            out::print(&format!("  {}", words::drawn(plan)))?;
        }
        self.told(Some(plan))
    }

    /// Tells of many.
    pub(super) fn many(&self) -> Result<(), Failure> {
        if !self.common.json {
            let tally = self.tally;
            let seconds = tally.virtual_time as f64 / 1e6;
            let time = humantime::format_duration(std::time::Duration::from_secs(seconds as u64));
            let what = self.asked.map_or("", |asked| &asked.typed);
            out::print(&format!(
                "{} seeds, {time} of virtual time: {}\n  {what}",
                grouped(tally.seeds),
                self.verdict()
            ))?;
        }
        self.told(None)
    }

    fn told(&self, plan: Option<&Arc<Plan>>) -> Result<(), Failure> {
        let first = self.tally.violations.first();
        let story = first.and_then(|found| self.story(found, plan));
        match self.common.json {
            true => out::print_json(&self.summary(story.as_ref()))?,
            false => self.print(story.as_ref())?,
        }
        self.keep(first, story.as_ref())?;
        self.exit()
    }

    fn exit(&self) -> Result<(), Failure> {
        if !self.tally.violations.is_empty() {
            return Err(Failure::silent(1));
        }
        if !self.is_whole {
            return Err(Failure::silent(130));
        }
        match self.too_little() {
            Some(why) if self.common.json => Err(Failure::new("too-little", why)),
            Some(why) => Err(Failure::new("too-little", why)
                .hint("a clean result of a quiet run proves nothing: see --stats")),
            None => Ok(()),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.tally.violations.first() {
            Some(found) if found.is_stuck() => "STUCK",
            Some(_) => "UNSAFE",
            None if self.is_whole => "every promise kept",
            None => "interrupted; every promise kept so far",
        }
    }

    /// Why the runs prove nothing, if they do not.
    fn too_little(&self) -> Option<String> {
        let options = &self.asked?.options;
        if let Some(why) = self.tally.too_quiet(options) {
            return Some(why);
        }
        let never = self.tally.never_met(options);
        if self.tally.seeds < 10_000 || never.is_empty() {
            return None;
        }
        let names: Vec<&str> = never.iter().map(|met| met.text()).collect();
        Some(format!(
            "never met in {} seeds: {}",
            self.tally.seeds,
            names.join("; ")
        ))
    }

    fn story(&self, found: &Found, plan: Option<&Arc<Plan>>) -> Option<Story> {
        let plan = match (plan, self.asked) {
            (Some(plan), _) => plan.clone(),
            (None, Some(asked)) => Arc::new(draw(&asked.options, found.seed)),
            (None, None) => return None,
        };
        let most = if self.args.shrink { THOROUGH } else { SHORT };
        let shrunk = shrink(&plan, most)?;
        let moments = Arc::new(Mutex::new(Vec::new()));
        let sink = moments.clone();
        crate::sim::run(
            &shrunk.plan,
            Some(Box::new(move |moment| {
                sink.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push(moment);
            })),
        );
        let mut moments = moments
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(Story {
            of: events_of(&plan),
            shrunk,
            moments: std::mem::take(&mut moments),
        })
    }

    fn command(&self, seed: u64) -> String {
        match (self.asked, &self.args.replay) {
            (Some(asked), _) => asked.command(seed),
            (None, Some(file)) => format!("cluster sim --replay {}", file.display()),
            (None, None) => String::new(),
        }
    }

    fn print(&self, story: Option<&Story>) -> Result<(), Failure> {
        let stats = &self.tally.stats;
        out::print(&format!(
            "  {} events; {} of {} operations were acknowledged writes, {} without a known outcome; {} changes of leader, {} snapshots",
            grouped(stats.events),
            grouped(stats.acknowledged),
            grouped(stats.asked),
            grouped(stats.unknown),
            grouped(stats.leader_changes),
            grouped(stats.snapshots)
        ))?;
        if self.common.verbose && self.tally.seeds > 1 {
            let (acknowledged, changes, kinds) = self.tally.median();
            out::print(&format!(
                "  the median seed: {acknowledged} acknowledged writes, {changes} changes of leader, {kinds} kinds of faults that took effect"
            ))?;
        }
        if self.args.stats {
            self.print_stats()?;
        }
        self.print_violations(story)
    }

    fn print_stats(&self) -> Result<(), Failure> {
        let stats = &self.tally.stats;
        for met in Met::ALL {
            out::print(&format!(
                "  {:>12}  {}",
                grouped(stats.count(*met)),
                met.text()
            ))?;
        }
        for (kind, count) in stats.all_messages() {
            out::print(&format!(
                "  {:>12}  {} messages",
                grouped(count),
                words::kind(kind)
            ))?;
        }
        if let Some(asked) = self.asked {
            for met in self.tally.never_met(&asked.options) {
                out::print(&format!(
                    "  never met, though these faults can lead there: {}",
                    met.text()
                ))?;
            }
        }
        Ok(())
    }

    fn print_violations(&self, story: Option<&Story>) -> Result<(), Failure> {
        let all = &self.tally.violations;
        let Some(first) = all.first() else {
            return Ok(());
        };
        let what = if first.is_stuck() { "STUCK" } else { "UNSAFE" };
        out::print(&format!(
            "\n{what}: {} (seed {}, after {:.3} s)",
            first.invariant,
            first.seed,
            first.at as f64 / 1e6
        ))?;
        out::print(&format!("  {}", first.what))?;
        if let Some(story) = story {
            out::print(&format!(
                "  shrunk to {} of {} events, on {} nodes:",
                story.shrunk.events(),
                grouped(story.of as u64),
                story.shrunk.plan.nodes
            ))?;
            for line in story.lines() {
                out::print(&format!("    {line}"))?;
            }
        }
        out::print(&format!(
            "  again: {}   (version {})",
            self.command(first.seed),
            env!("CARGO_PKG_VERSION")
        ))?;
        if all.len() > 1 {
            out::print(&format!("\n{} seeds fail:", grouped(all.len() as u64)))?;
        }
        for found in all.iter().skip(1).take(LISTED) {
            out::print(&format!(
                "  seed {}: {}: {}",
                found.seed, found.invariant, found.what
            ))?;
        }
        match all.len().saturating_sub(LISTED + 1) {
            0 => Ok(()),
            more => out::print(&format!("  … and {more} more")),
        }
    }

    fn keep(&self, found: Option<&Found>, story: Option<&Story>) -> Result<(), Failure> {
        let (Some(found), Some(story)) = (found, story) else {
            return Ok(());
        };
        if let Some(file) = &self.args.keep {
            let command = self.command(found.seed);
            resume::keep(file, &command, &found.invariant, &story.shrunk.plan)?;
        }
        Ok(())
    }

    fn summary<'a>(&'a self, story: Option<&Story>) -> Summary<'a> {
        let (tally, stats) = (self.tally, &self.tally.stats);
        let (acknowledged, leader_changes, kinds_of_faults) = tally.median();
        let options = self.asked.map(|asked| &asked.options);
        let never = options.map_or(Vec::new(), |options| tally.never_met(options));
        let violated = |(at, found): (usize, &'a Found)| {
            let told = story.filter(|_| at == 0);
            Violated {
                seed: found.seed,
                verdict: if is_stuck(&found.invariant) {
                    "stuck"
                } else {
                    "unsafe"
                },
                invariant: &found.invariant,
                what: &found.what,
                at_ms: found.at as f64 / 1e3,
                command: self.command(found.seed),
                events: told.map(|story| story.shrunk.events()),
                story: told.map_or(Vec::new(), |story| story.lines()),
            }
        };
        Summary {
            version: env!("CARGO_PKG_VERSION"),
            command: self
                .asked
                .map_or(String::new(), |asked| asked.typed.clone()),
            verdict: match tally.violations.first() {
                Some(found) if found.is_stuck() => "stuck",
                Some(_) => "unsafe",
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
            violations: tally.violations.iter().enumerate().map(violated).collect(),
        }
    }
}

impl Story {
    /// What happened, a line each, as the trace has it, without messages.
    fn lines(&self) -> Vec<String> {
        let matters = self
            .moments
            .iter()
            .filter(|moment| crate::sim::tell::matters(moment));
        matters.map(crate::sim::tell::line).collect()
    }
}
