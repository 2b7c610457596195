//! When a server ends: the signals for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::failure::Failure;
use crate::cli::up::DETACHED;

/// The signals that end a server: Ctrl-C, SIGTERM, and the terminal's going away.
pub(super) struct Ending {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    is_over: bool,
}

impl Ending {
    pub(super) fn new() -> Result<Ending, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::system("cannot take signals", &error));
        // A signal between its being taken and its being listened to would be lost: a flag remembers it.
        let caught = Arc::new(AtomicBool::new(false));
        let flags = [SIGINT, SIGTERM].map(|signal| flag::register(signal, caught.clone()));
        let mut ending = Ending {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            is_over: false,
        };
        for flag in flags.into_iter().flatten() {
            low_level::unregister(flag);
        }
        ending.is_over = caught.load(Ordering::SeqCst);
        Ok(ending)
    }

    /// Whether it was time to end before anything began.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
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

    /// A token that is cancelled when it is time to end. Whoever asks twice does not want to wait: then the process ends.
    pub(super) fn told(self) -> CancellationToken {
        self.told_or(|| ())
    }

    /// The same; before the process ends it says what it leaves behind.
    pub(super) fn told_or(mut self, farewell: impl FnOnce() + Send + 'static) -> CancellationToken {
        let token = CancellationToken::new();
        let told = token.clone();
        tokio::spawn(async move {
            self.wait().await;
            told.cancel();
            self.wait().await;
            farewell();
            std::process::exit(130);
        });
        token
    }

    /// From now on a signal ends the process at once.
    pub(super) fn insist(mut self) {
        tokio::spawn(async move {
            self.wait().await;
            std::process::exit(130);
        });
    }
}
