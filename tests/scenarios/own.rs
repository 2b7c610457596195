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
