//! Every pair of election and replication, through the chapter's eight steps: each with its own leader and its own answers.

mod support;

use serde_json::Value;
use support::{Up, ask, await_that};

/// What differs from mode to mode.
struct Expected {
    election: &'static str,
    replication: &'static str,
    /// Who leads first, and after its death; nobody in particular where votes decide.
    leaders: Option<(&'static str, &'static str)>,
    /// Whether a leader that comes back takes over again.
    returns_to_power: bool,
    /// Whether writes go on with a node dead.
    writes_without_it: bool,
    /// The answer to a linearizable read.
    linearizable: u16,
}

/// The n-th node of a cluster, by its name.
fn number(node: &str) -> usize {
    let number = node.strip_prefix("node-").and_then(|n| n.parse().ok());
    number.expect("node-N")
}

fn get(url: &str, path: &str) -> (u16, Value) {
    let (status, _, body) = ask(url, "GET", path, b"");
    (status, serde_json::from_str(&body).expect("JSON"))
}

fn leader(up: &Up) -> String {
    let status = up.json(&["status", "--json"]);
    status["leader"].as_str().expect("a leader").to_owned()
}

fn follower(up: &Up) -> usize {
    let leader = number(&leader(up));
    (1..=3).find(|n| *n != leader).expect("another")
}

fn the_eight_steps(expected: &Expected) {
    let (election, replication) = (expected.election, expected.replication);
    // 1. A leader is elected.
    let flags = [
        "--election",
        election,
        "--replication",
        replication,
        "--write-timeout",
        "400ms",
    ];
    let up = Up::start(&flags);
    let first = leader(&up);
    if let Some((wanted, _)) = expected.leaders {
        assert_eq!(first, wanted);
    }
    // 2. Everyone says what it is, and under which rules.
    let mode = format!("{election} + {replication}");
    for n in 1..=3 {
        let (_, status) = get(&up.url(n), "/status");
        let role = if n == number(&first) {
            "leader"
        } else {
            "follower"
        };
        assert_eq!(
            (
                status["role"].as_str(),
                status["leaderId"].as_str(),
                status["mode"].as_str()
            ),
            (Some(role), Some(first.as_str()), Some(mode.as_str())),
            "{status}"
        );
    }
    // 3. Write to the leader, 4. read from the followers.
    for (key, value) in [("name", "Alice"), ("age", "30"), ("city", "NYC")] {
        up.run(&["put", key, value]).assert().success();
    }
    up.run(&["wait", "equal"]).assert().success();
    for n in 1..=3 {
        assert_eq!(get(&up.url(n), "/key/name").1["value"], "Alice");
    }
    let read = "/key/age?consistency=linearizable";
    let (status, answer) = get(&up.url(number(&first)), read);
    assert_eq!(status, expected.linearizable, "{answer}");
    if status == 501 {
        assert_eq!(answer["error"], "Not promised");
        up.run(&["get", "age", "--consistency", "linearizable"])
            .assert()
            .code(1);
    }
    // 5. A follower refuses a write.
    let (status, _, refusal) = ask(&up.url(follower(&up)), "PUT", "/key/test", b"1");
    assert_eq!(status, 503);
    let shown =
        format!(r#"{{"error":"Not the leader","currentRole":"follower","leaderId":"{first}"}}"#);
    assert_eq!(refusal, shown);
    // 6. Kill the leader.
    up.run(&["kill", &first, "--wait"]).assert().success();
    let second = leader(&up);
    match expected.leaders {
        Some((_, next)) => assert_eq!(second, next),
        None => assert_ne!(second, first),
    }
    // 7. Write to the new one.
    let url = up.url(number(&second));
    let (status, _, answer) = ask(&url, "PUT", "/key/newleader", b"7");
    if expected.writes_without_it {
        assert_eq!(status, 200, "{answer}");
    } else {
        assert_eq!(status, 504, "{answer}");
        assert!(
            answer.starts_with(r#"{"error":"Outcome unknown","key":"newleader","reason":"#)
                && answer.contains(&first),
            "the answer names who is missing: {answer}"
        );
    }
    // 8. Bring the old one back: it catches up, and everyone can write again.
    up.run(&["revive", &first, "--wait"]).assert().success();
    if expected.returns_to_power {
        let claim = format!("{first}=leader");
        up.run(&["wait", &claim]).assert().success();
    } else {
        assert_eq!(leader(&up), second);
    }
    up.run(&["put", "again", "8"]).assert().success();
    up.run(&["wait", "equal"]).assert().success();
    for n in 1..=3 {
        let (_, status) = get(&up.url(n), "/status");
        let keys = r#"["name","age","city","newleader","again"]"#;
        assert_eq!(status["keys"].to_string(), keys, "{status}");
    }
    let status = up.json(&["status", "--json"]);
    assert_eq!(status["lost"]["count"], 0, "{status}");
}

macro_rules! eight_steps {
    ($($name:ident: $election:literal $replication:literal, leaders $leaders:expr, returns $returns:literal, writes without it $writes:literal, linearizable $read:literal;)*) => {
        $(#[test]
        fn $name() {
            the_eight_steps(&Expected {
                election: $election,
                replication: $replication,
                leaders: $leaders,
                returns_to_power: $returns,
                writes_without_it: $writes,
                linearizable: $read,
            });
        })*
    };
}

const LOWEST: Option<(&str, &str)> = Some(("node-1", "node-2"));
const HIGHEST: Option<(&str, &str)> = Some(("node-3", "node-2"));

eight_steps! {
    lowest_id_async: "lowest-id" "async", leaders LOWEST, returns false, writes without it true, linearizable 501;
    lowest_id_quorum: "lowest-id" "quorum", leaders LOWEST, returns false, writes without it true, linearizable 501;
    lowest_id_sync: "lowest-id" "sync", leaders LOWEST, returns false, writes without it false, linearizable 501;
    bully_async: "bully" "async", leaders HIGHEST, returns true, writes without it true, linearizable 501;
    bully_quorum: "bully" "quorum", leaders HIGHEST, returns true, writes without it true, linearizable 501;
    bully_sync: "bully" "sync", leaders HIGHEST, returns true, writes without it false, linearizable 501;
    raft_async: "raft" "async", leaders None, returns false, writes without it true, linearizable 501;
    raft_quorum: "raft" "quorum", leaders None, returns false, writes without it true, linearizable 200;
    raft_sync: "raft" "sync", leaders None, returns false, writes without it false, linearizable 200;
}

#[test]
fn without_a_majority_bully_and_raft_lead_nobody_and_lowest_id_goes_on() {
    for (flags, goes_on) in [
        (&["--election", "bully"][..], false),
        (&["--raft"], false),
        (&["--election", "lowest-id"], true),
    ] {
        let up = Up::start(flags);
        up.says(&["kill", "follower"]);
        up.says(&["kill", "leader"]);
        if goes_on {
            up.run(&["wait", "leader"]).assert().success();
            up.run(&["put", "k", "v"]).assert().success();
            continue;
        }
        let put = up.run(&["put", "k", "v", "--timeout", "1s"]).assert();
        let said = String::from_utf8_lossy(&put.code(1).get_output().stderr).into_owned();
        assert!(said.contains("not written: no leader within 1s"), "{said}");
        let table = up.says(&["status"]);
        assert!(
            table.contains("nobody leads") && table.contains("1 of 3 nodes answer, no majority"),
            "{table}"
        );
    }
}

#[test]
fn a_leader_cut_off_from_its_majority_steps_down_and_says_what_it_heard() {
    let up = Up::start(&["--raft"]);
    up.says(&["kill", "follower"]);
    up.says(&["kill", "follower"]);
    await_that("it steps down", || {
        up.says(&["logs"]).contains("it hears 1 of 3 voters")
    });
    let survivor = up.json(&["status", "--json"])["nodes"]
        .as_array()
        .and_then(|nodes| nodes.iter().position(|node| node["state"] == "up"));
    let url = up.url(survivor.expect("one lives") + 1);
    // It knows nothing newer than what it holds, and cannot prove even that.
    let (status, answer) = get(&url, "/key/k?consistency=linearizable");
    assert_eq!(
        (status, answer["error"].as_str()),
        (503, Some("Unavailable"))
    );
    assert_eq!(get(&url, "/key/k?consistency=leader").0, 503);
    assert_eq!(get(&url, "/key/k").0, 404);
    assert_eq!(get(&url, "/key/k?consistency=perhaps").0, 400);
}

#[test]
fn a_follower_answers_linearizable_reads_too() {
    let up = Up::start(&["--raft"]);
    for n in 0..20 {
        let value = n.to_string();
        up.run(&["put", "k", &value]).assert().success();
        let url = up.url(follower(&up));
        let (status, answer) = get(&url, "/key/k?consistency=linearizable");
        assert_eq!(
            (status, &answer["value"]),
            (200, &Value::from(n)),
            "{answer}"
        );
        assert_eq!(answer["nodeRole"], "follower");
    }
    let node = format!("node-{}", follower(&up));
    let read = ["get", "k", "--from", &node, "--consistency", "linearizable"];
    assert_eq!(up.says(&read), "19");
    assert_eq!(up.says(&["get", "k", "--consistency", "leader"]), "19");
}

#[test]
fn what_takes_a_safeguard_away_is_for_raft_elections_only() {
    let home = tempfile::TempDir::new().expect("a directory");
    for flag in ["--fixed-timeout", "--no-pre-vote", "--no-check-quorum"] {
        let refused = support::cluster_in(home.path(), &["up", flag]).assert();
        let said = String::from_utf8_lossy(&refused.code(2).get_output().stderr).into_owned();
        assert!(said.contains(flag) && said.contains("--raft"), "{said}");
    }
    let both = ["up", "--raft", "--election", "bully"];
    support::cluster_in(home.path(), &both).assert().code(2);
    let up = Up::start(&[
        "--raft",
        "--no-pre-vote",
        "--no-check-quorum",
        "--fixed-timeout",
    ]);
    up.run(&["put", "k", "v"]).assert().success();
}

#[test]
fn nodes_of_other_rules_refuse_each_other_and_say_so_once() {
    let home = tempfile::TempDir::new().expect("a directory");
    let urls = support::free_urls(2);
    let mut nodes = Vec::new();
    for (n, rules) in [(1, "async"), (2, "quorum")] {
        let arguments = ["--replication", rules];
        nodes.push(support::node(home.path(), &urls, n, &arguments));
    }
    await_that("both say whom they refuse", || {
        nodes
            .iter()
            .all(|node| node.printed().contains("refuses node-"))
    });
    // Neither takes anything over from the other.
    await_that("node-1 leads", || {
        ask(&urls[0], "PUT", "/key/k", b"1").0 == 200
    });
    assert_eq!(get(&urls[1], "/key/k").0, 404);
    let line = nodes[1].printed();
    assert!(
        line.contains("lowest-id + async") && line.contains("lowest-id + quorum"),
        "{line}"
    );
    assert_eq!(line.matches("refuses node-1").count(), 1, "{line}");
}

#[test]
fn bare_heartbeats_and_maps_of_the_chapter_are_no_part_of_a_vote() {
    let up = Up::start(&["--raft"]);
    let heartbeat = br#"{"type":"heartbeat","leaderId":"node-9","term":99,"timestamp":1}"#;
    let map = br#"{"type":"replicate","leaderId":"node-9","term":99,"data":{"k":1}}"#;
    for (path, body) in [
        ("/internal/heartbeat", &heartbeat[..]),
        ("/internal/replicate", map),
    ] {
        let (status, _, answer) = ask(&up.url(1), "POST", path, body);
        assert_eq!(status, 409, "{answer}");
        assert!(answer.contains("raft + quorum"), "{answer}");
    }
    assert_eq!(get(&up.url(1), "/key/k").0, 404);
    assert!(up.json(&["status", "--json"])["term"].as_u64() < Some(99));
}
