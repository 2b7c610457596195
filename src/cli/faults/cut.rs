//! `cut`: a link that carries nothing.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, names, set};
use crate::cli::target;
use crate::faults::Fault;
use crate::wire::faults::Trouble;

/// Cut the link between two nodes
///
/// Several nodes on either side, separated by commas, are cut from each of the other side's.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster cut node-1 node-2
  cluster cut leader node-3 --one-way       what the leader says is lost, not what it hears
  cluster cut node-1 node-2,node-3 --for 5s")]
pub(in crate::cli) struct Cut {
    /// One end: a node, several with commas, or a role
    #[arg(value_name = "A", add = ArgValueCandidates::new(target::candidates))]
    from: String,
    /// The other
    #[arg(value_name = "B", add = ArgValueCandidates::new(target::candidates))]
    to: String,
    /// Only what A says is lost
    #[arg(long)]
    one_way: bool,
    #[command(flatten)]
    lasting: Lasting,
}

pub(in crate::cli) async fn run(args: &Cut, common: &Common) -> Result<(), Failure> {
    let trouble = Trouble::Links {
        from: names(&args.from),
        to: names(&args.to),
        fault: Fault::CUT,
        only: Vec::new(),
        one_way: args.one_way,
    };
    set(trouble, "cut", &args.lasting, common).await
}
