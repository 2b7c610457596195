//! `node`: one node alone in its own process, configured as in the chapter's compose file.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, RwLock};

use clap::Args;

use crate::cli::args::{Common, Timing, bytes};
use crate::cli::failure::Failure;
use crate::cli::rules::Rules;
use crate::cli::up::{Ending, host, refused};
use crate::cli::{out, target};
use crate::event::Event;
use crate::faults::Faults;
use crate::rng::Rng;
use crate::runtime::clock::Clock;
use crate::runtime::events::EventLog;
use crate::runtime::node_task;
use crate::runtime::seat::World;
use crate::runtime::{Seat, boot, descriptors};
use crate::storage::memory::Memory;
use crate::types::{Config, NodeId};
use crate::views::lines::Lines;

/// Run one node alone in this process, configured by NODE_ID, PORT and PEERS as in the chapter
///
/// N of these form the same cluster as `up`. Its data is in memory and goes with it.
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
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    timing: Timing,
    /// The largest value a PUT may carry
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = bytes)]
    max_value: usize,
}

impl Node {
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

pub(super) async fn run(node: &Node, common: &Common) -> Result<(), Failure> {
    let mut ending = Ending::new()?;
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
    let config = node.rules.apply(Config {
        heartbeat,
        election_timeout,
        ..Config::new(node.id.clone(), members)
    })?;
    let seat = Seat {
        config,
        peers: Arc::new(peers),
        listener: reserved.listen().map_err(cannot)?,
        disk: Memory::new(rng.boot()),
        world: World {
            clock: Clock::start(),
            events: Arc::new(move |node, event| log.add(Some(node.clone()), event)),
            faults: Arc::new(RwLock::new(Faults::default())),
            max_value: node.max_value,
            course: node.timing.course,
        },
    };
    let running = node_task::start(seat, rng.draw()).map_err(cannot)?;
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
