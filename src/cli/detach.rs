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
    let deadline = Instant::now() + BOOT_PATIENCE;
    let (running, leader) = loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(failed(&log, status.code()));
        }
        if let Some(ready) = ready(&named, child.id()).await {
            break ready;
        }
        if Instant::now() > deadline {
            // It is ours and of no use.
            let _ = child.kill();
            return Err(Failure::new(
                "no-leader",
                format!("no leader stood within {BOOT_PATIENCE:?}"),
            )
            .hint(format!("its log: {}", log.display())));
        }
        tokio::time::sleep(GLANCE).await;
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

/// The cluster of process `pid`, once all its nodes obey a leader.
async fn ready(named: &Common, pid: u32) -> Option<(Running, crate::types::NodeId)> {
    let running = target::running(named)
        .ok()
        .filter(|running| running.state.pid == pid)?;
    let status = running.control.status().await.ok()?;
    let (leader, _) = gather::settled(&status)?;
    (status.up == status.total).then_some((running, leader))
}

/// The child said why in its log; it is passed on, with its exit code.
fn failed(log: &Path, code: Option<i32>) -> Failure {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let said: Vec<&str> = said.trim().lines().rev().take(3).collect();
    let said: Vec<&str> = said.into_iter().rev().collect();
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
