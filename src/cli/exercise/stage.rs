//! The stage of a tour: a cluster of this process, registered under a name, so that every command finds it.

use std::process::Stdio;
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::args::Common;
use crate::cli::chaos::boot::{self, Booted};
use crate::cli::failure::Failure;
use crate::client::control::ControlError;
use crate::registry::{self, Claim, ClusterName, StateFile};
use crate::types::NodeId;
use crate::wire::control::{ClusterStatus, NodeRow};

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
    claim: Claim,
    booted: Option<Booted>,
}

impl Stage {
    /// Takes the name; there is no cluster yet.
    pub(super) fn new() -> Result<Stage, Failure> {
        let claim = registry::claim(&name()).map_err(|error| {
            Failure::new("name-taken", error.to_string())
                .hint("another tour runs; end it with Ctrl-C in its terminal")
        })?;
        Ok(Stage {
            claim,
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
        let booted = Booted::boot(boot::options(flags, &common)?).await?;
        let info = booted.control.info().await;
        let info = info.map_err(unanswered)?;
        let (control, token) = booted.access.clone();
        let published = self.claim.publish(&StateFile {
            name: info.name,
            pid: info.pid,
            version: info.program,
            control,
            token,
            nonce: info.nonce,
            started_at: info.started_at,
            nodes: info.nodes,
            log: None,
        });
        self.booted = Some(booted);
        published.map_err(|error| Failure::new("no-state-directory", error.to_string()))
    }

    /// Ends the cluster, if there is one.
    pub(super) async fn down(&mut self) {
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
