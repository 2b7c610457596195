//! The stage of a tour: a cluster of this process, registered under a name, so that every command finds it.

use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::args::Common;
use crate::cli::chaos::boot::{self, Booted};
use crate::cli::failure::Failure;
use crate::client::control::ControlError;
use crate::registry::{self, Claim, ClusterName, StateFile};
use crate::types::NodeId;
use crate::wire::control::{ClusterStatus, NodeAddress, NodeRow};

/// The name that other terminals find it by.
pub(super) const NAME: &str = "exercise";

/// How often to look.
const GLANCE: Duration = Duration::from_millis(10);

/// What a command said, and how it ended.
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) said: String,
}

/// The cluster that the tour is about at the moment.
pub(super) struct Stage {
    claim: Arc<Claim>,
    /// What was published last.
    published: Arc<Mutex<Option<StateFile>>>,
    /// Somebody at another terminal ends the cluster.
    down: CancellationToken,
    booted: Option<Booted>,
}

impl Stage {
    /// Takes the name; there is no cluster yet.
    pub(super) fn new(down: CancellationToken) -> Result<Stage, Failure> {
        let claim = registry::claim(&name()).map_err(|error| {
            Failure::new("name-taken", error.to_string())
                .hint("another tour runs; end it with Ctrl-C in its terminal")
        })?;
        Ok(Stage {
            claim: Arc::new(claim),
            published: Arc::default(),
            down,
            booted: None,
        })
    }

    /// Boots a cluster with these flags of `up`, in place of the one there was.
    pub(super) async fn boot(&mut self, flags: &str) -> Result<(), Failure> {
        self.down().await;
        let common = Common {
            cluster: Some(name()),
            ..Common::default()
        };
        let options = boot::options(flags, &common)?;
        let booted = Booted::boot_for(options, self.down.clone(), self.republish()).await?;
        let info = booted.control.info().await;
        let info = info.map_err(unanswered)?;
        let (control, token) = booted.access.clone();
        let state = StateFile {
            name: info.name,
            pid: info.pid,
            version: info.program,
            control,
            token,
            nonce: info.nonce,
            started_at: info.started_at,
            nodes: info.nodes,
            log: None,
        };
        let published = self.claim.publish(&state);
        *lock(&self.published) = Some(state);
        self.booted = Some(booted);
        published.map_err(|error| Failure::new("no-state-directory", error.to_string()))
    }

    /// Publishes the nodes there are then, once there is a cluster. When the claim is given up, no file is to come back.
    fn republish(&self) -> impl Fn(Vec<NodeAddress>) + Send + Sync + use<> {
        let (claim, published) = (Arc::downgrade(&self.claim), self.published.clone());
        move |nodes| {
            let mut published = lock(&published);
            if let (Some(claim), Some(state)) = (claim.upgrade(), published.as_mut()) {
                state.nodes = nodes;
                // Who cannot be found by its name is there all the same.
                let _ = claim.publish(state);
            }
        }
    }

    /// Ends the cluster, if there is one.
    pub(super) async fn down(&mut self) {
        *lock(&self.published) = None;
        if let Some(booted) = self.booted.take() {
            booted.down().await;
        }
    }

    /// What the cluster is like now.
    pub(super) async fn status(&self) -> Result<ClusterStatus, Failure> {
        let booted = self.booted.as_ref();
        let booted = booted.ok_or_else(|| Failure::new("no-stage", "no cluster is up"))?;
        let status = booted.control.status().await;
        status.map_err(unanswered)
    }

    /// What it is like once `holds`; `None` if that is never so.
    pub(super) async fn once(
        &self,
        limit: Duration,
        holds: impl Fn(&ClusterStatus) -> bool,
    ) -> Result<Option<ClusterStatus>, Failure> {
        let began = Instant::now();
        while began.elapsed() < limit {
            let status = self.status().await?;
            if holds(&status) {
                return Ok(Some(status));
            }
            tokio::time::sleep(GLANCE).await;
        }
        Ok(None)
    }

    /// Runs a command of this program against the cluster, as a person at another terminal would.
    pub(super) async fn run(&self, words: Vec<String>) -> Result<Ran, Failure> {
        let work = tokio::task::spawn_blocking(move || {
            let program = std::env::current_exe()?;
            let mut command = std::process::Command::new(program);
            command.args(words).env("CLUSTER_NAME", NAME);
            command.stdin(Stdio::null()).output()
        });
        let output = work.await.map_err(std::io::Error::other);
        let output = output
            .and_then(|output| output)
            .map_err(|error| Failure::system("cannot run a command", &error))?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Ran {
            code: output.status.code().unwrap_or(1),
            said: String::from_utf8_lossy(&said).trim_end().to_owned(),
        })
    }
}

fn lock(published: &Mutex<Option<StateFile>>) -> MutexGuard<'_, Option<StateFile>> {
    published.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unanswered(error: ControlError) -> Failure {
    Failure::new("silent", format!("the cluster does not answer: {error:?}"))
}

fn name() -> ClusterName {
    NAME.parse().unwrap_or_default()
}

/// The row of the n-th node, from 1.
pub(super) fn row(status: &ClusterStatus, n: usize) -> Option<&NodeRow> {
    let id = NodeId::nth(n);
    status.nodes.iter().find(|row| row.id == id)
}

/// The highest term that any node that answers has seen.
pub(super) fn highest_term(status: &ClusterStatus) -> u64 {
    let answers = status.nodes.iter().filter_map(|row| row.answer.as_ref());
    answers.map(|answer| answer.term).max().unwrap_or(0)
}
