//! When a server ends: the signals for it.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::failure::Failure;
use crate::cli::up::DETACHED;

/// The signals that end a server: Ctrl-C, SIGTERM, and the terminal's going away.
pub(super) struct Ending {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Ending {
    pub(super) fn new() -> Result<Ending, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::system("cannot take signals", &error));
        Ok(Ending {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Returns when it is time to end.
    pub(super) async fn wait(&mut self) {
        let detached = std::env::var_os(DETACHED).is_some();
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            // What runs in the background outlives its terminal.
            _ = self.hangup.recv(), if !detached => {}
        }
    }

    /// From now on a signal ends the process at once.
    pub(super) fn insist(mut self) {
        tokio::spawn(async move {
            self.wait().await;
            std::process::exit(130);
        });
    }
}
