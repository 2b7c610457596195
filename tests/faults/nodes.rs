//! Nodes that stand still, and clocks that run wrong.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Up, await_that, connect};
use crate::tale::{await_held, in_force, leader, logged, status_of};

#[test]
fn a_paused_leader_accepts_and_answers_nothing_and_another_leads() {
    let up = Up::start(&["--raft"]);
    let old = leader(&up);
    let said = up.says(&["pause", "leader", "--wait"]);
    assert!(
        said.contains("expect: the others take it for dead"),
        "{said}"
    );
    let new = leader(&up);
    assert_ne!(new, old);
    let table = up.says(&["status"]);
    assert!(
        table.contains("paused") && table.contains("2 of 3 up"),
        "{table}"
    );
    up.says(&["put", "k", "1", "--to", &format!("node-{new}")]);
    // Its port accepts, and what is sent to it waits.
    let mut client = connect(&up.url(old));
    let request = b"GET /status?keys=no HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.write_all(request).expect("to send");
    let short = Some(Duration::from_millis(300));
    client.set_read_timeout(short).expect("a timeout");
    assert!(client.read(&mut [0; 64]).is_err(), "it answered");
    // Once it goes on it takes what was held, and follows.
    let said = up.says(&["resume", &format!("node-{old}"), "--wait"]);
    assert!(said.starts_with(&format!("node-{old} goes on")), "{said}");
    client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    await_held(&up, old, "k");
    assert!(in_force(&up).is_empty());
}

#[test]
fn a_node_that_stands_still_can_be_killed_and_comes_back_moving() {
    let up = Up::start(&[]);
    up.says(&["pause", "node-2,node-3"]);
    assert_eq!(in_force(&up), ["pause-1", "pause-2"]);
    up.says(&["kill", "node-2"]);
    assert_eq!(in_force(&up), ["pause-2"]);
    assert!(logged(&up, "pause-1 is undone: it was killed"));
    up.says(&["resume", "all"]);
    up.run(&["revive", "node-2", "--wait"]).assert().success();
    assert_eq!(up.says(&["resume", "node-2"]), "node-2 did not stand still");
}

#[test]
fn whoever_was_paused_by_a_role_is_resumed_by_it() {
    let up = Up::start(&["--raft"]);
    up.says(&["transfer", "node-2"]);
    up.says(&["pause", "leader"]);
    up.says(&["pause", "node-1"]);
    // By now nobody leads: the role is the one that it was paused for.
    assert_eq!(up.says(&["resume", "leader"]), "node-2 goes on");
    assert_eq!(in_force(&up), ["pause-2"]);
    let refused = up.run(&["resume", "leader"]).assert().code(1);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(
        said.contains("no node stands still that was paused as leader"),
        "{said}"
    );
    assert!(said.contains("cluster resume all"), "{said}");
}

#[test]
fn a_follower_whose_clock_races_loses_patience() {
    let up = Up::start(&["--raft"]);
    up.says(&["transfer", "node-1"]);
    up.says(&["skew", "node-2", "--rate", "100"]);
    await_that("an election of its own", || {
        logged(&up, "[node-2] hears no leader")
    });
    up.says(&["heal", "skew-1"]);
    up.run(&["wait", "leader"]).assert().success();
}

#[test]
fn a_leader_whose_clock_crawls_is_heard_too_seldom() {
    let up = Up::start(&["--raft"]);
    let old = leader(&up);
    up.says(&["skew", "leader", "--rate", "0.01"]);
    await_that("another leader", || leader_or(&up, old) != old);
    up.says(&["heal"]);
}

fn leader_or(up: &Up, other: usize) -> usize {
    let status = up.json(&["status", "--json"]);
    let leader = status["leader"].as_str().unwrap_or_default();
    let number = leader.strip_prefix("node-").and_then(|n| n.parse().ok());
    number.unwrap_or(other)
}

#[test]
fn a_clock_that_jumps_ends_a_wait_of_an_hour_at_once() {
    let up = Up::start(&["--replication", "sync", "--write-timeout", "1h"]);
    up.says(&["kill", "node-3"]);
    std::thread::scope(|scope| {
        let put = scope.spawn(|| {
            let mut put = up.run(&["put", "k", "1", "--timeout", "50s"]);
            let put = put.assert().code(1);
            String::from_utf8_lossy(&put.get_output().stderr).into_owned()
        });
        await_held(&up, 1, "k");
        let said = up.says(&["skew", "leader", "--jump", "2h"]);
        assert!(said.contains("it cannot be undone"), "{said}");
        let begun = Instant::now();
        let said = put.join().expect("the client");
        assert!(said.contains("missing: node-3"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(40));
    });
    assert!(in_force(&up).is_empty());
    assert_eq!(status_of(&up, 2)["leaderId"], "node-1");
}

#[test]
fn a_write_goes_to_the_new_leader_while_the_old_one_stands_still() {
    let up = Up::start(&[]);
    up.says(&["pause", "leader"]);
    up.says(&["wait", "leader", "--timeout", "60s"]);
    let said = up.says(&["put", "k", "1"]);
    assert!(said.starts_with("k = 1  (node-2)"), "{said}");
    // Nobody who stands still is asked as long as others answer, even while they have no leader.
    let said = up.says(&["-v", "put", "k", "2"]);
    assert!(said.contains("k = 2  (node-2)"), "{said}");
}
