//! How far a search has come, on stderr: what goes to stdout depends on the command line alone.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::cli::args::Common;

/// Tells now and then; on a terminal every second, and over what it told before.
pub(super) struct Progress {
    began: Instant,
    told: Instant,
    is_terminal: bool,
    is_quiet: bool,
}

impl Progress {
    pub(super) fn new(common: &Common) -> Progress {
        Progress {
            began: Instant::now(),
            told: Instant::now(),
            is_terminal: std::io::stderr().is_terminal(),
            is_quiet: common.quiet,
        }
    }

    /// Since it began.
    pub(super) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64().max(1e-3)
    }

    /// Tells, if it is time; whether it was.
    pub(super) fn tell(&mut self, line: impl FnOnce(&Progress) -> String) -> bool {
        let every = Duration::from_secs(if self.is_terminal { 1 } else { 10 });
        if self.told.elapsed() < every {
            return false;
        }
        self.told = Instant::now();
        if !self.is_quiet {
            let line = line(self);
            let mut stderr = std::io::stderr().lock();
            let _ = match self.is_terminal {
                true => write!(stderr, "\r\x1b[K{line}\r"),
                false => writeln!(stderr, "{line}"),
            };
        }
        true
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal && !self.is_quiet {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
