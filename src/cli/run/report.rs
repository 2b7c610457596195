//! What a scenario came to, for people and for programs.

use std::sync::Arc;

use serde_json::json;

use crate::chaos::verdict::Verdict;
use crate::check::history::Call;
use crate::cli::args::Common;
use crate::cli::drawing::sentence;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::run::Run;
use crate::scenario::verdict::Outcome;
use crate::scenario::{Played, Scenario};
use crate::sim::Plan;
use crate::views::chaos::Page;
use crate::views::page::Tone;

/// What a run came to.
pub(super) struct Report<'a> {
    pub(super) args: &'a Run,
    pub(super) scenario: &'a Scenario,
    pub(super) plan: &'a Arc<Plan>,
    pub(super) played: &'a Played,
    pub(super) outcome: &'a Outcome,
    pub(super) seed: u64,
}

/// The exit code where nobody can tell.
const UNKNOWN: u8 = 4;

/// The exit code of what was interrupted.
const INTERRUPTED: u8 = 130;

impl Report<'_> {
    /// Writes and prints it all; the exit code.
    pub(super) fn give(&self, common: &Common) -> Result<(), Failure> {
        // Files come first: nobody may read the rest.
        let drawn = self.args.html.as_ref().map(|file| {
            out::write(file, &self.page())?;
            out::note(common, &format!("drawn in {}", file.display()));
            Ok::<(), Failure>(())
        });
        let told = match common.json {
            true => out::print_json(&self.summary()),
            false => out::print(&self.text()),
        };
        let written = drawn.into_iter().chain([told]);
        Failure::concluded(self.exit(), UNKNOWN, common.json, written)
    }

    fn exit(&self) -> u8 {
        match self.outcome.is_as_written() {
            Some(true) => 0,
            Some(false) => 1,
            None if self.is_cut_short() => INTERRUPTED,
            None => UNKNOWN,
        }
    }

    fn is_cut_short(&self) -> bool {
        self.played.recording.end.is_cut_short
    }

    /// What became of the promise, in a word.
    fn verdict(&self) -> &'static str {
        match &self.outcome.verdict {
            Verdict::Kept => "kept",
            Verdict::Broken(_) => "broken",
            Verdict::Unknown(_) => "unknown",
        }
    }

    /// Why the verdict is what it is.
    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        match &self.outcome.verdict {
            Verdict::Kept => {}
            Verdict::Broken(broken) => {
                reasons.push(format!("{}: {}", broken.invariant, broken.what));
            }
            Verdict::Unknown(why) => reasons.push(why.clone()),
        }
        for number in &self.outcome.losses.gone {
            let asked = &self.played.recording.asked[*number];
            let key = &self.played.recording.keys[asked.key];
            reasons.push(match &asked.call {
                Call::Write(value) | Call::Cas(_, value) => {
                    format!("lost: {key} = {value} was acknowledged, and is gone")
                }
                _ => format!("lost: a delete of {key} was acknowledged, and is undone"),
            });
        }
        reasons
    }

    /// What there was.
    fn facts(&self) -> Vec<String> {
        vec![
            format!("{} acknowledged writes", self.outcome.measures.acknowledged),
            format!("{} lost", self.outcome.losses.gone.len()),
            format!("{} ambiguous", self.outcome.measures.ambiguous),
        ]
    }

    fn text(&self) -> String {
        let name = &self.scenario.name;
        let (verdict, counted) = (self.verdict(), self.facts().join(", "));
        let mut lines = match (&self.outcome.failed, &self.outcome.undecided) {
            (None, None) => vec![format!("AS WRITTEN: {name}")],
            (None, Some(why)) => {
                let head = if self.is_cut_short() {
                    "INTERRUPTED"
                } else {
                    "UNKNOWN"
                };
                let why = format!("  nobody can tell whether it goes as written: {why}");
                vec![format!("{head}: {name}"), why]
            }
            (Some(failed), _) if failed.line == 0 => {
                vec![
                    format!("NOT AS WRITTEN: {name}"),
                    format!("  {}", failed.what),
                ]
            }
            (Some(failed), _) => {
                let file = self.args.file.display();
                let what = format!("  {file}:{}: {}", failed.line, failed.what);
                vec![format!("NOT AS WRITTEN: {name}"), what]
            }
        };
        lines.push(format!("  the promise is {verdict}: {counted}"));
        lines.extend(self.reasons().into_iter().map(|why| format!("  {why}")));
        lines.push(format!("  again: {}", self.again()));
        lines.join("\n")
    }

    /// The run, drawn.
    fn page(&self) -> String {
        let recording = &self.played.recording;
        let lost = self.outcome.losses.gone.iter();
        let promise = self.verdict();
        let verdict = match (&self.outcome.failed, &self.outcome.undecided) {
            (None, None) => format!("as written; the promise is {promise}"),
            (None, Some(why)) => format!("{why}; the promise is {promise}"),
            (Some(failed), _) => format!("not as written: {}", failed.what),
        };
        let steps = self.played.took.iter().map(|took| {
            format!(
                "{:7.3} s  line {:3}  {}",
                took.at_ms as f64 / 1e3,
                took.line,
                took.what
            )
        });
        let source = self
            .scenario
            .source
            .iter()
            .map(|source| format!("After {source}."));
        let broken = match &self.outcome.verdict {
            Verdict::Broken(broken) => Some(broken),
            Verdict::Kept | Verdict::Unknown(_) => None,
        };
        let page = Page {
            name: &self.scenario.name,
            verdict: &verdict,
            tone: match self.outcome.is_as_written() {
                Some(true) => Tone::Good,
                Some(false) => Tone::Bad,
                None => Tone::Unknown,
            },
            facts: self.facts(),
            why: source
                .chain(self.reasons().iter().map(|why| sentence(why)))
                .collect(),
            explanation: broken.and_then(|broken| broken.explanation.as_ref()),
            marked: broken.map_or(Vec::new(), |broken| broken.events.clone()),
            lost: lost
                .map(|number| recording.asked[*number].invoked)
                .collect(),
            broken: broken.map(|broken| broken.invariant.as_str()),
            recording,
            measured: steps.collect::<Vec<_>>().join("\n"),
            again: &self.again(),
        };
        page.html()
    }

    /// The command that does it again.
    fn again(&self) -> String {
        let sim = if self.args.sim { " --sim" } else { "" };
        let file = self.args.file.display();
        format!("cluster run {file}{sim} --seed {}", self.seed)
    }

    fn summary(&self) -> serde_json::Value {
        let measures = &self.outcome.measures;
        json!({
            "scenario": self.scenario.name,
            "asWritten": self.outcome.is_as_written(),
            "interrupted": self.is_cut_short(),
            "failed": self.outcome.failed,
            "verdict": self.verdict(),
            "why": self.reasons(),
            "acknowledged": measures.acknowledged,
            "lost": self.outcome.losses.gone.len(),
            "ambiguous": measures.ambiguous,
            "leaderChanges": measures.leader_changes,
            "mode": self.plan.mode.to_string(),
            "nodes": self.plan.nodes,
            "seed": self.seed,
            "sim": self.args.sim,
            "steps": self.played.took,
        })
    }
}
