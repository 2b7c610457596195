//! The launcher: all nodes of a cluster in this process, each in a slot that keeps its disk and its port while it is
//! dead.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::engine::{Engine, EngineError, Harm, Wanted};
use crate::event::Event;
use crate::rng::Rng;
use crate::runtime::boot::{BootError, Options, reserve_nth, seed};
use crate::runtime::clock::Clock;
use crate::runtime::descriptors;
use crate::runtime::events::EventLog;
use crate::runtime::ice::Standstill;
use crate::runtime::net::Net;
use crate::runtime::node_task;
use crate::runtime::roster::Roster;
use crate::runtime::seat::{Addresses, Seat, World};
use crate::runtime::slot::{Slot, State, now, recover};
use crate::runtime::sockets::{Reserved, taken};
use crate::runtime::troubles::Book;
use crate::storage::DiskError;
use crate::storage::ailment::Ailments;
use crate::types::{Config, Members, Mode, NodeId};
use crate::wire::control::{ClusterInfo, EventRecord, LostTotals, ModeInfo, NodeAddress};
use crate::wire::faults::{FaultInForce, FaultOrder, HealOrder, Healed};
use crate::wire::messages::Messages;

/// A running cluster.
pub struct Cluster {
    info: ClusterInfo,
    options: Options,
    pub(super) world: World,
    events: Arc<EventLog>,
    slots: SyncMutex<BTreeMap<NodeId, Arc<Slot>>>,
    /// Those who are members if no log says otherwise.
    pub(super) members: Arc<Members>,
    /// The highest number that a node's name ever had.
    pub(super) highest: AtomicUsize,
    /// Everybody's, for everybody.
    urls: Addresses,
    seeds: SyncMutex<Rng>,
    /// Held by whoever changes the members.
    pub(super) changes: Mutex<()>,
    /// The faults in force.
    pub(super) book: Book,
    pub(super) ailments: SyncMutex<BTreeMap<NodeId, Ailments>>,
    /// For what is to be done to it later.
    myself: Weak<Cluster>,
    /// Held by whoever destroys a disk, who has to look at all the others.
    pub(super) wipes: Mutex<()>,
}

impl Cluster {
    /// Boots all nodes, or none: ports are bound and disks opened before anything starts. Returns once all of them listen.
    pub async fn boot(options: Options) -> Result<Arc<Cluster>, BootError> {
        let roster = Roster::of(&options)?;
        descriptors::ensure(roster.nodes.len())?;
        let mut rng = Rng::new(seed()?);
        let events = Arc::new(EventLog::default());
        let log = events.clone();
        let world = World {
            clock: Clock::start(),
            events: Arc::new(move |node, event| log.add(Some(node.clone()), event)),
            standstill: Standstill::default(),
            net: Net::default(),
            max_value: options.max_value,
            course: options.course,
            tap: options.tap.clone(),
        };
        let info = info(&options, rng.draw());
        let cluster = Arc::new_cyclic(|myself| Cluster {
            myself: myself.clone(),
            book: Book::default(),
            ailments: SyncMutex::default(),
            info,
            options,
            world,
            events,
            slots: SyncMutex::default(),
            members: Arc::new(Members::new(roster.members)),
            highest: AtomicUsize::new(roster.highest),
            urls: Addresses::default(),
            seeds: SyncMutex::new(rng),
            changes: Mutex::default(),
            wipes: Mutex::default(),
        });
        for (at, id) in roster.nodes.iter().enumerate() {
            let (reserved, address) = reserve_nth(&cluster.options, id, at)?;
            let is_bereft = roster.bereft.contains(id);
            let disk = cluster.new_disk(id, is_bereft)?;
            if is_bereft {
                cluster.report(Some(id.clone()), Event::Wiped);
            }
            let slot = Slot::new(disk, reserved, address, cluster.world.clock.another());
            cluster.insert(id, Arc::new(slot));
        }
        cluster.take_census()?;
        cluster.start_all().await?;
        Ok(cluster)
    }

    async fn start_all(&self) -> Result<(), BootError> {
        let slots = self.slots();
        // Disks are read side by side.
        let started = join_all(slots.iter().map(|(id, slot)| async move {
            let mut state = slot.state.lock().await;
            let started = self.start(id, slot, &mut state).await;
            let told = started.inspect(|()| self.tell_listening(id, slot));
            told.map_err(|source| match source.downcast::<DiskError>() {
                Ok(error) => BootError::Disk(error),
                Err(source) => BootError::Listen {
                    address: slot.address,
                    node: id.to_string(),
                    source,
                },
            })
        }));
        for result in started.await {
            result?;
        }
        for (_, slot) in &slots {
            if let State::Running(node) = &*slot.state.lock().await {
                node.begin(true).await;
            }
        }
        Ok(())
    }

    /// Brings a killed node to life, on its disk and port. What cannot be read is left as it is.
    pub(super) async fn start(
        &self,
        id: &NodeId,
        slot: &Slot,
        state: &mut State,
    ) -> io::Result<()> {
        let State::Killed(disk, reserved) = std::mem::replace(state, State::Gone) else {
            return Ok(());
        };
        let (disk, found) = recover(disk).await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                *state = State::Killed(disk, reserved);
                return Err(io::Error::other(error));
            }
        };
        let reserved = match reserved {
            Some(reserved) => Ok(reserved),
            None => Reserved::again(slot.address).await,
        };
        let listener = reserved
            .and_then(Reserved::listen)
            .and_then(TcpListener::from_std);
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) => {
                *state = State::Killed(disk, Reserved::again(slot.address).await.ok());
                return Err(taken(slot.address.port(), error));
            }
        };
        let seat = Seat {
            config: self.config(id),
            peers: self.urls.clone(),
            listener,
            disk,
            world: World {
                clock: slot.clock.clone(),
                standstill: Standstill::default(),
                ..self.world.clone()
            },
        };
        let seed = self.seeds().draw();
        *state = State::Running(node_task::start(seat, found, seed));
        Ok(())
    }

    pub(super) fn tell_listening(&self, id: &NodeId, slot: &Slot) {
        let url = slot.url.clone();
        self.report(Some(id.clone()), Event::Listening { url });
    }

    pub(super) fn config(&self, id: &NodeId) -> Config {
        Config {
            members: self.members.clone(),
            mode: self.options.mode,
            safeguards: self.options.safeguards,
            write_timeout: self.options.write_timeout,
            snapshot_every: self.options.snapshot_every,
            heartbeat: self.options.heartbeat,
            election_timeout: self.options.election_timeout,
            ..Config::new(id.clone(), Vec::new())
        }
    }

    /// Ends every node and frees every port.
    pub async fn stop(&self) {
        self.report(None, Event::Stopping);
        join_all(self.slots().into_iter().map(|(id, slot)| async move {
            let _hurried = self.hurry(&id);
            let state = std::mem::replace(&mut *slot.state.lock().await, State::Gone);
            if let State::Running(node) = state {
                node.kill().await;
            }
        }))
        .await;
    }

    pub(super) fn myself(&self) -> Weak<Cluster> {
        self.myself.clone()
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn mode(&self) -> Mode {
        self.options.mode
    }

    pub(super) fn seeds(&self) -> MutexGuard<'_, Rng> {
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<NodeId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every slot, in order.
    pub(super) fn slots(&self) -> Vec<(NodeId, Arc<Slot>)> {
        let all = self.all();
        let slots = all.iter().map(|(id, slot)| (id.clone(), slot.clone()));
        slots.collect()
    }

    /// Who is there, in order.
    pub(super) fn ids(&self) -> Vec<NodeId> {
        self.all().keys().cloned().collect()
    }

    pub(super) fn slot(&self, id: &NodeId) -> Result<Arc<Slot>, EngineError> {
        let slot = self.all().get(id).cloned();
        slot.ok_or_else(|| EngineError::UnknownNode(id.to_string()))
    }

    pub(super) fn insert(&self, id: &NodeId, slot: Arc<Slot>) {
        let mut urls = self.urls.write().unwrap_or_else(PoisonError::into_inner);
        urls.insert(id.clone(), slot.url.clone());
        self.all().insert(id.clone(), slot);
    }

    pub(super) fn forget(&self, id: &NodeId) -> Option<Arc<Slot>> {
        let mut urls = self.urls.write().unwrap_or_else(PoisonError::into_inner);
        urls.remove(id);
        self.all().remove(id)
    }

    /// The next node's name: one that nobody had, so that nothing said of a node that was removed is taken for its.
    pub(super) fn next_id(&self) -> NodeId {
        NodeId::nth(self.highest.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Engine for Cluster {
    fn info(&self) -> ClusterInfo {
        let address = |(id, slot): (NodeId, Arc<Slot>)| NodeAddress {
            id,
            url: slot.url.clone(),
        };
        ClusterInfo {
            nodes: self.slots().into_iter().map(address).collect(),
            ..self.info.clone()
        }
    }

    fn wanted(&self) -> Vec<Wanted> {
        let slots = self.slots();
        let wanted = |(id, slot): &(NodeId, Arc<Slot>)| {
            let wanted = slot.wanted(id);
            let paused = wanted.alive && self.is_paused(id);
            Wanted { paused, ..wanted }
        };
        slots.iter().map(wanted).collect()
    }

    async fn kill(&self, id: &NodeId, harm: Harm) -> Result<bool, EngineError> {
        self.kill_node(id, harm).await
    }

    async fn revive(&self, id: &NodeId, trust: bool) -> Result<bool, EngineError> {
        self.revive_node(id, trust).await
    }

    async fn add(&self) -> Result<NodeAddress, EngineError> {
        self.add_node().await
    }

    async fn remove(&self, id: &NodeId) -> Result<(), EngineError> {
        self.remove_node(id).await
    }

    async fn transfer(&self, to: Option<NodeId>) -> Result<NodeId, EngineError> {
        self.transfer_to(to).await
    }

    fn faults(&self) -> Vec<FaultInForce> {
        self.book.list()
    }

    async fn disturb(&self, order: FaultOrder) -> Result<Vec<FaultInForce>, EngineError> {
        self.set_faults(order).await
    }

    async fn heal(&self, order: HealOrder) -> Result<Healed, EngineError> {
        self.heal_faults(order).await
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

    fn note_messages(&self, time: Duration) {
        self.world.net.mail().note_for(time);
    }

    fn messages(&self, from: u64, limit: usize) -> Messages {
        self.world.net.mail().read(from, limit)
    }

    fn report(&self, node: Option<NodeId>, event: Event) {
        self.events.add(node, event);
    }
}

fn info(options: &Options, nonce: u64) -> ClusterInfo {
    let mode = options.mode;
    let directory = options.data_dir.as_ref();
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
        storage: directory.map_or("memory".to_owned(), |path| path.display().to_string()),
        heartbeat_ms: options.heartbeat.as_millis() as u64,
        election_timeout_ms: options.election_timeout.as_millis() as u64,
        course: options.course,
        lang: options.lang.clone(),
        nodes: Vec::new(),
    }
}
