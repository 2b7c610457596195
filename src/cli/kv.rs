//! `put`, `get`, `delete`: what they claim is what is known, and no more.

use std::io::Read;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;
use tokio::time::Instant;

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::target::{self, NODE_PATIENCE, Peers};
use crate::client::data::{DataClient, NoAnswer, Written};
use crate::types::{NodeId, Role};
use crate::value::{Key, Value};
use crate::views::lines::clean;
use crate::wire::control::NodeAddress;

/// How long to wait before asking around again, while nobody leads.
const GLANCE: Duration = Duration::from_millis(20);

/// Set a key
///
/// VALUE is JSON if it parses as JSON, otherwise a string. The leader is found by asking; an election is waited for.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster put name Alice
  cluster put age 30                   a number
  cluster put zip 01234 --string       a string, whatever it looks like
  echo '{\"a\": 1}' | cluster put object -
  cluster put name Bob --to node-2     a follower refuses")]
pub(super) struct Put {
    /// The key
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The value; - reads it from stdin
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Take VALUE as a string, whatever it looks like
    #[arg(long)]
    string: bool,
    #[command(flatten)]
    write: Write,
}

/// Remove a key
#[derive(Args)]
#[command(after_help = "Examples:
  cluster delete name
  cluster delete name --to node-1")]
pub(super) struct Delete {
    /// The key
    #[arg(allow_hyphen_values = true)]
    key: String,
    #[command(flatten)]
    write: Write,
}

#[derive(Args)]
struct Write {
    /// Send it to this node only, and report its refusal
    #[arg(long, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    to: Option<String>,
    /// How long to look for a leader and wait for its answer
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Write again when nobody can know whether it happened (it may then happen twice)
    #[arg(long)]
    retry: bool,
    #[command(flatten)]
    peers: Peers,
}

/// Read a key
///
/// From the leader, if one is found, otherwise from any node that answers. Strings print raw, anything else as JSON.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster get name
  cluster get name --from node-3       a follower's copy, which may lag")]
pub(super) struct Get {
    /// The key
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// Read this node's copy
    #[arg(long, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    from: Option<String>,
    #[command(flatten)]
    peers: Peers,
}

enum Request<'a> {
    Put(&'a Key, &'a Value),
    Delete(&'a Key),
}

impl Request<'_> {
    async fn send(&self, client: &DataClient, url: &str) -> Result<Written, NoAnswer> {
        match self {
            Request::Put(key, value) => client.put(url, key, value).await,
            Request::Delete(key) => client.delete(url, key).await,
        }
    }

    fn key(&self) -> &Key {
        match self {
            Request::Put(key, _) | Request::Delete(key) => key,
        }
    }
}

pub(super) async fn put(args: &Put, common: &Common) -> Result<(), Failure> {
    let (key, value) = (key(&args.key)?, value(args)?);
    let (node, answer) = write(&args.write, common, Request::Put(&key, &value)).await?;
    match common.json {
        true => out::print(answer.trim()),
        false => out::print(&format!(
            "{} = {}  ({node})",
            clean(key.as_str()),
            clean(value.as_str())
        )),
    }
}

pub(super) async fn delete(args: &Delete, common: &Common) -> Result<(), Failure> {
    let key = key(&args.key)?;
    let (node, answer) = write(&args.write, common, Request::Delete(&key)).await?;
    match common.json {
        true => out::print(answer.trim()),
        false => out::print(&format!("{} deleted  ({node})", clean(key.as_str()))),
    }
}

/// A key that can be written in a URL. `.` and `..` cannot: clients fold them, even encoded.
fn key(text: &str) -> Result<Key, Failure> {
    match text {
        "." | ".." => Err(Failure::new(
            "invalid-key",
            format!("the key {text:?} cannot be written in a URL: it means a directory there"),
        )
        .hint("choose another key")),
        _ => Ok(Key::new(text)),
    }
}

fn value(args: &Put) -> Result<Value, Failure> {
    let mut text = args.value.clone().into_bytes();
    if args.value == "-" {
        text.clear();
        std::io::stdin()
            .read_to_end(&mut text)
            .map_err(|error| Failure::system("cannot read stdin", &error))?;
    }
    if !args.string
        && let Ok(value) = Value::parse(&text)
    {
        return Ok(value);
    }
    let text = String::from_utf8(text)
        .map_err(|_| Failure::new("invalid-value", "the value is not UTF-8"))?;
    // What stdin brings ends in a newline that nobody meant.
    let text = match args.value == "-" {
        true => text.strip_suffix('\n').unwrap_or(&text),
        false => &text,
    };
    Ok(Value::string(text))
}

async fn write(
    args: &Write,
    common: &Common,
    request: Request<'_>,
) -> Result<(NodeId, String), Failure> {
    let nodes = target::nodes(common, &args.peers).await?;
    let client = target::data_client(args.timeout.min(NODE_PATIENCE))?;
    let deadline = Instant::now() + args.timeout;
    let only = args
        .to
        .as_deref()
        .map(|name| find(&nodes, name))
        .transpose()?;
    let mut search = Search {
        nodes: &nodes,
        next: 0,
        hint: only.cloned(),
    };
    let mut last = "no node answers".to_owned();
    loop {
        let node = search.node();
        out::detail(common, &format!("asking {} at {}", node.id, node.url));
        match request.send(&client, &node.url).await {
            Ok(Written::Done(body)) => return Ok((node.id, body)),
            Ok(Written::NoSuchKey) => return Err(no_such_key(request.key(), &node.id)),
            Ok(Written::Rejected(status, body)) => {
                let message = format!("{} refused it ({status}): {body}", node.id);
                return Err(Failure::new("rejected", message));
            }
            Ok(Written::NotLeader { role, leader }) => {
                let leads = leader.as_deref().unwrap_or("nobody it knows");
                last = format!("{} is a {role}; {leads} leads", node.id);
                if only.is_some() {
                    return Err(Failure::new("not-leader", format!("not written: {last}")));
                }
                search.refused(leader.as_deref());
            }
            Err(NoAnswer::Refused) => {
                if only.is_some() {
                    let message =
                        format!("not written: {} refuses connections; it is dead", node.id);
                    return Err(Failure::new("refused", message));
                }
                search.refused(None);
            }
            Err(NoAnswer::Silent(_)) if args.retry && only.is_none() => search.refused(None),
            Err(NoAnswer::Silent(why) | NoAnswer::Strange(why)) => {
                return Err(unknown(request.key(), &node.id, &why));
            }
        }
        if Instant::now() >= deadline {
            let waited = humantime::format_duration(args.timeout);
            let message = format!("not written: no leader within {waited} ({last})");
            return Err(Failure::new("no-leader", message).hint("see: cluster status"));
        }
        if search.is_round() {
            tokio::time::sleep(GLANCE).await;
        }
    }
}

/// Whom to ask next: whoever is said to lead, otherwise one after the other.
struct Search<'a> {
    nodes: &'a [NodeAddress],
    next: usize,
    hint: Option<NodeAddress>,
}

impl Search<'_> {
    fn node(&mut self) -> NodeAddress {
        if let Some(hint) = self.hint.take() {
            return hint;
        }
        let node = &self.nodes[self.next % self.nodes.len()];
        self.next += 1;
        node.clone()
    }

    fn refused(&mut self, leader: Option<&str>) {
        self.hint = self
            .nodes
            .iter()
            .find(|node| Some(node.id.as_str()) == leader)
            .cloned();
    }

    /// Whether all were asked in vain.
    fn is_round(&self) -> bool {
        self.hint.is_none() && self.next.is_multiple_of(self.nodes.len())
    }
}

fn find<'a>(nodes: &'a [NodeAddress], name: &str) -> Result<&'a NodeAddress, Failure> {
    nodes
        .iter()
        .find(|node| node.id.as_str() == name || node.url == name)
        .ok_or_else(|| {
            let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
            let message = format!("no node is called {name}; there are {}", ids.join(", "));
            Failure::new("unknown-node", message)
        })
}

fn no_such_key(key: &Key, node: &NodeId) -> Failure {
    Failure::new(
        "no-such-key",
        format!("{node} has no key {:?}", key.as_str()),
    )
}

fn unknown(key: &Key, node: &NodeId, why: &str) -> Failure {
    let message = format!(
        "outcome unknown: {node} took the request and {why}; {:?} may have been written, or may yet be, and nobody can know",
        key.as_str()
    );
    Failure::new("outcome-unknown", message)
        .hint(format!("read it back: cluster get {}", key.as_str()))
}

#[derive(Serialize)]
struct ReadBack<'a> {
    key: &'a Key,
    value: &'a Value,
    node: &'a NodeId,
}

pub(super) async fn get(args: &Get, common: &Common) -> Result<(), Failure> {
    let key = key(&args.key)?;
    let nodes = target::nodes(common, &args.peers).await?;
    let client = target::data_client(NODE_PATIENCE)?;
    let node = reader(args.from.as_deref(), &nodes, &client, common).await?;
    let value = client
        .get(&node.url, &key)
        .await
        .map_err(|error| no_answer(&node.id, &error))?;
    let Some(value) = value else {
        return Err(no_such_key(&key, &node.id));
    };
    if common.json {
        return out::print_json(&ReadBack {
            key: &key,
            value: &value,
            node: &node.id,
        });
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
        NoAnswer::Silent(why) => Failure::new("silent", format!("{node}: {why}")),
        NoAnswer::Strange(body) => Failure::new("rejected", format!("{node} answered: {body}")),
    }
}
