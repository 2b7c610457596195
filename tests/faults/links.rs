//! Links that are slow, lossy or narrow.

use std::time::{Duration, Instant};

use crate::api::call;
use crate::support::{Up, ask, await_that, curl};
use crate::tale::{await_held, holds, in_force, logged, median, status_of, time_to_put};

const SYNC: [&str; 4] = ["--replication", "sync", "--write-timeout", "30s"];

#[test]
fn exercise_2_replication_is_late_so_a_follower_is_stale_and_nobody_stands_for_election() {
    let up = Up::start(&[]);
    up.says(&[
        "link",
        "from",
        "leader",
        "--only",
        "replicate",
        "--delay",
        "1s",
    ]);
    let begun = Instant::now();
    up.says(&["put", "k", "1"]);
    // Unless this machine stood still for a second, the read is stale.
    let is_stale = !holds(&up, 2, "k");
    assert!(is_stale || begun.elapsed() > Duration::from_secs(1));
    await_held(&up, 2, "k");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(status_of(&up, 1)["term"], 1);
    assert!(!logged(&up, "election"));
}

#[test]
fn with_sync_a_write_waits_for_the_slow_link_there_and_back() {
    let up = Up::start(&SYNC);
    up.says(&["link", "node-1", "node-3", "--delay", "150ms"]);
    let both = time_to_put(&up, 1, "a", "1");
    assert!(both >= Duration::from_millis(300), "{both:?}");
    up.says(&["heal", "delay-1"]);
    // The way back alone: the answers of node-3 are late.
    up.says(&["link", "node-3", "node-1", "--one-way", "--delay", "150ms"]);
    let back = time_to_put(&up, 1, "b", "1");
    assert!(back >= Duration::from_millis(150), "{back:?}");
}

#[test]
fn messages_that_are_late_do_not_hold_each_other_back() {
    let up = Up::start(&["--heartbeat", "50ms", "--election-timeout", "10s"]);
    up.says(&["link", "from", "node-1", "--delay", "1s"]);
    // Twenty heartbeats leave while the first is on its way: had they queued, the last would arrive after twenty seconds.
    let received = || status_of(&up, 2)["received"].as_u64().expect("a number");
    let (before, begun) = (received(), Instant::now());
    await_that("twenty heartbeats", || received() >= before + 20);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(status_of(&up, 2)["leaderId"], "node-1");
}

#[test]
fn jitter_makes_messages_late_each_by_another_time() {
    let up = Up::start(&SYNC);
    up.says(&["link", "node-1", "node-2", "--jitter", "200ms"]);
    let put = |n| time_to_put(&up, 1, &format!("k{n}"), "1");
    let took = median((0..9).map(put).collect());
    assert!(took >= Duration::from_millis(40), "{took:?}");
}

#[test]
fn what_is_to_be_overtaken_is_held_back_for_a_moment() {
    let up = Up::start(&SYNC);
    up.says(&["link", "node-1", "node-2", "--reorder", "100%"]);
    let put = |n| time_to_put(&up, 1, &format!("k{n}"), "1");
    let took = median((0..15).map(put).collect());
    assert!(took >= Duration::from_millis(8), "{took:?}");
}

#[test]
fn what_is_lost_does_not_arrive() {
    let up = Up::start(&[]);
    up.says(&[
        "link",
        "to",
        "node-3",
        "--loss",
        "100%",
        "--only",
        "replicate",
    ]);
    up.says(&["put", "k", "1"]);
    await_held(&up, 2, "k");
    assert!(!holds(&up, 3, "k"));
    up.says(&["heal"]);
    await_held(&up, 3, "k");
}

#[test]
fn losses_come_in_runs() {
    let up = Up::start(&["--raft"]);
    up.says(&["transfer", "node-1"]);
    // Single losses of one in fifty are never six in a row; a run that does not end is.
    up.says(&["link", "from", "node-1", "--loss", "2%", "--burst", "100%"]);
    await_that("a leader that is heard", || {
        up.json(&["status", "--json"])["leader"] != "node-1"
    });
}

#[test]
fn what_is_doubled_arrives_twice() {
    let up = Up::start(&[]);
    up.says(&[
        "link",
        "node-1",
        "node-2",
        "--duplicate",
        "100%",
        "--one-way",
    ]);
    let received = |n: usize| status_of(&up, n)["received"].as_u64().expect("a number");
    let (two, three) = (received(2), received(3));
    await_that("forty messages", || received(3) >= three + 40);
    let (doubled, single) = (received(2) - two, received(3) - three);
    assert!(2 * doubled > 3 * single, "{doubled} beside {single}");
}

#[test]
fn a_narrow_link_takes_its_time_for_what_is_large() {
    let up = Up::start(&SYNC);
    up.says(&["link", "node-1", "node-2", "--bandwidth", "100KiB/s"]);
    let large = format!("\"{}\"", "x".repeat(60 * 1024));
    let took = time_to_put(&up, 1, "k", &large);
    assert!(took >= Duration::from_millis(600), "{took:?}");
    // Heartbeats are not stuck behind it.
    assert_eq!(status_of(&up, 2)["term"], 1);
    assert_eq!(in_force(&up), ["bandwidth-1"]);
}

#[test]
fn only_votes_can_be_lost() {
    let up = Up::start(&["--raft"]);
    up.says(&["link", "all", "--loss", "100%", "--only", "votes"]);
    up.says(&["put", "k", "1"]);
    up.says(&["kill", "leader"]);
    // Heartbeats and entries went through; but nobody is elected any more.
    await_that("an election in vain", || logged(&up, "election"));
    up.run(&["wait", "leader", "--timeout", "1s"])
        .assert()
        .code(1);
    up.says(&["heal"]);
    up.run(&["wait", "leader"]).assert().success();
}

#[test]
fn only_heartbeats_can_be_lost() {
    let up = Up::start(&["--raft"]);
    up.says(&["transfer", "node-1"]);
    up.says(&[
        "link",
        "from",
        "node-1",
        "--loss",
        "100%",
        "--only",
        "heartbeats",
    ]);
    await_that("another leader", || {
        up.json(&["status", "--json"])["leader"] != "node-1"
    });
}

#[test]
fn clients_of_a_node_are_late_and_its_peers_are_not() {
    let up = Up::start(&[]);
    up.says(&["client", "leader", "--delay", "300ms"]);
    let took = time_to_put(&up, 1, "k", "1");
    assert!(took >= Duration::from_millis(600), "{took:?}");
    let begun = Instant::now();
    up.says(&["status"]);
    await_held(&up, 2, "k");
    assert_eq!(status_of(&up, 2)["term"], 1);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_seed_of_an_order_decides_which_requests_are_lost() {
    let up = Up::start(&[]);
    let url = format!("{}/key/k", up.url(2));
    let order = r#"{"kind":"client","nodes":["node-2"],"loss":40,"seed":7}"#;
    let fates = || -> Vec<bool> {
        assert_eq!(call(&up, "POST", "/api/faults", order, true).0, 200);
        let is_answered = |_| !curl(&["--max-time", "0.5", &url]).is_empty();
        let fates = (0..16).map(is_answered).collect();
        up.says(&["heal"]);
        fates
    };
    let first = fates();
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
    assert_eq!(first, fates());
}

#[test]
fn a_leader_that_no_client_reaches_leads_on() {
    let up = Up::start(&[]);
    up.says(&["client", "leader", "--cut"]);
    up.run(&["put", "k", "1", "--timeout", "500ms"])
        .assert()
        .code(1);
    let status = up.says(&["status"]);
    assert!(
        status.contains("node-1 leads term 1, 3 of 3 up"),
        "{status}"
    );
    up.says(&["heal", "client-1"]);
    up.says(&["put", "k", "2"]);
    up.says(&["client", "node-1", "--loss", "100%"]);
    let url = format!("{}/key/k", up.url(1));
    assert_eq!(curl(&["--max-time", "0.5", &url]), "");
    assert_eq!(ask(&up.url(2), "GET", "/status", b"").0, 200);
}

#[test]
fn a_narrow_link_that_is_healed_holds_nothing_back() {
    let up = Up::start(&[]);
    up.says(&[
        "link",
        "from",
        "leader",
        "--only",
        "replicate",
        "--bandwidth",
        "1B/s",
    ]);
    up.says(&["put", "k", "1"]);
    up.says(&["heal"]);
    for n in 2..=3 {
        await_held(&up, n, "k");
    }
}
