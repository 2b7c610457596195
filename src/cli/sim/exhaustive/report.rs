//! What an exhaustive search found, for people and for programs.

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::rules::ModeFlags;
use crate::sim::exhaustive::{Bounds, End, Explored, Invariant};
use crate::views::lines::grouped;

pub(super) struct Report<'a> {
    pub(super) bounds: &'a Bounds,
    pub(super) found: &'a Explored,
}

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    version: &'a str,
    command: String,
    verdict: &'a str,
    whole: bool,
    nodes: usize,
    bounds: Limits,
    states: u64,
    represented: u64,
    configurations: u64,
    transitions: u64,
    deepest: u32,
    highest_term: u64,
    node_states: u64,
    messages: u64,
    invariants: Vec<String>,
    violations: Vec<Violated<'a>>,
}

#[derive(Serialize)]
struct Limits {
    depth: Option<u32>,
    timeouts: u32,
    crashes: u32,
    writes: u32,
    heartbeats: u32,
    duplicates: Option<u32>,
    losses: &'static str,
}

#[derive(Serialize)]
struct Violated<'a> {
    invariant: String,
    what: &'a str,
    story: &'a [String],
}

impl Report<'_> {
    fn verdict(&self) -> &'static str {
        match self.found.end {
            End::Exhausted | End::Depth => "proved within these bounds",
            End::Violated => "UNSAFE",
            End::Full => {
                "not a proof: there are more states than it may look at; no violation so far"
            }
            End::Stopped => "not a proof: interrupted; no violation so far",
        }
    }

    /// What can happen, as a person says it.
    fn allowed(&self) -> String {
        let bounds = self.bounds;
        let counted = |count: u32, one: &str, more: &str| match count {
            0 => format!("no {one}"),
            1 => format!("1 {one}"),
            count => format!("{count} {more}"),
        };
        let listed = [
            counted(bounds.timeouts, "timeout", "timeouts"),
            counted(bounds.crashes, "crash", "crashes"),
            counted(bounds.writes, "write", "writes"),
            counted(
                bounds.heartbeats,
                "heartbeat interval",
                "heartbeat intervals",
            ),
            counted(
                bounds.duplicates.unwrap_or(0),
                "message that arrives twice",
                "messages that arrive twice",
            ),
        ];
        let steps = match bounds.depth {
            Some(depth) => format!("paths of up to {depth} steps"),
            None => "paths of any length".to_owned(),
        };
        format!(
            "every order of arrivals, any losses, {}; {steps}",
            listed.join(", ")
        )
    }

    fn names(&self) -> Vec<String> {
        let all = self.bounds.invariants.iter();
        all.map(ToString::to_string).collect()
    }

    /// The one command line that does it again.
    fn command(&self) -> String {
        let (bounds, usual) = (self.bounds, Bounds::of(self.bounds.mode));
        let mut typed = format!(
            "cluster sim --exhaustive {} --nodes {}",
            ModeFlags::typed(bounds.mode, bounds.safeguards),
            bounds.nodes
        );
        let limits = [
            ("--depth", bounds.depth, None),
            ("--timeouts", Some(bounds.timeouts), Some(usual.timeouts)),
            ("--crashes", Some(bounds.crashes), Some(usual.crashes)),
            ("--writes", Some(bounds.writes), Some(usual.writes)),
            (
                "--heartbeats",
                Some(bounds.heartbeats),
                Some(usual.heartbeats),
            ),
            ("--duplicates", bounds.duplicates, usual.duplicates),
        ];
        for (flag, limit, usual) in limits {
            if let Some(limit) = limit.filter(|_| limit != usual) {
                typed.push_str(&format!(" {flag} {limit}"));
            }
        }
        if bounds.invariants != usual.invariants {
            let names = bounds
                .invariants
                .iter()
                .filter_map(Invariant::to_possible_value);
            let names: Vec<String> = names.map(|name| name.get_name().to_owned()).collect();
            typed.push_str(&format!(" --invariant {}", names.join(",")));
        }
        typed
    }

    pub(super) fn print(&self) -> Result<(), Failure> {
        let (bounds, found) = (self.bounds, self.found);
        out::print(&format!(
            "{}, {} nodes, every order of everything: {}",
            bounds.mode,
            bounds.nodes,
            self.verdict()
        ))?;
        out::print(&format!("  {}", self.allowed()))?;
        out::print(&format!(
            "  {} states{}, {} of them apart from what is on the wire; {} transitions",
            grouped(found.states),
            match found.represented == found.states {
                true => String::new(),
                false => format!(
                    " (they stand for {}, which differ in who is who)",
                    grouped(found.represented)
                ),
            },
            grouped(found.configurations),
            grouped(found.transitions)
        ))?;
        out::print(&format!(
            "  the deepest is {} steps away{}; the highest term is {}",
            found.depth,
            match found.end {
                End::Exhausted => ", and there are no more",
                End::Depth => ", and deeper ones were not looked at",
                _ => "",
            },
            found.term
        ))?;
        self.print_outcome()
    }

    fn print_outcome(&self) -> Result<(), Failure> {
        let names = self.names().join(", ");
        let Some(violation) = &self.found.violation else {
            return match self.found.end.is_whole() {
                true => out::print(&format!("  no state breaks {names}")),
                false => out::print(&format!("  no state that was looked at breaks {names}")),
            };
        };
        out::print(&format!(
            "\nUNSAFE: {}\n  {}\n  no shorter path leads to a violation than these {} steps:",
            violation.invariant,
            violation.why,
            violation.steps.len()
        ))?;
        for (at, step) in (1..).zip(&violation.steps) {
            out::print(&format!("    {at:>2}. {step}"))?;
        }
        let version = env!("CARGO_PKG_VERSION");
        out::print(&format!(
            "  again: {}   (version {version})",
            self.command()
        ))
    }

    pub(super) fn summary(&self) -> Summary<'_> {
        let (bounds, found) = (self.bounds, self.found);
        let violated = found.violation.iter().map(|violation| Violated {
            invariant: violation.invariant.to_string(),
            what: &violation.why,
            story: &violation.steps,
        });
        Summary {
            version: env!("CARGO_PKG_VERSION"),
            command: self.command(),
            verdict: match found.end {
                End::Exhausted | End::Depth => "proved",
                End::Violated => "unsafe",
                End::Full | End::Stopped => "unfinished",
            },
            whole: found.end.is_whole(),
            nodes: bounds.nodes,
            bounds: Limits {
                depth: bounds.depth,
                timeouts: bounds.timeouts,
                crashes: bounds.crashes,
                writes: bounds.writes,
                heartbeats: bounds.heartbeats,
                duplicates: bounds.duplicates,
                losses: "any",
            },
            states: found.states,
            represented: found.represented,
            configurations: found.configurations,
            transitions: found.transitions,
            deepest: found.depth,
            highest_term: found.term,
            node_states: found.node_states,
            messages: found.messages,
            invariants: self.names(),
            violations: violated.collect(),
        }
    }
}
