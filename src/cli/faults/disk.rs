//! `disk`: disks that are slow, full, or fail.

use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, names, set};
use crate::cli::target;
use crate::wire::faults::Trouble;

/// Make disks slow or full, or let them fail
///
/// A node whose disk failed promises nothing of that write and takes no part, until the fault is healed or it is killed and
/// revived. --corrupt-tail kills the node in the middle of a write; revived, it cuts the torn end off.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster disk leader --slow 50ms
  cluster disk node-2 --full --for 10s
  cluster disk follower --fail-fsync
  cluster disk node-3 --corrupt-tail && cluster revive node-3 --wait")]
pub(in crate::cli) struct Disk {
    /// Nodes by name, or leader, follower, minority, majority, random, all
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    nodes: Vec<String>,
    /// Each synced write takes so much longer
    #[arg(long, value_name = "DURATION", value_parser = duration, group = "ailment")]
    slow: Option<Duration>,
    /// No space is left: the next write fails
    #[arg(long, group = "ailment")]
    full: bool,
    /// The next sync fails, once
    #[arg(long, group = "ailment")]
    fail_fsync: bool,
    /// Killed in the middle of a write: the end of the log is torn (with --data-dir)
    #[arg(long, group = "ailment", conflicts_with = "time")]
    corrupt_tail: bool,
    #[command(flatten)]
    lasting: Lasting,
}

pub(in crate::cli) async fn run(args: &Disk, common: &Common) -> Result<(), Failure> {
    let nodes = args.nodes.iter().flat_map(|name| names(name)).collect();
    let trouble = match (args.slow, args.full, args.fail_fsync, args.corrupt_tail) {
        (Some(by), ..) => Trouble::SlowDisk { nodes, by },
        (None, true, ..) => Trouble::FullDisk { nodes },
        (None, false, true, _) => Trouble::FailSync { nodes },
        (None, false, false, true) => Trouble::CorruptTail { nodes },
        (None, false, false, false) => {
            return Err(Failure::usage("nothing is to become of the disk")
                .hint("say --slow 50ms, --full, --fail-fsync or --corrupt-tail"));
        }
    };
    set(trouble, "disk", &args.lasting, common).await
}
