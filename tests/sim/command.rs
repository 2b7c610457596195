//! `cluster sim`, as a user types it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

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

/// The file at `path`, changed.
fn change(path: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("the file");
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(path, text.replacen(from, to, 1)).expect("the file can be written");
}

#[test]
fn a_search_goes_on_only_where_it_is_of_the_same_seeds_and_makes_sense() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("state.json");
    let file = file.to_str().expect("UTF-8");
    let with = |seeds: &str| sim(&["--raft", "--time", "2s", "--seeds", seeds, "--resume", file]);
    with("3..6").success();
    // All is done: it is told again.
    with("3..6").success();
    for other in ["0..9", "5..9", "3..5", "10..12"] {
        with(other)
            .code(2)
            .stderr(predicate::str::contains("seeds 3..6"));
    }
    sim(&["--seeds", "1", "--resume", "/nowhere/state.json"])
        .code(1)
        .stdout(predicate::str::is_empty())
        .stderr(predicate::str::contains("cannot write /nowhere/state.json"));
    change(file, "\"met\":[", "\"met\":[7,");
    with("3..6")
        .code(2)
        .stderr(predicate::str::contains("contradict each other"));
}

#[test]
fn a_run_that_is_not_decided_is_none_that_kept_its_promise() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("state.json");
    let file = file.to_str().expect("UTF-8");
    let flags = ["--raft", "--time", "2s", "--seeds", "3", "--resume", file];
    sim(&flags).success();
    change(file, "\"undecided\":0", "\"undecided\":2");
    sim(&flags).code(4).stdout(
        predicate::str::contains("UNDECIDED in 2 runs")
            .and(predicate::str::contains("2 runs are not decided"))
            .and(predicate::str::contains("kept").not()),
    );
    let found = sim(&[&flags[..], &["--json"]].concat()).code(4);
    let json: serde_json::Value = serde_json::from_str(&stdout(&found)).expect("JSON");
    assert_eq!(
        (&json["verdict"], &json["undecided"]),
        (&"undecided".into(), &2.into())
    );
}

#[test]
fn the_last_seeds_there_are_can_be_played() {
    sim(&["--raft", "--time", "1s", "--seed", "18446744073709551615"]).success();
    let last = "18446744073709551613..18446744073709551615";
    sim(&["--raft", "--time", "1s", "--seeds", last])
        .success()
        .stdout(predicate::str::contains("2 seeds"));
}

#[test]
fn a_kept_run_that_cannot_be_played_is_refused_with_what_is_wrong() {
    let folder = TempDir::new().expect("a folder");
    let kept = folder.path().join("kept.json");
    let kept = kept.to_str().expect("UTF-8");
    sim(&[&LOSES[..], &["--until-found", "--keep", kept]].concat()).code(1);
    let text = std::fs::read_to_string(kept).expect("the file");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut file = file.clone();
        *file.pointer_mut(pointer).expect(pointer) = value;
        std::fs::write(kept, file.to_string()).expect("the file can be written");
        sim(&["--replay", kept]).code(2).stderr(
            predicate::str::contains("cannot be played")
                .and(predicate::str::contains("panic").not()),
        );
    };
    let ask = |client: u16, key: u16| {
        let call = serde_json::json!({"put": {"key": key, "named": false}});
        serde_json::json!([{"at": 1, "step": {"ask": {"client": client, "call": call}}}])
    };
    changed("/plan/nodes", 0.into());
    changed("/plan/nodes", 20.into());
    changed("/plan/scale/keys", 0.into());
    changed("/plan/scale/heartbeat", 0.into());
    changed("/plan/scale/latency", u64::MAX.into());
    changed("/plan/until", (1_u64 << 63).into());
    changed("/plan/steps", ask(999, 0));
    changed("/plan/steps", ask(0, 999));
    let skew = serde_json::json!({"number": 1, "harm": {"skew": ["leader", 0]}});
    changed(
        "/plan/steps",
        serde_json::json!([{"at": 1, "step": {"fault": skew}}]),
    );
    let later = serde_json::json!([{"at": 2, "step": {"lift": 1}}, {"at": 1, "step": {"lift": 1}}]);
    changed("/plan/steps", later);
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

/// Ten seconds of each of eight seeds, held to more than lowest-id promises.
const LOSES: [&str; 6] = ["--seeds", "8", "--time", "10s", "--expect", "no-lost-acks"];

#[test]
fn the_first_of_several_failures_is_told_in_sentences() {
    let found = sim(&[&LOSES[..], &["--explain"]].concat()).code(1);
    let text = stdout(&found);
    for part in [
        "the first of those that fail, shrunk to ",
        " leads term 1.\n",
        "node-1 holds it.",
        " Broken: nothing acknowledged is missing. ",
        " lowest-id + async does not promise",
        "\n  again: cluster sim --seed ",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let again = sim(&[&LOSES[..], &["--explain", "--jobs", "1"]].concat()).code(1);
    assert_eq!(text, stdout(&again));
}

#[test]
fn ctrl_c_while_it_shrinks_tells_what_it_has() {
    let seed = (0..8).find(|seed| {
        let seed = seed.to_string();
        let found = sim(&[
            "--seed",
            &seed,
            "--time",
            "10s",
            "--expect",
            "no-lost-acks",
            "--trace",
        ]);
        found.get_output().status.code() == Some(1)
    });
    let seed = seed.expect("one of eight loses something").to_string();
    let mut search = std::process::Command::new(env!("CARGO_BIN_EXE_cluster"))
        .args([
            "sim",
            "--seed",
            &seed,
            "--time",
            "10s",
            "--expect",
            "no-lost-acks",
            "--shrink",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut told = String::new();
    let stderr = search.stderr.take().expect("it is piped");
    BufReader::new(stderr).read_line(&mut told).expect("UTF-8");
    assert!(told.contains("Ctrl-C"), "{told}");
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &search.id().to_string()])
        .status();
    assert!(interrupt.expect("kill").success());
    let done = search.wait_with_output().expect("it ends");
    assert_eq!(done.status.code(), Some(1));
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(
        text.contains("shrunk to") && text.contains("again: cluster sim"),
        "{text}"
    );
}

#[test]
fn a_program_gets_the_same_sentences_in_a_list() {
    let flags = ["--until-found", "--explain"];
    let text = stdout(&sim(&[&LOSES[..], &flags].concat()).code(1));
    let found = sim(&[&LOSES[..], &flags, &["--json"]].concat()).code(1);
    let json: serde_json::Value = serde_json::from_str(&stdout(&found)).expect("JSON");
    let told = json["violations"][0]["explanation"].as_array();
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let text = words(&text).join(" ");
    let told = told.expect("an explanation");
    assert!(told.len() > 4, "{told:?}");
    for sentence in told {
        let sentence = words(sentence.as_str().expect("a sentence")).join(" ");
        // Where it is told, times stand between the sentences, never in them.
        assert!(text.contains(&sentence), "{sentence}");
    }
    let bare = sim(&[&LOSES[..], &["--until-found", "--json"]].concat()).code(1);
    assert!(!stdout(&bare).contains("\"explanation\""));
}

#[test]
fn one_run_that_breaks_nothing_is_told_too_and_drawn() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("run.html");
    let file = file.to_str().expect("UTF-8");
    let flags = [
        "--raft",
        "--seed",
        "7",
        "--time",
        "3s",
        "--explain",
        "--html",
        file,
    ];
    let told = sim(&flags).success();
    let text = stdout(&told);
    assert!(text.contains("whoever a majority votes for leads") && text.contains("leads term 1"));
    assert!(text.trim_end().ends_with("Nothing is broken."), "{text}");
    let page = std::fs::read_to_string(file).expect("the page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Every promise kept."));
    assert!(
        page.contains("cluster sim --seed 7 --raft"),
        "how to see it again"
    );
}

#[test]
fn the_first_failure_is_drawn_and_a_page_that_cannot_be_written_is_a_failure() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("story.html");
    let file = file.to_str().expect("UTF-8");
    sim(&[&LOSES[..], &["--html", file]].concat())
        .code(1)
        .stdout(predicate::str::contains("the first of those that fail"))
        .stderr(predicate::str::contains("drawn in "));
    let page = std::fs::read_to_string(file).expect("the page");
    assert!(page.contains("Broken: nothing acknowledged is missing."));
    sim(&[
        &LOSES[..],
        &["--until-found", "--html", "/nowhere/story.html"],
    ]
    .concat())
    .code(1)
    .stderr(predicate::str::contains("cannot write /nowhere/story.html"));
}

#[test]
fn where_nothing_fails_there_is_nothing_to_tell_and_that_is_said() {
    sim(&["--raft", "--seeds", "5..9", "--time", "10s", "--explain"])
        .success()
        .stdout(predicate::str::contains(
            "nothing fails, so there is nothing to tell or to draw; one run as it is: cluster sim --seed 5 --raft",
        ));
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
    for flags in [
        &["--explain"][..],
        &["--shrink"],
        &["--stats"],
        &["--keep", "file"],
        &["--json"],
    ] {
        sim(&[&["--seed", "1", "--trace"][..], flags].concat()).code(2);
    }
    sim(&["--seed", "1", "--resume", "file"]).code(2);
}
