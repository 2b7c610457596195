//! `client`: the way between clients and a node.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, Lateness, names, set};
use crate::cli::target;
use crate::faults::Fault;
use crate::wire::faults::Trouble;

/// Make the way between clients and nodes slow or lossy
///
/// The nodes hear each other as before; `status` still sees them. A lost request is not answered: the client gives up
/// when it has waited long enough. A lost answer to a write leaves it unknown whether it happened.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster client leader --delay 200ms
  cluster client node-2 --loss 20% --for 30s
  cluster client leader --cut               it leads on, and no client reaches it")]
pub(in crate::cli) struct Client {
    /// Nodes by name, or leader, follower, minority, majority, random, all
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    nodes: Vec<String>,
    #[command(flatten)]
    lateness: Lateness,
    /// Nothing gets through
    #[arg(long)]
    cut: bool,
    #[command(flatten)]
    lasting: Lasting,
}

pub(in crate::cli) async fn run(args: &Client, common: &Common) -> Result<(), Failure> {
    let nodes = args.nodes.iter().flat_map(|name| names(name)).collect();
    let fault = Fault {
        cut: args.cut,
        ..args.lateness.fault()
    };
    if fault == Fault::default() {
        return Err(Failure::usage("nothing is to become of the requests")
            .hint("say --delay, --jitter, --loss or --cut"));
    }
    let trouble = Trouble::Client { nodes, fault };
    set(trouble, "client", &args.lasting, common).await
}
