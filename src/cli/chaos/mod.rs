//! `chaos`: breaks a cluster at random, and says whether it kept its promises.

pub(in crate::cli) mod boot;
mod page;
mod report;
mod summary;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::chaos::drawing::{self, Target};
use crate::chaos::live::{Live, Tell};
use crate::chaos::losses::losses;
use crate::chaos::measures::measure;
use crate::chaos::recording::Recording;
use crate::chaos::verdict::{Broken, Verdict, judge};
use crate::chaos::virtually;
use crate::cli::args::{Common, duration};
use crate::cli::chaos::boot::Booted;
use crate::cli::chaos::report::{How, Report};
use crate::cli::ending::Ending;
use crate::cli::failure::Failure;
use crate::cli::sim::asked;
use crate::cli::up::refused;
use crate::cli::{out, target};
use crate::client::control::ControlClient;
use crate::runtime::boot::seed;
use crate::runtime::roster::Roster;
use crate::sim::{Expect, Kind, Plan};
use crate::types::{Config, Mode, NodeId, Safeguards};

/// What is broken if nothing is said: all that leaves the members alone.
const FAULTS: &str = "crash,partition,delay,drop,duplicate,reorder,pause,skew,disk";

/// Break a cluster at random, and say whether it kept its promises
///
/// Seeded clients write, read, compare-and-set and delete, while seeded faults strike and are lifted on a schedule that is printed.
/// Then everything is healed, quiet is awaited, every key is read, and what was seen is judged. The same seed gives the same
/// schedule. Ctrl-C heals, then judges what there is; a second one ends it at once.
///
/// Exit code 0: the promise was kept; 1: broken; 4: unknown, as when no fault took effect, or no cluster could be booted.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster chaos                                       the running cluster, for a minute
  cluster chaos --up '--raft --nodes 5' --for 20s --seed 7   boots one, breaks it, takes it down
  cluster chaos --up '--nodes 3' --faults crash --target leader --expect no-lost-acks
  cluster chaos --up '--raft' --history out.jsonl; cluster check out.jsonl
  cluster chaos --sim --up '--raft --nodes 5' --seed 7       the same plan in the simulator")]
pub(super) struct Chaos {
    /// How long clients ask
    #[arg(long = "for", value_name = "DURATION", default_value = "60s", value_parser = duration)]
    time: Duration,
    /// What the schedule is drawn from [default: any]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Which faults there may be: crash, partition, delay, drop, duplicate, reorder, pause, skew, disk, member; all; none
    #[arg(long, value_name = "FAULTS", default_value = FAULTS, value_parser = asked::faults)]
    faults: asked::Faults,
    /// At whom they are aimed
    #[arg(
        long,
        value_name = "WHOM",
        value_enum,
        value_delimiter = ',',
        default_value = "leader,follower,random"
    )]
    target: Vec<Target>,
    /// How many clients
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=200))]
    clients: u16,
    /// How many operations a second, of all clients together
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// How many keys they use
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    keys: u16,
    /// What the run is held to
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    expect: Expect,
    /// Fail if fewer operations are answered, as in 99%
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_availability: Option<f64>,
    /// Write down what clients saw, for cluster check
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    history: Option<PathBuf>,
    /// Draw the run on a page: what became of every node, the faults, every operation, and why
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Boot a cluster for it with these flags of `up`, on free ports, and take it down afterwards
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    up: Option<String>,
    /// Play the plan in the simulator, in virtual time
    #[arg(long)]
    sim: bool,
}

/// `99%` or `99.5`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').parse::<f64>().ok();
    number
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| "write it as 99%".to_owned())
}

pub(super) async fn run(args: &Chaos, common: &Common) -> Result<(), Failure> {
    let done = break_it(args, common).await;
    // What kept a run from its verdict has broken no promise.
    done.map_err(|failure| failure.of_judge(report::UNKNOWN))
}

async fn break_it(args: &Chaos, common: &Common) -> Result<(), Failure> {
    out::check_writable(args.history.as_ref())?;
    out::check_writable(args.html.as_ref())?;
    let how = match &args.up {
        Some(flags) => {
            let options = boot::options(flags, common)?;
            // Those on disk, if there are any: their names may have gaps.
            let roster = Roster::of(&options).map_err(refused)?;
            How {
                nodes: roster.nodes,
                mode: options.mode,
                safeguards: options.safeguards,
                heartbeat: options.heartbeat,
                election_timeout: options.election_timeout,
                write_timeout: options.write_timeout,
                snapshot_every: options.snapshot_every,
            }
        }
        None => running(&target::running(common)?).await?,
    };
    refuse_too_much(args, &how)?;
    let seed = match args.seed {
        Some(seed) => seed,
        // Short enough to be typed again.
        None => seed().map_err(refused)? % 1_000_000,
    };
    let plan = Arc::new(drawing::draw(&asked_of(args, &how), seed));
    let cast = match args.sim {
        true => (1..=plan.nodes).map(NodeId::nth).collect(),
        false => how.nodes,
    };
    if args.faults.0.contains(&Kind::Membership) && !plan.mode.is_linearizable() {
        let note = "nobody is added or removed: that needs raft with quorum or sync";
        out::note(common, note);
    }
    report::announce(common, &plan, args, &cast);
    match args.sim {
        true => simulate(args, common, &plan),
        false => live(args, common, plan).await,
    }
}

/// As many operations as a machine has memory for.
const MOST_OPERATIONS: u64 = 20_000_000;

/// More nodes than these have no place in a plan; the simulator knows fewer.
const MOST_NODES: usize = 200;

fn refuse_too_much(args: &Chaos, how: &How) -> Result<(), Failure> {
    let operations = args.rate.saturating_mul(args.time.as_secs());
    if operations > MOST_OPERATIONS {
        let message = format!("that would be {operations} operations, at most {MOST_OPERATIONS}");
        return Err(Failure::usage(message).hint("give a lower --rate, or a shorter --for"));
    }
    let most = if args.sim { 9 } else { MOST_NODES };
    if how.nodes.len() > most {
        let message = format!(
            "{} nodes are too many for chaos: at most {most}",
            how.nodes.len()
        );
        return Err(Failure::usage(message).hint("give fewer: --up '--nodes 5'"));
    }
    Ok(())
}

/// How the running cluster is run.
async fn running(running: &target::Running) -> Result<How, Failure> {
    let info = running.control.info().await;
    let info = info.map_err(|error| running.failure(error))?;
    Ok(How {
        nodes: info.nodes.into_iter().map(|node| node.id).collect(),
        mode: Mode {
            election: info.mode.election,
            replication: info.mode.replication,
        },
        safeguards: Safeguards::default(),
        heartbeat: Duration::from_millis(info.heartbeat_ms),
        election_timeout: Duration::from_millis(info.election_timeout_ms),
        // A running cluster does not say these.
        write_timeout: Config::WRITE_TIMEOUT,
        snapshot_every: None,
    })
}

fn asked_of(args: &Chaos, how: &How) -> drawing::Options {
    let mut faults = args.faults.0.clone();
    faults.retain(|kind| *kind != Kind::Membership || how.mode.is_linearizable());
    drawing::Options {
        nodes: how.nodes.len(),
        mode: how.mode,
        safeguards: how.safeguards,
        heartbeat: how.heartbeat,
        election_timeout: how.election_timeout,
        write_timeout: how.write_timeout,
        snapshot_every: how.snapshot_every,
        faults,
        targets: args.target.clone(),
        time: args.time.as_micros() as u64,
        clients: args.clients.into(),
        rate: args.rate,
        keys: args.keys.into(),
        expect: args.expect,
    }
}

fn simulate(args: &Chaos, common: &Common, plan: &Arc<Plan>) -> Result<(), Failure> {
    let simulated = virtually::play(plan, args.html.is_some());
    let began = Instant::now();
    let (losses, measures) = (losses(&simulated.recording), measure(&simulated.recording));
    let verdict = match &simulated.violation {
        // What clients saw is explained, where that is what is broken.
        Some(violation) => match judge(plan, &simulated.recording, &losses, &measures) {
            Verdict::Broken(broken) if broken.explanation.is_some() => Verdict::Broken(broken),
            _ => Verdict::Broken(Broken::new(violation.invariant, violation.what.clone())),
        },
        None if simulated.is_undecided => Verdict::Unknown("not decided in time".to_owned()),
        None => judge(plan, &simulated.recording, &losses, &measures),
    };
    let report = Report {
        args,
        common,
        judging: began.elapsed(),
        plan,
        recording: &simulated.recording,
        losses: &losses,
        measures: &measures,
        verdict: &verdict,
    };
    report.give()
}

async fn live(args: &Chaos, common: &Common, plan: Arc<Plan>) -> Result<(), Failure> {
    let prefix = prefix(args.up.as_deref(), common)?;
    let ending = Ending::new()?;
    let interrupted = ending.told_or(farewell(args, &prefix, common));
    let (noticed, telling) = (interrupted.clone(), common.clone());
    tokio::spawn(async move {
        noticed.cancelled().await;
        out::note(
            &telling,
            "interrupted: heals, then judges what there is; Ctrl-C again ends it at once",
        );
    });
    let booted = match &args.up {
        Some(flags) => Some(Booted::boot(boot::options(flags, common)?).await?),
        None => None,
    };
    let control = match &booted {
        Some(booted) => booted.control.clone(),
        None => target::running(common)?.control,
    };
    let stage = Stage {
        control,
        prefix,
        is_drawn: args.html.is_some(),
    };
    let recording = play(common, plan.clone(), stage, interrupted).await;
    if let Some(booted) = booted {
        booted.down().await;
    }
    let recording = recording?;
    let began = Instant::now();
    let (losses, measures) = (losses(&recording), measure(&recording));
    let verdict = judge(&plan, &recording, &losses, &measures);
    let report = Report {
        args,
        common,
        judging: began.elapsed(),
        plan: &plan,
        recording: &recording,
        losses: &losses,
        measures: &measures,
        verdict: &verdict,
    };
    report.give()
}

/// What the names of a run's keys and of its writes begin with: nothing on a cluster of its own that is new; elsewhere what
/// keeps them apart from all that is there, an earlier run's too. A store answers a name that it knows as it did before.
fn prefix(up: Option<&str>, common: &Common) -> Result<String, Failure> {
    let is_new = match up {
        Some(flags) => boot::options(flags, common)?.data_dir.is_none(),
        None => false,
    };
    match is_new {
        true => Ok(String::new()),
        false => {
            let drawn = seed().map_err(refused)? & 0xff_ffff;
            Ok(format!("chaos-{drawn:06x}-"))
        }
    }
}

/// What is said when it ends at once: a cluster of its own goes with it, another keeps what was done to it.
fn farewell(args: &Chaos, prefix: &str, common: &Common) -> impl FnOnce() + Send + use<> {
    let left = match (&args.up, prefix) {
        (Some(_), "") => String::new(),
        (Some(_), prefix) => format!("; keys that begin with {prefix} are left in its --data-dir"),
        (None, prefix) => format!(
            "; faults may still be in force (cluster faults, cluster heal), nodes dead (cluster revive all), and keys that \
             begin with {prefix} are left"
        ),
    };
    let common = common.clone();
    move || out::note(&common, &format!("ended at once: nothing is judged{left}"))
}

/// Where a live run is played.
struct Stage {
    control: ControlClient,
    /// What the names of its keys begin with.
    prefix: String,
    is_drawn: bool,
}

async fn play(
    common: &Common,
    plan: Arc<Plan>,
    stage: Stage,
    interrupted: CancellationToken,
) -> Result<Recording, Failure> {
    let (telling, watching) = (common.clone(), common.clone());
    let tell: Tell = Arc::new(move |line| out::note(&telling, line));
    let live = Live {
        plan,
        control: stage.control,
        prefix: stage.prefix,
        tell,
        progress: Box::new(move |asked, answered| {
            out::detail(
                &watching,
                &format!("{asked} operations asked, {answered} answered"),
            );
        }),
        is_drawn: stage.is_drawn,
        interrupted,
    };
    let played = live.play().await;
    played.map_err(|error| Failure::new("chaos-failed", error.to_string()))
}
