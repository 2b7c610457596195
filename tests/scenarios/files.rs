//! Every shipped scenario, live and in virtual time; and what a run says.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::unread;
use crate::{folder, run, shipped, text, written};

fn report(home: &TempDir, arguments: &[&str]) -> (Json, bool) {
    let all = [&["--json"], arguments].concat();
    let output = run(home, &all).output().expect("the binary");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let json = serde_json::from_str(&said).unwrap_or_else(|error| {
        panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr))
    });
    (json, output.status.success())
}

fn comes_out_as_written(name: &str, more: &[&str]) -> Json {
    let home = TempDir::new().expect("a directory");
    let file = folder().join(format!("{name}.toml"));
    let all = [&[file.to_str().expect("a path")], more].concat();
    let (report, is_done) = report(&home, &all);
    assert!(is_done, "{report:#}");
    assert_eq!(report["asWritten"], true, "{report:#}");
    report
}

macro_rules! scenarios {
    ($($test:ident: $name:literal,)*) => {
        const TESTED: &[&str] = &[$($name),*];

        mod live {
            $(#[test] fn $test() { super::comes_out_as_written($name, &[]); })*
        }

        mod simulated {
            $(#[test] fn $test() {
                for seed in ["1", "2", "3"] {
                    super::comes_out_as_written($name, &["--sim", "--seed", seed]);
                }
            })*
        }
    };
}

scenarios! {
    a_bridge_has_one_leader: "bridge",
    a_partial_partition_livelocks_elections: "cloudflare-2020",
    a_partial_partition_is_no_news_with_pre_vote: "cloudflare-2020-with-pre-vote",
    a_cut_off_leader_steps_down: "cut-off-leader",
    a_cut_off_leader_goes_on_without_check_quorum: "cut-off-leader-without-check-quorum",
    the_chapters_eight_steps: "eight-steps",
    neither_half_of_four_goes_on: "even-split-of-four",
    the_last_of_three_goes_on_alone: "exercise-1-fault-tolerance",
    the_last_of_three_refuses_with_raft: "exercise-1-with-raft",
    a_follower_waits_until_it_is_not_stale: "exercise-2-linearizable-reads",
    a_follower_is_stale: "exercise-2-replication-delay",
    fixed_timeouts_split_every_vote: "exercise-3-fixed-timeouts",
    random_timeouts_end_in_a_leader: "exercise-3-random-timeouts",
    real_votes_lose_nothing: "exercise-3-real-votes",
    a_flapping_link_deposes_nobody: "flapping-link",
    two_data_centres_and_an_old_primary: "github-2018",
    a_leader_dies_with_what_it_acknowledged: "lost-write",
    a_returning_node_disturbs_nobody_with_pre_vote: "returning-node-with-pre-vote",
    a_returning_node_deposes_a_leader_without_pre_vote: "returning-node-without-pre-vote",
    a_ring_has_one_leader: "ring",
    a_slow_disk_deposes_nobody: "slow-disk",
    split_brain_loses_one_sides_writes: "split-brain",
    a_stale_bully_wins: "stale-bully",
}

#[test]
fn every_shipped_scenario_is_tested() {
    let tested: BTreeSet<&str> = TESTED.iter().copied().collect();
    let shipped = shipped();
    let shipped: BTreeSet<&str> = shipped.iter().map(String::as_str).collect();
    assert_eq!(tested, shipped);
}

#[test]
fn every_shipped_scenario_begins_with_its_story() {
    for name in shipped() {
        let text = text(&name);
        let story = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .count();
        assert!(story >= 5, "{name}: {story} lines of story");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let once = comes_out_as_written("github-2018", &["--sim", "--seed", "5"]);
    let again = comes_out_as_written("github-2018", &["--sim", "--seed", "5"]);
    let other = comes_out_as_written("github-2018", &["--sim", "--seed", "6"]);
    assert_eq!(once, again);
    assert_ne!(once["steps"], other["steps"]);
}

#[test]
fn a_hole_that_is_closed_is_not_as_written() {
    // The same split under raft loses nothing, so that the verdict it names does not come.
    let home = TempDir::new().expect("a directory");
    let raft = text("exercise-3-real-votes").replace("[cluster]", "verdict = \"lost\"\n[cluster]");
    let (report, is_done) = report(&home, &["--sim", &written(&home, &raft)]);
    assert!(!is_done, "{report:#}");
    assert_eq!(report["asWritten"], false);
    assert_eq!(report["verdict"], "kept");
}

#[test]
fn an_answer_that_is_not_expected_names_its_line() {
    let home = TempDir::new().expect("a directory");
    let wrong = text("eight-steps").replace("expect = \"not-leader\"", "expect = \"done\"");
    let put = wrong.lines().position(|line| line.contains("should fail"));
    // The step begins on the line before.
    let line = put.expect("a step");
    for how in [&["--sim"][..], &[]] {
        let file = written(&home, &wrong);
        let all = [how, &[file.as_str()]].concat();
        let (report, is_done) = report(&home, &all);
        assert!(!is_done, "{report:#}");
        assert_eq!(report["failed"]["line"], line, "{report:#}");
        let what = report["failed"]["what"].as_str().expect("why");
        assert!(
            what.contains("not the leader") && what.contains("expected done"),
            "{what}"
        );
    }
}

#[test]
fn what_must_hold_and_does_not_fails_by_its_own_line() {
    let home = TempDir::new().expect("a directory");
    let own = "name = \"x\"\n[[step]]\nafter = \"leader\"\n[[step]]\nalways = { up = 3 }\n[[step]]\nkill = \"node-3\"\n\
               [[step]]\nalways = { leaders = 1 }\nfor = \"1s\"\n";
    let (report, is_done) = report(&home, &["--sim", &written(&home, own)]);
    assert!(!is_done, "{report:#}");
    assert_eq!(report["failed"]["line"], 4, "{report:#}");
}

#[test]
fn what_must_hold_is_looked_at_though_no_later_step_waits_and_in_the_last_step_too() {
    let home = TempDir::new().expect("a directory");
    let begin = "name = \"x\"\n[[step]]\nafter = \"leader\"\n[[step]]\n";
    for more in [
        "always = { leaders = 5 }\n",
        "always = { up = 3 }\n[[step]]\nkill = \"node-3\"\n",
    ] {
        let own = format!("{begin}{more}");
        let (report, is_done) = report(&home, &["--sim", &written(&home, &own)]);
        assert!(!is_done, "{report:#}");
        assert_eq!(report["failed"]["line"], 4, "{report:#}");
    }
}

#[test]
fn nobody_is_no_group_and_no_node_to_kill() {
    let home = TempDir::new().expect("a directory");
    let begin = "name = \"x\"\n[[step]]\nafter = \"leader\"\n[[step]]\n";
    let none_is_up = "kill = \"all\"\n[[step]]\nkill = \"random\"\n";
    let too_few = "kill = [\"node-1\", \"node-2\"]\n[[step]]\npause = \"majority\"\n";
    for (more, who) in [(none_is_up, "random"), (too_few, "majority")] {
        let own = format!("{begin}{more}");
        let (report, is_done) = report(&home, &["--sim", &written(&home, &own)]);
        assert!(!is_done, "{report:#}");
        assert_eq!(report["failed"]["line"], 6, "{report:#}");
        let what = report["failed"]["what"].as_str().expect("why");
        assert!(
            what.contains(&format!("there is no {who} just now")),
            "{what}"
        );
    }
}

#[test]
fn a_verdict_stands_though_nobody_reads_it() {
    let home = TempDir::new().expect("a directory");
    let page = home.path().join("page.html");
    let own = "name = \"x\"\n[[step]]\nafter = \"leader\"\n[[step]]\nalways = { leaders = 5 }\n";
    let file = written(&home, own);
    let arguments = [
        "run",
        &file,
        "--sim",
        "--html",
        page.to_str().expect("a path"),
    ];
    assert_eq!(unread(home.path(), &arguments), Some(1));
    assert!(page.exists());
}

#[test]
fn a_run_is_drawn_on_a_page() {
    let home = TempDir::new().expect("a directory");
    let page = home.path().join("page.html");
    let page = page.to_str().expect("a path");
    let file = folder().join("split-brain.toml");
    let file = file.to_str().expect("a path");
    run(&home, &[file, "--sim", "--html", page])
        .assert()
        .success();
    let html = std::fs::read_to_string(page).expect("a page");
    assert!(html.contains("split brain") && html.contains("they do not hear each other"));
    assert!(!html.contains("http://") && !html.contains("https://"));
}
