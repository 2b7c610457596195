//! Data on disk: what survives, what is refused without being touched, and what a lost disk costs.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::{Up, await_that, cluster_in};
use tempfile::TempDir;

fn directory() -> (TempDir, String) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("data").to_string_lossy().into_owned();
    (directory, path)
}

/// Every file below `directory` with what is in it.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
    files
}

/// What `up` says when it refuses `data`, which it does not touch.
fn refused(data: &str, flags: &[&str]) -> String {
    let home = TempDir::new().expect("a directory");
    let before = contents(Path::new(data));
    let base = [
        "up",
        "--port",
        "0",
        "--control-port",
        "0",
        "--data-dir",
        data,
    ];
    let failed = cluster_in(home.path(), &[&base[..], flags].concat()).assert();
    let said = String::from_utf8_lossy(&failed.code(1).get_output().stderr).into_owned();
    assert!(contents(Path::new(data)) == before, "nothing was touched");
    said
}

/// The only log of a node.
fn log_of(data: &str, node: &str) -> PathBuf {
    let files = contents(&Path::new(data).join(node));
    let is_log = |path: &&PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("log-"))
    };
    files.keys().rfind(is_log).expect("a log").clone()
}

fn crash(mut up: Up) {
    up.signal("KILL");
    up.ended();
}

#[test]
fn what_was_acknowledged_survives_the_process_in_every_mode() {
    for flags in [
        &[][..],
        &["--raft"],
        &["--raft", "--snapshot-every", "7"],
        &["--election", "bully", "--replication", "quorum"],
        &["--replication", "sync"],
    ] {
        let (_kept, data) = directory();
        let start = |nodes: &[&str]| Up::start(&[flags, &["--data-dir", &data], nodes].concat());
        let up = start(&["--nodes", "3"]);
        for n in 0..30 {
            up.says(&["put", &format!("k{}", n % 10), &n.to_string()]);
        }
        up.says(&["delete", "k3"]);
        crash(up);
        // Nobody needs to say again how many nodes there are.
        let up = start(&[]);
        assert_eq!(up.json(&["status", "--json"])["total"], 3);
        up.run(&["wait", "equal"]).assert().success();
        for n in 1..=3 {
            let from = format!("node-{n}");
            assert_eq!(up.says(&["get", "k9", "--from", &from]), "29", "{flags:?}");
        }
        assert_eq!(up.says(&["keys"]).lines().count(), 9);
        up.says(&["put", "k3", "back"]);
    }
}

#[test]
fn a_directory_is_for_one_at_a_time_and_for_its_own_members() {
    let (_kept, data) = directory();
    let up = Up::start(&["--raft", "--data-dir", &data]);
    up.says(&["put", "k", "v"]);
    let home = TempDir::new().expect("a directory");
    let second = [
        "up",
        "--port",
        "0",
        "--control-port",
        "0",
        "--data-dir",
        &data,
    ];
    let failed = cluster_in(home.path(), &second).assert();
    let said = String::from_utf8_lossy(&failed.code(1).get_output().stderr).into_owned();
    assert!(
        said.contains("in use") && said.contains("--data-dir"),
        "{said}"
    );
    assert_eq!(up.says(&["get", "k"]), "v");
    crash(up);
    let said = refused(&data, &["--nodes", "5"]);
    assert!(
        said.contains("node-1, node-2, node-3") && said.contains("leave --nodes out"),
        "{said}"
    );
    // Nobody who forgets a flag loses what raft keeps.
    let up = Up::start(&["--data-dir", &data]);
    let table = up.says(&["status"]);
    assert!(table.contains("raft + quorum"), "{table}");
    crash(up);
    // Another mode is allowed, and said.
    let up = Up::start(&["--data-dir", &data, "--election", "lowest-id"]);
    assert!(
        up.says(&["logs"])
            .contains("last used in raft + quorum, now in lowest-id + async"),
        "{}",
        up.says(&["logs"])
    );
    assert_eq!(up.says(&["get", "k"]), "v");
}

#[test]
fn what_a_newer_program_wrote_is_refused() {
    let (_kept, data) = directory();
    crash(Up::start(&["--data-dir", &data]));
    let meta = Path::new(&data).join("node-2/meta.json");
    let text = fs::read_to_string(&meta).expect("text");
    let newer = text.replace("\"format\": 1", "\"format\": 99");
    assert_ne!(newer, text);
    fs::write(&meta, newer).expect("to write");
    let said = refused(&data, &[]);
    assert!(
        said.contains("99") && said.contains("nothing was changed"),
        "{said}"
    );
}

#[test]
fn a_torn_end_is_cut_and_a_damaged_middle_is_refused_with_its_position() {
    let (_kept, data) = directory();
    let up = Up::start(&["--raft", "--data-dir", &data]);
    for n in 0..20 {
        up.says(&["put", &format!("k{n}"), "v"]);
    }
    crash(up);
    let log = log_of(&data, "node-1");
    let whole = fs::read(&log).expect("a log");
    // Half a record at the end, as a crash leaves it.
    fs::write(&log, [&whole[..], &whole[..20]].concat()).expect("to write");
    let up = Up::start(&["--raft", "--data-dir", &data]);
    up.run(&["wait", "equal"]).assert().success();
    assert_eq!(up.says(&["get", "k19", "--from", "node-1"]), "v");
    crash(up);
    // A bit that tipped over in the middle.
    let mut damaged = fs::read(&log).expect("a log");
    let middle = damaged.len() / 3;
    damaged[middle] ^= 4;
    fs::write(&log, &damaged).expect("to write");
    let said = refused(&data, &["--raft"]);
    assert!(
        said.contains("damaged") && said.contains(&*log.to_string_lossy()) && said.contains("byte"),
        "{said}"
    );
    assert!(said.contains("move this node's directory away"), "{said}");
    // What it says can be done can be done.
    fs::rename(
        Path::new(&data).join("node-1"),
        Path::new(&data).join("aside"),
    )
    .expect("to move");
    let up = Up::start(&["--raft", "--data-dir", &data]);
    assert_eq!(up.json(&["status", "--json"])["total"], 3);
    up.run(&["wait", "equal"]).assert().success();
    await_that("it votes again", || {
        up.says(&["logs", "node-1"]).contains("votes again")
    });
    assert_eq!(up.says(&["get", "k19", "--from", "node-1"]), "v");
}

#[test]
fn members_are_remembered() {
    let (_kept, data) = directory();
    let up = Up::start(&["--raft", "--data-dir", &data]);
    up.says(&["put", "k", "v"]);
    up.says(&["add"]);
    up.says(&["remove", "node-1"]);
    crash(up);
    let up = Up::start(&["--raft", "--data-dir", &data]);
    let names: Vec<String> = up.json(&["ls", "--json"])[0]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| node["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["node-2", "node-3", "node-4"]);
    assert_eq!(up.says(&["get", "k"]), "v");
    assert_eq!(up.json(&["add", "--json"])["id"], "node-5");
    crash(up);
    // A node that came later, and whose disk is gone, is known to have had one: it does not vote before it has caught up.
    fs::remove_dir_all(Path::new(&data).join("node-5")).expect("to remove");
    let up = Up::start(&["--raft", "--data-dir", &data]);
    assert!(
        up.says(&["logs", "node-5"])
            .contains("its disk was destroyed")
    );
    up.run(&["wait", "equal"]).assert().success();
    await_that("it votes again", || {
        up.says(&["logs", "node-5"]).contains("votes again")
    });
    assert_eq!(up.says(&["get", "k", "--from", "node-5"]), "v");
    assert_eq!(up.json(&["add", "--json"])["id"], "node-6");
}

#[test]
fn going_back_from_a_mode_that_promises_less_leaves_nobody_with_another_history() {
    let (_kept, data) = directory();
    let flags = ["--data-dir", &data, "--snapshot-every", "10"];
    let up = Up::start(&[&flags[..], &["--election", "lowest-id"]].concat());
    let put = |key: &str, count: usize| {
        for n in 0..count {
            up.says(&["put", &format!("{key}{n}"), key]);
        }
    };
    // Two histories: node-1's is the longer one, and the others do not know it.
    put("shared", 5);
    up.run(&["wait", "equal"]).assert().success();
    up.says(&["kill", "node-2"]);
    up.says(&["kill", "node-3"]);
    put("alone", 20);
    up.says(&["kill", "node-1"]);
    up.says(&["revive", "node-2"]);
    up.run(&["revive", "node-3", "--wait"]).assert().success();
    put("others", 12);
    up.run(&["wait", "equal"]).assert().success();
    crash(up);
    let up = Up::start(&["--data-dir", &data, "--raft"]);
    up.run(&["wait", "equal"]).assert().success();
    let from = |node: &str| {
        let key = "others11";
        let read = ["get", key, "--from", node, "--consistency", "linearizable"];
        up.says(&read)
    };
    // What was acknowledged in the old mode and is not part of the history that won is lost, and said to be.
    let lost = up.json(&["status", "--json"])["lost"]["count"].as_u64();
    assert!(lost >= Some(12), "{lost:?}");
    // Whichever history won: everyone answers from the same one.
    let keys: Vec<String> = ["node-1", "node-2", "node-3"]
        .iter()
        .map(|node| up.says(&["keys", "--from", node]))
        .collect();
    assert!(keys.iter().all(|list| *list == keys[0]), "{keys:?}");
    if keys[0].contains("others11") {
        assert_eq!(from("node-1"), "others");
    }
}

#[test]
fn a_power_cut_takes_nothing_that_raft_acknowledged() {
    let (_kept, data) = directory();
    let on_disk: &[&str] = &["--raft", "--data-dir", &data];
    for flags in [on_disk, &["--raft"]] {
        let up = Up::start(flags);
        for n in 0..20 {
            up.says(&["put", &format!("k{n}"), &n.to_string()]);
        }
        up.says(&["kill", "all", "--lose-unsynced"]);
        up.run(&["revive", "all", "--wait"]).assert().success();
        up.run(&["wait", "leader", "equal"]).assert().success();
        for n in 0..20 {
            let key = format!("k{n}");
            let read = ["get", &key, "--consistency", "linearizable"];
            assert_eq!(up.says(&read), n.to_string());
        }
        assert_eq!(up.json(&["status", "--json"])["lost"]["count"], 0);
    }
}

#[test]
fn what_only_a_destroyed_disk_held_is_reported_as_lost() {
    let up = Up::start(&[]);
    up.says(&["put", "shared", "1"]);
    up.run(&["wait", "equal"]).assert().success();
    up.says(&["kill", "node-2"]);
    up.says(&["kill", "node-3"]);
    up.says(&["put", "only-here", "2"]);
    assert_eq!(
        up.says(&["kill", "node-1", "--wipe"]),
        "node-1 killed, and its disk destroyed"
    );
    let status = up.says(&["status"]);
    assert!(
        status.contains("✗ lost: 1 acknowledged write: only-here"),
        "{status}"
    );
    // With it gone another leads, who knows what was copied.
    up.run(&["revive", "node-2", "--wait"]).assert().success();
    up.run(&["revive", "all", "--wait"]).assert().success();
    up.run(&["wait", "leader", "equal"]).assert().success();
    assert_eq!(up.says(&["keys"]), "shared");
}

#[test]
fn a_wiped_voter_of_raft_does_not_vote_before_it_has_caught_up() {
    let up = Up::start(&["--raft"]);
    up.says(&["put", "k", "v"]);
    up.run(&["wait", "equal"]).assert().success();
    up.says(&["kill", "follower", "--wipe"]);
    up.run(&["revive", "all", "--wait"]).assert().success();
    await_that("it votes again", || {
        up.says(&["logs"]).contains("votes again")
    });
    up.run(&["wait", "equal"]).assert().success();
    // Two of three wiped: the one that knows cannot lead alone, and the two do not vote.
    let leader = up.json(&["status", "--json"])["leader"]
        .as_str()
        .expect("a leader")
        .to_owned();
    let others = ["node-1", "node-2", "node-3"]
        .into_iter()
        .filter(|node| *node != leader);
    let others: Vec<&str> = others.collect();
    for other in &others {
        up.says(&["kill", other, "--wipe"]);
    }
    up.says(&["revive", others[0]]);
    up.says(&["revive", others[1]]);
    let refused = up.run(&["put", "k", "w", "--timeout", "2s"]).assert();
    refused.code(1);
    let status = up.says(&["status"]);
    assert!(
        status.contains("recovering") && status.contains("lost its disk: it does not vote"),
        "{status}"
    );
    // Somebody takes the risk.
    up.says(&["revive", others[0], "--bootstrap"]);
    up.run(&["wait", "leader", "equal"]).assert().success();
    // The write that was not acknowledged may have happened; the one before it is there in any case.
    assert!(["v", "w"].contains(&up.says(&["get", "k"]).as_str()));
    up.says(&["put", "k", "x"]);
}

#[test]
fn a_full_disk_takes_its_node_out_and_nobody_else() {
    let home = TempDir::new().expect("a directory");
    let urls = support::free_urls(3);
    let data = home.path().join("data").to_string_lossy().into_owned();
    let flags = ["--raft", "--data-dir", &data];
    let mut nodes = vec![support::node(home.path(), &urls, 1, &flags)];
    nodes.push(support::node(home.path(), &urls, 2, &flags));
    // A limit on the size of its files stands for a full disk: the write fails.
    nodes.push(support::node_below(
        home.path(),
        &urls,
        3,
        &flags,
        "trap '' XFSZ; ulimit -f 64",
    ));
    let peers = urls.join(",");
    let run =
        |arguments: &[&str]| cluster_in(home.path(), &[arguments, &["--peers", &peers]].concat());
    await_that("a leader", || {
        run(&["wait", "leader", "--timeout", "5s"]).ok().is_ok()
    });
    let value = "x".repeat(4000);
    for n in 0..40 {
        // If it leads just then, nobody knows what became of the write: it is repeated under its name.
        let key = format!("k{n}");
        run(&["put", &key, &value, "--retry"]).assert().success();
    }
    let mut table = String::new();
    await_that("the failure is shown", || {
        table = String::from_utf8_lossy(&run(&["status"]).output().expect("status").stdout)
            .into_owned();
        table.contains("node-3: its disk failed, it takes no part")
    });
    assert!(
        table.contains("no disk") && table.contains("3 of 3 up"),
        "{table}"
    );
    assert!(
        nodes[2].printed().contains("✗ its disk failed"),
        "{}",
        nodes[2].printed()
    );
    assert!(
        nodes[2].child.try_wait().expect("our child").is_none(),
        "the process lives"
    );
    run(&["put", "after", "1", "--retry"]).assert().success();
    run(&["get", "k39"]).assert().success();
}
