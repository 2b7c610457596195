//! `keys`: what keys there are.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::target::{self, NODE_PATIENCE, Peers};
use crate::cli::{get, out};
use crate::value::Key;
use crate::views::lines::clean;

/// List the keys, in the order they were first put
#[derive(Args)]
#[command(after_help = "Examples:
  cluster keys
  cluster keys user/ --from node-3")]
pub(super) struct Keys {
    /// Only keys that begin so
    #[arg(allow_hyphen_values = true, default_value = "")]
    prefix: String,
    /// Ask this node
    #[arg(long, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    from: Option<String>,
    #[command(flatten)]
    peers: Peers,
}

pub(super) async fn run(args: &Keys, common: &Common) -> Result<(), Failure> {
    let nodes = target::nodes(common, &args.peers).await?;
    let client = target::data_client(NODE_PATIENCE)?;
    let node = get::reader(args.from.as_deref(), &nodes, &client, common).await?;
    let status = client.status(&node.url, true).await;
    let status = status.map_err(|error| get::no_answer(&node.id, &error))?;
    let keys = status.keys.unwrap_or_default();
    let matching: Vec<&Key> = keys
        .iter()
        .filter(|key| key.as_str().starts_with(&args.prefix))
        .collect();
    match common.json {
        true => out::print_json(&matching),
        false => matching
            .iter()
            .try_for_each(|key| out::print(&clean(key.as_str()))),
    }
}
