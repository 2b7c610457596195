//! Beside programs that speak the chapter's protocol, and beside strangers.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use support::{BINARY, PATIENCE, Up, ask, await_that, clean};

#[test]
fn a_chapter_leader_is_obeyed_in_both_spellings() {
    let up = Up::start(&["--course"]);
    let url = up.url(3);
    for (term, body) in [
        (
            5,
            r#"{"type":"heartbeat","leaderId":"node-0","term":5,"timestamp":1700000000000}"#,
        ),
        (
            6,
            r#"{"type":"heartbeat","leader_id":"node-0","term":6,"timestamp":1700000000.5}"#,
        ),
    ] {
        let (code, _, said) = ask(&url, "POST", "/internal/heartbeat", body.as_bytes());
        assert_eq!((code, said.as_str()), (200, r#"{"success":true}"#));
        let status = ask(&url, "GET", "/status", b"").2;
        assert!(
            status.contains(&format!(r#""term":{term},"leaderId":"node-0""#)),
            "{status}"
        );
    }
    for body in [
        r#"{"type":"replicate","leaderId":"node-0","term":7,"data":{"b":1,"a":"x"}}"#,
        r#"{"type":"replicate","leader_id":"node-0","term":7,"data":{"c":null}}"#,
    ] {
        assert_eq!(
            ask(&url, "POST", "/internal/replicate", body.as_bytes()).0,
            200
        );
    }
    let status = ask(&url, "GET", "/status", b"").2;
    assert!(
        status.contains(r#""totalKeys":3,"keys":["b","a","c"]"#),
        "{status}"
    );
}

#[test]
fn a_stale_or_malicious_message_changes_nothing() {
    let up = Up::start(&[]);
    let url = up.url(2);
    up.says(&["kill", "node-1", "--wait"]);
    let before = |status: String| {
        status
            .split("\"mode\"")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let was = before(ask(&url, "GET", "/status", b"").2);
    let heartbeat =
        |term: &str| format!(r#"{{"type":"heartbeat","leaderId":"node-1","term":{term}}}"#);
    let id = r#"{"index":1,"term":2,"leader":"node-1","boot":1}"#;
    let append = format!(
        r#"{{"protocol":2,"from":"node-1","mode":"lowest-id + async","message":{{"append":{{"claim":{{"term":9,"leader":"node-1"}},"round":1,"prev":null,"entries":[{{"id":{id},"command":{{"delete":{{"key":"k"}}}}}},{{"id":{id},"command":{{"delete":{{"key":"k"}}}}}}]}}}}}}"#
    );
    for (path, body, status) in [
        ("/internal/heartbeat", heartbeat("1"), 200),
        ("/internal/heartbeat", heartbeat("-1"), 400),
        ("/internal/heartbeat", heartbeat("1.5"), 400),
        ("/internal/heartbeat", heartbeat("\"9\""), 400),
        ("/internal/heartbeat", heartbeat("9007199254740991"), 400),
        ("/internal/heartbeat", heartbeat("9007199254740992"), 400),
        (
            "/internal/heartbeat",
            heartbeat("99999999999999999999999"),
            400,
        ),
        ("/internal/heartbeat", "[".repeat(100_000), 400),
        ("/internal/heartbeat", r#"{"term":9}"#.to_owned(), 400),
        (
            "/internal/heartbeat",
            r#"{"leaderId":"a b","term":9}"#.to_owned(),
            400,
        ),
        ("/internal/heartbeat", String::new(), 400),
        (
            "/internal/replicate",
            r#"{"leaderId":"node-1","term":9}"#.to_owned(),
            400,
        ),
        (
            "/internal/replicate",
            r#"{"leaderId":"node-1","term":9,"data":[1]}"#.to_owned(),
            400,
        ),
        ("/internal/append", append, 400),
        ("/internal/append", "{}".to_owned(), 400),
        ("/internal/nonsense", "{}".to_owned(), 404),
    ] {
        let (code, _, said) = ask(&url, "POST", path, body.as_bytes());
        assert_eq!(
            code,
            status,
            "{path} {} {said}",
            &body[..body.len().min(80)]
        );
    }
    assert_eq!(before(ask(&url, "GET", "/status", b"").2), was);
    up.run(&["put", "k", "v"]).assert().success();
}

#[test]
fn a_node_of_other_rules_is_refused_with_a_clear_line() {
    let up = Up::start(&[]);
    let body =
        r#"{"protocol":2,"from":"node-7","mode":"raft + quorum","message":{"probe":{"term":1}}}"#;
    let (code, _, said) = ask(&up.url(1), "POST", "/internal/probe", body.as_bytes());
    assert_eq!(code, 409);
    assert!(
        said.contains("plays by other rules") && said.contains("lowest-id + async"),
        "{said}"
    );
    await_that("a line about it", || {
        up.says(&["logs"]).contains("refuses node-7")
    });
}

/// A follower as the chapter's programs are: it answers success to what they know, and 404 to everything else. Hands on
/// each request's path and body.
fn chapter_follower(listener: TcpListener, seen: mpsc::Sender<(String, String)>) {
    for stream in listener.incoming() {
        let (Ok(stream), seen) = (stream, seen.clone()) else {
            return;
        };
        std::thread::spawn(move || converse(stream, &seen));
    }
}

fn converse(mut stream: TcpStream, seen: &mpsc::Sender<(String, String)>) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let (path, body) = read_request(&mut stream, &mut buffer)?;
        let (status, answer) = match path.as_str() {
            "/status" => (
                "200 OK",
                r#"{"node_id":"node-2","role":"follower","term":0,"leader_id":null,"total_keys":0,"keys":[]}"#,
            ),
            "/internal/heartbeat" | "/internal/replicate" => ("200 OK", r#"{"success": true}"#),
            _ => ("404 Not Found", r#"{"error":"Not found"}"#),
        };
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{answer}"
        )
        .ok()?;
        seen.send((path, body)).ok()?;
    }
}

fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap_or(0));
            if rest.len() >= length {
                let path = head.split(' ').nth(1)?.split('?').next()?.to_owned();
                let body = rest[..length].to_owned();
                buffer.drain(..head.len() + 4 + length);
                return Some((path, body));
            }
        }
        let mut part = [0; 4096];
        let n = stream.read(&mut part).ok().filter(|n| *n > 0)?;
        buffer.extend_from_slice(&part[..n]);
    }
}

#[test]
fn a_chapter_follower_gets_heartbeats_and_whole_maps() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let peer = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, seen) = mpsc::channel();
    std::thread::spawn(move || chapter_follower(listener, sender));
    let home = tempfile::TempDir::new().expect("a directory");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let mut process = Command::new(BINARY);
    clean(&mut process, home.path());
    let arguments = [
        "node",
        "--id",
        "node-1",
        "--port",
        &port.to_string(),
        "--peers",
        &peer,
    ];
    let mut node = process
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary");
    let url = format!("http://127.0.0.1:{port}");
    let next = |path: &str| loop {
        let (asked, body) = seen.recv_timeout(PATIENCE).expect("a request");
        if asked == path {
            return body;
        }
    };
    let heartbeat: serde_json::Value =
        serde_json::from_str(&next("/internal/heartbeat")).expect("JSON");
    for (field, value) in [
        ("type", "heartbeat"),
        ("leaderId", "node-1"),
        ("leader_id", "node-1"),
    ] {
        assert_eq!(heartbeat[field], value);
    }
    assert!(heartbeat["term"].is_u64() && heartbeat["timestamp"].is_u64());
    assert_eq!(
        ask(&url, "PUT", "/key/a", b"12345678901234567890123").0,
        200
    );
    let map = next("/internal/replicate");
    assert!(
        map.contains(r#""type":"replicate""#)
            && map.contains(r#""data":{"a":12345678901234567890123}"#),
        "{map}"
    );
    node.kill().expect("our child");
    node.wait().expect("our child");
}
