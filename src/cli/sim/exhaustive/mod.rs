//! `sim --exhaustive`: every order of everything, in small bounds.

mod report;

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::sim::Sim;
use crate::cli::sim::exhaustive::report::Report;
use crate::cli::sim::progress::Progress;
use crate::sim::exhaustive::{Bounds, End, Explored, Invariant, explore};
use crate::views::lines::grouped;

/// How many nodes there are, if nothing is said.
const NODES: u8 = 3;

/// How far the search goes.
#[derive(Args)]
#[command(next_help_heading = "Every order of everything")]
pub(super) struct Flags {
    /// Draw nothing: look at every order of arrivals, losses, crashes and timeouts, within the bounds below
    #[arg(long, conflicts_with_all = ["seeds", "seed", "time", "faults",
        "clients", "ops", "expect", "jobs", "until_found", "trace", "shrink", "explain", "html", "stats", "resume", "replay", "keep"])]
    exhaustive: bool,
    /// The longest path, in steps [default: as long as the rest allows]
    #[arg(long, value_name = "N", requires = "exhaustive")]
    depth: Option<u32>,
    /// How often a node's patience ends, in all [default: 2]
    #[arg(long, value_name = "N", requires = "exhaustive")]
    timeouts: Option<u32>,
    /// How often a node crashes, and comes back at any later moment, in all [default: 1]
    #[arg(long, value_name = "N", requires = "exhaustive")]
    crashes: Option<u32>,
    /// How many writes clients make, in all [default: 1]
    #[arg(long, value_name = "N", requires = "exhaustive")]
    writes: Option<u32>,
    /// How often a leader lets a heartbeat interval pass, in all [default: 0]
    #[arg(long, value_name = "N", requires = "exhaustive")]
    heartbeats: Option<u32>,
    /// How often a message arrives twice, in all [default: 0]
    #[arg(long, value_name = "N", requires = "exhaustive")]
    duplicates: Option<u32>,
    /// What must hold; several with commas [default: what the mode promises]
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        value_delimiter = ',',
        requires = "exhaustive"
    )]
    invariant: Vec<Invariant>,
    /// Give up, proving nothing, at this many states [default: 4294967294]
    #[arg(long, value_name = "N", requires = "exhaustive")]
    most_states: Option<u32>,
}

impl Flags {
    pub(super) fn is_asked(&self) -> bool {
        self.exhaustive
    }
}

pub(super) fn run(args: &Sim, common: &Common) -> Result<(), Failure> {
    let bounds = bounds(args)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())
            .map_err(|error| Failure::system("cannot listen for signals", &error))?;
    }
    let mut progress = Progress::new(common);
    let found = explore(&bounds, &mut |found| {
        progress
            .tell(|progress| format!("{}, {} steps deep", so_far(found, progress), found.depth));
        match stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let line = so_far(&found, &progress);
    drop(progress);
    if !common.quiet {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
    let report = Report {
        bounds: &bounds,
        found: &found,
    };
    match common.json {
        true => out::print_json(&report.summary())?,
        false => report.print()?,
    }
    match found.end {
        End::Exhausted | End::Depth => Ok(()),
        End::Violated | End::Full => Err(Failure::silent(1)),
        End::Stopped => Err(Failure::silent(130)),
    }
}

fn bounds(args: &Sim) -> Result<Bounds, Failure> {
    let (mode, flags) = (args.mode.mode(None), &args.exhaustive);
    let safeguards = args.mode.safeguards(mode)?;
    if !safeguards.random_timeout {
        return Err(Failure::usage(
            "--fixed-timeout makes no difference with --exhaustive: timeouts come at any moment there",
        )
        .hint("leave it out"));
    }
    let usual = Bounds::of(mode);
    let bounds = Bounds {
        nodes: args.nodes.unwrap_or(NODES).into(),
        depth: flags.depth,
        timeouts: flags.timeouts.unwrap_or(usual.timeouts),
        crashes: flags.crashes.unwrap_or(usual.crashes),
        writes: flags.writes.unwrap_or(usual.writes),
        heartbeats: flags.heartbeats.unwrap_or(usual.heartbeats),
        duplicates: Some(flags.duplicates.unwrap_or(0)),
        most_states: flags.most_states.map_or(usual.most_states, u64::from),
        safeguards,
        invariants: match flags.invariant.is_empty() {
            true => usual.invariants,
            false => flags.invariant.clone(),
        },
        ..usual
    };
    match bounds.problem() {
        Some(problem) => Err(Failure::usage(problem)),
        None => Ok(bounds),
    }
}

/// How many states there are so far, and how fast they come.
fn so_far(found: &Explored, progress: &Progress) -> String {
    let seconds = progress.seconds();
    let rate = (found.states as f64 / seconds) as u64;
    let (states, rate) = (grouped(found.states), grouped(rate));
    format!("{states} states in {seconds:.1} s, {rate} a second")
}
