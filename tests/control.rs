//! The control server's API.

mod support;

use support::{Up, ask_with, await_that, raw};

fn control(up: &Up) -> (String, String) {
    let state = up.state();
    let text = |name: &str| state[name].as_str().expect("text").to_owned();
    (text("control"), text("token"))
}

fn request(up: &Up, method: &str, path: &str, headers: &str) -> (u16, String) {
    let (url, _) = control(up);
    let host = url.trim_start_matches("http://");
    let answer = raw(
        &url,
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n")
            .as_bytes(),
    );
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, answer)
}

#[test]
fn changes_need_the_token_and_reads_do_not() {
    let up = Up::start(&[]);
    let bearer = format!("Authorization: Bearer {}\r\n", control(&up).1);
    for path in [
        "/api/nodes/node-1/kill",
        "/api/nodes/node-1/revive",
        "/api/down",
    ] {
        assert_eq!(request(&up, "POST", path, "").0, 401, "{path}");
        assert_eq!(
            request(&up, "POST", path, "Authorization: Bearer x\r\n").0,
            401,
            "{path}"
        );
    }
    let (status, killed) = request(&up, "POST", "/api/nodes/node-3/kill", &bearer);
    assert_eq!(status, 200);
    assert!(
        killed.contains(r#"{"node":"node-3","changed":true,"state":"killed"}"#),
        "{killed}"
    );
    let (_, again) = request(&up, "POST", "/api/nodes/node-3/kill", &bearer);
    assert!(again.contains(r#""changed":false"#), "{again}");
    let (status, unknown) = request(&up, "POST", "/api/nodes/node-9/kill", &bearer);
    assert_eq!(status, 404);
    assert!(
        unknown.contains("unknown-node") && unknown.contains("node-1, node-2, node-3"),
        "{unknown}"
    );
    for path in ["/api/info", "/api/status", "/api/events?follow=no"] {
        let (status, answer) = request(&up, "GET", path, "");
        assert_eq!(status, 200, "{path}");
        assert!(answer.contains("x-cluster-version"), "{answer}");
    }
    assert_eq!(request(&up, "GET", "/api/nothing", "").0, 404);
    assert_eq!(request(&up, "GET", "/api/down", "").0, 404);
}

#[test]
fn a_foreign_host_is_refused() {
    let up = Up::start(&[]);
    let answer = raw(
        &control(&up).0,
        b"GET /api/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    assert!(
        answer.contains(" 403 ") && answer.contains("foreign-host"),
        "{answer}"
    );
    // `ask` calls it localhost without its port: that is not its name either.
    assert_eq!(
        ask_with(&control(&up).0, "GET", "/api/info", "", b"").0,
        403
    );
}

#[test]
fn events_are_numbered_and_resumable() {
    let up = Up::start(&[]);
    let ids = |answer: &str| -> Vec<u64> {
        answer
            .lines()
            .filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
            .collect()
    };
    let (_, all) = request(&up, "GET", "/api/events?from=0&follow=no", "");
    let all = ids(&all);
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<u64>>());
    let (_, rest) = request(&up, "GET", "/api/events?from=3&follow=no", "");
    assert_eq!(ids(&rest).first(), Some(&4));
    let (_, rest) = request(&up, "GET", "/api/events?follow=no", "Last-Event-ID: 4\r\n");
    assert_eq!(ids(&rest).first(), Some(&5));
}

#[test]
fn status_shows_what_nodes_answer_also_when_all_are_dead() {
    let up = Up::start(&[]);
    up.says(&["kill", "all"]);
    let status = up.json(&["status", "--json"]);
    assert_eq!(
        (
            status["version"].as_u64(),
            status["up"].as_u64(),
            status["total"].as_u64()
        ),
        (Some(1), Some(0), Some(3))
    );
    assert!(status["leader"].is_null());
    for row in status["nodes"].as_array().expect("rows") {
        assert_eq!(
            (row["state"].as_str(), row["answer"].is_null()),
            (Some("killed"), true)
        );
    }
}

#[test]
fn messages_are_counted_always_and_noted_only_while_somebody_wants_it() {
    let up = Up::start(&[]);
    let bearer = format!("Authorization: Bearer {}\r\n", control(&up).1);
    let listed = || request(&up, "GET", "/api/messages?from=0", "").1;
    let note = |time: &str| request(&up, "POST", &format!("/api/messages{time}"), &bearer).0;
    up.says(&["put", "before", "1"]);
    let quiet = listed();
    assert!(
        quiet.contains(r#""noted":[]"#) && !quiet.contains(r#""others":0"#),
        "{quiet}"
    );
    assert_eq!(note(""), 400);
    assert_eq!(note("?seconds=600"), 200);
    up.says(&["put", "after", "2"]);
    await_that("the message is noted", || {
        let noted = listed();
        noted.contains("after=2") && noted.contains(r#""kind":"append""#)
    });
    assert!(!listed().contains("before=1"));
    assert_eq!(note("?seconds=0"), 200);
    assert!(listed().contains(r#""noted":[]"#));
}
