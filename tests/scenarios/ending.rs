//! Ctrl-C ends a scenario before its time: everything is healed, and what there is is judged.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::{BINARY, clean, signal};
use crate::written;

const LONG: &str = r#"
name = "a write, and a long time"

[cluster]
nodes = 3
election = "raft"
replication = "quorum"

[[step]]
after = "leader"
put = { key = "k", value = 1 }

[[step]]
isolate = "leader"

[[step]]
at = "10m"
kill = "leader"
"#;

/// What a run says that is interrupted once its leader is cut off, and its exit code.
fn interrupted(text: &str) -> (Json, Option<i32>) {
    let home = TempDir::new().expect("a directory");
    let file = written(&home, text);
    let mut process = Command::new(BINARY);
    clean(&mut process, home.path());
    let mut child = process
        .args(["run", &file, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let told = BufReader::new(child.stderr.take().expect("piped"));
    let mut lines = told.lines().map_while(Result::ok);
    let cut = lines.find(|line| line.contains("cut off"));
    assert!(cut.is_some(), "nobody was cut off");
    signal(child.id(), "INT");
    // Whoever writes needs a reader.
    let rest: Vec<String> = lines.collect();
    let output = child.wait_with_output().expect("our child");
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {rest:?}"));
    (report, output.status.code())
}

#[test]
fn ctrl_c_heals_and_judges_what_was_played() {
    let (report, code) = interrupted(LONG);
    // Whether the rest would have come as written nobody knows.
    assert_eq!(code, Some(130), "{report:#}");
    assert_eq!(report["interrupted"], true, "{report:#}");
    assert_eq!(report["asWritten"], Json::Null, "{report:#}");
    assert_eq!(report["verdict"], "kept", "{report:#}");
    assert_eq!(report["acknowledged"], 1, "{report:#}");
    // The write and the cut were played, the rest was not.
    assert_eq!(report["steps"].as_array().map(Vec::len), Some(2));
}
