//! `run`: a scenario, played and judged.

mod report;
mod scratch;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::args::Common;
use crate::cli::chaos::boot::{self, Booted};
use crate::cli::ending::Ending;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::run::report::Report;
use crate::cli::run::scratch::Scratch;
use crate::cli::up::refused;
use crate::runtime::Options;
use crate::runtime::boot::seed;
use crate::scenario::verdict::judge;
use crate::scenario::{self, Played, Scenario};

/// Play a scenario: what is done to a cluster, and what must come of it
///
/// FILE says, step by step, which faults strike, what clients ask and are answered, and what is to hold. A cluster is booted
/// for it in this process, on free ports; with --sim it is played in virtual time. In the end everything is healed, and what
/// clients saw is judged. Ctrl-C heals, then judges what was played; a second one ends it at once. scripts/scenarios holds some, and the schema for editors.
///
/// Exit code 0: it went as written; 1: it did not; 2: the file is not a scenario; 4: nobody can tell; 130: it was interrupted.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster run scripts/scenarios/split-brain.toml
  cluster run scripts/scenarios/split-brain.toml --sim --seed 7
  cluster run --check mine.toml             is it a scenario? nothing is played
  cluster run mine.toml --html page.html    drawn: nodes, faults, operations")]
pub(super) struct Run {
    /// The scenario
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Only check that it is a scenario
    #[arg(long, conflicts_with_all = ["sim", "seed", "html"])]
    check: bool,
    /// Play it in virtual time: the same seed, the same run
    #[arg(long)]
    sim: bool,
    /// What chance draws from [default: 1 with --sim, otherwise any]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Draw the run on a page: what became of every node, the faults, every operation, and why
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    html: Option<PathBuf>,
}

pub(super) async fn run(args: &Run, common: &Common) -> Result<(), Failure> {
    let file = args.file.display();
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| Failure::usage(format!("cannot read {file}: {error}")))?;
    let scenario = Scenario::read(&text).map_err(|mistake| {
        Failure::usage(format!("{file}: {mistake}")).hint("the format: scripts/scenarios/README.md")
    })?;
    if args.check {
        return checked(&args.file, &scenario, common);
    }
    out::check_writable(args.html.as_ref())?;
    let seed = match (args.seed, args.sim) {
        (Some(seed), _) => seed,
        (None, true) => 1,
        // Short enough to be typed again.
        (None, false) => seed().map_err(refused)? % 1_000_000,
    };
    let plan = scenario::plan(&scenario, seed);
    announce(&scenario, args.sim, seed, common);
    let tell = |line: &str| out::note(common, line);
    let played = match args.sim {
        true => Ok(scenario::virtually(&scenario, seed, &tell)),
        false => live(&scenario, seed, common, &tell).await?,
    };
    let played = played.map_err(|why| Failure::new("run-failed", why))?;
    let outcome = judge(&scenario, &plan, &played);
    let report = Report {
        args,
        scenario: &scenario,
        plan: &plan,
        played: &played,
        outcome: &outcome,
        seed,
    };
    report.give(common)
}

fn checked(file: &Path, scenario: &Scenario, common: &Common) -> Result<(), Failure> {
    let steps = scenario.steps.len();
    match common.json {
        true => out::print_json(&json!({"scenario": scenario.name, "steps": steps})),
        false => out::print(&format!(
            "{}: {}: {steps} steps",
            file.display(),
            scenario.name
        )),
    }
}

fn announce(scenario: &Scenario, sim: bool, seed: u64, common: &Common) {
    let setup = &scenario.setup;
    let how = if sim { ", simulated" } else { "" };
    let head = format!(
        "{}\n{}, {} nodes, seed {seed}{how}",
        scenario.name, setup.mode, setup.nodes
    );
    out::note(common, &head);
    if let Some(source) = &scenario.source {
        out::note(common, &format!("after {source}"));
    }
}

async fn live(
    scenario: &Scenario,
    seed: u64,
    common: &Common,
    tell: scenario::Tell<'_>,
) -> Result<Result<Played, String>, Failure> {
    let scratch = scenario.needs_disks().then(Scratch::new).transpose()?;
    let directory = scratch.as_ref().map(|scratch| scratch.path().to_owned());
    let left = directory.clone();
    let interrupted =
        Ending::new()?.told_or(move || left.iter().for_each(|path| scratch::clear(path)));
    let options = Options {
        data_dir: directory,
        ..boot::set_up(&scenario.setup, common)?
    };
    let booted = Booted::boot(options).await?;
    let control = booted.control.clone();
    let played = scenario::live(scenario, control, seed, tell, &interrupted).await;
    booted.down().await;
    out::detail(common, "the cluster is down");
    Ok(played)
}
