//! A live cluster in this process, on real ports, with a recorder at its nodes' doors and clients that never rest.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cluster::client::data::{DataClient, Terms, Written};
use cluster::engine::{Engine, EngineError, Harm};
use cluster::rng::Rng;
use cluster::runtime::{Cluster, Options};
use cluster::types::{Mode, NodeId, Role, Safeguards};
use cluster::value::{Key, Value};
use cluster::wire::data::{Consistency, NodeStatus};
use tokio::task::JoinHandle;

use crate::recording::Recorder;

/// Long enough for any machine; nothing waits this long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a follower waits for its leader.
pub const ELECTION_TIMEOUT: Duration = Duration::from_millis(150);

/// How many clients there are.
const CLIENTS: u64 = 3;

/// Waits for a condition, not for time.
pub async fn await_that(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        breathe().await;
    }
}

/// Lets others work before the next attempt.
async fn breathe() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

pub struct Stage {
    pub cluster: Arc<Cluster>,
    pub recorder: Recorder,
    client: DataClient,
    acknowledged: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Stage {
    /// Three nodes that take a snapshot every few entries, and clients. Data in memory, or below `directory`.
    pub async fn boot(mode: Mode, directory: Option<&Path>, recorder: &Recorder) -> Stage {
        let options = Options {
            name: "replay".to_owned(),
            nodes: Some(3),
            data_dir: directory.map(Path::to_owned),
            host: [127, 0, 0, 1].into(),
            port: 0,
            mode,
            safeguards: Safeguards::default(),
            write_timeout: 2 * ELECTION_TIMEOUT,
            snapshot_every: Some(8),
            heartbeat: ELECTION_TIMEOUT / 6,
            election_timeout: ELECTION_TIMEOUT,
            max_value: 1 << 20,
            course: false,
            lang: "en".to_owned(),
            tap: Some(recorder.tap()),
        };
        let cluster = Cluster::boot(options).await.expect("a cluster");
        let mut stage = Stage {
            cluster,
            recorder: recorder.clone(),
            client: DataClient::new(Duration::from_secs(5)).expect("a client"),
            acknowledged: Arc::default(),
            over: Arc::default(),
            clients: Vec::new(),
        };
        for number in 0..CLIENTS {
            let client = Client {
                number,
                rng: Rng::new(number),
                cluster: stage.cluster.clone(),
                client: stage.client.clone(),
                acknowledged: stage.acknowledged.clone(),
                version: None,
            };
            let over = stage.over.clone();
            stage.clients.push(tokio::spawn(client.run(over)));
        }
        stage
    }

    /// All nodes, dead ones included.
    pub fn ids(&self) -> Vec<NodeId> {
        let nodes = self.cluster.info().nodes.into_iter();
        nodes.map(|node| node.id).collect()
    }

    /// All nodes but these.
    pub fn others(&self, than: &[&NodeId]) -> Vec<NodeId> {
        let mut ids = self.ids();
        ids.retain(|id| !than.contains(&id));
        ids
    }

    async fn statuses(&self, of: &[NodeId]) -> Option<Vec<NodeStatus>> {
        let mut statuses = Vec::new();
        for node in self.cluster.info().nodes {
            if of.contains(&node.id) {
                statuses.push(self.client.status(&node.url, false).await.ok()?);
            }
        }
        Some(statuses)
    }

    /// Whom all of `followers` obey, one of which it is.
    async fn leader_now(&self, followers: &[NodeId]) -> Option<NodeId> {
        let statuses = self.statuses(followers).await?;
        let leader = statuses.iter().find(|status| status.role == Role::Leader)?;
        let agreed = statuses.iter().all(|status| {
            status.term == leader.term && status.leader_id.as_ref() == Some(&leader.node_id)
        });
        agreed.then(|| leader.node_id.clone())
    }

    /// Waits for a leader that all of `followers` obey, one of which it is.
    pub async fn leader_of(&self, followers: &[NodeId]) -> NodeId {
        let mut leader = None;
        await_that("a leader that all obey", async || {
            leader = self.leader_now(followers).await;
            leader.is_some()
        })
        .await;
        leader.expect("it was awaited")
    }

    pub async fn leader(&self) -> NodeId {
        self.leader_of(&self.ids()).await
    }

    /// A node that does not lead.
    pub async fn follower(&self) -> NodeId {
        let leader = self.leader().await;
        self.others(&[&leader]).swap_remove(0)
    }

    /// Waits until so many more writes are acknowledged.
    pub async fn acknowledge(&self, more: usize) {
        let wanted = self.acknowledged.load(Ordering::Relaxed) + more;
        let enough = async || self.acknowledged.load(Ordering::Relaxed) >= wanted;
        await_that("enough writes", enough).await;
    }

    /// Waits until this kind of input or action was seen more often than now.
    pub async fn see_again(&self, kind: &str) {
        let before = self.recorder.seen(kind);
        await_that(kind, async || self.recorder.seen(kind) > before).await;
    }

    pub async fn kill(&self, id: &NodeId, harm: Harm) {
        self.cluster.kill(id, harm).await.expect("to kill");
    }

    pub async fn revive(&self, id: &NodeId) {
        self.cluster.revive(id, false).await.expect("to revive");
    }

    /// Loses everything between `id` and the others.
    pub fn cut_off(&self, id: &NodeId) {
        let others = self.others(&[id]);
        self.cluster.change_faults(|faults| {
            for other in &others {
                faults.cut(id, other);
                faults.cut(other, id);
            }
        });
    }

    pub fn heal(&self) {
        self.cluster.change_faults(|faults| faults.heal());
    }

    /// Asks until it is granted: elections may come in between.
    pub async fn insist<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<T, EngineError>,
    ) -> T {
        let mut granted = None;
        await_that(what, async || {
            granted = ask().await.ok();
            granted.is_some()
        })
        .await;
        granted.expect("it was awaited")
    }

    /// Sends the clients home, and waits until all nodes have the same.
    pub async fn quiet(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.await.expect("a client does not fail");
        }
        await_that("all nodes have the same", async || {
            let statuses = self.statuses(&self.ids()).await;
            let details = statuses.into_iter().flatten().map(|status| {
                let more = status.more.expect("our own nodes say more");
                (more.last_entry, more.applied_index)
            });
            let details: Vec<_> = details.collect();
            let first = details.first();
            first.is_some_and(|(last, applied)| {
                last.as_ref().map(|last| last.index) == Some(*applied)
            }) && details.iter().all(|one| Some(one) == first)
        })
        .await;
    }

    /// The end: nobody says anything any more.
    pub async fn stop(mut self) {
        self.quiet().await;
        self.cluster.stop().await;
    }
}

/// Somebody who writes, reads and deletes a few keys, at any node.
struct Client {
    number: u64,
    rng: Rng,
    cluster: Arc<Cluster>,
    client: DataClient,
    acknowledged: Arc<AtomicUsize>,
    /// The version that was read last.
    version: Option<String>,
}

impl Client {
    async fn run(mut self, over: Arc<AtomicBool>) {
        let mut count = 0;
        while !over.load(Ordering::Relaxed) {
            count += 1;
            self.act(count).await;
            breathe().await;
        }
    }

    async fn act(&mut self, count: u64) {
        let nodes = self.cluster.info().nodes;
        let url = &nodes[self.rng.below(nodes.len() as u64) as usize].url;
        let key = Key::new(&format!("k{}", self.rng.below(8)));
        let value = Value::string(&format!("{} of {}", count, self.number));
        let (client, terms) = (&self.client, Terms::default());
        let written = match self.rng.below(12) {
            0 | 1 => client.delete(url, &key, &terms).await,
            2 => return self.read(url, &key, Consistency::Local).await,
            3 => return self.read(url, &key, Consistency::Leader).await,
            4 | 5 => return self.read(url, &key, Consistency::Linearizable).await,
            6 => {
                let if_absent = true;
                let terms = Terms { if_absent, ..terms };
                client.put(url, &key, &value, &terms).await
            }
            7 | 8 => {
                let if_version = self.version.clone();
                let terms = Terms {
                    if_version,
                    ..terms
                };
                client.put(url, &key, &value, &terms).await
            }
            // Two of four bear the name of a write before them.
            9 => {
                let idempotency_key = Some(format!("{} of {}", count / 4, self.number));
                let terms = Terms {
                    idempotency_key,
                    ..terms
                };
                client.put(url, &key, &value, &terms).await
            }
            _ => client.put(url, &key, &value, &terms).await,
        };
        // A node that is dead, does not lead, or cannot know, is what this is about.
        if let Ok(Written::Done { .. }) = written {
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn read(&mut self, url: &str, key: &Key, consistency: Consistency) {
        if let Ok(Some((_, version))) = self.client.get(url, key, consistency).await {
            self.version = version;
        }
    }
}
