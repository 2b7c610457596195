//! Bad input and bad days: a clear message, the right exit code, nothing left behind.

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use support::{Up, await_that, cluster_in};
use tempfile::TempDir;

fn home() -> TempDir {
    TempDir::new().expect("a directory")
}

/// Runs a command that must fail with `code`: what it says.
fn fails(arguments: &[&str], code: i32) -> String {
    let failed = cluster_in(home().path(), arguments)
        .assert()
        .code(code)
        .stdout("");
    String::from_utf8_lossy(&failed.get_output().stderr).into_owned()
}

#[test]
fn a_taken_port_is_named_with_its_owner_and_the_flag_that_changes_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let said = fails(
        &["up", "--nodes", "1", "--port", &port, "--control-port", "0"],
        1,
    );
    assert!(
        said.contains(&format!("port {port}, for node-1, is taken")) && said.contains("--port"),
        "{said}"
    );
    if cfg!(target_os = "linux") {
        assert!(
            said.contains(&format!("(pid {})", std::process::id())),
            "{said}"
        );
    }
    let said = fails(
        &["up", "--nodes", "1", "--port", "0", "--control-port", &port],
        1,
    );
    assert!(
        said.contains("the control server") && said.contains("--control-port"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_is_a_usage_error() {
    for arguments in [
        &["up", "--nodes", "0"][..],
        &["up", "--nodes", "1001"],
        &["up", "--port", "65536"],
        &["up", "--nodes", "10", "--port", "65530"],
        &["up", "--port", "4000", "--control-port", "4001"],
        &["up", "--heartbeat", "soon"],
        &["up", "--heartbeat", "0s"],
        &["up", "--heartbeat", "100ms", "--election-timeout", "100ms"],
        &["up", "--host", "nowhere"],
        &["up", "--max-value", "lots"],
        &["put", "k"],
        &["kill"],
        &["frobnicate"],
        &["status", "--cluster", "no spaces please"],
        &["node", "--peers", "ftp://x"],
    ] {
        let said = fails(arguments, 2);
        assert!(!said.is_empty(), "{arguments:?}");
    }
    let said = fails(&["up", "--nodes", "10", "--port", "65530"], 2);
    assert!(said.contains("65539") && said.contains("65535"), "{said}");
}

#[test]
fn errors_are_one_object_under_json() {
    for (arguments, code, name) in [
        (&["status", "--json"][..], 3, "no-cluster"),
        (&["up", "--nodes", "0", "--json"], 2, "usage"),
        (
            &["get", "k", "--peers", "http://127.0.0.1:1", "--json"],
            1,
            "no-node",
        ),
    ] {
        let error: serde_json::Value = serde_json::from_str(&fails(arguments, code)).expect("JSON");
        assert_eq!(error["error"]["code"], name);
        assert!(error["error"]["message"].is_string());
    }
}

#[test]
fn without_a_cluster_every_command_says_how_to_start_one() {
    for arguments in [
        &["status"][..],
        &["put", "k", "v"],
        &["get", "k"],
        &["delete", "k"],
        &["keys"],
        &["kill", "all"],
        &["revive", "all"],
        &["watch"],
        &["logs"],
        &["down"],
        &["wait"],
    ] {
        let said = fails(arguments, 3);
        assert!(
            said.contains("no cluster is running") && said.contains("cluster up"),
            "{said}"
        );
    }
    assert!(fails(&["status", "--cluster", "x"], 3).contains("cluster up --cluster x"));
}

#[test]
fn too_few_descriptors_are_refused_with_the_number_needed() {
    let script = format!(
        "ulimit -n 300 && exec {} up --nodes 3 --port 0 --control-port 0",
        support::BINARY
    );
    let mut process = std::process::Command::new("bash");
    let home = home();
    support::clean(&mut process, home.path());
    let output = process.args(["-c", &script]).output().expect("bash");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("file descriptors") && said.contains("ulimit -n 1203"),
        "{said}"
    );
}

#[test]
fn a_name_is_for_one_cluster_and_several_need_names() {
    let first = Up::start(&[]);
    let same = first
        .run(&["up", "--port", "0", "--control-port", "0"])
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&same.get_output().stderr).into_owned();
    assert!(
        said.contains(&format!("running already (pid {})", first.child.id())),
        "{said}"
    );
    let second = [
        "up",
        "--detach",
        "--port",
        "0",
        "--control-port",
        "0",
        "--cluster",
        "second",
    ];
    first.run(&second).assert().success();
    let both = first.run(&["status"]).assert().code(3);
    let said = String::from_utf8_lossy(&both.get_output().stderr).into_owned();
    assert!(
        said.contains("default, second") && said.contains("--cluster default"),
        "{said}"
    );
    first
        .run(&["put", "k", "v"])
        .env("CLUSTER_NAME", "second")
        .assert()
        .success();
    first
        .run(&["get", "k", "--cluster", "default"])
        .assert()
        .code(1);
    first
        .run(&["down", "--cluster", "second"])
        .assert()
        .success();
}

#[test]
fn sigterm_ends_it_within_a_second_and_leaves_nothing() {
    let mut up = Up::start(&[]);
    let url = up.url(1);
    up.signal("TERM");
    let asked = Instant::now();
    assert_eq!(up.ended(), Some(0));
    // A second is the promise; the machine may be busy with other tests.
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert_eq!(up.state_files(), Vec::<String>::new());
    TcpListener::bind(url.trim_start_matches("http://")).expect("the port is free");
}

#[test]
fn sigterm_during_boot_leaves_nothing() {
    for _ in 0..5 {
        let mut up = Up::spawn(home(), &["--nodes", "50"]);
        up.signal("TERM");
        up.ended();
        assert!(!up.state_files().iter().any(|name| name.ends_with(".json")));
    }
}

#[test]
fn a_cluster_that_was_killed_is_recognised_as_gone() {
    let mut up = Up::start(&[]);
    up.signal("KILL");
    up.ended();
    assert!(up.state_files().contains(&"default.json".to_owned()));
    up.run(&["status"]).assert().code(3);
    assert_eq!(up.state_files(), Vec::<String>::new());
}

#[test]
fn a_suspended_cluster_is_named_with_its_pid() {
    let up = Up::start(&[]);
    up.signal("STOP");
    let failed = up.run(&["status"]).assert().code(1);
    up.signal("CONT");
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    let pid = up.child.id();
    assert!(
        said.contains("is suspended") && said.contains(&format!("kill -CONT {pid}")),
        "{said}"
    );
    up.run(&["wait", "leader"]).assert().success();
}

#[test]
fn a_write_that_got_no_answer_is_of_unknown_outcome() {
    let up = Up::start(&[]);
    up.signal("STOP");
    let failed = up
        .run(&["put", "k", "v", "--timeout", "300ms"])
        .assert()
        .code(1);
    up.signal("CONT");
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(
        said.contains("outcome unknown") && said.contains("cluster get k"),
        "{said}"
    );
}

#[test]
fn a_closed_stdout_ends_it_cleanly() {
    let home = home();
    let script = format!("{} up --port 0 --control-port 0 | head -1", support::BINARY);
    let mut process = std::process::Command::new("bash");
    support::clean(&mut process, home.path());
    let output = process
        .args(["-o", "pipefail", "-c", &script])
        .output()
        .expect("bash");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    await_that("its state file is gone", || {
        cluster_in(home.path(), &["ls"])
            .output()
            .is_ok_and(|o| o.stdout.is_empty())
    });
}

#[test]
fn without_a_usable_runtime_directory_the_temporary_one_serves() {
    let home = home();
    let file = home.path().join("a-file");
    std::fs::write(&file, "").expect("a file");
    let mut up = cluster_in(
        home.path(),
        &["up", "--detach", "--port", "0", "--control-port", "0"],
    );
    up.env("XDG_RUNTIME_DIR", &file).assert().success();
    let mut down = cluster_in(home.path(), &["down"]);
    down.env("XDG_RUNTIME_DIR", &file).assert().success();
    let mut nowhere = cluster_in(home.path(), &["up", "--port", "0", "--control-port", "0"]);
    let failed = nowhere
        .env("XDG_RUNTIME_DIR", &file)
        .env("TMPDIR", &file)
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(
        said.contains("no directory for state files") && said.contains("XDG_RUNTIME_DIR"),
        "{said}"
    );
}
