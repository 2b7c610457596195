//! `cluster sim --exhaustive`, as a user types it.

use assert_cmd::Command;
use predicates::prelude::*;

fn exhaustive(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("cluster").expect("the binary");
    let all = ["sim", "--exhaustive"].iter().chain(arguments);
    command.args(all).assert()
}

fn stdout(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("UTF-8")
}

#[test]
fn a_proof_says_what_is_proved_and_how_far_it_looked() {
    let found = exhaustive(&["--raft", "--nodes", "3", "--depth", "6"]).success();
    let text = stdout(&found);
    for said in [
        "raft + quorum, 3 nodes, every order of everything: proved within these bounds",
        "any losses, 2 timeouts, 1 crash, 1 write",
        "paths of up to 6 steps",
        "the deepest is 6 steps away, and deeper ones were not looked at",
        "no state breaks election safety, leader append-only, log matching",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

#[test]
fn a_proof_in_json_has_the_numbers_and_the_command_and_is_the_same_each_time() {
    let flags = ["--raft", "--depth", "5", "--crashes", "0", "--json"];
    let text = stdout(&exhaustive(&flags).success());
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["verdict"], "proved");
    assert_eq!(json["bounds"]["crashes"], 0);
    assert_eq!(json["bounds"]["depth"], 5);
    assert_eq!(
        json["command"],
        "cluster sim --exhaustive --raft --nodes 3 --depth 5 --crashes 0"
    );
    assert!(json["states"].as_u64() > Some(10) && json["transitions"].as_u64() > Some(10));
    assert_eq!(text, stdout(&exhaustive(&flags)));
}

#[test]
fn a_violation_is_told_by_the_shortest_way_with_the_command_that_shows_it_again() {
    let flags = ["--crashes", "0", "--writes", "0", "--timeouts", "3"];
    let flags = [&flags[..], &["--invariant", "election-safety"]].concat();
    let text = stdout(&exhaustive(&flags).code(1));
    assert!(text.contains("UNSAFE: election safety"), "{text}");
    assert!(text.contains("node-1 and node-2 both led term 1"), "{text}");
    assert!(text.contains("than these 3 steps"), "{text}");
    let again = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("again: cluster sim --exhaustive "))
        .and_then(|again| again.split("   (").next())
        .expect("the command");
    let again: Vec<&str> = again.split(' ').collect();
    assert_eq!(stdout(&exhaustive(&again).code(1)), text);
}

#[test]
fn a_search_that_gives_up_says_that_it_is_not_a_proof() {
    exhaustive(&["--raft", "--most-states", "50"])
        .code(1)
        .stdout(
            predicate::str::contains("not a proof")
                .and(predicate::str::contains(
                    "no state that was looked at breaks",
                ))
                .and(predicate::str::contains("proved").not()),
        );
}

#[test]
fn flags_that_make_no_sense_with_it_are_refused() {
    for flags in [
        &["--seed", "1"][..],
        &["--seeds", "5"],
        &["--faults", "none"],
        &["--jobs", "2"],
        &["--time", "1m"],
        &["--shrink"],
        &["--explain"],
        &["--html", "story.html"],
        &["--nodes", "6"],
        &["--raft", "--fixed-timeout"],
        &["--timeouts", "99"],
        &["--invariant", "nonsense"],
    ] {
        exhaustive(flags)
            .code(2)
            .stderr(predicate::str::is_empty().not());
    }
    let mut alone = Command::cargo_bin("cluster").expect("the binary");
    alone.args(["sim", "--depth", "3"]).assert().code(2);
}
