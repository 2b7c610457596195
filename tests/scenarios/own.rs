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
