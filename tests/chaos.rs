//! `cluster chaos`: a cluster is broken at random, and the verdict is right.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value as Json;
use support::{BINARY, Up, await_that, clean, cluster_in, signal, unread};
use tempfile::TempDir;

/// Few operations a second, of which a machine that has other things to do answers most: too few answers prove nothing.
const GENTLE: [&str; 2] = ["--rate", "40"];

fn chaos(home: &TempDir, arguments: &[&str]) -> Command {
    let mut all = vec!["chaos", "-q"];
    all.extend(arguments);
    cluster_in(home.path(), &all)
}

/// The words of a command line; those in quotes are one.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    words.collect()
}

/// A run's report, whatever the verdict.
fn report(home: &TempDir, arguments: &[&str]) -> Json {
    let mut all = vec!["--json"];
    all.extend(arguments);
    let output = chaos(home, &all).output().expect("the binary");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

fn planned(report: &Json) -> Vec<String> {
    let faults = report["faults"].as_array().expect("faults");
    let told = faults.iter().map(|fault| fault["planned"].to_string());
    told.collect()
}

#[test]
fn raft_keeps_its_promise_while_leaders_die() {
    let home = TempDir::new().expect("a directory");
    let history = home.path().join("seen.jsonl");
    let flags = words(
        "--up '--raft --nodes 3' --for 4s --seed 7 \
         --faults crash --target leader --history",
    );
    // Enough of them that a time without a leader shows.
    let often = ["--rate", "100"];
    let report = report(
        &home,
        &[&flags[..], &[history.to_str().expect("text")], &often].concat(),
    );
    assert_eq!(report["verdict"], "kept", "{report:#}");
    assert_eq!(report["lost"], 0, "{report:#}");
    assert!(report["acknowledged"].as_u64() > Some(20), "{report:#}");
    assert!(report["leader_changes"].as_u64() >= Some(1), "{report:#}");
    assert!(report["unavailable_ms"].as_f64() > Some(0.0), "{report:#}");
    let first = &report["faults"][0];
    assert_eq!(
        first["planned"]
            .as_str()
            .map(|p| p.starts_with("the leader ")),
        Some(true)
    );
    assert_eq!(first["whom"].as_array().map(Vec::len), Some(1), "{first}");
    // What was written down is what was judged.
    cluster_in(home.path(), &["check", history.to_str().expect("text")])
        .assert()
        .success()
        .stdout(predicate::str::contains(": linearizable ("));
}

#[test]
fn a_leader_that_dies_before_copying_loses_what_it_acknowledged() {
    let home = TempDir::new().expect("a directory");
    let flags = words(
        "--up '--nodes 3' --for 8s --seed 1 \
         --faults crash --target leader --rate 2000 --clients 20 --expect no-lost-acks",
    );
    chaos(&home, &flags)
        .assert()
        .code(1)
        .stdout(predicate::str::contains("BROKEN: no-lost-acks"))
        .stdout(predicate::str::contains("was acknowledged and is gone"));
}

#[test]
fn two_leaders_are_not_linearizable_and_a_few_operations_show_it() {
    let home = TempDir::new().expect("a directory");
    let flags = words(
        "--up '--nodes 3' --for 8s --seed 7 \
         --faults partition --target leader --expect linearizable",
    );
    let report = report(&home, &flags);
    assert_eq!(report["verdict"], "broken", "{report:#}");
    assert_eq!(
        report["broken"]["invariant"], "linearizability",
        "{report:#}"
    );
    let operations = report["broken"]["operations"].as_array().map(Vec::len);
    assert!((1..=12).contains(&operations.unwrap_or(0)), "{report:#}");
    assert!(report["lost"].as_u64() > Some(0), "{report:#}");
}

#[test]
fn the_same_seed_has_the_same_schedule_and_another_another() {
    let home = TempDir::new().expect("a directory");
    let run = |seed| {
        let flags = words("--sim --up '--raft --nodes 5' --for 20s --faults all --seed");
        report(&home, &[&flags[..], &[seed]].concat())
    };
    let (one, again, other) = (run("7"), run("7"), run("8"));
    assert_eq!(one["faults"], again["faults"]);
    assert_eq!(one["acknowledged"], again["acknowledged"]);
    assert_ne!(planned(&one), planned(&other));
    assert_eq!(one["verdict"], "kept", "{one:#}");
    assert!(
        one["messages_per_operation"].as_f64() > Some(1.0),
        "{one:#}"
    );
}

#[test]
fn a_live_run_and_a_simulated_one_have_the_same_plan() {
    let home = TempDir::new().expect("a directory");
    let flags = words("--up '--raft --nodes 3' --for 3s --seed 5 --faults crash,partition");
    let (live, simulated) = (
        report(&home, &flags),
        report(&home, &[&flags[..], &["--sim"]].concat()),
    );
    assert!(planned(&live).len() > 1, "{live:#}");
    assert_eq!(planned(&live), planned(&simulated));
}

#[test]
fn without_a_fault_that_takes_effect_nothing_is_proved() {
    let home = TempDir::new().expect("a directory");
    // The only fault comes when the run is over already: nobody else can lead one node.
    let flags = words("--up '--nodes 1' --for 1s --seed 3 --faults partition --target follower");
    chaos(&home, &flags)
        .assert()
        .code(4)
        .stdout(predicate::str::contains("no fault took effect"));
}

#[test]
fn what_was_never_asked_was_not_answered_either() {
    let home = TempDir::new().expect("a directory");
    // One client, which is busy nearly all the time.
    let flags = words(
        "--sim --up '--raft --nodes 3' --for 4s --seed 7 \
         --faults crash --clients 1 --rate 20000",
    );
    chaos(&home, &flags)
        .assert()
        .code(4)
        .stdout(predicate::str::contains(
            "were never asked, since their client was still waiting",
        ));
    let report = report(&home, &flags);
    let outside = &report["outside_faults"];
    assert!(report["left_out"].as_u64() >= outside["left_out"].as_u64());
    assert!(outside["left_out"].as_u64() > Some(10_000), "{report:#}");
    assert!(
        outside["due"].as_u64() > outside["left_out"].as_u64(),
        "{report:#}"
    );
}

#[test]
fn a_store_that_refuses_everything_is_not_available() {
    let home = TempDir::new().expect("a directory");
    let flags = words(
        "--up '--raft --nodes 3' --for 4s --seed 2 \
         --faults crash --target all --min-availability 99.9%",
    );
    let report = report(&home, &flags);
    assert_eq!(report["verdict"], "broken", "{report:#}");
    assert_eq!(report["broken"]["invariant"], "availability", "{report:#}");
    // It is that, and not unknown, also if it served too little to prove anything else.
    let flags = words(
        "--sim --up '--raft --nodes 3' --for 4s --seed 7 \
         --faults crash --clients 1 --rate 20000 --min-availability 99%",
    );
    chaos(&home, &flags)
        .assert()
        .code(1)
        .stdout(predicate::str::contains("too few to prove anything"))
        .stdout(predicate::str::contains("--min-availability 99%"));
    // Where nothing was due nothing was refused.
    let flags = words(
        "--sim --up '--raft --nodes 3' --for 100ms --seed 3 \
         --rate 1 --min-availability 99%",
    );
    chaos(&home, &flags).assert().code(4);
}

#[test]
fn it_breaks_the_cluster_that_runs_and_leaves_it_well() {
    let up = Up::start(&["--raft", "--nodes", "3"]);
    up.run(&["put", "mine", "1"]).assert().success();
    let flags = words("chaos -q --for 3s --seed 7 --faults crash,partition");
    up.run(&[&flags[..], &GENTLE].concat())
        .assert()
        .success()
        .stdout(predicate::str::contains(
            "KEPT: what raft + quorum promises",
        ));
    let status = up.json(&["status", "--json"]);
    assert_eq!(status["up"], 3, "{status:#}");
    assert_eq!(up.says(&["keys"]), "mine");
}

#[test]
fn ctrl_c_heals_and_then_judges_what_there_is() {
    let up = Up::start(&["--raft", "--nodes", "3"]);
    let mut process = Process::new(BINARY);
    clean(&mut process, up.home.path());
    let child = process
        .args([
            "chaos", "--json", "--for", "10m", "--seed", "7", "--faults", "crash",
        ])
        .args(GENTLE)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary");
    await_that("a node dies", || {
        up.json(&["status", "--json"])["up"].as_u64() < Some(3)
    });
    signal(child.id(), "INT");
    let output = child.wait_with_output().expect("our child");
    let report: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["verdict"], "kept", "{report:#}");
    let status = up.json(&["status", "--json"]);
    assert_eq!(status["up"], 3, "{status:#}");
}

#[test]
fn a_second_ctrl_c_ends_it_at_once_and_says_what_is_left() {
    let up = Up::start(&["--raft", "--nodes", "3"]);
    let mut process = Process::new(BINARY);
    clean(&mut process, up.home.path());
    let mut child = process
        .args(["chaos", "--for", "10m", "--seed", "7", "--faults", "crash"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    await_that("a node dies", || {
        up.json(&["status", "--json"])["up"].as_u64() < Some(3)
    });
    // A cluster that answers nothing cannot be healed: it would go on trying.
    up.signal("STOP");
    signal(child.id(), "INT");
    let stderr = child.stderr.take().expect("it is piped");
    let mut said = BufReader::new(stderr).lines().map_while(Result::ok);
    let first = said.find(|line| line.contains("interrupted"));
    assert!(first.is_some_and(|line| line.contains("Ctrl-C again")));
    signal(child.id(), "INT");
    let left: Vec<String> = said.collect();
    assert_eq!(child.wait().expect("our child").code(), Some(130));
    up.signal("CONT");
    let left = left.concat();
    for part in [
        "ended at once",
        "cluster heal",
        "keys that begin with chaos-",
    ] {
        assert!(left.contains(part), "{part}: {left}");
    }
}

#[test]
fn a_cluster_that_cannot_be_booted_is_no_broken_promise() {
    let home = TempDir::new().expect("a directory");
    let file = home.path().join("file");
    std::fs::write(&file, "in the way").expect("to write");
    let up = format!("--raft --data-dir {}", file.display());
    let refused = chaos(&home, &["--up", &up, "--for", "1s"]).assert().code(4);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("file"), "{said}");
}

#[test]
fn a_cluster_of_its_own_leaves_nothing_behind() {
    let home = TempDir::new().expect("a directory");
    let flags = words("--up '--nodes 3' --for 1s --seed 1 --faults none");
    chaos(&home, &flags)
        .assert()
        .code(4)
        .stdout(predicate::str::contains("0 faults took effect"));
    let left = std::fs::read_dir(home.path()).expect("a directory").count();
    assert_eq!(left, 0);
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let home = TempDir::new().expect("a directory");
    chaos(&home, &["--up", "--rafd"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains(
            "--up '--rafd': unexpected argument",
        ));
    chaos(&home, &["--faults", "thunder"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("\"thunder\" is no fault"));
    chaos(&home, &["--sim", "--up", "--nodes 20"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("at most 9"));
    chaos(&home, &["--up", "", "--for", "24h", "--rate", "100000"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("give a lower --rate"));
    chaos(&home, &["--for", "1s"])
        .assert()
        .code(3)
        .stderr(predicate::str::contains("no cluster is running"));
}

#[test]
fn a_run_is_drawn_on_a_page_that_asks_nobody_for_anything() {
    let home = TempDir::new().expect("a directory");
    let file = home.path().join("run.html");
    let flags = words(
        "--sim --up '--nodes 3' --for 20s --seed 7 \
         --faults partition,crash,pause --expect linearizable --html",
    );
    chaos(
        &home,
        &[&flags[..], &[file.to_str().expect("text")]].concat(),
    )
    .assert()
    .code(1);
    let page = std::fs::read_to_string(file).expect("a page");
    for part in [
        "<p class=verdict>broken: linearizable</p>",
        "fit into no order",
        "prefers-color-scheme: dark",
        "@media print",
        "class=leads",
        "class=dead",
        "class=still",
        "class=apart",
        "class=\"dots ok\"",
        "class=\"dots bad\"",
        "<circle class=bad",
        "class=\"line p99\"",
    ] {
        assert!(page.contains(part), "the page has no {part}");
    }
    for part in [
        "http://", "https://", "<script", "@import", "url(\"", "src=",
    ] {
        assert!(!page.contains(part), "the page has {part}");
    }
}

#[test]
fn where_two_lead_at_once_that_is_found() {
    let home = TempDir::new().expect("a directory");
    let flags = words(
        "--up '--nodes 3' --for 12s --seed 7 \
         --faults partition --target leader --expect one-leader",
    );
    let report = report(&home, &flags);
    assert_eq!(report["broken"]["invariant"], "one leader", "{report:#}");
}

/// What nodes said to each other in a short quiet run.
fn messages_of(nodes: usize, more: &[&str]) -> (f64, u64, u64) {
    let home = TempDir::new().expect("a directory");
    let up = format!("--raft --nodes {nodes}");
    let flags = [
        "--up", &up, "--for", "2s", "--seed", "3", "--faults", "none",
    ];
    let report = report(&home, &[&flags[..], more].concat());
    let counted = |what: &str| report["messages"][what].as_u64().expect("a number");
    let each = report["messages_per_operation"].as_f64();
    (
        each.expect("a number"),
        counted("others"),
        counted("heartbeats"),
    )
}

#[test]
fn five_nodes_need_more_messages_an_operation_than_three_live_and_simulated() {
    for how in [&[][..], &["--sim"]] {
        let (three, others, heartbeats) = messages_of(3, how);
        let (five, ..) = messages_of(5, how);
        assert!(three > 1.0, "{how:?}: {three} messages an operation");
        assert!(five > three * 1.2, "{how:?}: {five} against {three}");
        assert!(others > 100 && heartbeats > 50, "{others}, {heartbeats}");
    }
}

/// The part of a run's page that draws the messages.
fn closeup(home: &TempDir, arguments: &[&str]) -> String {
    let file = home.path().join("drawn.html");
    let all = [arguments, &["--html", file.to_str().expect("text")]].concat();
    let _ = chaos(home, &all).output().expect("the binary");
    let page = std::fs::read_to_string(file).expect("a page");
    let (_, closeup) = page.split_once("<section class=closeup>").expect(&page);
    let (closeup, _) = closeup.split_once("</template>").expect("its end");
    closeup.to_owned()
}

#[test]
fn the_messages_around_what_cannot_be_explained_are_drawn_live_and_simulated() {
    for how in [&[][..], &["--sim"]] {
        let home = TempDir::new().expect("a directory");
        let flags = words(
            "--up '--nodes 3' --for 8s --seed 7 \
         --faults partition --target leader --expect linearizable",
        );
        let drawn = closeup(&home, &[&flags[..], how].concat());
        for part in [
            "around the operations in question",
            // Entries go to followers, and what they answer comes back; behind the cut they are lost.
            "class=\"m append\"",
            "class=\"m append answer\"",
            " lost\"",
            "class=\"call bad\"",
            "class=\"broken\"",
            "In question: client ",
            "class=\"trouble\"",
            "class=\"apart\"",
        ] {
            assert!(drawn.contains(part), "{how:?}: no {part} in {drawn}");
        }
        let arrows = drawn.matches("class=\"m ").count();
        assert!((20..1000).contains(&arrows), "{how:?}: {arrows} arrows");
    }
}

#[test]
fn where_nothing_is_broken_the_first_change_of_leaders_is_drawn() {
    let home = TempDir::new().expect("a directory");
    let flags = words("--up '--raft --nodes 3' --for 4s --seed 7 --faults crash --target leader");
    let drawn = closeup(&home, &flags);
    assert!(drawn.contains("around the first change of leaders"));
    assert!(drawn.contains("vote for me ("), "{drawn}");
    assert!(drawn.contains(">my vote<"), "{drawn}");
    assert!(!drawn.contains("class=\"call bad\""));
}

#[test]
fn a_verdict_stands_though_nobody_reads_it() {
    let home = TempDir::new().expect("a directory");
    let [page, history] = ["page.html", "seen.jsonl"].map(|name| home.path().join(name));
    let (page, history) = (
        page.to_str().expect("text"),
        history.to_str().expect("text"),
    );
    let flags = words(
        "chaos --sim --up '--nodes 3' --for 20s --seed 7 \
         --faults partition,crash,pause --expect linearizable",
    );
    let files = ["--html", page, "--history", history];
    let code = unread(home.path(), &[&flags[..], &files].concat());
    assert_eq!(code, Some(1));
    for file in [page, history] {
        assert!(std::fs::metadata(file).is_ok_and(|found| found.len() > 0));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_refused_at_once_or_else_the_verdict_is_told_all_the_same() {
    let home = TempDir::new().expect("a directory");
    let flags = words("--sim --up '--raft --nodes 3' --for 20s --seed 7 --faults crash,partition");
    for flag in ["--html", "--history"] {
        let nowhere = home.path().join("nowhere/file");
        let nowhere = nowhere.to_str().expect("text");
        chaos(&home, &[&flags[..], &[flag, nowhere]].concat())
            .assert()
            .code(2)
            .stdout("")
            .stderr(predicate::str::contains(format!("cannot write {nowhere}")));
        // It is open to all, and takes nothing.
        chaos(&home, &[&flags[..], &[flag, "/dev/full"]].concat())
            .assert()
            .code(4)
            .stdout(predicate::str::contains("KEPT"))
            .stderr(predicate::str::contains("cannot write /dev/full"));
    }
    let kept = home.path().join("kept");
    std::fs::write(&kept, "an earlier run").expect("to write");
    let more = ["--html", kept.to_str().expect("text"), "--history", "/"];
    chaos(&home, &[&flags[..], &more].concat()).assert().code(2);
    assert_eq!(
        std::fs::read_to_string(&kept).expect("text"),
        "an earlier run"
    );
}

#[test]
fn a_cluster_that_does_not_answer_has_broken_no_promise() {
    let up = Up::start(&["--raft", "--nodes", "3"]);
    up.signal("STOP");
    let asked = up.run(&["chaos", "-q", "--for", "1s"]).assert();
    up.signal("CONT");
    asked.code(4).stdout("");
}

#[test]
fn a_cluster_whose_names_have_gaps_is_broken_by_the_names_it_has() {
    let up = Up::start(&["--raft", "--nodes", "4"]);
    up.says(&["remove", "node-1"]);
    let flags = words("--for 3s --seed 7 --faults pause,partition --target all");
    let report = report(&up.home, &flags);
    let faults = report["faults"].as_array().expect("faults");
    assert!(faults.len() > 3, "{report:#}");
    for fault in faults {
        assert_eq!(fault["took_effect"], true, "{fault:#}");
        assert!(!fault.to_string().contains("node-1"), "{fault:#}");
    }
    assert!(planned(&report).concat().contains("node-4"), "{report:#}");
}

#[test]
fn who_is_on_disk_is_who_is_broken_and_a_second_run_is_not_taken_for_the_first() {
    let home = TempDir::new().expect("a directory");
    let data = home.path().join("data");
    let first = format!("--raft --nodes 5 --data-dir {}", data.display());
    let again = format!("--data-dir {}", data.display());
    for up in [&first, &again] {
        let flags = words("--for 3s --seed 7 --faults crash --target leader --up");
        let report = report(&home, &[&flags[..], &[up], &GENTLE].concat());
        assert_eq!(report["verdict"], "kept", "{up}: {report:#}");
        assert_eq!(report["nodes"], 5, "{up}: {report:#}");
    }
}
