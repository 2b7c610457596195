//! A node's HTTP API, every answer of it, byte for byte.

mod support;

use std::io::{Read, Write};

use support::{Up, ask, ask_with, await_that, connect, raw};

#[test]
fn answers_have_the_chapters_fields_in_its_order() {
    let up = Up::start(&[]);
    let (leader, follower) = (up.url(1), up.url(2));
    for (url, method, path, body, status, answer) in [
        (
            &leader,
            "PUT",
            "/key/a",
            " 30 ",
            200,
            r#"{"success":true,"key":"a","value":30,"leaderId":"node-1"}"#,
        ),
        (
            &leader,
            "GET",
            "/key/a",
            "",
            200,
            r#"{"key":"a","value":30,"nodeRole":"leader"}"#,
        ),
        (
            &leader,
            "GET",
            "/key/b",
            "",
            404,
            r#"{"error":"Key not found","key":"b"}"#,
        ),
        (
            &leader,
            "PUT",
            "/key/a",
            "{",
            400,
            r#"{"error":"Invalid JSON"}"#,
        ),
        (
            &leader,
            "PUT",
            "/key/a",
            "",
            400,
            r#"{"error":"Invalid JSON"}"#,
        ),
        (
            &leader,
            "DELETE",
            "/key/a",
            "",
            200,
            r#"{"success":true,"key":"a","leaderId":"node-1"}"#,
        ),
        (
            &leader,
            "DELETE",
            "/key/a",
            "",
            404,
            r#"{"error":"Key not found","key":"a"}"#,
        ),
        // The role is checked before the body is parsed.
        (
            &follower,
            "PUT",
            "/key/a",
            "{",
            503,
            r#"{"error":"Not the leader","currentRole":"follower","leaderId":"node-1"}"#,
        ),
        (
            &follower,
            "DELETE",
            "/key/a",
            "",
            503,
            r#"{"error":"Not the leader","currentRole":"follower","leaderId":"node-1"}"#,
        ),
        (&leader, "GET", "/", "", 404, r#"{"error":"Not found"}"#),
        (
            &leader,
            "POST",
            "/key/a",
            "1",
            404,
            r#"{"error":"Not found"}"#,
        ),
        (
            &leader,
            "PUT",
            "/status",
            "1",
            404,
            r#"{"error":"Not found"}"#,
        ),
        (
            &leader,
            "GET",
            "/internal/heartbeat",
            "",
            404,
            r#"{"error":"Not found"}"#,
        ),
        (&leader, "OPTIONS", "/key/a", "", 200, ""),
    ] {
        let (code, head, said) = ask(url, method, path, body.as_bytes());
        assert_eq!((code, said.as_str()), (status, answer), "{method} {path}");
        for header in [
            "access-control-allow-origin: *",
            "access-control-allow-methods: get, post, put, delete, options",
            "access-control-allow-headers: content-type",
        ] {
            assert!(head.contains(header), "{method} {path}: {head}");
        }
    }
}

#[test]
fn a_connection_can_be_used_again_after_a_refusal() {
    let up = Up::start(&[]);
    let mut stream = connect(&up.url(2));
    let mut answer = [0; 4096];
    for request in ["PUT /key/a", "DELETE /key/a", "POST /nowhere", "PUT /key/a"] {
        let text = format!("{request} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1");
        stream.write_all(text.as_bytes()).expect("to send");
        let n = stream.read(&mut answer).expect("an answer");
        let said = String::from_utf8_lossy(&answer[..n]);
        assert!(
            said.contains(" 503 ") || said.contains(" 404 "),
            "{request}: {said}"
        );
    }
}

#[test]
fn head_is_get_without_a_body() {
    let up = Up::start(&[]);
    let url = up.url(1);
    let (_, _, body) = ask(&url, "GET", "/status?keys=no", b"");
    let (code, head, nothing) = ask(&url, "HEAD", "/key/none", b"");
    assert_eq!((code, nothing.as_str()), (404, ""));
    assert!(head.contains("content-length: 38"), "{head}");
    assert!(!body.contains("\"keys\""), "{body}");
}

#[test]
fn a_key_is_whatever_follows_the_slash() {
    let up = Up::start(&[]);
    let url = up.url(1);
    for (path, key) in [
        ("/key/", ""),
        ("/key/a/b", "a/b"),
        ("/key/x/", "x/"),
        ("/key/../y", "../y"),
        ("/key/a%20b", "a b"),
        ("/key/%25", "%"),
        ("/key/é", "é"),
        ("/key/%E2%98%83", "☃"),
        ("/key/q?x=1", "q"),
    ] {
        let (code, _, body) = ask(&url, "PUT", path, b"1");
        assert_eq!(code, 200, "{path}: {body}");
        assert!(
            body.contains(&format!("\"key\":\"{key}\"")),
            "{path}: {body}"
        );
    }
    let longest = format!("/key/{}", "k".repeat(4095));
    assert_eq!(ask(&url, "PUT", &longest, b"1").0, 200);
    assert_eq!(ask(&url, "GET", &(longest + "k"), b"").0, 414);
    for path in ["/key/%", "/key/%zz", "/key/%ff"] {
        let (code, _, body) = ask(&url, "GET", path, b"");
        assert_eq!(
            (code, body.as_str()),
            (400, r#"{"error":"Invalid key"}"#),
            "{path}"
        );
    }
}

#[test]
fn values_come_back_exactly_as_they_were_put() {
    let up = Up::start(&[]);
    let (url, follower) = (up.url(1), up.url(3));
    let (long, mebibyte) = (
        "7".repeat(100),
        format!("\"{}\"", "x".repeat((1 << 20) - 2)),
    );
    for value in [
        "null",
        "false",
        "0",
        "\"\"",
        "18446744073709551615",
        "-9223372036854775808",
        &long,
        "1e999",
        "1.0",
        r#"{"a":1,"a":2}"#,
        "[ 1,  2 ]",
        "\"é☃\\u0041\"",
        &mebibyte,
    ] {
        let (code, _, body) = ask(&url, "PUT", "/key/v", value.as_bytes());
        assert_eq!(code, 200);
        assert!(
            body.contains(&format!("\"value\":{value},")),
            "{}",
            &body[..80.min(body.len())]
        );
        let expected = format!(r#"{{"key":"v","value":{value},"nodeRole":"follower"}}"#);
        await_that("the copy", || {
            ask(&follower, "GET", "/key/v", b"").2 == expected
        });
    }
}

#[test]
fn values_that_cannot_be_kept_are_refused() {
    let up = Up::start(&[]);
    let url = up.url(1);
    let too_large = format!("\"{}\"", "x".repeat(1 << 20));
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for (body, status) in [
        (too_large.as_bytes(), 413),
        (deep.as_bytes(), 400),
        (b"\"\xff\"", 400),
        (b"\"\\ud800\"", 400),
        (b"1 2", 400),
    ] {
        assert_eq!(ask(&url, "PUT", "/key/v", body).0, status);
    }
    assert_eq!(ask(&url, "GET", "/key/v", b"").0, 404, "nothing was stored");
    // In pieces, without saying how much comes.
    let chunks = format!("{:x}\r\n{too_large}\r\n0\r\n\r\n", too_large.len());
    let head =
        "PUT /key/v HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert!(raw(&url, (head.to_owned() + &chunks).as_bytes()).contains(" 413 "));
}

#[test]
fn eight_hundred_half_open_clients_and_a_body_that_never_comes_hinder_nobody() {
    let up = Up::start(&[]);
    let url = up.url(1);
    let mut open: Vec<_> = (0..800).map(|_| connect(&url)).collect();
    for (at, stream) in open.iter_mut().enumerate() {
        let part: &[u8] = match at % 2 {
            0 => b"PUT /key/slow HTT",
            _ => b"PUT /key/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n\"never",
        };
        stream.write_all(part).expect("to send");
    }
    for _ in 0..20 {
        assert_eq!(ask(&url, "PUT", "/key/k", b"1").0, 200);
    }
    // In time they are told, or closed.
    let mut answer = String::new();
    let _ = open[1].read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.contains(" 408 "), "{answer}");
    assert_eq!(ask(&url, "GET", "/key/slow", b"").0, 404);
}

#[test]
fn a_kill_resets_connections_and_the_port_refuses() {
    let up = Up::start(&[]);
    let url = up.url(1);
    let mut idle = connect(&url);
    let mut busy = connect(&url);
    busy.write_all(b"PUT /key/k HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n\"ha")
        .expect("to send");
    up.says(&["kill", "node-1"]);
    for stream in [&mut idle, &mut busy] {
        let error = stream
            .read(&mut [0; 9])
            .expect_err("no farewell, no answer");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    let address = url.trim_start_matches("http://");
    let refused = std::net::TcpStream::connect(address).expect_err("nobody listens");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    up.says(&["revive", "node-1"]);
    assert_eq!(ask(&url, "GET", "/status", b"").0, 200);
}

#[test]
fn a_web_page_cannot_lead_a_cluster() {
    let up = Up::start(&[]);
    let body = br#"{"type":"heartbeat","leaderId":"evil","term":9}"#;
    let page = ask_with(
        &up.url(2),
        "POST",
        "/internal/heartbeat",
        "Origin: http://evil\r\n",
        body,
    );
    assert_eq!(page.0, 403);
    assert!(
        ask(&up.url(2), "GET", "/status", b"")
            .2
            .contains(r#""term":1,"leaderId":"node-1""#)
    );
}
