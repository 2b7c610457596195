//! `cluster compare`, as a user types it: nine pairs of modes, and what was seen of each.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use serde_json::Value;
use support::{BINARY, clean, signal};
use tempfile::TempDir;

fn compare(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("cluster").expect("the binary");
    command.arg("compare").args(arguments).assert()
}

fn stdout(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("UTF-8")
}

fn json(assert: &assert_cmd::assert::Assert) -> Value {
    serde_json::from_str(&stdout(assert)).expect("one object")
}

/// What was found of a pair.
fn pair<'a>(found: &'a Value, name: &str) -> &'a Value {
    let pairs = found["pairs"].as_array().expect("a list");
    let mut those = pairs.iter().filter(|pair| pair["pair"] == name);
    those
        .next()
        .unwrap_or_else(|| panic!("{name} is not among {found}"))
}

fn number(of: &Value, path: &str) -> u64 {
    let at = of.pointer(path).unwrap_or_else(|| panic!("{path} in {of}"));
    at.as_u64().unwrap_or_else(|| panic!("{path}: {at}"))
}

#[test]
fn all_nine_pairs_are_simulated_and_the_same_command_gives_the_same_table() {
    let text = stdout(&compare(&["--sim", "--seeds", "1", "-q"]).success());
    for election in ["lowest-id", "bully", "raft"] {
        for replication in ["async", "quorum", "sync"] {
            let pair = format!("{election} + {replication} ");
            let rows = text
                .lines()
                .filter(|line| line.trim_start().starts_with(&pair));
            assert_eq!(rows.count(), 2, "{pair} in\n{text}");
        }
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    assert!(
        text.contains("virtual time, over one seed") && !text.contains("PUT/s"),
        "{text}"
    );
    let again = compare(&["--sim", "--seeds", "1", "-q"]).success();
    assert_eq!(text, stdout(&again));
}

#[test]
fn what_is_simulated_tells_the_pairs_apart() {
    let flags = ["--sim", "--seeds", "6", "-q", "--json"];
    let only = [
        "--only",
        "lowest-id+async",
        "--only",
        "raft+quorum",
        "--only",
        "bully+sync",
    ];
    let found = json(&compare(&[&flags[..], &only].concat()).success());
    let (lowest, raft, sync) = (
        pair(&found, "lowest-id + async"),
        pair(&found, "raft + quorum"),
        pair(&found, "bully + sync"),
    );
    assert_eq!(found["pairs"].as_array().map(Vec::len), Some(3));
    // A leader's death.
    assert!(number(lowest, "/deaths/lost") > 0, "{lowest}");
    for pair in [raft, sync] {
        assert_eq!(number(pair, "/deaths/lost"), 0, "{pair}");
        assert!(number(pair, "/deaths/acknowledged") >= 6 * 5, "{pair}");
    }
    assert_eq!(number(sync, "/failover/never"), 6, "{sync}");
    assert!(
        raft["failover"]["median_ms"]
            .as_f64()
            .is_some_and(|ms| ms > 50.0),
        "{raft}"
    );
    // Nodes gone.
    let answered = |pair: &Value, gone: &str| number(pair, &format!("/{gone}/writes"));
    assert!(answered(lowest, "one_gone") > 0 && answered(lowest, "majority_gone") > 0);
    assert!(answered(raft, "one_gone") > 0 && answered(raft, "majority_gone") == 0);
    assert!(answered(sync, "one_gone") == 0 && answered(sync, "majority_gone") == 0);
    // Reads.
    assert!(number(lowest, "/stale/stale") > 0 && number(raft, "/stale/stale") > 0);
    assert_eq!(number(sync, "/stale/stale"), 0, "{sync}");
    assert!(number(raft, "/stale/strongest_reads") > 0, "{raft}");
    assert_eq!(number(raft, "/stale/strongest_stale"), 0, "{raft}");
    // Splits.
    assert!(number(lowest, "/partitions/lost") > 0, "{lowest}");
    assert_eq!(number(raft, "/partitions/lost"), 0, "{raft}");
    assert_eq!(number(raft, "/partitions/not_linearizable"), 0, "{raft}");
    for pair in [lowest, raft, sync] {
        assert_eq!(number(pair, "/partitions/broken"), 0, "{pair}");
        assert_eq!(number(pair, "/partitions/seeds"), 6, "{pair}");
        assert!(number(pair, "/partitions/answered") > 0, "{pair}");
    }
    // Waiting has a price.
    let took = |pair: &Value| pair["put"]["p50_ms"].as_f64().expect("a number");
    assert!(took(raft) > took(lowest), "{raft} beside {lowest}");
}

#[test]
fn on_ports_speeds_are_measured_and_a_leaders_death_loses_what_async_acknowledged() {
    let folder = TempDir::new().expect("a folder");
    let page = folder.path().join("page.html");
    let page = page.to_str().expect("UTF-8");
    let flags = [
        "--only",
        "raft+quorum",
        "--only",
        "lowest-id+async",
        "--for",
        "200ms",
    ];
    let more = ["--seeds", "1", "--json", "-q", "--html", page];
    let found = json(&compare(&[&flags[..], &more].concat()).success());
    let (lowest, raft) = (
        pair(&found, "lowest-id + async"),
        pair(&found, "raft + quorum"),
    );
    for pair in [lowest, raft] {
        for kind in ["put", "get"] {
            let rate = pair[kind]["per_second"].as_f64();
            assert!(rate.is_some_and(|rate| rate > 0.0), "{pair}");
        }
        assert_eq!(number(pair, "/deaths/deaths"), 3, "{pair}");
        assert!(number(pair, "/deaths/acknowledged") > 0, "{pair}");
        assert!(number(pair, "/one_gone/reads") > 0, "{pair}");
    }
    assert!(number(lowest, "/deaths/lost") > 0, "{lowest}");
    assert_eq!(number(raft, "/deaths/lost"), 0, "{raft}");
    assert_eq!(number(raft, "/stale/strongest_stale"), 0, "{raft}");
    assert_eq!(number(raft, "/majority_gone/writes"), 0, "{raft}");
    let html = std::fs::read_to_string(page).expect("it is drawn");
    assert!(html.contains("raft + quorum") && html.contains("lowest-id + async"));
    for outside in ["http://", "https://", "src=", "<script", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_booted() {
    for (flags, why) in [
        (&["--only", "raft+none"][..], "raft+quorum"),
        (&["--nodes", "2"], "3..=9"),
        (&["--seeds", "0"], "1..=10000"),
        (&["--sim", "--for", "2s"], "cannot be used with"),
    ] {
        let refused = compare(flags).code(2);
        let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(said.contains(why), "{flags:?}: {said}");
    }
}

#[test]
fn ctrl_c_shows_what_there_is_and_says_that_it_is_not_all() {
    let home = TempDir::new().expect("a folder");
    let mut process = Process::new(BINARY);
    clean(&mut process, home.path());
    process.args(["compare", "--seeds", "1", "--for", "30s"]);
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process.spawn().expect("it starts");
    let mut told = String::new();
    let stderr = child.stderr.take().expect("it is piped");
    BufReader::new(stderr).read_line(&mut told).expect("UTF-8");
    assert!(told.contains("1 of 9"), "{told}");
    signal(child.id(), "INT");
    let done = child.wait_with_output().expect("it ends");
    assert_eq!(done.status.code(), Some(130));
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(text.contains("Interrupted: nothing was measured"), "{text}");
}
