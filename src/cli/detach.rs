//! `up --detach`: the same command again, in the background, watched until a leader stands.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::target::Running;
use crate::cli::up::{BOOT_PATIENCE, DETACHED, Up};
use crate::cli::{out, target};
use crate::client::gather;
use crate::registry;
use crate::types::{Mode, NodeId};
use crate::wire::control::{ClusterStatus, ErrorBody, NodeRow};

/// How often to look whether it stands.
const GLANCE: Duration = Duration::from_millis(10);

pub(super) async fn run(up: &Up, common: &Common) -> Result<(), Failure> {
    up.check(common)?;
    let name = common.cluster.clone().unwrap_or_default();
    let log = registry::log_path(&name)
        .map_err(|error| Failure::new("no-state-directory", error.to_string()))?;
    let mut child = spawn(&log)?;
    let named = Common {
        cluster: Some(name),
        quiet: true,
        ..Common::default()
    };
    let began = Instant::now();
    let (running, leader, status) = loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(failed(&log, status.code()));
        }
        match look(&named, child.id()).await {
            Seen::Led(running, leader, status) => break (running, leader, status),
            Seen::Leaderless(running, status) if began.elapsed() > patience(&status) => {
                return Err(leaderless(&running, &status));
            }
            Seen::Nothing if began.elapsed() > BOOT_PATIENCE => {
                // It is ours and of no use.
                let _ = child.kill();
                let message = format!("it did not start within {BOOT_PATIENCE:?}");
                return Err(Failure::new("boot-failed", message)
                    .hint(format!("its log: {}", log.display())));
            }
            Seen::Leaderless(..) | Seen::Nothing => tokio::time::sleep(GLANCE).await,
        }
    };
    let state = &running.state;
    if common.json {
        return out::print_json(&state.nodes);
    }
    out::print(&format!(
        "cluster {} runs in the background (pid {}); {leader} leads",
        state.name, state.pid
    ))?;
    for node in &state.nodes {
        out::print(&format!("  {}", node.url))?;
    }
    out::print(&format!("  {}  (control)", state.control))?;
    let data = match &up.data_dir {
        Some(directory) => format!("in {}", directory.display()),
        None => "in memory".to_owned(),
    };
    if let Some(mode) = &status.info.mode {
        let (election, replication) = (mode.election, mode.replication);
        let rules = Mode {
            election,
            replication,
        };
        out::print(&format!("{rules}: {}", mode.promise))?;
    }
    out::print(&format!(
        "its data is {data}; what it says: cluster logs -f; end it: cluster down"
    ))
}

fn spawn(log: &Path) -> Result<Child, Failure> {
    let cannot = |error| Failure::system("cannot start in the background", &error);
    let open = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(log);
    let out = open.map_err(cannot)?;
    let errors = out.try_clone().map_err(cannot)?;
    let program = std::env::current_exe().map_err(cannot)?;
    let arguments = std::env::args_os()
        .skip(1)
        .filter(|argument| argument != "--detach");
    Command::new(program)
        .args(arguments)
        .env(DETACHED, "1")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors)
        // Of its own group, so that this terminal's Ctrl-C is not its own.
        .process_group(0)
        .spawn()
        .map_err(cannot)
}

/// What is to be seen of a cluster that starts.
enum Seen {
    Nothing,
    /// It runs, and nobody leads yet.
    Leaderless(Running, ClusterStatus),
    /// All its nodes obey this one.
    Led(Running, NodeId, ClusterStatus),
}

async fn look(named: &Common, pid: u32) -> Seen {
    let running = target::running(named).ok();
    let Some(running) = running.filter(|running| running.state.pid == pid) else {
        return Seen::Nothing;
    };
    let Ok(status) = running.control.status().await else {
        return Seen::Nothing;
    };
    match gather::settled(&status) {
        Some((leader, _)) if status.up == status.total => Seen::Led(running, leader, status),
        _ => Seen::Leaderless(running, status),
    }
}

/// How long an election may take: not long, if nodes do not vote because they lost their disks.
fn patience(status: &ClusterStatus) -> Duration {
    let recovering = |row: &NodeRow| {
        let more = row.answer.as_ref().and_then(|answer| answer.more.as_ref());
        more.is_some_and(|more| more.recovering)
    };
    match status.nodes.iter().any(recovering) {
        true => Duration::from_secs(5),
        false => BOOT_PATIENCE,
    }
}

/// It runs, and what it needs may be at hand.
fn leaderless(running: &Running, status: &ClusterStatus) -> Failure {
    let (name, pid) = (&running.state.name, running.state.pid);
    let why = status.warnings.join("; ");
    let message =
        format!("cluster {name} runs in the background (pid {pid}), but nobody leads: {why}");
    Failure::new("no-leader", message).hint("see: cluster status, or end it: cluster down")
}

/// The child said why in its log; it is passed on, with its exit code.
fn failed(log: &Path, code: Option<i32>) -> Failure {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let said: Vec<&str> = said.trim().lines().rev().take(3).collect();
    let said: Vec<&str> = said.into_iter().rev().collect();
    if let Some(error) = said.last().and_then(|line| serde_json::from_str(line).ok()) {
        let ErrorBody { error } = error;
        let failure = Failure::new("boot-failed", error.message);
        return match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
    }
    let message = said.join("\n");
    let message = message
        .strip_prefix("cluster: ")
        .unwrap_or(&message)
        .to_owned();
    let exit = code
        .and_then(|code| u8::try_from(code).ok())
        .filter(|code| *code != 0);
    Failure::new("boot-failed", message).with_exit(exit.unwrap_or(1))
}
