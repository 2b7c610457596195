//! Scenarios of these tests, live and in virtual time.

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::{run, written};

/// What comes of a scenario, in virtual time and live.
fn both(text: &str) -> [Json; 2] {
    [&["--json", "--sim", "--seed", "1"][..], &["--json"]].map(|how| {
        let home = TempDir::new().expect("a directory");
        let file = written(&home, text);
        let output = run(&home, &[how, &[file.as_str()]].concat()).output();
        let output = output.expect("the binary");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = serde_json::from_slice(&output.stdout);
        let left = std::fs::read_dir(home.path()).expect("a directory").count();
        assert_eq!(left, 1, "more than the scenario is left");
        report.unwrap_or_else(|error| panic!("{error}: {told}"))
    })
}

/// It comes out as it is written, both ways.
fn as_written(text: &str) -> [Json; 2] {
    let reports = both(text);
    for report in &reports {
        assert_eq!(report["asWritten"], true, "{report:#}");
    }
    reports
}

const RAFT: &str = r#"
name = "a raft"

[cluster]
nodes = 3
election = "raft"
replication = "quorum"

[[step]]
after = "leader"

[[step]]
transfer = "node-1"
"#;

#[test]
fn a_node_that_joins_during_a_partition_is_on_the_side_of_those_that_are_not_named() {
    as_written(&format!(
        "{RAFT}{}",
        r#"
[[step]]
partition = "node-3"

[[step]]
add = true

[[step]]
transfer = "node-4"

[[step]]
put = { key = "k", value = 1, node = "node-4" }

[[step]]
always = { key = "k", node = "node-3", absent = true }
for = "1s"

[[step]]
heal = true

[[step]]
eventually = { key = "k", node = "node-3", value = 1 }
"#
    ));
}

/// When the step that did this was taken, in milliseconds.
fn at(report: &Json, what: &str) -> u64 {
    let steps = report["steps"].as_array().expect("steps");
    let is_it = |step: &&Json| {
        step["what"]
            .as_str()
            .is_some_and(|told| told.contains(what))
    };
    let step = steps.iter().find(is_it).expect(what);
    step["at_ms"].as_u64().expect("a time")
}

const SYNC: &str = r#"
name = "every write waits for every node"

[cluster]
nodes = 3
replication = "sync"
write-timeout = "20s"

[[step]]
after = "leader"
"#;

#[test]
fn a_fault_ends_on_its_time_though_an_operation_waits_for_that() {
    as_written(&format!(
        "{SYNC}{}",
        r#"
[[step]]
link = { to = "node-3", only = ["replicate"], loss = "100%" }
for = "500ms"

[[step]]
put = { key = "k", value = 1, expect = "done" }
"#
    ));
}

#[test]
fn a_client_that_waits_is_answered_when_its_link_is_well_again() {
    // The request is late, and its answer is sent when the fault is over: it is not.
    for report in as_written(&format!(
        "{SYNC}{}",
        r#"
[[step]]
client = { node = "node-2", delay = "1s" }
for = "900ms"

[[step]]
get = { key = "k", node = "node-2", expect = 404 }

[[step]]
get = { key = "after", node = "node-1", expect = 404 }
"#
    )) {
        let took = at(&report, "get after") - at(&report, "get k");
        assert!((1000..2000).contains(&took), "{took} ms: {report:#}");
    }
}

#[test]
fn a_narrow_link_takes_its_time_for_what_is_large_and_holds_nothing_back_when_it_is_healed() {
    let large = "x".repeat(60 * 1024);
    for report in as_written(&format!(
        r#"{SYNC}
[[step]]
link = {{ from = "leader", to = "node-3", bandwidth = "100KiB/s" }}
name = "narrow"

[[step]]
put = {{ key = "large", value = "{large}" }}

[[step]]
get = {{ key = "small", node = "node-1" }}

[[step]]
heal = "narrow"

[[step]]
link = {{ from = "leader", to = "node-3", bandwidth = "10B/s" }}
for = "1s"

[[step]]
put = {{ key = "waits", value = 1 }}

[[step]]
get = {{ key = "after", node = "node-1" }}
"#
    )) {
        let took = at(&report, "get small") - at(&report, "put large");
        assert!((600..10_000).contains(&took), "{took} ms: {report:#}");
        let took = at(&report, "get after") - at(&report, "put waits");
        assert!((500..15_000).contains(&took), "{took} ms: {report:#}");
    }
}

#[test]
fn jitter_makes_a_client_wait_now_long_now_short() {
    let get = |n: usize| format!("\n[[step]]\nget = {{ key = \"k{n}\", node = \"node-2\" }}\n");
    let gets: String = (0..8).map(get).collect();
    for report in as_written(&format!(
        "{SYNC}\n[[step]]\nclient = {{ node = \"node-2\", jitter = \"300ms\" }}\n{gets}"
    )) {
        let times: Vec<u64> = (0..8).map(|n| at(&report, &format!("get k{n}"))).collect();
        let took: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let all: u64 = took.iter().sum();
        assert!(all >= 400, "{took:?}: {report:#}");
        assert!(took.iter().max() > took.iter().min(), "{took:?}");
    }
}

#[test]
fn the_groups_of_a_partition_are_drawn_so_that_nobody_is_in_two() {
    for groups in ["minority / majority", "random / node-1", "random / leader"] {
        as_written(&format!(
            "{RAFT}\n[[step]]\npartition = \"{groups}\"\n\n[[step]]\nheal = true\n"
        ));
    }
    // Whom both sides name cannot be kept apart from itself.
    let both = both(&format!(
        "{RAFT}\n[[step]]\npartition = \"leader / node-1\"\n"
    ));
    for report in both {
        let what = report["failed"]["what"].as_str().expect("why");
        assert!(what.contains("node-1 would be in two groups"), "{what}");
    }
}

#[test]
fn the_end_of_a_log_is_torn_live_and_in_virtual_time() {
    as_written(&format!(
        "{RAFT}{}",
        r#"
[[step]]
put = { key = "k", value = 1 }

[[step]]
disk = { node = "node-3", corrupt-tail = true }

[[step]]
put = { key = "k", value = 2 }

[[step]]
eventually = { up = 2 }

[[step]]
revive = "node-3"

[[step]]
eventually = { key = "k", node = "node-3", value = 2 }
"#
    ));
}

#[test]
fn an_answer_can_be_lost_though_the_request_was_not() {
    let text = format!(
        "{RAFT}{}",
        r#"
[[step]]
client = { node = "all", loss = "50%" }

[[step]]
put = { key = "k", value = 1, node = "node-1", expect = "unknown" }

[[step]]
heal = true

[[step]]
eventually = { key = "k", node = "node-1", value = 1 }
within = "2s"
"#
    );
    let home = TempDir::new().expect("a directory");
    let file = written(&home, &text);
    let is_made = |seed: &u64| {
        let seed = seed.to_string();
        let mut command = run(&home, &["--json", "--sim", "--seed", &seed, &file]);
        let output = command.output().expect("the binary");
        let report: Json = serde_json::from_slice(&output.stdout).expect("JSON");
        report["asWritten"] == true
    };
    assert!((1..=40).any(|seed| is_made(&seed)));
}
