//! `ls`: the clusters that run.

use clap::Args;
use serde::Serialize;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::client::control::ControlClient;
use crate::registry::{self, StateFile};
use crate::types::NodeId;
use crate::views::table;
use crate::wire::control::NodeAddress;

/// List the clusters that run, with every node's URL
#[derive(Args)]
#[command(after_help = "Examples:
  cluster ls
  cluster ls --json | jq -r '.[0].nodes[].url'")]
pub(super) struct Ls {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    pid: u32,
    version: String,
    started_at: String,
    control: String,
    leader: Option<NodeId>,
    nodes: Vec<NodeAddress>,
}

pub(super) async fn run(_: &Ls, common: &Common) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for state in registry::list() {
        rows.push(row(state).await);
    }
    if common.json {
        return out::print_json(&rows);
    }
    if rows.is_empty() {
        out::note(
            common,
            "no cluster is running; start one: cluster up --nodes 3",
        );
        return Ok(());
    }
    let mut list = table::plain_table(&["name", "nodes", "leader", "pid", "since", "control"]);
    for row in &rows {
        let leader = row
            .leader
            .as_ref()
            .map_or("-".to_owned(), ToString::to_string);
        list.add_row([
            row.name.clone(),
            row.nodes.len().to_string(),
            leader,
            row.pid.to_string(),
            table::ago(&row.started_at),
            row.control.clone(),
        ]);
    }
    out::print(&list.to_string())?;
    for row in &rows {
        for node in &row.nodes {
            out::print(&format!("{}  {}  {}", row.name, node.id, node.url))?;
        }
    }
    Ok(())
}

async fn row(state: StateFile) -> Row {
    // A cluster that does not answer is still one that runs.
    let leader = match ControlClient::new(&state.control, &state.token) {
        Ok(control) => control.status().await.ok().and_then(|status| status.leader),
        Err(_) => None,
    };
    Row {
        name: state.name,
        pid: state.pid,
        version: state.version,
        started_at: state.started_at,
        control: state.control,
        leader,
        nodes: state.nodes,
    }
}
