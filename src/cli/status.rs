//! `status`: what the nodes answer, side by side.

use clap::Args;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::target::{self, Peers};
use crate::views::{faults, table};

/// Show who leads, who is dead, who lags, and what was lost
///
/// Every node is asked: the table shows what they answer, not what the launcher believes. The leader is marked *.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster status
  cluster status --json
  cluster status --links
  cluster status --peers http://127.0.0.1:4001,http://127.0.0.1:4002")]
pub(super) struct Status {
    #[command(flatten)]
    peers: Peers,
    /// Draw a matrix of the links between nodes, too
    #[arg(long)]
    links: bool,
}

pub(super) async fn run(args: &Status, common: &Common) -> Result<(), Failure> {
    let status = target::status(common, &args.peers).await?;
    match common.json {
        true => out::print_json(&status),
        false if args.links => out::print(&format!(
            "{}\n\n{}",
            table::status(&status),
            faults::links(&status)
        )),
        false => out::print(&table::status(&status)),
    }
}
