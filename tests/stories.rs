//! The chapter's eight steps and its first exercise, with the real binary and the chapter's own `curl` lines.

mod support;

use support::{Up, await_that, curl};

#[test]
fn the_eight_steps_succeed_with_the_chapters_curl_lines() {
    // Step 1: a leader is elected automatically.
    let up = Up::start(&["--nodes", "3", "--course", "--lang", "fr"]);
    let (one, two, three) = (up.url(1), up.url(2), up.url(3));
    let port = one.rsplit(':').next().expect("a port");
    await_that("the compose log's lines", || {
        up.printed().contains("[node-3] En attente de node-1")
    });
    for line in [
        format!("[node-1] Store Node écoutant sur le port {port}"),
        "[node-1] 👑 Devenu LEADER pour le terme 1".to_owned(),
        "[node-2] En attente de node-1 pour devenir leader".to_owned(),
    ] {
        assert!(up.printed().contains(&line), "{line}\n{}", up.printed());
    }
    // Step 2: the status of all nodes.
    let leader = curl(&[&format!("{one}/status")]);
    let fields = r#"{"nodeId":"node-1","role":"leader","term":1,"leaderId":"node-1","totalKeys":0,"keys":[],"#;
    assert!(leader.starts_with(fields), "{leader}");
    let follower = curl(&[&format!("{two}/status")]);
    let fields = r#"{"nodeId":"node-2","role":"follower","term":1,"leaderId":"node-1","totalKeys":0,"keys":[],"#;
    assert!(follower.starts_with(fields), "{follower}");
    // Step 3: write to the leader.
    let put = |url: &str, key: &str, value: &str| {
        curl(&[
            "-X",
            "PUT",
            &format!("{url}/key/{key}"),
            "-H",
            "Content-Type: application/json",
            "-d",
            value,
        ])
    };
    let written = r#"{"success":true,"key":"name","value":"Alice","leaderId":"node-1"}"#;
    assert_eq!(put(&one, "name", "\"Alice\""), written);
    put(&one, "age", "30");
    put(&one, "city", "\"NYC\"");
    // Step 4: read from the followers.
    up.run(&["wait", "equal"]).assert().success();
    let read = r#"{"key":"name","value":"Alice","nodeRole":"follower"}"#;
    assert_eq!(curl(&[&format!("{two}/key/name")]), read);
    assert!(curl(&[&format!("{three}/key/city")]).contains("NYC"));
    // Step 5: a follower refuses a write.
    let refusal = r#"{"error":"Not the leader","currentRole":"follower","leaderId":"node-1"}"#;
    assert_eq!(put(&two, "test", "\"should fail\""), refusal);
}

#[test]
fn the_leader_dies_another_leads_and_it_comes_back_as_a_follower() {
    let up = Up::start(&[]);
    assert_eq!(
        up.says(&["put", "name", "Alice"]),
        "name = \"Alice\"  (node-1)"
    );
    up.run(&["wait", "equal"]).assert().success();
    // Step 6: the leader fails.
    assert_eq!(
        up.says(&["kill", "node-1", "--wait"]),
        "node-1 killed\nnode-2 leads term 2"
    );
    let status = curl(&[&format!("{}/status", up.url(2))]);
    assert!(
        status.contains(r#""role":"leader","term":2,"leaderId":"node-2""#),
        "{status}"
    );
    // Step 7: write to the new one.
    assert_eq!(
        up.says(&["put", "newleader", "node-2"]),
        "newleader = \"node-2\"  (node-2)"
    );
    // Step 8: the old one returns, and follows.
    up.run(&["revive", "node-1", "--wait"]).assert().success();
    let status = curl(&[&format!("{}/status", up.url(1))]);
    let fields = r#"{"nodeId":"node-1","role":"follower","term":2,"leaderId":"node-2","totalKeys":2,"keys":["name","newleader"]"#;
    assert!(status.starts_with(fields), "{status}");
    assert_eq!(up.says(&["get", "newleader", "--from", "node-1"]), "node-2");
}

#[test]
fn exercise_1_nodes_stop_one_by_one_and_the_system_goes_on() {
    let up = Up::start(&[]);
    up.says(&["put", "a", "1"]);
    up.run(&["wait", "equal"]).assert().success();
    up.says(&["kill", "node-3"]);
    up.says(&["put", "b", "2"]);
    up.run(&["wait", "equal"]).assert().success();
    // Two of three: the last one leads, and status says what that means.
    up.says(&["kill", "node-1", "--wait"]);
    up.says(&["put", "c", "3"]);
    assert_eq!(up.says(&["keys"]), "a\nb\nc");
    let table = up.says(&["status"]);
    assert!(
        table.contains("1 of 3 up") && table.contains("no majority"),
        "{table}"
    );
    // All of them: nobody answers, and status still works.
    up.says(&["kill", "all"]);
    assert!(up.says(&["status"]).contains("nobody leads, 0 of 3 up"));
    up.run(&["get", "a"]).assert().code(1);
    // Their disks survived.
    up.run(&["revive", "all", "--wait"]).assert().success();
    up.run(&["wait", "leader", "equal"]).assert().success();
    let status = up.json(&["status", "--json"]);
    assert_eq!(
        (status["up"].as_u64(), status["lost"]["count"].as_u64()),
        (Some(3), Some(1)),
        "{status}"
    );
    assert!(
        up.says(&["logs"]).contains("LOST 1 acknowledged write: c"),
        "{}",
        up.says(&["logs"])
    );
}

#[test]
fn a_put_during_an_election_waits_for_the_new_leader() {
    let up = Up::start(&[]);
    up.says(&["kill", "leader"]);
    assert_eq!(up.says(&["put", "k", "v"]), "k = \"v\"  (node-2)");
}

#[test]
fn n_processes_of_node_form_one_cluster() {
    let home = tempfile::TempDir::new().expect("a directory");
    // Ports are reserved by binding them; the small gap until the nodes bind them is retried by nobody else.
    let sockets: Vec<std::net::TcpListener> = (0..3)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a port"))
        .collect();
    let urls: Vec<String> = sockets
        .iter()
        .map(|s| format!("http://{}", s.local_addr().expect("an address")))
        .collect();
    drop(sockets);
    let mut nodes = Vec::new();
    for (at, url) in urls.iter().enumerate() {
        let others: Vec<&str> = urls
            .iter()
            .filter(|other| *other != url)
            .map(String::as_str)
            .collect();
        let mut process = std::process::Command::new(support::BINARY);
        support::clean(&mut process, home.path());
        process
            .arg("node")
            .env("NODE_ID", format!("node-{}", at + 1))
            .env("PORT", url.rsplit(':').next().expect("a port"))
            .env("PEERS", others.join(","))
            .stdout(std::process::Stdio::null());
        nodes.push(process.spawn().expect("the binary"));
    }
    let peers = urls.join(",");
    let run = |arguments: &[&str]| {
        let mut command = support::cluster_in(home.path(), arguments);
        command.args(["--peers", &peers]);
        command
    };
    await_that("a leader", || {
        run(&["wait", "leader", "--timeout", "5s"]).ok().is_ok()
    });
    run(&["put", "k", "v"]).assert().success();
    run(&["wait", "equal"]).assert().success();
    let table = run(&["status"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let table = String::from_utf8(table).expect("text");
    assert!(
        table.contains(" leads term ") && table.contains("3 of 3 up"),
        "{table}"
    );
    run(&["get", "k", "--from", "node-3"])
        .assert()
        .success()
        .stdout("v\n");
    run(&["keys"]).assert().success().stdout("k\n");
    run(&["delete", "k"]).assert().success();
    run(&["get", "k"]).assert().code(1);
    for mut node in nodes {
        support::signal(node.id(), "TERM");
        assert_eq!(node.wait().expect("our child").code(), Some(0));
    }
}
