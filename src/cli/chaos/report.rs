//! What a run of chaos came to, for people and for programs.

use std::path::Path;
use std::time::Duration;

use crate::chaos::drawing::Target;
use crate::chaos::losses::Losses;
use crate::chaos::measures::Measures;
use crate::chaos::recording::{Planned, Recording, Struck};
use crate::chaos::verdict::Verdict;
use crate::chaos::words;
use crate::cli::args::Common;
use crate::cli::chaos::Chaos;
use crate::cli::failure::Failure;
use crate::cli::judgement::counted;
use crate::cli::out;
use crate::cli::sim::asked::name_of;
use crate::sim::plan::{Step, Timed};
use crate::sim::{Expect, Kind, Plan};
use crate::types::{Mode, NodeId, Safeguards};
use crate::views::intervals;

/// How the cluster is run.
pub(super) struct How {
    /// The nodes, in order.
    pub(super) nodes: Vec<NodeId>,
    pub(super) mode: Mode,
    pub(super) safeguards: Safeguards,
    pub(super) heartbeat: Duration,
    pub(super) election_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) snapshot_every: Option<usize>,
}

/// What a run came to.
pub(super) struct Report<'a> {
    pub(super) args: &'a Chaos,
    pub(super) common: &'a Common,
    /// How long it took to find out what was lost, to measure, and to judge.
    pub(super) judging: Duration,
    pub(super) plan: &'a Plan,
    pub(super) recording: &'a Recording,
    pub(super) losses: &'a Losses,
    pub(super) measures: &'a Measures,
    pub(super) verdict: &'a Verdict,
}

const BROKEN: u8 = 1;
pub(super) const UNKNOWN: u8 = 4;

/// Outages listed, the longest; the others are counted.
const LISTED: usize = 8;

/// Says what is going to be done to these nodes.
pub(super) fn announce(common: &Common, plan: &Plan, args: &Chaos, cast: &[NodeId]) {
    let time = humantime::format_duration(args.time);
    out::note(
        common,
        &format!(
            "{}, {}, seed {}: {time} of {} operations a second by {} clients on {} keys",
            plan.mode,
            counted(plan.nodes, "node"),
            plan.seed,
            args.rate,
            args.clients,
            args.keys
        ),
    );
    out::note(common, "planned:");
    for Timed { at, step } in &plan.steps {
        let what = match step {
            Step::Fault { harm, .. } => words::planned(&Planned::Harm(harm.clone()), cast),
            Step::Operate(operation) => words::planned(&Planned::Operation(*operation), cast),
            Step::Lift(_) | Step::Ask { .. } => continue,
        };
        out::note(common, &format!("  {:7.3} s  {what}", *at as f64 / 1e6));
    }
}

impl Report<'_> {
    /// Writes and prints it all; the exit code.
    pub(super) fn give(&self) -> Result<(), Failure> {
        // Files come first, since nobody may read the rest; one that cannot be written is no reason to keep it back.
        let written = [
            self.args.history.as_ref().map(|file| self.keep(file)),
            self.args.html.as_ref().map(|file| self.draw(file)),
        ];
        let told = match self.common.json {
            true => out::print_json(&self.summary()),
            false => out::print(&self.text()),
        };
        let written = written.into_iter().flatten().chain([told]);
        Failure::concluded(self.exit(), UNKNOWN, self.common.json, written)
    }

    /// Writes down what clients saw.
    fn keep(&self, file: &Path) -> Result<(), Failure> {
        out::write(file, &self.recording.lines())?;
        let file = file.display();
        out::note(
            self.common,
            &format!("what clients saw: cluster check {file}"),
        );
        Ok(())
    }

    fn exit(&self) -> u8 {
        match self.verdict {
            // A store that refuses everything proves nothing but that.
            Verdict::Kept | Verdict::Unknown(_) if self.is_too_rare() => BROKEN,
            Verdict::Kept => 0,
            Verdict::Broken(_) => BROKEN,
            Verdict::Unknown(_) => UNKNOWN,
        }
    }

    pub(super) fn is_too_rare(&self) -> bool {
        let least = self.args.min_availability;
        // Where nothing was due nothing was refused.
        let is_due = self.measures.operations + self.measures.left_out > 0;
        is_due && least.is_some_and(|least| self.measures.availability < least)
    }

    pub(super) fn verdict(&self) -> &'static str {
        match self.exit() {
            0 => "kept",
            UNKNOWN => "unknown",
            _ => "broken",
        }
    }

    pub(super) fn took_effect(&self) -> impl Iterator<Item = &Struck> {
        self.recording.struck.iter().filter(|s| s.void.is_none())
    }

    /// What the run was held to, in words.
    pub(super) fn expected(&self) -> String {
        match self.plan.expect {
            Expect::Promised => format!("what {} promises", self.plan.mode),
            other => name_of(other),
        }
    }

    /// What was broken.
    pub(super) fn name(&self) -> String {
        let how = match self.args.sim {
            true => ", simulated",
            false => "",
        };
        let plan = self.plan;
        format!(
            "{}, {}, seed {}{how}",
            plan.mode,
            counted(plan.nodes, "node"),
            plan.seed
        )
    }

    fn text(&self) -> String {
        let verdict = self.verdict().to_uppercase();
        let mut lines = vec![format!("{}: {verdict}: {}", self.name(), self.expected())];
        let reasons = self.reasons();
        lines.extend(reasons.iter().map(|why| format!("  {why}")));
        if let Verdict::Broken(broken) = self.verdict {
            let explanation = broken.explanation.as_ref().map(intervals::explanation);
            lines.extend(explanation);
        }
        lines.extend(self.measured());
        lines.push(format!("  again: {}", self.again()));
        lines.join("\n")
    }

    /// What was counted and measured, a line each.
    pub(super) fn measured(&self) -> Vec<String> {
        let measures = self.measures;
        let mut lines = Vec::new();
        let last = self.recording.asked.iter().filter(|asked| asked.is_final);
        lines.push(format!(
            "  {}, and {} more when all was quiet; {} acknowledged; {} of them lost, {} ambiguous{}",
            counted(measures.operations, "operation"),
            last.count(),
            counted(measures.acknowledged, "write"),
            self.losses.gone.len(),
            measures.ambiguous,
            match measures.left_out {
                0 => String::new(),
                n => format!("; {n} left out, since their client was busy"),
            }
        ));
        lines.extend(self.reported());
        let void = self.recording.struck.len() - self.took_effect().count();
        lines.push(format!(
            "  {} took effect{}; the leader changed {}",
            counted(self.took_effect().count(), "fault"),
            match void {
                0 => String::new(),
                n => format!(", {n} had none"),
            },
            match measures.leader_changes {
                0 => "never".to_owned(),
                1 => "once".to_owned(),
                n => format!("{n} times"),
            }
        ));
        lines.extend(self.outages());
        lines.extend(self.latencies());
        if let (Some(counted), Some(each)) = (measures.messages, measures.messages_per_operation) {
            lines.push(format!(
                "  {each:.1} messages an operation: nodes sent each other {}, answers included, and {} heartbeats and their answers",
                counted.others, counted.heartbeats
            ));
        }
        lines
    }

    /// Why the verdict is what it is, without a picture of it.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.exit() == BROKEN && !matches!(self.verdict, Verdict::Broken(_)) {
            reasons.push(format!(
                "{:.2} % of the operations were answered; {} % were asked for",
                self.measures.availability,
                self.args.min_availability.unwrap_or_default()
            ));
        }
        match self.verdict {
            Verdict::Kept => {}
            Verdict::Unknown(why) => reasons.push(why.clone()),
            Verdict::Broken(broken) => {
                reasons.push(format!("{}: {}", broken.invariant, broken.what));
            }
        }
        if self.recording.end.is_cut_short {
            reasons.push("it was ended before its time".to_owned());
        }
        reasons
    }

    fn reported(&self) -> Option<String> {
        let (reported, silent) = (
            self.recording.end.reported_count,
            self.losses.unreported.len(),
        );
        let silently = match silent {
            0 => String::new(),
            n => format!("; of {n} that are gone it said nothing"),
        };
        (reported + silent as u64 > 0).then(|| {
            format!(
                "  the cluster itself reported {reported} as lost, the last of each key{silently}"
            )
        })
    }

    fn outages(&self) -> Vec<String> {
        let (measures, all) = (self.measures, &self.measures.outages);
        let mut lines = vec![format!(
            "  {:.2} % answered; without an acknowledged write for {:.0} ms in all{}",
            measures.availability,
            measures.unavailable_ms(),
            if all.is_empty() { "" } else { ":" }
        )];
        let mut longest: Vec<_> = all.iter().collect();
        longest.sort_by(|a, b| b.lasted_ms.total_cmp(&a.lasted_ms));
        longest.truncate(LISTED);
        longest.sort_by(|a, b| a.from_ms.total_cmp(&b.from_ms));
        for outage in longest {
            let after = outage.after.as_deref();
            lines.push(format!(
                "    {:6.0} ms from {:.3} s on, after: {}",
                outage.lasted_ms,
                outage.from_ms / 1e3,
                after.unwrap_or("no fault")
            ));
        }
        if all.len() > LISTED {
            lines.push(format!("    … and {} shorter", all.len() - LISTED));
        }
        lines
    }

    fn latencies(&self) -> Vec<String> {
        let mut lines = vec!["  latency              p50         p99".to_owned()];
        let names = ["before faults", "during", "after"];
        for (name, latency) in names.iter().zip(&self.measures.latency) {
            lines.push(match latency.answers {
                0 => format!("    {name:<13}       -           -      (no answer)"),
                n => format!(
                    "    {name:<13} {:>7.1} ms  {:>7.1} ms   ({})",
                    latency.p50_ms,
                    latency.p99_ms,
                    counted(n, "answer")
                ),
            });
        }
        lines
    }

    /// The command that does the same again.
    pub(super) fn again(&self) -> String {
        let args = self.args;
        let mut command = format!(
            "cluster chaos --seed {} --for {}",
            self.plan.seed,
            humantime::format_duration(args.time)
                .to_string()
                .replace(' ', "")
        );
        let mut add = |flag: String| command.push_str(&format!(" {flag}"));
        let kinds: Vec<String> = args.faults.0.iter().map(|kind| name_of(*kind)).collect();
        match (kinds.join(","), args.faults.0.len()) {
            (kinds, _) if kinds == super::FAULTS => {}
            (_, 0) => add("--faults none".to_owned()),
            (_, n) if n == Kind::ALL.len() => add("--faults all".to_owned()),
            (kinds, _) => add(format!("--faults {kinds}")),
        }
        if args.target != [Target::Leader, Target::Follower, Target::Random] {
            let targets: Vec<String> = args.target.iter().map(|t| name_of(*t)).collect();
            add(format!("--target {}", targets.join(",")));
        }
        for (name, value, usual) in [
            ("clients", u64::from(args.clients), 5),
            ("rate", args.rate, 200),
            ("keys", u64::from(args.keys), 5),
        ] {
            if value != usual {
                add(format!("--{name} {value}"));
            }
        }
        if args.expect != Expect::Promised {
            add(format!("--expect {}", name_of(args.expect)));
        }
        if let Some(least) = args.min_availability {
            add(format!("--min-availability {least}%"));
        }
        if args.sim {
            add("--sim".to_owned());
        }
        if let Some(flags) = &args.up {
            add(format!("--up '{flags}'"));
        }
        command
    }
}
