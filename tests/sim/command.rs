//! `cluster sim`, as a user types it.

use assert_cmd::Command;
use predicates::prelude::*;
use tempfile::TempDir;

fn sim(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("cluster").expect("the binary");
    command.arg("sim").args(arguments).assert()
}

fn stdout(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("UTF-8")
}

#[test]
fn raft_keeps_its_promise_and_says_so() {
    sim(&["--raft", "--seeds", "8", "--time", "10s"])
        .success()
        .stdout(
            predicate::str::contains("8 seeds").and(predicate::str::contains("every promise kept")),
        );
}

#[test]
fn a_lost_write_is_told_with_the_command_that_shows_it_again() {
    let found = sim(&[
        "--seeds",
        "8",
        "--time",
        "10s",
        "--expect",
        "no-lost-acks",
        "--until-found",
    ]);
    let found = found.code(1);
    let text = stdout(&found);
    assert!(
        text.contains("UNSAFE: nothing acknowledged is missing"),
        "{text}"
    );
    let again = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("again: cluster sim "));
    let again = again
        .expect("a command")
        .split("   (")
        .next()
        .expect("the command");
    assert!(
        again.contains("--seed ") && again.contains("--expect no-lost-acks"),
        "{again}"
    );
    let arguments: Vec<&str> = again.split(' ').collect();
    sim(&arguments)
        .code(1)
        .stdout(predicate::str::contains("UNSAFE"));
}

#[test]
fn json_is_one_object_with_all_that_was_counted() {
    let found = sim(&[
        "--seeds",
        "6",
        "--time",
        "10s",
        "--expect",
        "no-lost-acks",
        "--json",
    ])
    .code(1);
    let json: serde_json::Value = serde_json::from_str(&stdout(&found)).expect("JSON");
    for field in [
        "seeds",
        "events",
        "acknowledged",
        "leader_changes",
        "elections",
        "crashes",
        "partitions",
        "snapshots",
    ] {
        assert!(json[field].is_u64(), "{field}: {json}");
    }
    let first = &json["violations"][0];
    assert!(
        first["seed"].is_u64() && first["invariant"].is_string(),
        "{first}"
    );
    assert!(
        first["command"]
            .as_str()
            .is_some_and(|c| c.starts_with("cluster sim --seed"))
    );
    assert!(
        first["story"]
            .as_array()
            .is_some_and(|story| !story.is_empty())
    );
}

#[test]
fn a_trace_is_the_same_each_time_and_goes_to_stdout() {
    let arguments = ["--raft", "--seed", "7", "--time", "3s", "--trace"];
    let (one, two) = (sim(&arguments).success(), sim(&arguments).success());
    assert_eq!(stdout(&one), stdout(&two));
    assert!(stdout(&one).contains("LEADS term 1"));
    assert!(one.get_output().stderr.is_empty());
}

#[test]
fn an_interrupted_search_goes_on_where_it_was() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("state.json");
    let file = file.to_str().expect("UTF-8");
    let flags = ["--raft", "--time", "5s", "--json", "--seeds"];
    let with = |seeds: &str| {
        let all = [&flags[..], &[seeds, "--resume", file]].concat();
        stdout(&sim(&all).success())
    };
    with("0..4");
    let resumed = with("0..9");
    let whole = stdout(&sim(&[&flags[..], &["0..9"]].concat()).success());
    assert_eq!(resumed, whole);
    sim(&["--time", "5s", "--resume", file])
        .code(2)
        .stderr(predicate::str::contains("another search"));
}

#[test]
fn a_failure_that_is_kept_can_be_played_again() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("kept.json");
    let file = file.to_str().expect("UTF-8");
    let flags = [
        "--seeds",
        "8",
        "--time",
        "10s",
        "--expect",
        "no-lost-acks",
        "--until-found",
    ];
    sim(&[&flags[..], &["--keep", file]].concat()).code(1);
    sim(&["--replay", file])
        .code(1)
        .stdout(predicate::str::contains("UNSAFE"));
    sim(&["--replay", "/nowhere"])
        .code(2)
        .stderr(predicate::str::contains("cannot be read"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    sim(&["--seeds", "9..5"])
        .code(2)
        .stderr(predicate::str::contains("no seed"));
    sim(&["--seeds", "x"])
        .code(2)
        .stderr(predicate::str::contains("5..900"));
    sim(&["--faults", "rain"])
        .code(2)
        .stderr(predicate::str::contains("partition"));
    sim(&["--no-pre-vote"])
        .code(2)
        .stderr(predicate::str::contains("--raft"));
    sim(&["--trace"]).code(2);
}
