//! Writes on terms: on a version (compare-and-set), and under a name (Idempotency-Key).

mod support;

use serde_json::Value;
use support::{Up, ask_with};

struct Answer {
    status: u16,
    body: Value,
    etag: Option<String>,
    head: String,
}

fn send(url: &str, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let (status, head, body) = ask_with(url, method, path, headers, body.as_bytes());
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: "));
    Answer {
        status,
        body: serde_json::from_str(&body).unwrap_or(Value::Null),
        etag: tag.map(str::to_owned),
        head,
    }
}

#[test]
fn a_value_has_a_version_and_is_replaced_only_on_it() {
    for flags in [&["--raft"][..], &[]] {
        let up = Up::start(flags);
        let leader = up.json(&["status", "--json"])["leader"].clone();
        let n: usize = leader.as_str().and_then(|id| id[5..].parse().ok()).unwrap();
        let url = &up.url(n);
        let put = |headers: &str, body: &str| send(url, "PUT", "/key/k", headers, body);
        // Nothing is there: only If-None-Match holds.
        let none = put("If-Match: *\r\n", "1");
        assert_eq!((none.status, &none.body["version"]), (412, &Value::Null));
        assert_eq!(none.body["error"], "Precondition failed");
        let first = put("If-None-Match: *\r\n", "1");
        let first_tag = first.etag.expect("a written value has a version");
        assert_eq!(first.status, 200);
        // Something is there: only its version holds, and a refusal names it.
        let again = put("If-None-Match: *\r\n", "2");
        assert_eq!((again.status, again.etag.as_ref()), (412, Some(&first_tag)));
        let version = again.body["version"].as_str().expect("a version");
        assert_eq!(format!("\"{version}\""), first_tag);
        let second = put(&format!("If-Match: {first_tag}\r\n"), "2");
        let second_tag = second.etag.expect("a version");
        assert_eq!(second.status, 200);
        assert_ne!(second_tag, first_tag);
        let stale = put(&format!("If-Match: {first_tag}\r\n"), "3");
        assert_eq!(
            (stale.status, stale.etag.as_ref()),
            (412, Some(&second_tag))
        );
        // GET gives the same version, at a follower too.
        up.run(&["wait", "equal"]).assert().success();
        for n in 1..=3 {
            let found = send(&up.url(n), "GET", "/key/k", "", "");
            assert_eq!(
                (found.body["value"].as_i64(), found.etag.as_ref()),
                (Some(2), Some(&second_tag))
            );
        }
        // DELETE likewise.
        let delete = |headers: &str| send(url, "DELETE", "/key/k", headers, "").status;
        assert_eq!(delete(&format!("If-Match: {first_tag}\r\n")), 412);
        assert_eq!(delete(&format!("If-Match: {second_tag}\r\n")), 200);
        assert_eq!(delete("If-Match: *\r\n"), 412);
        assert_eq!(put("If-Match: *\r\nIf-None-Match: *\r\n", "1").status, 400);
    }
}

#[test]
fn a_version_survives_replication_snapshots_and_the_leader() {
    let up = Up::start(&["--raft", "--snapshot-every", "5"]);
    up.says(&["put", "k", "first"]);
    let version = up.says(&["get", "k", "--only-version"]);
    for n in 0..40 {
        up.says(&["put", "other", &n.to_string()]);
    }
    up.run(&["kill", "leader", "--wait"]).assert().success();
    assert_eq!(up.says(&["get", "k", "--only-version"]), version);
    up.says(&["put", "k", "second", "--if-version", &version]);
    let stale = up
        .run(&["put", "k", "third", "--if-version", &version])
        .assert();
    let said = String::from_utf8_lossy(&stale.code(1).get_output().stderr).into_owned();
    assert!(
        said.contains("not written: the version of \"k\" is"),
        "{said}"
    );
    up.run(&["put", "k", "third", "--if-absent"])
        .assert()
        .code(1);
    up.run(&["delete", "k", "--if-version", &version])
        .assert()
        .code(1);
    up.says(&["put", "new", "1", "--if-absent"]);
    assert_eq!(up.says(&["get", "k"]), "second");
}

#[test]
fn a_named_write_happens_once_also_across_a_leaders_death() {
    let up = Up::start(&["--raft"]);
    up.says(&["put", "n", "0"]);
    let version = up.says(&["get", "n", "--only-version"]);
    let write = [
        "put",
        "n",
        "1",
        "--if-version",
        &version,
        "--idempotency-key",
        "w-1",
    ];
    up.says(&write);
    let written = up.says(&["get", "n", "--only-version"]);
    // The same again, and again at another leader: it is answered as the first was, and nothing happens.
    up.says(&write);
    up.run(&["kill", "leader", "--wait"]).assert().success();
    up.says(&write);
    assert_eq!(up.says(&["get", "n", "--only-version"]), written);
    up.says(&["put", "n", "2"]);
    up.says(&write);
    assert_eq!(up.says(&["get", "n"]), "2");
    // The name is taken: for another write it is refused.
    let other = up
        .run(&["put", "n", "7", "--idempotency-key", "w-1"])
        .assert();
    let said = String::from_utf8_lossy(&other.code(1).get_output().stderr).into_owned();
    assert!(
        said.contains("422") && said.contains("Idempotency-Key"),
        "{said}"
    );
    up.run(&["delete", "n", "--idempotency-key", "w-1"])
        .assert()
        .code(1);
    assert_eq!(up.says(&["get", "n"]), "2");
}

#[test]
fn a_page_may_use_the_new_headers() {
    let up = Up::start(&[]);
    let preflight = send(
        &up.url(1),
        "OPTIONS",
        "/key/k",
        "Origin: http://a.example\r\n",
        "",
    );
    assert_eq!(preflight.status, 200);
    for header in ["if-match", "if-none-match", "idempotency-key"] {
        let allowed = preflight
            .head
            .lines()
            .find(|line| line.starts_with("access-control-allow-headers"));
        assert!(
            allowed.is_some_and(|line| line.contains(header)),
            "{}",
            preflight.head
        );
    }
    let put = send(
        &up.url(1),
        "PUT",
        "/key/k",
        "Origin: http://a.example\r\n",
        "1",
    );
    assert!(
        put.etag.is_some() && put.head.contains("access-control-expose-headers: etag"),
        "{}",
        put.head
    );
}
