//! `put`, `delete`: what they claim is what is known, and no more.

use std::io::Read;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use tokio::time::Instant;

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::search::Search;
use crate::cli::target::{self, NODE_PATIENCE, Peers};
use crate::client::data::{DataClient, NoAnswer, Terms, Written};
use crate::types::NodeId;
use crate::value::{Key, Value};
use crate::views::lines::clean;
use crate::wire::control::NodeAddress;

/// Set a key
///
/// VALUE is JSON if it parses as JSON, otherwise a string. The leader is found by asking; an election is waited for.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster put name Alice
  cluster put age 30                   a number
  cluster put zip 01234 --string       a string, whatever it looks like
  echo '{\"a\": 1}' | cluster put object -
  cluster put name Bob --to node-2     a follower refuses
  cluster put name Bob --if-absent     only if there is no such key
  cluster put n 2 --if-version $(cluster get n --only-version)   compare and set")]
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
    /// Only if there is no such key
    #[arg(long, conflicts_with = "if_version")]
    if_absent: bool,
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
    /// Write again when nobody can know whether it happened; under one Idempotency-Key, so that it happens once
    #[arg(long)]
    retry: bool,
    /// Only if the key has this version, as `get --only-version` shows it
    #[arg(long, value_name = "VERSION")]
    if_version: Option<String>,
    /// The write's name: of several under the same one the first is carried out
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    peers: Peers,
}

enum Request<'a> {
    Put(&'a Key, &'a Value, bool),
    Delete(&'a Key),
}

impl Request<'_> {
    async fn send(
        &self,
        client: &DataClient,
        url: &str,
        terms: &Terms,
    ) -> Result<Written, NoAnswer> {
        match self {
            Request::Put(key, value, _) => client.put(url, key, value, terms).await,
            Request::Delete(key) => client.delete(url, key, terms).await,
        }
    }

    fn key(&self) -> &Key {
        match self {
            Request::Put(key, ..) | Request::Delete(key) => key,
        }
    }
}

pub(super) async fn put(args: &Put, common: &Common) -> Result<(), Failure> {
    let (key, value) = (key(&args.key)?, value(args)?);
    let request = Request::Put(&key, &value, args.if_absent);
    let (node, answer) = write(&args.write, common, request).await?;
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
pub(super) fn key(text: &str) -> Result<Key, Failure> {
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
    let mut search = Search::of(&nodes, only);
    let terms = Terms {
        if_absent: matches!(request, Request::Put(_, _, true)),
        ..args.terms()?
    };
    let mut last = "no node answers".to_owned();
    loop {
        let node = search.node().await?;
        out::detail(common, &format!("asking {} at {}", node.id, node.url));
        match request.send(&client, &node.url, &terms).await {
            Ok(Written::Done { said, .. }) => return Ok((node.id, said)),
            Ok(Written::Unmet(version)) => return Err(unmet(request.key(), version.as_deref())),
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
            // It did not happen, and why not will hardly change at once.
            Err(NoAnswer::Declined(why)) => {
                last = format!("{}: {why}", node.id);
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
        search.pause().await;
    }
}

impl Write {
    fn terms(&self) -> Result<Terms, Failure> {
        let drawn = match self.retry {
            true => {
                let draw = getrandom::u64();
                let number = draw.map_err(|error| Failure::system("no random numbers", &error))?;
                Some(format!("{number:016x}"))
            }
            false => None,
        };
        Ok(Terms {
            if_version: self.if_version.clone(),
            if_absent: false,
            idempotency_key: self.idempotency_key.clone().or(drawn),
        })
    }
}

fn unmet(key: &Key, version: Option<&str>) -> Failure {
    let key = key.as_str();
    let message = match version {
        Some(version) => format!("not written: the version of {key:?} is {version}"),
        None => format!("not written: there is no key {key:?}"),
    };
    Failure::new("precondition-failed", message)
}

pub(super) fn find<'a>(nodes: &'a [NodeAddress], name: &str) -> Result<&'a NodeAddress, Failure> {
    nodes
        .iter()
        .find(|node| node.id.as_str() == name || node.url == name)
        .ok_or_else(|| {
            let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
            let message = format!("no node is called {name}; there are {}", ids.join(", "));
            Failure::new("unknown-node", message)
        })
}

pub(super) fn no_such_key(key: &Key, node: &NodeId) -> Failure {
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
        .hint(format!(
            "read it back once a leader stands: cluster get {} (in raft with --consistency linearizable)",
            key.as_str()
        ))
}
