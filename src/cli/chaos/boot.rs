//! `chaos --up`: a cluster of its own, in this process and on free ports, which leaves nothing behind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::up::{BOOT_PATIENCE, Up, refused};
use crate::client::control::ControlClient;
use crate::client::gather;
use crate::control::{self, Access};
use crate::engine::Engine;
use crate::runtime::boot::{self, seed};
use crate::runtime::{Cluster, Options};
use crate::scenario::Setup;
use crate::wire::control::NodeAddress;

/// How often to look whether it stands.
const GLANCE: Duration = Duration::from_millis(10);

/// The flags of `up`, alone.
#[derive(Parser)]
#[command(name = "cluster up", no_binary_name = true)]
struct Flags {
    #[command(flatten)]
    up: Up,
}

/// What `up` would be told by these flags.
pub(in crate::cli) fn options(flags: &str, common: &Common) -> Result<Options, Failure> {
    let parsed = Flags::try_parse_from(flags.split_whitespace());
    let parsed = parsed.map_err(|error| {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        let why = first.strip_prefix("error: ").unwrap_or(first);
        Failure::usage(format!("--up '{flags}': {why}")).hint("see: cluster up --help")
    })?;
    parsed.up.on_free_ports().options(common)
}

/// The options of the cluster that `setup` describes, on free ports.
pub(in crate::cli) fn set_up(setup: &Setup, common: &Common) -> Result<Options, Failure> {
    Ok(Options {
        nodes: Some(setup.nodes),
        mode: setup.mode,
        safeguards: setup.safeguards,
        heartbeat: setup.heartbeat,
        election_timeout: setup.election_timeout,
        write_timeout: setup.write_timeout,
        ..options("", common)?
    })
}

/// A cluster of this process.
pub(in crate::cli) struct Booted {
    pub(in crate::cli) control: ControlClient,
    /// Where its control server is, and what allows changes there.
    pub(in crate::cli) access: (String, String),
    cluster: Arc<Cluster>,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

impl Booted {
    /// Boots it, and waits for a leader that all obey.
    pub(in crate::cli) async fn boot(options: Options) -> Result<Booted, Failure> {
        Booted::boot_for(options, CancellationToken::new(), |_| ()).await
    }

    /// The same for others, too: `down` is cancelled when one of them ends it, and `changed` is told who is there when nodes come
    /// or go.
    pub(in crate::cli) async fn boot_for(
        options: Options,
        down: CancellationToken,
        changed: impl Fn(Vec<NodeAddress>) + Send + Sync + 'static,
    ) -> Result<Booted, Failure> {
        let cannot = |error: std::io::Error| Failure::system("cannot serve", &error);
        let address = SocketAddr::new(options.host, 0);
        let reserved = boot::reserve(address, "the control server").map_err(refused)?;
        let cluster = Cluster::boot(options).await.map_err(refused)?;
        let listener = reserved
            .listen()
            .and_then(tokio::net::TcpListener::from_std);
        let listener = listener.map_err(cannot)?;
        let url = format!("http://{}", listener.local_addr().map_err(cannot)?);
        let token = format!("{:016x}", seed().map_err(refused)?);
        let control = ControlClient::new(&url, &token)
            .map_err(|error| Failure::system("cannot start a client", &error))?;
        let known = (url, token.clone());
        let shown = cluster.clone();
        let access = Access {
            token,
            members_changed: Box::new(move || changed(shown.info().nodes)),
        };
        let stop = CancellationToken::new();
        let server = control::serve(cluster.clone(), listener, access, down, stop.clone());
        let booted = Booted {
            control,
            access: known,
            cluster,
            stop,
            server: tokio::spawn(server),
        };
        match booted.await_leader().await {
            true => Ok(booted),
            false => {
                booted.down().await;
                let message = format!("nobody led within {BOOT_PATIENCE:?}");
                Err(Failure::new("boot-failed", message))
            }
        }
    }

    async fn await_leader(&self) -> bool {
        let began = Instant::now();
        while began.elapsed() < BOOT_PATIENCE {
            if let Ok(status) = self.control.status().await
                && gather::settled(&status).is_some()
                && status.up == status.total
            {
                return true;
            }
            tokio::time::sleep(GLANCE).await;
        }
        false
    }

    /// Ends it.
    pub(in crate::cli) async fn down(self) {
        self.cluster.stop().await;
        self.stop.cancel();
        // It ends by itself within its farewell; how is no news.
        let _ = self.server.await;
    }
}
