//! `faults`: what is in force.

use clap::Args;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::{out, target};
use crate::views::faults;
use crate::wire::faults::FaultList;

/// Show the faults in force: by which name, on which link, since when, by whom, and what to type to undo them
///
/// What happens once and is over is not among them: a clock that jumped (skew --jump), a log that was torn (disk --corrupt-tail), a
/// node that was killed. cluster status shows who is dead, cluster logs what happened.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster faults
  cluster faults --json | jq -r '.faults[].name'")]
pub(in crate::cli) struct Faults {}

pub(in crate::cli) async fn run(_: &Faults, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    let list = running.control.faults().await;
    let list = list.map_err(|error| running.failure(error))?;
    match (common.json, list.is_empty()) {
        (true, _) => out::print_json(&FaultList { faults: list }),
        (false, true) => out::print("no fault is in force"),
        (false, false) => out::print(&faults::table(&list)),
    }
}
