//! What a search found, for people and for programs.

use std::sync::Arc;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::sim::asked::Asked;
use crate::cli::sim::story::Story;
use crate::cli::sim::{Sim, resume, stop_flag};
use crate::sim::{Found, Met, Plan, Tally, draw, words};
use crate::views::lines::{grouped, several};

/// The exit code where the judge could not decide.
const UNDECIDED: u8 = 4;

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
                "{}, {time} of virtual time: {}\n  {what}",
                several(tally.seeds, "seed", "seeds"),
                self.verdict()
            ))?;
        }
        self.told(None)
    }

    fn told(&self, plan: Option<&Arc<Plan>>) -> Result<(), Failure> {
        let first = self.tally.violations.first();
        let story = self.story(first, plan)?;
        // Files come first, since nobody may read the rest; one that cannot be written is no reason to keep it back.
        let kept = self
            .keep(first, story.as_ref())
            .and_then(|()| self.draw(first, story.as_ref()));
        let told = match self.common.json {
            true => out::print_json(&self.summary(story.as_ref())),
            false => self.print(story.as_ref()),
        };
        Failure::unless_unread(told)?;
        kept?;
        self.exit()
    }

    fn exit(&self) -> Result<(), Failure> {
        if !self.tally.violations.is_empty() {
            return Err(Failure::silent(1));
        }
        if !self.is_whole {
            return Err(Failure::silent(130));
        }
        if self.tally.stats.undecided > 0 {
            return Err(Failure::silent(UNDECIDED));
        }
        match self.too_little() {
            Some(why) if self.common.json => Err(Failure::new("too-little", why)),
            Some(why) => Err(Failure::new("too-little", why)
                .hint("a clean result of a quiet run proves nothing: see --stats")),
            None => Ok(()),
        }
    }

    fn verdict(&self) -> String {
        let undecided = self.tally.stats.undecided;
        let kept = match (undecided, self.is_whole) {
            (0, true) => "every promise kept".to_owned(),
            (0, false) => "every promise kept so far".to_owned(),
            (runs, _) => format!("UNDECIDED in {}", several(runs, "run", "runs")),
        };
        match self.tally.violations.first() {
            Some(found) if found.is_stuck() => "STUCK".to_owned(),
            Some(_) => "UNSAFE".to_owned(),
            None if self.is_whole => kept,
            None => format!("interrupted; {kept}"),
        }
    }

    /// Why the runs prove nothing, if they do not.
    pub(super) fn too_little(&self) -> Option<String> {
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

    /// The first failure; without one, the run that was asked for, if somebody wants to look at it.
    fn story(
        &self,
        found: Option<&Found>,
        plan: Option<&Arc<Plan>>,
    ) -> Result<Option<Story>, Failure> {
        let Some(found) = found else {
            let plan = plan.filter(|_| self.is_told());
            return Ok(plan.map(Story::whole));
        };
        let plan = match (plan, self.asked) {
            (Some(plan), _) => plan.clone(),
            (None, Some(asked)) => Arc::new(draw(&asked.options, found.seed)),
            (None, None) => return Ok(None),
        };
        let stop = stop_flag()?;
        let hint = "Ctrl-C: as little as was found until then";
        out::note(
            self.common,
            &format!(
                "leaving out of seed {} what it does not need ({hint})",
                plan.seed
            ),
        );
        Ok(Story::shrunk(&plan, self.args.shrink, &stop))
    }

    /// Whether a run is to be told in sentences, or drawn.
    fn is_told(&self) -> bool {
        self.args.explain || self.args.html.is_some()
    }

    pub(super) fn command(&self, seed: u64) -> String {
        match (self.asked, &self.args.replay) {
            (Some(asked), _) => asked.command(seed),
            (None, Some(file)) => format!("cluster sim --replay {}", file.display()),
            (None, None) => String::new(),
        }
    }

    fn print(&self, story: Option<&Story>) -> Result<(), Failure> {
        let stats = &self.tally.stats;
        out::print(&format!(
            "  {}; {} of {} were acknowledged writes, {} without a known outcome; {}, {}",
            several(stats.events, "event", "events"),
            grouped(stats.acknowledged),
            several(stats.asked, "operation", "operations"),
            grouped(stats.unknown),
            several(
                stats.leader_changes,
                "change of leader",
                "changes of leader"
            ),
            several(stats.snapshots, "snapshot", "snapshots")
        ))?;
        if stats.undecided > 0 {
            out::print(&format!(
                "  {} not decided: what clients saw is too much for the judge, and may or may not be as promised",
                several(stats.undecided, "run is", "runs are")
            ))?;
        }
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
            return self.print_unbroken(story);
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
            let first = match all.len() {
                2.. if self.is_told() => "the first of those that fail, ",
                _ => "",
            };
            out::print(&format!(
                "  {first}shrunk to {} of {} events, on {} nodes:",
                story.events(),
                grouped(story.of as u64),
                story.plan.nodes
            ))?;
            self.print_story(story)?;
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

    /// In sentences, or as the trace has it.
    fn print_story(&self, story: &Story) -> Result<(), Failure> {
        let lines = match self.args.explain {
            true => story.told(),
            false => story.lines(),
        };
        lines
            .iter()
            .try_for_each(|line| out::print(&format!("    {line}")))
    }

    /// What there is to look at if nothing is broken.
    fn print_unbroken(&self, story: Option<&Story>) -> Result<(), Failure> {
        match story {
            Some(story) if self.args.explain => self.print_story(story),
            None if self.is_told() => out::print(&format!(
                "  nothing fails, so there is nothing to tell or to draw; one run as it is: {}",
                self.command(self.asked.map_or(0, |asked| asked.first))
            )),
            _ => Ok(()),
        }
    }

    fn draw(&self, found: Option<&Found>, story: Option<&Story>) -> Result<(), Failure> {
        let (Some(file), Some(story)) = (&self.args.html, story) else {
            return Ok(());
        };
        story.draw(file, found, &self.command(story.plan.seed))?;
        out::note(self.common, &format!("drawn in {}", file.display()));
        Ok(())
    }

    fn keep(&self, found: Option<&Found>, story: Option<&Story>) -> Result<(), Failure> {
        let (Some(found), Some(story)) = (found, story) else {
            return Ok(());
        };
        if let Some(file) = &self.args.keep {
            let command = self.command(found.seed);
            resume::keep(file, &command, &found.invariant, &story.plan)?;
        }
        Ok(())
    }
}
