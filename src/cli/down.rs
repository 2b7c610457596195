//! `down`: the end of a cluster.

use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::{out, target};
use crate::registry;

/// How long a cluster may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether it has.
const GLANCE: Duration = Duration::from_millis(5);

/// Stop the cluster; what it held in memory is gone
#[derive(Args)]
#[command(after_help = "Examples:
  cluster down
  cluster down --cluster second")]
pub(super) struct Down {}

pub(super) async fn run(_: &Down, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    running
        .control
        .down()
        .await
        .map_err(|error| running.failure(error))?;
    let (name, pid) = (&running.state.name, running.state.pid);
    let deadline = Instant::now() + PATIENCE;
    while registry::list()
        .iter()
        .any(|state| state.nonce == running.state.nonce)
    {
        if Instant::now() > deadline {
            let message = format!("cluster {name} (pid {pid}) was told to end and has not yet");
            return Err(Failure::new("timeout", message).hint(format!("kill {pid}")));
        }
        tokio::time::sleep(GLANCE).await;
    }
    match common.json {
        true => out::print_json(&serde_json::json!({ "name": name, "pid": pid, "stopped": true })),
        false => out::print(&format!("cluster {name} is down")),
    }
}
