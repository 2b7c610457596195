//! Guided tours: each exercise shows what the chapter claims, in both languages, and notices when a fault is left out.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use assert_cmd::assert::Assert;
use support::{BINARY, await_that, clean, cluster_in, signal};
use tempfile::TempDir;

/// A tour takes a while; nothing takes this long unless something is broken.
const TOUR: Duration = Duration::from_secs(240);

fn tour(home: &Path, arguments: &[&str], typed: &str) -> Assert {
    let mut command = cluster_in(home, &["exercise"]);
    command.args(arguments).write_stdin(typed).timeout(TOUR);
    command.assert()
}

/// What a tour says that ends with this code and leaves nothing behind.
fn says(arguments: &[&str], typed: &str, code: i32) -> String {
    let home = TempDir::new().expect("a directory");
    let assert = tour(home.path(), arguments, typed).code(code);
    let output = assert.get_output();
    let said = [output.stdout.clone(), output.stderr.clone()].concat();
    assert!(leftovers(home.path()).is_empty());
    String::from_utf8(said).expect("text")
}

fn leftovers(home: &Path) -> Vec<String> {
    let files = std::fs::read_dir(home.join("cluster"));
    let names = files.into_iter().flatten().flatten();
    names
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect()
}

/// All of these are said, one after the other.
fn in_order(said: &str, lines: &[&str]) {
    let mut rest = said;
    for line in lines {
        let at = rest.find(line);
        let at = at.unwrap_or_else(|| panic!("{line:?} is missing from:\n{rest}\n\nof\n{said}"));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn two_of_three_nodes_stop_and_the_lowest_id_goes_on_where_raft_does_not() {
    let lines = [
        "$ cluster kill leader",
        "node-2 leads term 2",
        "Alice",
        "$ cluster kill leader",
        "node-3 leads term 3",
        "city = \"NYC-1\"  (node-3)",
        "--raft",
        "nobody leads, 1 of 3 up",
        "not written: no leader within 4s",
        "$ cluster revive all",
    ];
    let said = says(&["1"], "", 0);
    in_order(&said, &lines);
    in_order(&said, &["Expected:", "What it means:", "available"]);
    let said = says(&["1", "--lang", "fr"], "", 0);
    in_order(&said, &lines);
    in_order(
        &said,
        &[
            "lag (retard)",
            "Attendu :",
            "Ce que cela signifie :",
            "disponible",
        ],
    );
    assert!(said.contains("cluster exercise 2 --lang fr"), "{said}");
}

#[test]
fn the_first_exercise_is_played_in_any_mode() {
    let said = says(&["1", "--mode", "lowest-id+sync"], "", 0);
    in_order(&said, &["lowest-id + sync", "outcome unknown", "blocks"]);
    let said = says(&["1", "--mode", "raft"], "", 0);
    assert_eq!(said.matches("$ cluster up").count(), 1, "{said}");
    let said = says(&["1", "--mode", "bully+quorum"], "", 0);
    in_order(&said, &["bully + quorum", "not written: no leader"]);
}

#[test]
fn a_stale_read_is_seen_and_its_convergence_measured_but_not_under_sync_nor_linearizably() {
    let lines = [
        "--only replicate --delay 100ms",
        "/key/color -d '\"blue-1\"'",
        "get color --from node-",
        "red",
        "--replication sync",
        "--raft",
        "--consistency linearizable",
        "blue",
        "--consistency linearizable",
        "green",
    ];
    let said = says(&["2"], "", 0);
    in_order(&said, &lines);
    in_order(
        &said,
        &["the follower showed the new value after 1", "eventual"],
    );
    let said = says(&["2", "--lang", "fr"], "", 0);
    in_order(&said, &lines);
    let french = ["le suiveur a montré la nouvelle valeur", "événementielle"];
    in_order(&said, &french);
}

#[test]
fn each_improvement_of_the_election_is_shown_by_the_same_fault() {
    let lines = [
        "--fixed-timeout",
        "nobody leads, 2 of 3 up",
        "--only votes",
        "--fixed-timeout  ",
        "2 nodes claim to lead",
        "lost: 1 acknowledged write: balance",
        "--raft",
        "outcome unknown",
        "--no-pre-vote",
        "$ cluster isolate node-3",
        "--no-pre-vote  ",
    ];
    let said = says(&["3"], "", 0);
    in_order(&said, &lines);
    in_order(&said, &["lowest-id + async   acknowledged writes lost: 1"]);
    in_order(&said, &["raft + quorum       acknowledged writes lost: 0"]);
    let waits = [
        "three terms have passed",
        "until one of them leads",
        "until the majority's side",
        "until node-3 has raised its term",
        "as long as before: ",
        "Next: the chapter's questions",
    ];
    in_order(&said, &waits);
    let said = says(&["3", "--lang", "fr"], "", 0);
    in_order(&said, &lines);
    in_order(&said, &["Côte à côte :", "pré-vote"]);
}

#[test]
fn a_tour_without_its_fault_fails() {
    for (number, fault) in [
        ("1", "kill"),
        ("2", "delay"),
        ("3", "kill"),
        ("3", "votes"),
        ("3", "partition"),
        ("3", "isolate"),
    ] {
        let said = says(&[number, "--without-fault", fault], "", 1);
        assert!(said.contains("not what was expected"), "{fault}: {said}");
        assert!(said.contains("(--without-fault: cluster "), "{fault}");
    }
}

#[test]
fn between_the_steps_commands_are_run_and_others_refused() {
    let typed = "cluster get color\nls\ncluster down\ncluster get 'x\ncluster put n 7\n\ncluster get n\n\n\n\n\n";
    let said = says(&["2", "--step"], typed, 0);
    let lines = [
        "[Enter goes on",
        "red",
        "only cluster commands",
        "not here",
        "a quote is left open",
        "n = 7  (node-1)",
        "== Write to the leader",
        "    7",
        "linearizable",
        "All came as the chapter says",
    ];
    in_order(&said, &lines);
}

#[test]
fn the_end_of_the_input_or_ctrl_c_ends_a_tour_and_leaves_nothing() {
    let said = says(&["2", "--step"], "\n", 0);
    assert!(said.contains("== Write to the leader"), "{said}");
    assert!(!said.contains("All came"), "{said}");
    let home = TempDir::new().expect("a directory");
    let mut process = Command::new(BINARY);
    clean(&mut process, home.path());
    process.args(["exercise", "1", "--step"]);
    let child = process.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = child.expect("the binary");
    await_that("its cluster is up", || {
        leftovers(home.path()).contains(&"exercise.json".to_owned())
    });
    cluster_in(home.path(), &["wait", "leader"])
        .assert()
        .success();
    signal(child.id(), "INT");
    assert_eq!(child.wait().expect("our child").code(), Some(130));
    assert!(leftovers(home.path()).is_empty());
}

#[test]
fn without_a_number_there_is_a_menu_and_the_five_questions() {
    let said = says(&[], "", 0);
    in_order(
        &said,
        &["cluster exercise 3", "Why do we replicate", "  5. "],
    );
    let said = says(&["--lang", "fr"], "", 0);
    in_order(
        &said,
        &["cluster exercise 3 --lang fr", "Pourquoi répliquons-nous"],
    );
    in_order(&said, &["  5. ", "synchrone"]);
    let said = says(&["4"], "", 2);
    assert!(said.contains("4"), "{said}");
    let said = says(&["3", "--mode", "raft"], "", 2);
    assert!(said.contains("--mode is for exercise 1"), "{said}");
}

#[test]
fn another_terminal_adds_a_node_finds_it_and_ends_the_cluster() {
    let home = TempDir::new().expect("a directory");
    let mut process = Command::new(BINARY);
    clean(&mut process, home.path());
    process.args(["exercise", "1", "--mode", "raft", "--step"]);
    let child = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("the binary");
    let told = BufReader::new(child.stdout.take().expect("piped"));
    let mut lines = told.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("[Enter goes on")));
    for words in [
        &["add"][..],
        &["wait", "equal"],
        &["kill", "node-4"],
        &["down"],
    ] {
        cluster_in(home.path(), words).assert().success();
    }
    assert_eq!(child.wait().expect("our child").code(), Some(130));
    assert!(leftovers(home.path()).is_empty());
}

#[test]
fn what_is_typed_behind_the_menus_answer_is_for_the_tour() {
    let home = TempDir::new().expect("a directory");
    // At a terminal of its own: elsewhere nothing can be chosen.
    let mut process = Command::new("script");
    clean(&mut process, home.path());
    let line = format!("{BINARY} exercise --step");
    let mut command = assert_cmd::Command::from_std(process);
    let command = command.args(["-qec", &line, "/dev/null"]).timeout(TOUR);
    let done = command.write_stdin("2\ncluster keys\nls\n").assert();
    let said = String::from_utf8_lossy(&done.get_output().stdout).into_owned();
    in_order(&said, &["[Enter goes on", "color", "only cluster commands"]);
}

#[test]
fn json_is_refused_since_an_exercise_is_for_people() {
    let home = TempDir::new().expect("a directory");
    let assert = tour(home.path(), &["1", "--json"], "").code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("for people"), "{said}");
    assert!(said.contains("cluster chaos"), "{said}");
}
