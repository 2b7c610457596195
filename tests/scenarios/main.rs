//! `cluster run`: the scenarios that are shipped come out as they are written, live and in virtual time, and what is no
//! scenario is refused with its line and key.

mod ending;
mod files;
mod mistakes;
mod own;
mod schema;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

/// Where the scenarios are.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/scenarios")
}

/// The scenarios that are shipped, by their names.
pub fn shipped() -> Vec<String> {
    let entries = std::fs::read_dir(folder())
        .expect("the scenarios")
        .flatten();
    let paths = entries.map(|entry| entry.path());
    let tomls = paths.filter(|path| path.extension().is_some_and(|ext| ext == "toml"));
    let name = |path: PathBuf| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let mut names: Vec<String> = tomls.map(name).collect();
    names.sort();
    names
}

/// The text of a shipped scenario.
pub fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.toml"))).expect("a scenario")
}

/// `cluster run` with these arguments. A scenario may take its time; only a broken one takes this much.
pub fn run(home: &TempDir, arguments: &[&str]) -> Command {
    let all = [&["run"], arguments].concat();
    let mut command = support::cluster_in(home.path(), &all);
    command.timeout(Duration::from_secs(300));
    command
}

/// A scenario of a test's own.
pub fn written(home: &TempDir, text: &str) -> String {
    let file = home.path().join("own.toml");
    std::fs::write(&file, text).expect("a file");
    file.to_str().expect("a path").to_owned()
}
