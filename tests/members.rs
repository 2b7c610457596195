//! Members come and go, and the leader hands over, while writes go on.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use support::{Up, await_that};

/// Names of the nodes and their roles, as the leader of a raft knows them.
fn members(up: &Up) -> Vec<(String, bool)> {
    // Whoever led may just have been removed.
    up.run(&["wait", "leader"]).assert().success();
    let status = up.json(&["status", "--json"]);
    let leader = status["leader"].as_str().expect("a leader");
    let rows = status["nodes"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["id"] == leader).expect("a row");
    let members = row["answer"]["members"].as_array().expect("members");
    members
        .iter()
        .map(|member| {
            (
                member["id"].as_str().expect("an id").to_owned(),
                member["voter"] == true,
            )
        })
        .collect()
}

/// How many messages a node has received so far.
fn received(up: &Up, id: &str) -> u64 {
    let status = up.json(&["status", "--json"]);
    let rows = status["nodes"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["id"] == id).expect("a row");
    row["answer"]["received"].as_u64().expect("a number")
}

/// Where the log of a node ends.
fn last_index(up: &Up, id: &str) -> u64 {
    let status = up.json(&["status", "--json"]);
    let rows = status["nodes"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["id"] == id).expect("a row");
    row["answer"]["lastIndex"].as_u64().expect("a number")
}

/// What a command says that fails.
fn fails(up: &Up, arguments: &[&str]) -> String {
    let failed = up.run(arguments).assert().code(1);
    String::from_utf8_lossy(&failed.get_output().stderr).into_owned()
}

fn voters(up: &Up) -> Vec<String> {
    members(up)
        .into_iter()
        .filter(|(_, voter)| *voter)
        .map(|(id, _)| id)
        .collect()
}

#[test]
fn a_node_is_added_learns_votes_and_counts() {
    let up = Up::start(&["--raft", "--snapshot-every", "10"]);
    for n in 0..50 {
        up.says(&["put", &format!("k{n}"), "v"]);
    }
    let added = up.json(&["add", "--json"]);
    assert_eq!(added["id"], "node-4");
    assert!(
        added["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("http://127.0.0.1:"))
    );
    assert_eq!(voters(&up), ["node-1", "node-2", "node-3", "node-4"]);
    up.run(&["wait", "equal"]).assert().success();
    assert_eq!(up.says(&["get", "k49", "--from", "node-4"]), "v");
    // It counts: with two of four dead there is no majority, with one there is.
    assert_eq!(up.says(&["add"]).split(' ').next(), Some("node-5"));
    up.says(&["kill", "node-1"]);
    up.says(&["kill", "node-2"]);
    up.run(&["wait", "leader"]).assert().success();
    up.says(&["put", "of-five", "three"]);
}

#[test]
fn the_leader_itself_can_be_removed_and_its_port_is_free() {
    let up = Up::start(&["--raft"]);
    up.says(&["put", "k", "v"]);
    let leader = up.json(&["status", "--json"])["leader"]
        .as_str()
        .expect("a leader")
        .to_owned();
    let n: usize = leader[5..].parse().expect("a number");
    let url = up.url(n);
    assert_eq!(up.says(&["remove", &leader]), format!("{leader} removed"));
    std::net::TcpListener::bind(url.trim_start_matches("http://")).expect("its port is free");
    up.run(&["wait", "leader"]).assert().success();
    assert!(!voters(&up).contains(&leader));
    assert_eq!(voters(&up).len(), 2);
    assert_eq!(up.says(&["get", "k"]), "v");
    up.says(&["put", "k", "w"]);
    let gone = up.run(&["kill", &leader]).assert();
    let said = String::from_utf8_lossy(&gone.code(1).get_output().stderr).into_owned();
    assert!(
        said.contains(&format!("no node is called {leader}")),
        "{said}"
    );
    // The next one gets a name that nobody had.
    assert_eq!(up.json(&["add", "--json"])["id"], "node-4");
}

#[test]
fn the_last_node_stays() {
    let up = Up::start(&["--raft", "--nodes", "2"]);
    up.says(&["remove", "node-2"]);
    let last = up.run(&["remove", "node-1"]).assert();
    let said = String::from_utf8_lossy(&last.code(1).get_output().stderr).into_owned();
    assert!(said.contains("last"), "{said}");
    up.says(&["put", "k", "v"]);
}

#[test]
fn the_leader_hands_over_to_whom_it_is_told_and_no_write_is_refused_for_long() {
    let up = Up::start(&["--raft"]);
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let n = written.load(Ordering::Relaxed);
                up.run(&["put", &format!("k{n}"), "v"]).assert().success();
                written.fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..2 {
            for node in ["node-1", "node-2", "node-3"] {
                assert_eq!(up.says(&["transfer", node]), format!("{node} leads"));
            }
        }
        up.says(&["transfer"]);
        stop.store(true, Ordering::Relaxed);
    });
    up.run(&["wait", "equal"]).assert().success();
    let keys = up.says(&["keys"]).lines().count() as u64;
    assert_eq!(keys, written.load(Ordering::Relaxed));
    assert_eq!(up.json(&["status", "--json"])["lost"]["count"], 0);
}

#[test]
fn a_transfer_to_the_dead_fails_and_the_leader_goes_on() {
    let up = Up::start(&["--raft"]);
    let status = up.json(&["status", "--json"]);
    let dead = if status["leader"] == "node-3" {
        "node-2"
    } else {
        "node-3"
    };
    up.says(&["kill", dead]);
    up.run(&["transfer", dead]).assert().code(1);
    up.says(&["put", "k", "v"]);
    up.run(&["transfer", "node-9"]).assert().code(1);
}

#[test]
fn a_removal_that_would_leave_no_majority_is_refused() {
    let up = Up::start(&["--raft"]);
    up.says(&["transfer", "node-1"]);
    up.says(&["kill", "node-3"]);
    // What is awaited is silence: an election timeout, six heartbeats, without an answer of node-3. The leader's heartbeats that
    // node-2 hears meanwhile tell how long that is by the cluster's own clock.
    let before = received(&up, "node-2");
    await_that("an election timeout", || {
        received(&up, "node-2") >= before + 10
    });
    let refused = up.run(&["remove", "node-2"]).assert();
    let said = String::from_utf8_lossy(&refused.code(1).get_output().stderr).into_owned();
    assert!(said.contains("revive node-3 first"), "{said}");
    up.says(&["put", "k", "v"]);
    // Without a leader it says so, and does not hang.
    up.says(&["kill", "node-2"]);
    up.run(&["remove", "node-3"]).assert().code(1);
    up.run(&["add"]).assert().code(1);
}

#[test]
fn other_modes_say_that_they_cannot() {
    let up = Up::start(&[]);
    for arguments in [
        &["add"][..],
        &["remove", "node-3"],
        &["transfer"],
        &["transfer", "node-2"],
    ] {
        let refused = up.run(arguments).assert();
        let said = String::from_utf8_lossy(&refused.code(1).get_output().stderr).into_owned();
        assert!(
            said.contains("lowest-id + async") && said.contains("--raft"),
            "{said}"
        );
    }
    assert_eq!(up.json(&["status", "--json"])["total"], 3);
}

/// Changes the members where node-1 leads, and takes everybody who could tell whether that was done; what is said.
fn with_unknown_outcome(up: &Up, change: &[&str]) -> String {
    up.says(&["transfer", "node-1"]);
    // The leader is heard, and what it appends reaches nobody.
    up.says(&[
        "link",
        "from",
        "node-1",
        "--only",
        "replicate",
        "--loss",
        "100%",
    ]);
    let before = last_index(up, "node-1");
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| fails(up, change));
        await_that("it is in the log", || last_index(up, "node-1") > before);
        up.says(&["kill", "node-2"]);
        up.says(&["kill", "node-1"]);
        changing.join().expect("what it says")
    })
}

#[test]
fn where_nobody_knows_whether_a_node_was_added_it_stays_up_and_can_be_removed() {
    // Whoever comes back first decides: node-2 never heard of it, node-1 has it in its log.
    for (first, role) in [("node-2", "no member"), ("node-1", "learner")] {
        let up = Up::start(&["--raft"]);
        let said = with_unknown_outcome(&up, &["add"]);
        for part in [
            "outcome unknown",
            "node-4 stays up",
            "cluster remove node-4",
        ] {
            assert!(said.contains(part), "{said}");
        }
        up.says(&["heal"]);
        up.says(&["revive", first]);
        // Who is no member obeys nobody, and nobody waits for that.
        up.run(&["wait", "leader", "equal"]).assert().success();
        let table = up.says(&["status"]);
        let row = table
            .lines()
            .find(|line| line.contains("node-4"))
            .expect("a row");
        assert!(row.contains(" up ") && row.contains(role), "{table}");
        assert_eq!(up.says(&["remove", "node-4"]), "node-4 removed");
        up.run(&["revive", "all", "--wait"]).assert().success();
        assert_eq!(voters(&up), ["node-1", "node-2", "node-3"]);
        assert_eq!(members(&up).len(), 3);
        up.says(&["put", "k", "v"]);
    }
}

#[test]
fn where_nobody_knows_whether_a_node_was_removed_it_stays_up_and_removing_it_again_tells() {
    for first in ["node-2", "node-1"] {
        let up = Up::start(&["--raft"]);
        let said = with_unknown_outcome(&up, &["remove", "node-3"]);
        for part in ["outcome unknown", "cluster remove node-3 tries again"] {
            assert!(said.contains(part), "{said}");
        }
        up.says(&["heal"]);
        up.says(&["revive", first]);
        up.run(&["revive", "all", "--wait"]).assert().success();
        assert_eq!(up.says(&["remove", "node-3"]), "node-3 removed");
        // It may have led.
        up.run(&["wait", "leader"]).assert().success();
        assert_eq!(voters(&up), ["node-1", "node-2"]);
        up.says(&["put", "k", "v"]);
    }
}

#[test]
fn a_leader_that_does_not_answer_is_not_waited_for_for_ever() {
    let up = Up::start(&["--raft", "--nodes", "2"]);
    up.says(&["transfer", "node-1"]);
    // It can promise nothing, so that it neither hands over nor says that it does not.
    up.says(&["disk", "node-1", "--slow", "10m"]);
    let said = fails(&up, &["transfer", "node-2"]);
    for part in [
        "outcome unknown: node-1",
        "within 3s",
        "cluster faults",
        "cluster kill node-1",
    ] {
        assert!(said.contains(part), "{said}");
    }
    up.says(&["heal"]);
    up.run(&["wait", "leader"]).assert().success();
}

#[test]
fn a_leader_of_yesterday_removes_nobody() {
    let up = Up::start(&["--raft", "--no-check-quorum", "--no-pre-vote"]);
    up.says(&["transfer", "node-1"]);
    up.says(&["isolate", "node-1"]);
    let leader = || {
        let status = up.json(&["status", "--json"]);
        status["leader"].as_str().map(str::to_owned)
    };
    await_that("another leads", || {
        leader().is_some_and(|id| id != "node-1")
    });
    let said = up.says(&["add"]);
    assert!(said.contains("node-4"), "{said}");
    // Now only node-1 believes that it leads, and it never heard of node-4.
    up.says(&["pause", &leader().expect("a leader")]);
    let said = fails(&up, &["remove", "node-4"]);
    assert!(
        said.contains("no majority confirms that it leads"),
        "{said}"
    );
    up.says(&["heal"]);
    up.run(&["wait", "leader", "equal"]).assert().success();
    assert_eq!(voters(&up).len(), 4);
    assert_eq!(up.says(&["remove", "node-4"]), "node-4 removed");
    assert_eq!(voters(&up), ["node-1", "node-2", "node-3"]);
}
