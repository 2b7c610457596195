//! `up`: a cluster in this process, with its control server, its state file, and a line an event.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::cli::args::{Common, Timing, bytes};
use crate::cli::ending::Ending;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::rules::Rules;
use crate::control;
use crate::engine::Engine;
use crate::registry::{self, Claim, RegistryError, StateFile};
use crate::runtime::boot::{self, seed};
use crate::runtime::roster::Roster;
use crate::runtime::{BootError, Cluster, Options};
use crate::storage::DiskError;
use crate::types::Mode;
use crate::views::lines::Lines;

/// Set for the process that a `--detach` leaves behind.
pub(super) const DETACHED: &str = "CLUSTER_DETACHED";

/// Boot a cluster: N nodes as tasks of this process, each on a port of its own
///
/// It prints what to type next. Ctrl-C ends the cluster; without --data-dir its data goes with it.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster up --nodes 3
  cluster up --raft --nodes 5          linearizable: elections by votes, writes on a majority
  cluster up --nodes 5 --port 5001 --control-port 5000 --cluster second
  cluster up --raft --data-dir data    on disk: the same command finds it again
  cluster up --course --lang fr        the chapter's timing and its log lines
  cluster up --detach                  in the background; end it with: cluster down")]
pub(super) struct Up {
    /// How many nodes, 1 to 1000 [default: those in --data-dir, or 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) nodes: Option<u16>,
    /// Keep the data in this directory; without it, in memory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(super) data_dir: Option<PathBuf>,
    /// The first node's port; the others' follow (0: any free ones)
    #[arg(long, value_name = "PORT", default_value_t = 4001)]
    port: u16,
    /// The control server's port (0: any free one)
    #[arg(long, value_name = "PORT", default_value_t = 4000)]
    control_port: u16,
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
    /// Return once a leader stands; the cluster goes on in the background
    #[arg(long)]
    pub(super) detach: bool,
}

/// An IP address, or `localhost`.
pub(super) fn host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        _ => text
            .parse()
            .map_err(|_| "it is not an IP address, as 127.0.0.1".to_owned()),
    }
}

impl Up {
    /// How many nodes there will be, and the mode that their disks were last used in.
    fn found(&self) -> (usize, Option<Mode>) {
        let found = self.data_dir.as_deref().map(Roster::on_disk);
        // What cannot be read is said when it is opened.
        let found = found.and_then(|found| found.ok().flatten());
        let mode = found.as_ref().and_then(|found| found.mode.as_ref());
        let count = match (self.nodes, &found) {
            (Some(nodes), _) => nodes.into(),
            (None, Some(found)) => found.nodes.len(),
            (None, None) => 3,
        };
        (count, mode.and_then(|mode| mode.parse().ok()))
    }

    pub(super) fn options(&self, common: &Common) -> Result<Options, Failure> {
        let (count, last_mode) = self.found();
        let mode = self.rules.mode(last_mode);
        let (heartbeat, election_timeout) = self.timing.resolve(count)?;
        let nodes = count as u32;
        let last = u32::from(self.port) + nodes - 1;
        if self.port != 0 && last > 65535 {
            return Err(Failure::usage(format!(
                "{} nodes from port {} on would need ports up to {last}; the highest is 65535",
                nodes, self.port
            ))
            .hint(format!(
                "--port {} or below, or --port 0 for free ones",
                65536 - nodes
            )));
        }
        let control = u32::from(self.control_port);
        if self.port != 0 && control != 0 && (self.port.into()..=last).contains(&control) {
            return Err(Failure::usage(format!(
                "port {control} is one of the nodes' and cannot be the control server's too"
            ))
            .hint("give another --control-port"));
        }
        Ok(Options {
            name: common
                .cluster
                .clone()
                .unwrap_or_default()
                .as_str()
                .to_owned(),
            nodes: self.nodes.map(usize::from),
            data_dir: self.data_dir.clone(),
            mode,
            safeguards: self.rules.safeguards(mode)?,
            write_timeout: self.rules.write_timeout,
            snapshot_every: self.rules.snapshot_every(),
            host: self.host,
            port: self.port,
            heartbeat,
            election_timeout,
            max_value: self.max_value,
            course: self.timing.course,
            lang: self.timing.lang_name(),
            tap: None,
        })
    }

    /// The same on any free ports.
    pub(super) fn on_free_ports(self) -> Up {
        Up {
            port: 0,
            control_port: 0,
            ..self
        }
    }

    /// Refuses what cannot work before anything is started.
    pub(super) fn check(&self, common: &Common) -> Result<(), Failure> {
        self.options(common).map(drop)
    }
}

pub(super) async fn run(up: &Up, common: &Common) -> Result<(), Failure> {
    let mut ending = Ending::new()?;
    if ending.is_over() {
        return Ok(());
    }
    let options = up.options(common)?;
    let claim = registry::claim(&common.cluster.clone().unwrap_or_default()).map_err(taken)?;
    let boot = async {
        // Ports are bound before anything starts: all of them, or nothing is left behind.
        let address = SocketAddr::new(up.host, up.control_port);
        let control = boot::reserve(address, "the control server").map_err(refused)?;
        let cluster = Cluster::boot(options).await.map_err(refused)?;
        let listener = control.listen().and_then(tokio::net::TcpListener::from_std);
        let listener = listener.map_err(|error| Failure::system("cannot serve", &error))?;
        Ok::<_, Failure>((cluster, listener))
    };
    let (cluster, listener) = tokio::select! {
        booted = boot => booted?,
        () = ending.wait() => return Ok(()),
    };
    let (down, stop) = (CancellationToken::new(), CancellationToken::new());
    let state = state_file(&cluster, &listener, &claim)?;
    let claim = Arc::new(claim);
    claim.publish(&state).map_err(taken)?;
    let access = control::Access {
        token: state.token.clone(),
        members_changed: republish(&cluster, &claim, &state),
    };
    let server = control::serve(
        cluster.clone(),
        listener,
        access,
        down.clone(),
        stop.clone(),
    );
    let server = tokio::spawn(server);
    let shown = show(up, common, &cluster, &state, &down, &mut ending).await;
    ending.insist();
    cluster.stop().await;
    let last = match &shown {
        Ok(seq) => print_from(*seq, up, common, &*cluster).map(drop),
        Err(_) => Ok(()),
    };
    stop.cancel();
    // It ends by itself within its farewell; how is no news.
    let _ = server.await;
    drop(claim);
    shown.and(last)
}

fn state_file(
    cluster: &Cluster,
    listener: &tokio::net::TcpListener,
    claim: &Claim,
) -> Result<StateFile, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure::system("cannot serve", &error))?;
    let draw = || seed().map_err(refused);
    let info = cluster.info();
    let detached = std::env::var_os(DETACHED).is_some();
    Ok(StateFile {
        name: info.name.clone(),
        pid: info.pid,
        version: info.program.clone(),
        control: format!("http://{address}"),
        token: format!("{:016x}{:016x}", draw()?, draw()?),
        nonce: info.nonce.clone(),
        started_at: info.started_at.clone(),
        nodes: info.nodes.clone(),
        log: detached.then(|| claim.log_path()),
    })
}

/// Writes the state file anew, with the nodes there are then.
fn republish(
    cluster: &Arc<Cluster>,
    claim: &Arc<Claim>,
    state: &StateFile,
) -> Box<dyn Fn() + Send + Sync> {
    // Once the claim is given up, no file is to come back.
    let (cluster, claim, state) = (cluster.clone(), Arc::downgrade(claim), state.clone());
    Box::new(move || {
        let nodes = cluster.info().nodes;
        let Some(claim) = claim.upgrade() else {
            return;
        };
        if let Err(error) = claim.publish(&StateFile {
            nodes,
            ..state.clone()
        }) {
            eprintln!("cluster: the new list of nodes cannot be published: {error}");
        }
    })
}

/// Prints the head, and then events until the end is asked for. Returns the last one printed.
async fn show(
    up: &Up,
    common: &Common,
    cluster: &Arc<Cluster>,
    state: &StateFile,
    down: &CancellationToken,
    ending: &mut Ending,
) -> Result<u64, Failure> {
    if !common.json {
        out::print(&head(cluster, state))?;
    }
    let mut seq = 0;
    loop {
        seq = print_from(seq, up, common, &**cluster)?;
        tokio::select! {
            () = cluster.event_after(seq) => {}
            () = down.cancelled() => return Ok(seq),
            () = ending.wait() => return Ok(seq),
            // Without events nothing is written, and nothing would show that the reader has gone.
            () = out::closed() => return Ok(seq),
        }
    }
}

thread_local! {
    /// What the lines said so far depends on; this thread prints all of them.
    static LINES: std::cell::RefCell<Option<Lines>> = const { std::cell::RefCell::new(None) };
}

fn print_from(
    mut seq: u64,
    up: &Up,
    common: &Common,
    engine: &impl Engine,
) -> Result<u64, Failure> {
    const PAGE: usize = 1000;
    loop {
        let page = engine.events_after(seq, PAGE);
        let Some(last) = page.last() else {
            return Ok(seq);
        };
        seq = last.seq;
        for record in &page {
            if common.json {
                out::print_json(record)?;
                continue;
            }
            let line = LINES.with_borrow_mut(|lines| {
                let new = || Lines::new(up.timing.lang, up.timing.course);
                lines.get_or_insert_with(new).line(record)
            });
            if let Some(line) = line {
                out::print(&line)?;
            }
        }
    }
}

fn head(cluster: &Cluster, state: &StateFile) -> String {
    let info = cluster.info();
    let mode = Mode {
        election: info.mode.election,
        replication: info.mode.replication,
    };
    let nodes = if info.nodes.len() == 1 {
        "1 node".to_owned()
    } else {
        format!("{} nodes", info.nodes.len())
    };
    let data = match info.storage.as_str() {
        "memory" => "data in memory, gone when this ends".to_owned(),
        directory => format!("data in {directory}"),
    };
    let mut head = format!("cluster {}: {nodes}, {mode}; {data}\n", info.name);
    for node in &info.nodes {
        head.push_str(&format!("\n  {}", node.url));
    }
    let flag = match info.name.as_str() {
        "default" => String::new(),
        name => format!(" --cluster {name}"),
    };
    head.push_str(&format!(
        "\n  {}  (control)\n\npromised: {}\nnext, in another terminal:\n  cluster{flag} put name Alice\n  cluster{flag} status\n  cluster{flag} kill leader\n",
        state.control, info.mode.promise
    ));
    head
}

fn taken(error: RegistryError) -> Failure {
    let message = error.to_string();
    match error {
        RegistryError::Running { .. } => Failure::new("name-taken", message)
            .hint("end it with: cluster down, or name this one: --cluster NAME"),
        RegistryError::Directory { .. } | RegistryError::Write { .. } => {
            Failure::new("no-state-directory", message)
                .hint("set XDG_RUNTIME_DIR to a directory of yours that you can write to")
        }
    }
}

/// What a failed boot means.
pub(super) fn refused(error: BootError) -> Failure {
    let message = error.to_string();
    match error {
        BootError::PortTaken { node, .. } if node == "the control server" => {
            Failure::new("port-taken", message)
                .hint("choose another: --control-port 5000, or 0 for a free one")
        }
        BootError::PortTaken { .. } => Failure::new("port-taken", message)
            .hint("choose others: --port 5001, or 0 for free ones"),
        BootError::Listen { .. } => {
            Failure::new("cannot-listen", message).hint("choose another --host or --port")
        }
        BootError::Descriptors(few) => Failure::new("too-few-descriptors", message)
            .hint(format!("raise the limit: ulimit -n {}", few.needed)),
        BootError::OtherMembers { .. } => Failure::new("other-members", message)
            .hint("leave --nodes out to start these, or give another --data-dir"),
        BootError::Disk(error) => disk_failure(&error),
        BootError::Random(_) => Failure::new("system", message),
    }
}

/// What is on disk cannot be used; it was left as it is.
pub(super) fn disk_failure(error: &DiskError) -> Failure {
    let message = error.to_string();
    match error {
        DiskError::InUse { .. } => Failure::new("in-use", message)
            .hint("end the other one, or give another --data-dir; see: cluster ls"),
        DiskError::TooNew { .. } => Failure::new("too-new", message)
            .hint("use the version of cluster that wrote it; nothing was changed"),
        DiskError::Foreign { .. } => Failure::new("foreign-disk", message)
            .hint("directories in --data-dir bear their node's name"),
        DiskError::Damaged { .. } => Failure::new("damaged", message).hint(
            "nothing was changed; move this node's directory away and it starts empty, to be brought up to date by the others",
        ),
        DiskError::Io { .. } => Failure::new("disk", message)
            .hint("check that the directory is yours, and that the disk has space"),
    }
}

/// How long a cluster in the background may take to have a leader.
pub(super) const BOOT_PATIENCE: Duration = Duration::from_secs(60);
