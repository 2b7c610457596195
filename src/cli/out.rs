//! Results go to stdout, everything else to stderr.

use std::io::Write;
use std::os::fd::AsFd;

use serde::Serialize;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::cli::args::Common;
use crate::cli::failure::Failure;

/// A line of a result.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()?;
    Ok(())
}

/// A result as one line of JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(value)
        .map_err(|error| Failure::system("cannot write the output", &error))?;
    print(&json)
}

/// Something worth knowing that is no result.
pub(super) fn note(common: &Common, text: &str) {
    if !common.quiet {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

/// Something worth knowing only with `-v`.
pub(super) fn detail(common: &Common, text: &str) {
    if common.verbose {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

/// Returns when nobody can read stdout any more; never, where the system does not tell (a file, say).
#[expect(
    deprecated,
    reason = "it is unsound for types that may lend their descriptor; this one owns it"
)]
pub(super) async fn closed() {
    if let Ok(stdout) = std::io::stdout().as_fd().try_clone_to_owned()
        && let Ok(stdout) = AsyncFd::with_interest(stdout, Interest::ERROR)
        && stdout.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
