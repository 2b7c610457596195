//! `node`: one node alone in its own process, configured as in the chapter's compose file.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use clap::Args;
use tokio::net::TcpListener;

use crate::cli::args::{Common, Timing, bytes};
use crate::cli::ending::Ending;
use crate::cli::failure::Failure;
use crate::cli::rules::Rules;
use crate::cli::up::{disk_failure, host, refused};
use crate::cli::{out, target};
use crate::event::Event;
use crate::rng::Rng;
use crate::runtime::clock::Clock;
use crate::runtime::events::EventLog;
use crate::runtime::ice::Standstill;
use crate::runtime::net::Net;
use crate::runtime::node_task;
use crate::runtime::seat::World;
use crate::runtime::{Seat, boot, descriptors};
use crate::storage::Disk;
use crate::storage::files::Files;
use crate::storage::io::Io;
use crate::storage::memory::Memory;
use crate::storage::meta::{self, FORMAT, Meta};
use crate::types::{Config, Mode, NodeId};
use crate::views::lines::Lines;

/// Run one node alone in this process, configured by NODE_ID, PORT and PEERS as in the chapter
///
/// N of these form the same cluster as `up`. Without --data-dir its data goes with it.
#[derive(Args)]
#[command(after_help = "Examples:
  NODE_ID=node-1 PORT=4001 PEERS=http://127.0.0.1:4002,http://127.0.0.1:4003 cluster node
  cluster node --id node-2 --port 4002 --peers http://127.0.0.1:4001,http://127.0.0.1:4003
  cluster status --peers http://127.0.0.1:4001,http://127.0.0.1:4002")]
pub(super) struct Node {
    /// Its name
    #[arg(long, value_name = "NAME", env = "NODE_ID", default_value = "node-1")]
    id: NodeId,
    /// Its port
    #[arg(long, env = "PORT", default_value_t = 4000)]
    port: u16,
    /// The other nodes' URLs, separated by commas; NAME=URL if the name is known
    #[arg(long, value_name = "URL,…", env = "PEERS", value_delimiter = ',')]
    peers: Vec<String>,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = host)]
    host: IpAddr,
    /// Keep the data in a directory of this one; without it, in memory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    timing: Timing,
    /// The largest value a PUT may carry
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = bytes)]
    max_value: usize,
}

impl Node {
    /// The mode that its disk was last used in.
    fn last_mode(&self) -> Result<Option<Mode>, Failure> {
        let Some(directory) = &self.data_dir else {
            return Ok(None);
        };
        let meta = meta::read_meta(&directory.join(self.id.as_str()));
        let meta = meta.map_err(|error| disk_failure(&error))?;
        Ok(meta.and_then(|meta| meta.mode.parse().ok()))
    }

    /// Its disk: a directory of its own, so that several may share `--data-dir`.
    fn disk(&self, config: &Config, boot: u64) -> Result<Box<dyn Disk>, Failure> {
        let Some(directory) = &self.data_dir else {
            return Ok(Box::new(Memory::new(boot)));
        };
        let directory = directory.join(self.id.as_str());
        let members: Vec<NodeId> = config.members.iter().cloned().collect();
        let found = meta::read_meta(&directory).map_err(|error| disk_failure(&error))?;
        if let Some(meta) = found.filter(|meta| contradicts(&meta.members, &members)) {
            let known: Vec<&str> = meta.members.iter().map(NodeId::as_str).collect();
            return Err(Failure::new(
                "other-members",
                format!(
                    "{} belongs to a cluster of {}; these peers are others",
                    directory.display(),
                    known.join(", ")
                ),
            )
            .hint("give the peers it had, or another --data-dir"));
        }
        let meta = Meta {
            format: FORMAT,
            id: self.id.clone(),
            members,
            boot,
            mode: config.mode.to_string(),
            recovering: false,
            wiping: false,
        };
        let files = Files::open(&directory, meta, Io::default());
        Ok(Box::new(files.map_err(|error| disk_failure(&error))?))
    }

    /// The other nodes, by name where it is given, by URL where not.
    fn others(&self) -> Result<BTreeMap<NodeId, String>, Failure> {
        let own = format!("http://{}", SocketAddr::new(self.host, self.port));
        let given = self.peers.iter().filter(|peer| !peer.trim().is_empty());
        let peers = given
            .map(|peer| target::peer(peer))
            .collect::<Result<Vec<_>, _>>()?;
        let others = peers
            .into_iter()
            .filter(|peer| peer.id != self.id && peer.url != own);
        Ok(others.map(|peer| (peer.id, peer.url)).collect())
    }
}

/// Whether two lists of members cannot be the same nodes: another number, or names that one has and the other cannot have
/// under a URL.
fn contradicts(known: &[NodeId], given: &[NodeId]) -> bool {
    let unnamed = |ids: &[NodeId]| ids.iter().any(NodeId::is_address);
    let same = || known.iter().all(|id| given.contains(id));
    known.len() != given.len() || (!unnamed(known) && !unnamed(given) && !same())
}

pub(super) async fn run(node: &Node, common: &Common) -> Result<(), Failure> {
    let mut ending = Ending::new()?;
    if ending.is_over() {
        return Ok(());
    }
    if node.id.as_str().contains('/') || node.id.as_str().starts_with('.') {
        let message = format!(
            "{:?} is no name for a node: it would be a path",
            node.id.as_str()
        );
        return Err(Failure::usage(message).hint("as in NODE_ID=node-1"));
    }
    let peers = node.others()?;
    let members: Vec<NodeId> = peers.keys().cloned().chain([node.id.clone()]).collect();
    let (heartbeat, election_timeout) = node.timing.resolve(members.len())?;
    let few = |few: descriptors::TooFew| refused(few.into());
    descriptors::ensure(members.len()).map_err(few)?;
    let reserved =
        boot::reserve(SocketAddr::new(node.host, node.port), node.id.as_str()).map_err(refused)?;
    let cannot = |error| Failure::system("cannot listen", &error);
    let address = reserved.address().map_err(cannot)?;
    let mut rng = Rng::new(boot::seed().map_err(refused)?);
    let events = Arc::new(EventLog::default());
    let log = events.clone();
    let last = node.last_mode()?;
    let config = Config {
        heartbeat,
        election_timeout,
        ..Config::new(node.id.clone(), members)
    };
    let config = node.rules.apply(config, last)?;
    if let Some(was) = last.filter(|was| *was != config.mode) {
        let (was, is) = (was.to_string(), config.mode.to_string());
        events.add(Some(node.id.clone()), Event::OtherMode { was, is });
    }
    if node.data_dir.is_none() && config.mode.is_linearizable() {
        let note = "note: without --data-dir this node forgets its votes when it ends; started again it may break what raft promises";
        out::note(common, note);
    }
    let mut disk = node.disk(&config, rng.boot())?;
    let found = disk.recover().map_err(|error| disk_failure(&error))?;
    let seat = Seat {
        config,
        peers: Arc::new(RwLock::new(peers)),
        listener: reserved
            .listen()
            .and_then(TcpListener::from_std)
            .map_err(cannot)?,
        disk,
        world: World {
            clock: Clock::start(),
            events: Arc::new(move |node, event| log.add(Some(node.clone()), event)),
            standstill: Standstill::default(),
            net: Net::default(),
            max_value: node.max_value,
            course: node.timing.course,
            tap: None,
        },
    };
    let running = node_task::start(seat, found, rng.draw());
    events.add(
        Some(node.id.clone()),
        Event::Listening {
            url: format!("http://{address}"),
        },
    );
    running.begin(false).await;
    let shown = show(node, common, &events, &mut ending).await;
    ending.insist();
    running.kill().await;
    shown
}

async fn show(
    node: &Node,
    common: &Common,
    events: &EventLog,
    ending: &mut Ending,
) -> Result<(), Failure> {
    const PAGE: usize = 1000;
    let mut lines = Lines::new(node.timing.lang, node.timing.course);
    let mut seq = 0;
    loop {
        for record in events.after(seq, PAGE) {
            seq = record.seq;
            match lines.line(&record) {
                _ if common.json => out::print_json(&record)?,
                Some(line) => out::print(&line)?,
                None => {}
            }
        }
        tokio::select! {
            () = events.wait_after(seq) => {}
            () = ending.wait() => return Ok(()),
            () = out::closed() => return Ok(()),
        }
    }
}
