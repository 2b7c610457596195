//! `compare`: what every pair of modes costs, and what it gives.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli::args::{Common, duration};
use crate::cli::chaos::boot::{self, Booted};
use crate::cli::ending::Ending;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::compare::findings::Findings;
use crate::compare::{self, partitions};
use crate::scenario::Setup;
use crate::types::Mode;
use crate::views::compare::{Comparison, page, text};

/// Compare the nine pairs of modes: what each costs, and what it gives
///
/// For each pair of an election and a replication a cluster is booted in this process, on free ports: it is loaded, read right
/// after it was written, its leader is killed under writes, its nodes are killed one by one. How the pair fares when the
/// network splits is simulated over seeds, and judged. With --sim all is simulated: the same command, the same table.
///
/// Exit code 0: all was measured; 1: something could not be; 130: interrupted, and what there was is shown.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster compare                         all nine pairs on three nodes: under two minutes
  cluster compare --sim --seeds 50        the same in virtual time, without speeds
  cluster compare --nodes 3,5 --html table.html
  cluster compare --only lowest-id+async --only raft+quorum --for 3s")]
pub(super) struct Compare {
    /// Simulate everything, in virtual time
    #[arg(long)]
    sim: bool,
    /// How many seeds are simulated
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// How many nodes, as in 3,5
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "3", value_parser = clap::value_parser!(u8).range(3..=9))]
    nodes: Vec<u8>,
    /// Only this pair, as in raft+quorum
    #[arg(long, value_name = "PAIR", value_parser = pair)]
    only: Vec<Mode>,
    /// How long each load goes on
    #[arg(long = "for", value_name = "DURATION", default_value = "1s", value_parser = duration, conflicts_with = "sim")]
    time: Duration,
    /// Draw it on a page
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    html: Option<PathBuf>,
}

/// `raft+quorum`, with or without spaces.
fn pair(text: &str) -> Result<Mode, String> {
    let spaced = text.replace(' ', "").replace('+', " + ");
    spaced.parse().map_err(|()| {
        let known: Vec<String> = compare::pairs()
            .map(|mode| mode.to_string().replace(' ', ""))
            .collect();
        format!("it is none of {}", known.join(", "))
    })
}

/// What a program gets.
#[derive(Serialize)]
struct Summary<'a> {
    version: &'a str,
    simulated: bool,
    seeds: u64,
    interrupted: bool,
    /// The pairs that could not be measured, and why.
    unmeasured: &'a [String],
    pairs: &'a [Findings],
}

pub(super) async fn run(args: &Compare, common: &Common) -> Result<(), Failure> {
    let over = Over::told(Ending::new()?);
    let mut all = Comparison {
        pairs: Vec::new(),
        seeds: args.seeds,
        simulated: args.sim,
        load: args.time,
        again: again(args),
        interrupted: false,
        unmeasured: Vec::new(),
    };
    let setups = setups(args);
    for (at, setup) in setups.iter().enumerate() {
        let (mode, nodes) = (setup.mode, setup.nodes);
        let of = setups.len();
        out::note(
            common,
            &format!("{} of {of}: {mode}, {nodes} nodes", at + 1),
        );
        match measure(args, setup, common, &over).await? {
            Ok(Some(found)) => all.pairs.push(found),
            // What was found of the others is worth as much without it.
            Err(why) => all.unmeasured.push(format!("{mode}, {nodes} nodes: {why}")),
            Ok(None) => {
                all.interrupted = true;
                break;
            }
        }
    }
    show(args, &all, common)
}

/// Which clusters, in the order of the table.
fn setups(args: &Compare) -> Vec<Setup> {
    let mut nodes = args.nodes.clone();
    nodes.sort_unstable();
    nodes.dedup();
    let is_wanted = |mode: &Mode| args.only.is_empty() || args.only.contains(mode);
    let with = |nodes: u8| {
        let pairs = compare::pairs().filter(is_wanted);
        pairs.map(move |mode| compare::setup(mode, usize::from(nodes)))
    };
    nodes.into_iter().flat_map(with).collect()
}

/// It is time to end: for tasks, and for threads.
struct Over {
    token: CancellationToken,
    flag: Arc<AtomicBool>,
}

impl Over {
    fn told(ending: Ending) -> Over {
        let (token, flag) = (ending.told(), Arc::new(AtomicBool::new(false)));
        let (over, raised) = (token.clone(), flag.clone());
        tokio::spawn(async move {
            over.cancelled().await;
            raised.store(true, Ordering::Relaxed);
        });
        Over { token, flag }
    }
}

/// What was found of a pair, or why nothing was. `None`: it is time to end.
type Measured = Result<Option<Findings>, String>;

async fn measure(
    args: &Compare,
    setup: &Setup,
    common: &Common,
    over: &Over,
) -> Result<Measured, Failure> {
    let found = match args.sim {
        true => simulated(args, setup, over).await?,
        false => live(args, setup, common, over).await?,
    };
    let mut found = match found {
        Ok(Some(found)) => found,
        none => return Ok(none),
    };
    let (mode, nodes, seeds, flag) = (setup.mode, setup.nodes, args.seeds, over.flag.clone());
    let played = aside(move || partitions::play(mode, nodes, seeds, &flag)).await?;
    Ok(Ok(played.map(|played| {
        found.partitions = played;
        found
    })))
}

async fn simulated(args: &Compare, setup: &Setup, over: &Over) -> Result<Measured, Failure> {
    let (setup, seeds, flag) = (*setup, args.seeds, over.flag.clone());
    aside(move || compare::simulated(&setup, 0..seeds, &flag)).await
}

async fn live(
    args: &Compare,
    setup: &Setup,
    common: &Common,
    over: &Over,
) -> Result<Measured, Failure> {
    let booted = match Booted::boot(boot::set_up(setup, common)?).await {
        Ok(booted) => booted,
        Err(failure) => return Ok(Err(failure.why())),
    };
    let found = tokio::select! {
        found = compare::live(booted.control.clone(), setup, args.time) => Some(found),
        () = over.token.cancelled() => None,
    };
    booted.down().await;
    Ok(found.transpose())
}

/// Does what computes beside what serves.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new("simulation-failed", error.to_string()))
}

fn show(args: &Compare, all: &Comparison, common: &Common) -> Result<(), Failure> {
    // Files come first: nobody may read the rest.
    if let Some(file) = &args.html {
        out::write(file, &page(all))?;
        out::note(common, &format!("drawn in {}", file.display()));
    }
    let told = match common.json {
        true => out::print_json(&Summary {
            version: env!("CARGO_PKG_VERSION"),
            simulated: all.simulated,
            seeds: all.seeds,
            interrupted: all.interrupted,
            unmeasured: &all.unmeasured,
            pairs: &all.pairs,
        }),
        false => out::print(&text(all)),
    };
    Failure::unless_unread(told)?;
    match (all.interrupted, all.unmeasured.is_empty()) {
        (true, _) => Err(Failure::silent(130)),
        (false, false) => Err(Failure::silent(1)),
        (false, true) => Ok(()),
    }
}

/// How a user would type it.
fn again(args: &Compare) -> String {
    let mut typed = "cluster compare".to_owned();
    if args.sim {
        typed.push_str(" --sim");
    }
    if args.nodes != [3] {
        let nodes: Vec<String> = args.nodes.iter().map(u8::to_string).collect();
        typed.push_str(&format!(" --nodes {}", nodes.join(",")));
    }
    if args.seeds != 20 {
        typed.push_str(&format!(" --seeds {}", args.seeds));
    }
    for mode in &args.only {
        typed.push_str(&format!(" --only {}", mode.to_string().replace(' ', "")));
    }
    if !args.sim && args.time != Duration::from_secs(1) {
        let time = humantime::format_duration(args.time).to_string();
        typed.push_str(&format!(" --for {}", time.replace(' ', "")));
    }
    typed
}
