//! At the storage door: no acknowledgement leaves before a completed write that covers it, on a majority. (That a killed
//! process loses nothing proves nothing about syncs: what it wrote is in the system's memory.)

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use cluster::protocol::{Record, Recovered};
use cluster::runtime::clock::Clock;
use cluster::runtime::{Seat, World, node_task};
use cluster::storage::memory::Memory;
use cluster::storage::{Disk, DiskError};
use cluster::types::{Boot, Config, Mode, NodeId};

/// A disk whose writes of entries complete when the test says so.
#[derive(Debug)]
struct Gated {
    memory: Memory,
    id: NodeId,
    arrived: Sender<NodeId>,
    open: Arc<Mutex<Option<Receiver<()>>>>,
}

impl Disk for Gated {
    fn recover(&mut self) -> Result<Recovered, DiskError> {
        self.memory.recover()
    }

    fn write(&mut self, records: &[Record]) -> Result<(), DiskError> {
        let gate = self.open.lock().unwrap();
        if let (Some(gate), true) = (&*gate, has_put(records)) {
            self.arrived.send(self.id.clone()).unwrap();
            gate.recv().expect("the test opens it");
        }
        self.memory.write(records)
    }

    fn blocks(&self, _records: &[Record]) -> bool {
        true
    }

    fn lose_unsynced(&mut self) {}

    fn wipe(&mut self, boot: Boot, recovering: bool) -> Result<(), DiskError> {
        self.memory.wipe(boot, recovering)
    }
}

fn has_put(records: &[Record]) -> bool {
    let puts = |record: &Record| match record {
        Record::Append(entries) => entries.iter().any(|entry| entry.command.size() > 64),
        _ => false,
    };
    records.iter().any(puts)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledgement_leaves_before_a_completed_write_on_a_majority() {
    let ids: Vec<NodeId> = (1..=3).map(NodeId::nth).collect();
    let listeners: Vec<TcpListener> = ids
        .iter()
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"))
        .collect();
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let urls: Vec<String> = listeners.iter().map(url).collect();
    let addresses: BTreeMap<NodeId, String> = ids.iter().cloned().zip(urls.clone()).collect();
    let (arrived, arrivals) = channel();
    let world = World {
        clock: Clock::start(),
        events: Arc::new(|_, _| {}),
        standstill: cluster::runtime::ice::Standstill::default(),
        net: cluster::runtime::net::Net::default(),
        max_value: 1 << 20,
        course: false,
        tap: None,
    };
    let mut nodes = Vec::new();
    let mut gates: BTreeMap<NodeId, Sender<()>> = BTreeMap::new();
    for (id, listener) in ids.iter().zip(listeners) {
        listener.set_nonblocking(true).unwrap();
        let (open, gate) = channel();
        gates.insert(id.clone(), open);
        let mut config = Config::new(id.clone(), ids.clone());
        config.mode = Mode::RAFT;
        // Nobody stands because a disk is slow, as long as a test may take.
        config.election_timeout = Duration::from_secs(30);
        config.write_timeout = Duration::from_secs(60);
        let disk = Gated {
            memory: Memory::new(1),
            id: id.clone(),
            arrived: arrived.clone(),
            open: Arc::new(Mutex::new(Some(gate))),
        };
        let seat = Seat {
            config,
            peers: Arc::new(RwLock::new(addresses.clone())),
            listener: tokio::net::TcpListener::from_std(listener).expect("one of tokio's"),
            disk: Box::new(disk),
            world: world.clone(),
        };
        nodes.push(node_task::start(seat, Recovered::default(), 7));
    }
    // The first stands at once, and meets others that take part and do not stand for an election timeout.
    for (n, node) in nodes.iter().enumerate().rev() {
        node.begin(n == 0).await;
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let leads = async || {
        let status = client
            .get(format!("{}/status", urls[0]))
            .send()
            .await
            .unwrap();
        status.text().await.unwrap().contains("\"role\":\"leader\"")
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while !leads().await {
        assert!(Instant::now() < deadline, "node-1 never leads");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let put = client.put(format!("{}/key/k", urls[0])).body("\"a value\"");
    let mut put = tokio::spawn(async move { put.send().await.unwrap().status() });
    let (first, arrivals) = next(arrivals).await;
    assert_eq!(first, ids[0], "the leader writes before it sends");
    is_silent(&mut put).await;
    gates[&first].send(()).unwrap();
    // The followers have it, and have not written it.
    let (second, arrivals) = next(arrivals).await;
    let (third, _arrivals) = next(arrivals).await;
    is_silent(&mut put).await;
    gates[&second].send(()).unwrap();
    assert_eq!(put.await.unwrap(), 200, "two of three disks are a majority");
    gates[&third].send(()).unwrap();
    for node in nodes {
        node.kill().await;
    }
}

async fn next(arrivals: Receiver<NodeId>) -> (NodeId, Receiver<NodeId>) {
    let wait = move || {
        let id = arrivals.recv_timeout(Duration::from_secs(60));
        (id.expect("a write arrives"), arrivals)
    };
    tokio::task::spawn_blocking(wait).await.unwrap()
}

/// An answer that is on its way wrongly is here within this time; a right program never is.
async fn is_silent(put: &mut tokio::task::JoinHandle<reqwest::StatusCode>) {
    let answer = tokio::time::timeout(Duration::from_millis(100), put).await;
    assert!(answer.is_err(), "it was acknowledged before it was written");
}
