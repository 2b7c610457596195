//! `get`: a key, as fresh as is asked.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::kv::{find, key, no_such_key};
use crate::cli::out;
use crate::cli::target::{self, NODE_PATIENCE, Peers};
use crate::client::data::{DataClient, NoAnswer};
use crate::types::{NodeId, Role};
use crate::value::{Key, Value};
use crate::wire::control::NodeAddress;
use crate::wire::data::Consistency;

/// Read a key
///
/// From the leader, if one is found, otherwise from any node that answers. Strings print raw, anything else as JSON.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster get name
  cluster get name --from node-3       a follower's copy, which may lag
  cluster get name --consistency linearizable")]
pub(super) struct Get {
    /// The key
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// Read this node's copy
    #[arg(long, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    from: Option<String>,
    /// How fresh it must be: what the node holds; what the leader holds; nothing older than the question (raft)
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    consistency: Consistency,
    /// Print the key's version instead
    #[arg(long)]
    only_version: bool,
    #[command(flatten)]
    peers: Peers,
}

#[derive(Serialize)]
struct ReadBack<'a> {
    key: &'a Key,
    value: &'a Value,
    node: &'a NodeId,
    version: Option<&'a str>,
}

pub(super) async fn get(args: &Get, common: &Common) -> Result<(), Failure> {
    let key = key(&args.key)?;
    let nodes = target::nodes(common, &args.peers).await?;
    let client = target::data_client(NODE_PATIENCE)?;
    let consistency = args.consistency;
    // What must be fresh is refused by who lags, and needs no note.
    let quiet = Common {
        quiet: true,
        ..common.clone()
    };
    let noted = match consistency {
        Consistency::Local => common,
        Consistency::Leader | Consistency::Linearizable => &quiet,
    };
    let node = reader(args.from.as_deref(), &nodes, &client, noted).await?;
    let found = client.get(&node.url, &key, consistency).await;
    let found = found.map_err(|error| no_answer(&node.id, &error))?;
    let Some((value, version)) = found else {
        return Err(no_such_key(&key, &node.id));
    };
    if common.json {
        return out::print_json(&ReadBack {
            key: &key,
            value: &value,
            node: &node.id,
            version: version.as_deref(),
        });
    }
    if args.only_version {
        return out::print(version.as_deref().unwrap_or("unknown"));
    }
    match serde_json::from_str::<String>(value.as_str()) {
        Ok(text) => out::print(&text),
        Err(_) => out::print(value.as_str()),
    }
}

/// Whom to read from: the node asked for, the leader, or whoever answers.
pub(super) async fn reader(
    from: Option<&str>,
    nodes: &[NodeAddress],
    client: &DataClient,
    common: &Common,
) -> Result<NodeAddress, Failure> {
    if let Some(name) = from {
        return find(nodes, name).cloned();
    }
    let mut answered = None;
    for node in nodes {
        let Ok(status) = client.status(&node.url, false).await else {
            continue;
        };
        let leads = status.role == Role::Leader;
        let leader = if leads {
            Some(node)
        } else {
            nodes
                .iter()
                .find(|other| Some(&other.id) == status.leader_id.as_ref())
        };
        if let Some(leader) = leader
            && (leads || client.status(&leader.url, false).await.is_ok())
        {
            let id = if leads {
                status.node_id
            } else {
                leader.id.clone()
            };
            out::detail(common, &format!("reading from {id}, which leads"));
            return Ok(NodeAddress {
                id,
                url: leader.url.clone(),
            });
        }
        let (id, url) = (status.node_id, node.url.clone());
        answered.get_or_insert(NodeAddress { id, url });
    }
    let node = answered
        .ok_or_else(|| Failure::new("no-node", "no node answers").hint("see: cluster status"))?;
    out::note(
        common,
        &format!("note: nobody leads; read from {}, which may lag", node.id),
    );
    Ok(node)
}

pub(super) fn no_answer(node: &NodeId, error: &NoAnswer) -> Failure {
    match error {
        NoAnswer::Refused => {
            Failure::new("refused", format!("{node} refuses connections; it is dead"))
                .hint(format!("cluster revive {node}"))
        }
        NoAnswer::Declined(why) => Failure::new("unavailable", format!("{node}: {why}"))
            .hint("see: cluster status; without --consistency it answers what it holds"),
        NoAnswer::Silent(why) => Failure::new("silent", format!("{node}: {why}")),
        NoAnswer::Strange(body) => Failure::new("rejected", format!("{node} answered: {body}")),
    }
}
