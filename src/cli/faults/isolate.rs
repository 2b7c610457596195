//! `isolate`: nodes that are alone.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, names, set};
use crate::cli::target;
use crate::wire::faults::{Trouble, Way};

/// Cut nodes off from all others
///
/// Each of them is alone, also from each other. Clients still reach it.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster isolate leader --wait
  cluster isolate node-1 node-2 --for 5s
  cluster isolate leader --deaf             all hear it, and it hears nobody")]
pub(in crate::cli) struct Isolate {
    /// Nodes by name, or leader, follower, minority, majority, random, all
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    nodes: Vec<String>,
    /// They hear all others, and are not heard
    #[arg(long, conflicts_with = "deaf")]
    mute: bool,
    /// They are heard by all others, and hear nobody
    #[arg(long)]
    deaf: bool,
    #[command(flatten)]
    lasting: Lasting,
}

pub(in crate::cli) async fn run(args: &Isolate, common: &Common) -> Result<(), Failure> {
    let way = match (args.mute, args.deaf) {
        (true, _) => Way::Out,
        (false, true) => Way::In,
        (false, false) => Way::Both,
    };
    let nodes = args.nodes.iter().flat_map(|name| names(name)).collect();
    set(
        Trouble::Isolate { nodes, way },
        "isolate",
        &args.lasting,
        common,
    )
    .await
}
