//! Which cluster a command is about, and how to reach it.

use std::time::Duration;

use clap::Args;
use clap_complete::engine::CompletionCandidate;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::client::control::{ControlClient, ControlError};
use crate::client::data::DataClient;
use crate::client::gather;
use crate::engine::Wanted;
use crate::registry::{self, FindError, StateFile};
use crate::types::NodeId;
use crate::wire::control::{ClusterInfoBrief, ClusterStatus, LostTotals, NodeAddress, NodeRow};

/// How long a node may take to answer, where nothing else is said.
pub(super) const NODE_PATIENCE: Duration = Duration::from_secs(5);

/// Nodes that are not in a state file: those of `cluster node`.
#[derive(Args, Clone, Default)]
pub(super) struct Peers {
    /// Nodes to use instead of a running `up`'s, as of `cluster node` (comma-separated URLs)
    #[arg(long, value_name = "URL,…", value_delimiter = ',')]
    pub(super) peers: Vec<String>,
}

/// A running cluster.
pub(super) struct Running {
    pub(super) state: StateFile,
    pub(super) control: ControlClient,
}

/// The cluster that is meant.
pub(super) fn running(common: &Common) -> Result<Running, Failure> {
    let state = registry::find(common.cluster.as_ref()).map_err(not_found)?;
    let own = env!("CARGO_PKG_VERSION");
    if state.version != own {
        out::note(
            common,
            &format!(
                "note: cluster {} runs version {}, this command is version {own}; what it shows may be incomplete",
                state.name, state.version
            ),
        );
    }
    let control = ControlClient::new(&state.control, &state.token)
        .map_err(|error| Failure::system("cannot start a client", &error))?;
    Ok(Running { state, control })
}

fn not_found(error: FindError) -> Failure {
    match error {
        FindError::NotRunning { name: None, .. } => {
            Failure::no_cluster("no cluster is running").hint("start one: cluster up --nodes 3")
        }
        FindError::NotRunning {
            name: Some(name),
            others,
        } if others.is_empty() => {
            Failure::no_cluster(format!("no cluster called {name} is running"))
                .hint(format!("start it: cluster up --cluster {name}"))
        }
        FindError::NotRunning {
            name: Some(name),
            others,
        } => Failure::no_cluster(format!(
            "no cluster called {name} is running; these are: {}",
            others.join(", ")
        )),
        FindError::Several(names) => {
            let first = names.first().cloned().unwrap_or_default();
            Failure::no_cluster(format!(
                "several clusters are running: {}",
                names.join(", ")
            ))
            .hint(format!("name one: --cluster {first}"))
        }
    }
}

impl Running {
    /// What a failed question means.
    pub(super) fn failure(&self, error: ControlError) -> Failure {
        let StateFile { name, pid, .. } = &self.state;
        match error {
            ControlError::Refused(detail) => {
                let code = match detail.code.as_str() {
                    "unknown-node" => "unknown-node",
                    "unauthorized" => "unauthorized",
                    "stopping" => "stopping",
                    "unsupported" => "unsupported",
                    "outcome-unknown" => "outcome-unknown",
                    _ => "refused",
                };
                let failure = Failure::new(code, detail.message);
                match detail.hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
            ControlError::Silent if is_suspended(*pid) => Failure::new(
                "suspended",
                format!("cluster {name} is suspended (pid {pid}): it answers nothing"),
            )
            .hint(format!(
                "let it go on: kill -CONT {pid}, or fg in its terminal"
            )),
            ControlError::Silent => Failure::new(
                "silent",
                format!("cluster {name} (pid {pid}) does not answer"),
            )
            .hint(format!("if it is stuck, end it: kill {pid}")),
            ControlError::Unreachable => {
                Failure::no_cluster(format!("cluster {name} (pid {pid}) is gone, or going down"))
            }
            ControlError::Strange(answer) => {
                let answer: String = answer.chars().take(80).collect();
                let version = &self.state.version;
                Failure::new(
                    "strange",
                    format!(
                        "cluster {name} (version {version}) gave no answer that this version understands: {answer}"
                    ),
                )
            }
        }
    }

    pub(super) async fn status(&self) -> Result<ClusterStatus, Failure> {
        self.control
            .status()
            .await
            .map_err(|error| self.failure(error))
    }
}

/// Whether a process is stopped, as by Ctrl-Z.
fn is_suspended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    let state = stat.and_then(|stat| Some(stat.rsplit_once(')')?.1.trim().to_owned()));
    let state = state.or_else(|| {
        let mut ps = std::process::Command::new("ps");
        let output = ps
            .args(["-o", "stat=", "-p", &pid.to_string()])
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    });
    state.is_some_and(|state| state.starts_with('T'))
}

/// The nodes that a command may ask; those given by URL under the names they give themselves.
pub(super) async fn nodes(common: &Common, peers: &Peers) -> Result<Vec<NodeAddress>, Failure> {
    if peers.peers.is_empty() {
        return Ok(running(common)?.state.nodes);
    }
    let rows = rows(peers).await?;
    Ok(rows
        .into_iter()
        .map(|row| NodeAddress {
            id: row.id,
            url: row.url,
        })
        .collect())
}

/// A node known by its URL.
pub(super) fn peer(url: &str) -> Result<NodeAddress, Failure> {
    let url = url.trim().trim_end_matches('/');
    let (name, url) = match url.split_once('=') {
        Some((name, url)) => (name, url),
        None => (url, url),
    };
    let host = url.strip_prefix("http://").unwrap_or_default();
    let is_base = !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']);
    match NodeId::new(name) {
        Ok(id) if is_base => Ok(NodeAddress {
            id,
            url: url.to_owned(),
        }),
        _ => Err(Failure::usage(format!("{url:?} is not a node's URL"))
            .hint("write it as http://127.0.0.1:4001")),
    }
}

/// What the nodes of `peers` say of themselves.
async fn rows(peers: &Peers) -> Result<Vec<NodeRow>, Failure> {
    let wanted = |url: &String| {
        let NodeAddress { id, url } = peer(url)?;
        Ok(Wanted {
            id,
            url,
            alive: true,
            paused: false,
            since: String::new(),
        })
    };
    let nodes = peers
        .peers
        .iter()
        .map(wanted)
        .collect::<Result<Vec<Wanted>, Failure>>()?;
    Ok(gather::rows(&data_client(Duration::from_secs(1))?, nodes).await)
}

/// What the nodes of `peers`, or of the running cluster, say.
pub(super) async fn status(common: &Common, peers: &Peers) -> Result<ClusterStatus, Failure> {
    if peers.peers.is_empty() {
        return running(common)?.status().await;
    }
    let mut rows = rows(peers).await?;
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let info = ClusterInfoBrief {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        name: "peers".to_owned(),
        pid: None,
        started_at: None,
        mode: None,
        storage: None,
    };
    Ok(gather::status(info, rows, LostTotals::default(), 0))
}

pub(super) fn data_client(patience: Duration) -> Result<DataClient, Failure> {
    DataClient::new(patience).map_err(|error| Failure::system("cannot start a client", &error))
}

/// The nodes of the running cluster, for a shell that completes.
pub(super) fn candidates() -> Vec<CompletionCandidate> {
    let nodes = registry::find(None)
        .map(|state| state.nodes)
        .unwrap_or_default();
    nodes
        .iter()
        .map(|node| CompletionCandidate::new(node.id.as_str()))
        .collect()
}
