//! `sim`: the protocol in virtual time, under faults drawn from seeds.

pub(super) mod asked;
mod exhaustive;
mod progress;
mod report;
mod resume;
mod story;
mod summary;

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::rules::ModeFlags;
use crate::cli::sim::asked::Asked;
use crate::cli::sim::progress::Progress;
use crate::cli::sim::report::Report;
use crate::sim::{Expect, Moment, Plan, Tally, draw, play, tell};

/// Run the protocol in virtual time, under faults drawn from seeds, and judge every run
///
/// Nodes, disks, links, clocks and clients are simulated; the protocol is the very code that runs on ports. Each seed draws
/// a world of its own: which faults, how dense, how fast everything is. After every event the claims of the paper are
/// checked, and in the end what clients saw. A seed and this command line are all that a bug report needs.
///
/// Exit code 0: every promise was kept; 1: one was broken, or too little happened to prove anything; 4: none was broken, but
/// the judge could not decide about some run.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster sim --raft --seeds 1000 --time 1m
  cluster sim --seed 7 --raft --trace | less
  cluster sim --expect no-lost-acks --until-found --explain   see why lowest-id loses writes
  cluster sim --expect linearizable --election bully --replication quorum --until-found --html story.html
  cluster sim --exhaustive --raft --nodes 3 --depth 8   every order of everything, in small bounds")]
pub(super) struct Sim {
    /// How many seeds (1000), or which (5..900)
    #[arg(long, value_name = "SEEDS", default_value = "100", value_parser = asked::seeds)]
    seeds: asked::Seeds,
    /// Just this one
    #[arg(long, value_name = "SEED", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// How long there are faults, in virtual time
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    time: Duration,
    /// How many nodes [default: 5; 3 with --exhaustive, and at most 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: Option<u8>,
    #[command(flatten)]
    mode: ModeFlags,
    /// Which faults there may be: crash, partition, delay, drop, duplicate, reorder, pause, skew, disk, membership; all; none
    #[arg(long, value_name = "FAULTS", default_value = "all", value_parser = asked::faults)]
    faults: asked::Faults,
    /// How many clients [default: each seed draws from 1 to 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    clients: Option<u16>,
    /// How many operations a virtual second, of all clients together; 0: none [default: each seed draws from 2 to 60]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=100_000))]
    ops: Option<u64>,
    /// What the runs are held to
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    expect: Expect,
    /// How many threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// End at the first seed that fails
    #[arg(long)]
    until_found: bool,
    /// Print all that happens (of one seed)
    #[arg(long, requires = "seed", conflicts_with_all = ["shrink", "stats", "keep"])]
    trace: bool,
    /// Leave out of the first failure whatever it does not need, until no single event can go
    #[arg(long)]
    shrink: bool,
    /// Tell the first failure, or the one run, in sentences
    #[arg(long, conflicts_with = "trace")]
    explain: bool,
    /// Draw the first failure, or the one run, on a page: who leads, who says what to whom, what is lost
    #[arg(long, value_name = "FILE", conflicts_with = "trace", value_hint = clap::ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Print how often each fault, refusal and branch of the protocol was met
    #[arg(long)]
    stats: bool,
    /// Keep how far it came in this file, and go on from there
    #[arg(long, value_name = "FILE", conflicts_with = "seed", value_hint = clap::ValueHint::FilePath)]
    resume: Option<PathBuf>,
    /// Play a run that was kept as a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "seed", "resume"], value_hint = clap::ValueHint::FilePath)]
    replay: Option<PathBuf>,
    /// Keep the first failure, shrunk, as a file for --replay
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    keep: Option<PathBuf>,
    #[command(flatten)]
    exhaustive: exhaustive::Flags,
}

pub(super) fn run(args: &Sim, common: &Common) -> Result<(), Failure> {
    if args.exhaustive.is_asked() {
        return exhaustive::run(args, common);
    }
    if let Some(file) = &args.replay {
        let plan = resume::read_plan(file)?;
        return one(args, common, &Arc::new(plan), None);
    }
    if args.trace && common.json {
        return Err(Failure::usage("a trace is lines of text, not JSON")
            .hint("leave out --json, or --trace"));
    }
    let asked = Asked::of(args)?;
    if let Some(seed) = args.seed {
        let plan = Arc::new(draw(&asked.options, seed));
        return one(args, common, &plan, Some(&asked));
    }
    many(args, common, &asked)
}

/// One run, which can be looked at closely.
fn one(
    args: &Sim,
    common: &Common,
    plan: &Arc<Plan>,
    asked: Option<&Asked>,
) -> Result<(), Failure> {
    let gone = Arc::new(AtomicBool::new(false));
    let sink: Option<Box<dyn FnMut(Moment) + Send>> = match args.trace {
        true => Some(printer(gone.clone())),
        false => None,
    };
    let outcome = crate::sim::run(plan, sink);
    if args.trace {
        // What was printed is the result.
        return match outcome.violation.is_some() && !gone.load(Ordering::Relaxed) {
            true => Err(Failure::silent(1)),
            false => Ok(()),
        };
    }
    let mut tally = Tally::from(plan.seed);
    tally.add(plan, &outcome);
    let report = Report {
        args,
        common,
        asked,
        tally: &tally,
        is_whole: true,
    };
    report.one(plan)
}

fn printer(gone: Arc<AtomicBool>) -> Box<dyn FnMut(Moment) + Send> {
    let mut stdout = std::io::BufWriter::new(std::io::stdout());
    Box::new(move |moment| {
        // Nobody reads any more: a reader's right.
        if !gone.load(Ordering::Relaxed) && writeln!(stdout, "{}", tell::line(&moment)).is_err() {
            gone.store(true, Ordering::Relaxed);
        }
    })
}

/// A flag that the next Ctrl-C sets.
fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())
            .map_err(|error| Failure::system("cannot listen for signals", &error))?;
    }
    Ok(stop)
}

/// Many runs, of which the sum is of interest, and the first that fails.
fn many(args: &Sim, common: &Common, asked: &Asked) -> Result<(), Failure> {
    let stop = stop_flag()?;
    let seeds = args.seeds.0.clone();
    let mut tally = match &args.resume {
        Some(file) => resume::read(file, asked, &seeds)?,
        None => Tally::from(seeds.start),
    };
    if let Some(file) = &args.resume {
        // Better now than after hours.
        resume::write(file, asked, &tally)?;
    }
    let jobs = args.jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let mut progress = Progress::new(common);
    let first = (tally.seeds, tally.virtual_time);
    let mut kept = Ok(());
    play(
        &asked.options,
        &seeds,
        jobs,
        args.until_found,
        &stop,
        &mut tally,
        |tally| {
            let line = |progress: &Progress| so_far(tally, &seeds, first, progress.seconds());
            if progress.tell(line)
                && let Some(file) = &args.resume
                && kept.is_ok()
            {
                kept = resume::write(file, asked, tally);
            }
        },
    );
    if let Some(file) = &args.resume {
        kept = resume::write(file, asked, &tally);
    }
    let is_found = args.until_found && !tally.violations.is_empty();
    let report = Report {
        args,
        common,
        asked: Some(asked),
        tally: &tally,
        is_whole: tally.next >= seeds.end || is_found,
    };
    let told = report.many();
    // What was found is told even if it cannot be kept.
    kept.and(told)
}

/// A search's seeds, how fast they go, and what was found; `first`: how many seeds and how much time there was before.
fn so_far(tally: &Tally, seeds: &Range<u64>, first: (u64, u64), seconds: f64) -> String {
    format!(
        "{} of {} seeds, {:.0} a second, {:.0} × real time, {} violations",
        tally.next - seeds.start,
        seeds.end - seeds.start,
        (tally.seeds - first.0) as f64 / seconds,
        (tally.virtual_time - first.1) as f64 / 1e6 / seconds,
        tally.violations.len()
    )
}
