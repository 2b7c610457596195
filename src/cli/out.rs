//! Results go to stdout, everything else to stderr.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

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

/// Writes a page or a history.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let written = std::fs::write(file, text);
    written.map_err(|error| Failure::system(&cannot_write(file), &error))
}

/// Refuses a file that cannot be written, as far as that can be known before what takes long.
pub(super) fn check_writable(file: Option<&PathBuf>) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    let mut options = OpenOptions::new();
    let tried = match std::fs::metadata(file) {
        // What stands in it is kept: the run may yet be given up.
        Ok(found) if found.is_file() || found.is_dir() => options.append(true).open(file),
        // A pipe or a terminal is opened once.
        Ok(_) => return Ok(()),
        Err(_) => {
            let made = options.write(true).create_new(true).open(file);
            made.inspect(|_| drop(std::fs::remove_file(file)))
        }
    };
    let refused = |error| Failure::usage(format!("{}: {error}", cannot_write(file)));
    tried.map(drop).map_err(refused)
}

fn cannot_write(file: &Path) -> String {
    format!("cannot write {}", file.display())
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
