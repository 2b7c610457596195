//! Every command, against the real binary.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use support::{BINARY, Up, await_that, clean, cluster_in};

const COMMANDS: [&str; 30] = [
    "up",
    "node",
    "status",
    "wait",
    "put",
    "get",
    "delete",
    "keys",
    "kill",
    "revive",
    "partition",
    "isolate",
    "cut",
    "link",
    "client",
    "pause",
    "resume",
    "skew",
    "disk",
    "faults",
    "heal",
    "add",
    "remove",
    "transfer",
    "check",
    "watch",
    "logs",
    "down",
    "ls",
    "completions",
];

#[test]
fn the_help_of_every_command_has_an_example() {
    let home = tempfile::TempDir::new().expect("a directory");
    for command in COMMANDS {
        let help = cluster_in(home.path(), &[command, "--help"])
            .assert()
            .success();
        let text = String::from_utf8(help.get_output().stdout.clone()).expect("text");
        assert!(
            text.contains("Examples:") && text.contains(&format!("cluster {command}")),
            "{command}: {text}"
        );
    }
    let help = cluster_in(home.path(), &["--help"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let help = String::from_utf8(help).expect("text");
    assert!(
        COMMANDS
            .iter()
            .all(|command| help.contains(&format!("  {command} "))),
        "{help}"
    );
    cluster_in(home.path(), &["--version"]).assert().success();
}

#[test]
fn values_are_json_if_they_parse_and_strings_if_not() {
    let up = Up::start(&[]);
    let hundred = "9".repeat(100);
    for (value, shown) in [
        ("Alice", "Alice"),
        ("30", "30"),
        ("-5", "-5"),
        ("\"quoted\"", "quoted"),
        ("[1, 2]", "[1, 2]"),
        ("null", "null"),
        ("", ""),
        (&hundred, &hundred),
        ("a b é ☃", "a b é ☃"),
    ] {
        up.run(&["put", "k", value]).assert().success();
        assert_eq!(up.says(&["get", "k"]), shown);
    }
    up.run(&["put", "k", "30", "--string"]).assert().success();
    assert_eq!(up.json(&["get", "k", "--json"])["value"], "30");
    up.run(&["put", "k", "-"])
        .write_stdin("{\"a\":1}\n")
        .assert()
        .success();
    assert_eq!(up.says(&["get", "k"]), "{\"a\":1}");
    let answer = up.json(&["put", "k", "1", "--json"]);
    assert_eq!(
        (answer["success"].as_bool(), answer["leaderId"].as_str()),
        (Some(true), Some("node-1"))
    );
}

#[test]
fn keys_of_any_kind_are_put_listed_and_deleted() {
    let up = Up::start(&[]);
    for key in ["a/b", "x/", "a b", "100%", "é☃", "...", "?q=1#f"] {
        up.run(&["put", key, "1"]).assert().success();
        assert_eq!(up.says(&["get", key]), "1", "{key}");
    }
    assert_eq!(up.says(&["keys", "a"]), "a/b\na b");
    assert_eq!(
        up.json(&["keys", "--json"]).as_array().map(Vec::len),
        Some(7)
    );
    assert_eq!(up.says(&["delete", "a/b"]), "a/b deleted  (node-1)");
    up.run(&["delete", "a/b"])
        .assert()
        .code(1)
        .stderr("cluster: node-1 has no key \"a/b\"\n");
    up.run(&["get", "a/b"])
        .assert()
        .code(1)
        .stdout("")
        .stderr("cluster: node-1 has no key \"a/b\"\n");
    up.run(&["put", "..", "1"]).assert().code(1);
    up.run(&["put", &"k".repeat(4096), "1"]).assert().code(1);
}

#[test]
fn a_write_to_a_chosen_follower_reports_its_refusal() {
    let up = Up::start(&[]);
    let refused = up
        .run(&["put", "k", "v", "--to", "node-2"])
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(
        said.contains("not written: node-2 is a follower; node-1 leads"),
        "{said}"
    );
    up.says(&["kill", "node-2"]);
    up.run(&["put", "k", "v", "--to", "node-2"])
        .assert()
        .code(1);
    up.run(&["get", "k", "--from", "node-9"]).assert().code(1);
    up.run(&["delete", "k", "--to", "node-9"]).assert().code(1);
}

#[test]
fn nodes_are_killed_by_name_and_by_role() {
    let up = Up::start(&["--nodes", "5"]);
    assert_eq!(up.says(&["kill", "node-5"]), "node-5 killed");
    assert_eq!(up.says(&["kill", "node-5"]), "node-5 was dead already");
    assert_eq!(up.json(&["kill", "node-5", "--json"])[0]["changed"], false);
    assert_eq!(
        up.says(&["kill", "leader", "--wait"]),
        "node-1 killed\nnode-2 leads term 2"
    );
    let killed = up.says(&["kill", "follower"]);
    assert!(
        ["node-3 killed", "node-4 killed"].contains(&killed.as_str()),
        "{killed}"
    );
    assert!(up.says(&["kill", "random"]).ends_with(" killed"));
    assert!(up.says(&["kill", "all"]).ends_with(" killed"));
    assert_eq!(up.says(&["revive", "node-1"]), "node-1 revived");
    assert_eq!(up.says(&["revive", "node-1"]), "node-1 was up already");
    let unknown = up.run(&["kill", "node-9"]).assert().code(1);
    let said = String::from_utf8_lossy(&unknown.get_output().stderr).into_owned();
    assert!(
        said.contains("no node is called node-9; there are node-1, node-2, node-3, node-4, node-5"),
        "{said}"
    );
}

#[test]
fn wait_says_what_was_seen_instead() {
    let up = Up::start(&[]);
    up.run(&["wait", "node-2=follower", "equal"])
        .assert()
        .success();
    let late = up
        .run(&["wait", "node-2=leader", "--timeout", "50ms"])
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&late.get_output().stderr).into_owned();
    assert!(
        said.contains("did not hold within 50ms") && said.contains("node-1 leads"),
        "{said}"
    );
    up.run(&["wait", "node-9=up"]).assert().code(1);
    up.run(&["wait", "happiness"]).assert().code(2);
}

#[test]
fn watch_shows_the_state_and_every_event_until_the_cluster_ends() {
    let mut up = Up::start(&[]);
    let mut process = Command::new(BINARY);
    clean(&mut process, up.home.path());
    let mut watch = process
        .args(["watch", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut lines = BufReader::new(watch.stdout.take().expect("a pipe")).lines();
    let status = lines.next().expect("a line").expect("text");
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["leader"], "node-1");
    let mut seq = status["lastEvent"].as_u64().expect("a number");
    up.says(&["kill", "node-1", "--wait"]);
    up.says(&["down"]);
    let mut seen = Vec::new();
    for line in lines {
        let event: serde_json::Value = serde_json::from_str(&line.expect("text")).expect("JSON");
        seq += 1;
        assert_eq!(event["seq"].as_u64(), Some(seq), "no event is lost");
        seen.push(event["event"].as_str().expect("a name").to_owned());
    }
    assert_eq!(watch.wait().expect("our child").code(), Some(0));
    assert!(
        seen.contains(&"killed".to_owned()) && seen.contains(&"leader".to_owned()),
        "{seen:?}"
    );
    assert_eq!(seen.last().map(String::as_str), Some("stopping"));
    assert_eq!(up.ended(), Some(0));
}

#[test]
fn logs_repeat_what_up_printed_also_in_the_background() {
    let home = tempfile::TempDir::new().expect("a directory");
    let up = [
        "up",
        "--detach",
        "--port",
        "0",
        "--control-port",
        "0",
        "--cluster",
        "bg",
    ];
    let started = cluster_in(home.path(), &up).assert().success();
    let said = String::from_utf8_lossy(&started.get_output().stdout).into_owned();
    assert!(
        said.contains("cluster bg runs in the background") && said.contains("node-1 leads"),
        "{said}"
    );
    let logs = cluster_in(home.path(), &["logs", "node-1"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let logs = String::from_utf8(logs).expect("text");
    assert!(
        logs.contains("LEADS term 1") && !logs.contains("[node-2]"),
        "{logs}"
    );
    let list = cluster_in(home.path(), &["ls", "--json"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let list: serde_json::Value = serde_json::from_slice(&list).expect("JSON");
    assert_eq!(
        (list[0]["name"].as_str(), list[0]["leader"].as_str()),
        (Some("bg"), Some("node-1"))
    );
    assert_eq!(list[0]["nodes"].as_array().map(Vec::len), Some(3));
    cluster_in(home.path(), &["down"])
        .assert()
        .success()
        .stdout("cluster bg is down\n");
    let pid = list[0]["pid"].as_u64().expect("a pid");
    await_that("the process is gone", || {
        !std::path::Path::new(&format!("/proc/{pid}/exe")).exists()
    });
    cluster_in(home.path(), &["status"]).assert().code(3);
}

#[test]
fn up_prints_events_as_json_lines() {
    let up = Up::start(&["--json"]);
    await_that("a leader's event", || {
        up.printed().contains("\"event\":\"leader\"")
    });
    for (at, line) in up.printed().lines().enumerate() {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(event["seq"].as_u64(), Some(at as u64 + 1));
    }
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let up = Up::start(&[]);
    assert!(!up.says(&["logs"]).contains('\x1b'));
    assert!(up.says(&["logs", "--color", "always"]).contains('\x1b'));
    assert!(!up.says(&["logs", "--color", "never"]).contains('\x1b'));
}

#[test]
fn shells_can_complete_the_names_of_running_nodes() {
    let up = Up::start(&[]);
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            up.says(&["completions", shell]).contains("COMPLETE"),
            "{shell}"
        );
    }
    up.run(&["completions", "tcsh"]).assert().code(2);
    let mut complete = up.run(&["--", "cluster", "kill", ""]);
    complete
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "2")
        .env("_CLAP_IFS", "\n");
    let said = complete.assert().success().get_output().stdout.clone();
    let said = String::from_utf8(said).expect("text");
    assert!(said.contains("node-1") && said.contains("node-3"), "{said}");
}
