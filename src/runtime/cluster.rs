//! The launcher: all nodes of a cluster in this process, each in a slot that keeps its disk and its port while it is
//! dead.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, RwLock};
use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::sync::Mutex;

use crate::engine::{Engine, EngineError, Wanted};
use crate::event::Event;
use crate::faults::Faults;
use crate::rng::Rng;
use crate::runtime::boot::{BootError, Options, reserve_all, seed};
use crate::runtime::clock::Clock;
use crate::runtime::descriptors;
use crate::runtime::events::EventLog;
use crate::runtime::node_task::{self, RunningNode};
use crate::runtime::seat::{Seat, World};
use crate::runtime::sockets::Reserved;
use crate::storage::memory::Memory;
use crate::types::{Config, Members, NodeId};
use crate::wire::control::{ClusterInfo, EventRecord, LostTotals, ModeInfo, NodeAddress};

/// A running cluster.
pub struct Cluster {
    info: ClusterInfo,
    options: Options,
    world: World,
    events: Arc<EventLog>,
    slots: BTreeMap<NodeId, Slot>,
    /// Those who are members if no log says otherwise.
    members: Arc<Members>,
    /// Everybody's, for everybody.
    urls: Arc<BTreeMap<NodeId, String>>,
    seeds: SyncMutex<Rng>,
}

struct Slot {
    url: String,
    address: SocketAddr,
    state: Mutex<State>,
    wanted: SyncMutex<(bool, String)>,
}

enum State {
    Running(RunningNode),
    Killed(Memory, Reserved),
    /// The cluster is going down.
    Gone,
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

impl Cluster {
    /// Boots all nodes, or none: ports are bound before anything starts. Returns once all of them listen.
    pub async fn boot(options: Options) -> Result<Arc<Cluster>, BootError> {
        descriptors::ensure(options.nodes)?;
        let mut rng = Rng::new(seed()?);
        let events = Arc::new(EventLog::default());
        let log = events.clone();
        let world = World {
            clock: Clock::start(),
            events: Arc::new(move |node, event| log.add(Some(node.clone()), event)),
            faults: Arc::new(RwLock::new(Faults::default())),
            max_value: options.max_value,
            course: options.course,
        };
        let reserved = reserve_all(&options)?;
        let slot = |(id, reserved, address): (NodeId, Reserved, SocketAddr)| {
            let disk = Memory::new(rng.boot());
            let slot = Slot {
                url: format!("http://{address}"),
                address,
                state: Mutex::new(State::Killed(disk, reserved)),
                wanted: SyncMutex::new((true, now())),
            };
            (id, slot)
        };
        let slots: BTreeMap<NodeId, Slot> = reserved.into_iter().map(slot).collect();
        let info = info(&options, &slots, rng.draw());
        let seeds = SyncMutex::new(rng);
        let urls = slots
            .iter()
            .map(|(id, slot)| (id.clone(), slot.url.clone()));
        let urls = Arc::new(urls.collect());
        let members = Arc::new(Members::new(slots.keys().cloned().collect()));
        let cluster = Cluster {
            info,
            options,
            world,
            events,
            slots,
            members,
            urls,
            seeds,
        };
        cluster.start_all().await?;
        Ok(Arc::new(cluster))
    }

    async fn start_all(&self) -> Result<(), BootError> {
        for (id, slot) in &self.slots {
            let mut state = slot.state.lock().await;
            self.start(id, slot, &mut state)
                .map_err(|source| BootError::Listen {
                    address: slot.address,
                    node: id.to_string(),
                    source,
                })?;
        }
        for slot in self.slots.values() {
            if let State::Running(node) = &*slot.state.lock().await {
                node.begin(true).await;
            }
        }
        Ok(())
    }

    /// Brings a killed node to life, on its disk and port.
    fn start(&self, id: &NodeId, slot: &Slot, state: &mut State) -> io::Result<()> {
        let State::Killed(disk, reserved) = std::mem::replace(state, State::Gone) else {
            return Ok(());
        };
        let seat = Seat {
            config: self.config(id),
            peers: self.urls.clone(),
            listener: reserved.listen()?,
            disk,
            world: self.world.clone(),
        };
        let seed = self
            .seeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .draw();
        *state = State::Running(node_task::start(seat, seed)?);
        self.report(
            Some(id.clone()),
            Event::Listening {
                url: slot.url.clone(),
            },
        );
        Ok(())
    }

    fn config(&self, id: &NodeId) -> Config {
        Config {
            heartbeat: self.options.heartbeat,
            election_timeout: self.options.election_timeout,
            members: self.members.clone(),
            mode: self.options.mode,
            safeguards: self.options.safeguards,
            write_timeout: self.options.write_timeout,
            snapshot_every: self.options.snapshot_every,
            ..Config::new(id.clone(), Vec::new())
        }
    }

    /// Ends every node and frees every port.
    pub async fn stop(&self) {
        self.report(None, Event::Stopping);
        join_all(self.slots.values().map(|slot| async {
            let state = std::mem::replace(&mut *slot.state.lock().await, State::Gone);
            if let State::Running(node) = state {
                node.kill().await;
            }
        }))
        .await;
    }

    fn slot(&self, id: &NodeId) -> Result<&Slot, EngineError> {
        self.slots
            .get(id)
            .ok_or_else(|| EngineError::UnknownNode(id.to_string()))
    }
}

impl Slot {
    fn want(&self, alive: bool) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = (alive, now());
    }
}

impl Engine for Cluster {
    fn info(&self) -> &ClusterInfo {
        &self.info
    }

    fn wanted(&self) -> Vec<Wanted> {
        let wanted = |(id, slot): (&NodeId, &Slot)| {
            let (alive, since) = slot
                .wanted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            Wanted {
                id: id.clone(),
                url: slot.url.clone(),
                alive,
                since,
            }
        };
        self.slots.iter().map(wanted).collect()
    }

    async fn kill(&self, id: &NodeId) -> Result<bool, EngineError> {
        let slot = self.slot(id)?;
        let mut state = slot.state.lock().await;
        let node = match std::mem::replace(&mut *state, State::Gone) {
            State::Running(node) => node,
            State::Gone => return Err(EngineError::Stopping),
            dead @ State::Killed(..) => {
                *state = dead;
                return Ok(false);
            }
        };
        // Marked before its port refuses: who sees it refuse must not think it died by itself.
        slot.want(false);
        let disk = node.kill().await.unwrap_or_else(|| {
            // Its task had panicked, and the disk with it: an empty one, under a name of its own.
            let boot = self
                .seeds
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .boot();
            Memory::new(boot)
        });
        let reserved =
            Reserved::again(slot.address)
                .await
                .map_err(|source| EngineError::System {
                    node: id.clone(),
                    what: "cannot keep its port",
                    source,
                })?;
        *state = State::Killed(disk, reserved);
        self.report(Some(id.clone()), Event::Killed);
        Ok(true)
    }

    async fn revive(&self, id: &NodeId) -> Result<bool, EngineError> {
        let slot = self.slot(id)?;
        let mut state = slot.state.lock().await;
        match &*state {
            State::Running(_) => return Ok(false),
            State::Gone => return Err(EngineError::Stopping),
            State::Killed(..) => {}
        }
        self.report(Some(id.clone()), Event::Revived);
        self.start(id, slot, &mut state)
            .map_err(|source| EngineError::System {
                node: id.clone(),
                what: "cannot listen again",
                source,
            })?;
        slot.want(true);
        if let State::Running(node) = &*state {
            node.begin(false).await;
        }
        Ok(true)
    }

    fn events_after(&self, seq: u64, limit: usize) -> Vec<EventRecord> {
        self.events.after(seq, limit)
    }

    async fn event_after(&self, seq: u64) {
        self.events.wait_after(seq).await;
    }

    fn last_event(&self) -> u64 {
        self.events.last()
    }

    fn lost(&self) -> LostTotals {
        self.events.lost()
    }

    fn report(&self, node: Option<NodeId>, event: Event) {
        self.events.add(node, event);
    }
}

fn info(options: &Options, slots: &BTreeMap<NodeId, Slot>, nonce: u64) -> ClusterInfo {
    let mode = options.mode;
    let address = |(id, slot): (&NodeId, &Slot)| NodeAddress {
        id: id.clone(),
        url: slot.url.clone(),
    };
    ClusterInfo {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        name: options.name.clone(),
        pid: std::process::id(),
        nonce: format!("{nonce:016x}"),
        started_at: now(),
        mode: ModeInfo {
            election: mode.election,
            replication: mode.replication,
            promise: mode.promise().to_owned(),
        },
        storage: "memory".to_owned(),
        heartbeat_ms: options.heartbeat.as_millis() as u64,
        election_timeout_ms: options.election_timeout.as_millis() as u64,
        course: options.course,
        lang: options.lang.clone(),
        nodes: slots.iter().map(address).collect(),
    }
}
