//! Disks that are slow, full, or fail.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Up, ask, await_that};
use crate::tale::{await_held, in_force, time_to_put};

fn on_disk(home: &Path) -> Up {
    let data = home.join("data");
    Up::start(&["--raft", "--data-dir", &data.to_string_lossy()])
}

/// A write that fails, and what the client is told.
fn fails_to_put(up: &Up) -> String {
    let put = up
        .run(&["put", "k", "1", "--timeout", "5s"])
        .assert()
        .code(1);
    String::from_utf8_lossy(&put.get_output().stderr).into_owned()
}

#[test]
fn a_slow_disk_slows_what_it_promises_in_memory_and_in_files() {
    let home = tempfile::TempDir::new().expect("a directory");
    let data = home.path().join("data");
    // A leader that waits for its disk is not heard meanwhile: nobody is to take it for dead.
    let patient = ["--election-timeout", "10s"];
    let in_files = ["--data-dir", data.to_str().expect("a path")];
    for flags in [&[][..], &in_files] {
        let up = Up::start(&[&patient, flags].concat());
        let said = up.says(&["disk", "leader", "--slow", "300ms"]);
        assert!(
            said.contains("each synced write takes 300ms longer"),
            "{said}"
        );
        let took = time_to_put(&up, 1, "k", "1");
        assert!(took >= Duration::from_millis(300), "{took:?}");
        up.says(&["heal", "disk-1"]);
        await_held(&up, 2, "k");
    }
}

#[test]
fn a_node_whose_disk_is_full_says_so_and_comes_back_when_there_is_space() {
    let home = tempfile::TempDir::new().expect("a directory");
    let up = on_disk(home.path());
    up.says(&["put", "before", "1"]);
    let said = up.says(&["disk", "leader", "--full"]);
    assert!(said.contains("no space left"), "{said}");
    let said = fails_to_put(&up);
    assert!(said.contains("No space left on device"), "{said}");
    let shown = up.says(&["status"]);
    assert!(
        shown.contains("no disk") && shown.contains("it takes no part"),
        "{shown}"
    );
    // The others go on, once they have a leader.
    up.run(&["put", "meanwhile", "2"]).assert().success();
    up.run(&["heal", "--wait"]).assert().success();
    assert!(in_force(&up).is_empty());
    for n in 1..=3 {
        await_held(&up, n, "meanwhile");
        await_held(&up, n, "before");
    }
}

#[test]
fn a_sync_that_fails_is_not_trusted_and_the_next_is_after_a_restart() {
    let home = tempfile::TempDir::new().expect("a directory");
    let memory = Up::start(&[]);
    for up in [&memory, &on_disk(home.path())] {
        up.says(&["disk", "leader", "--fail-fsync"]);
        let said = fails_to_put(up);
        assert!(said.contains("Input/output error"), "{said}");
        up.run(&["heal", "--wait"]).assert().success();
        up.says(&["put", "k", "2"]);
        assert_eq!(up.says(&["get", "k"]), "2");
    }
}

/// The log of the n-th node: its path, and its length.
fn log(home: &Path, n: usize) -> (PathBuf, u64) {
    let files = std::fs::read_dir(home.join(format!("data/node-{n}"))).expect("its files");
    let paths = files.flatten().map(|file| file.path());
    let is_log = |path: &PathBuf| path.to_string_lossy().contains("/log-");
    let path = paths.filter(is_log).max().expect("a log");
    let length = path.metadata().expect("its length").len();
    (path, length)
}

#[test]
fn a_torn_end_is_cut_off_and_nothing_that_was_acknowledged_is_missing() {
    let home = tempfile::TempDir::new().expect("a directory");
    let up = on_disk(home.path());
    up.says(&["put", "k", "1"]);
    up.run(&["wait", "equal"]).assert().success();
    let said = up.says(&["disk", "node-2", "--corrupt-tail"]);
    assert!(said.contains("undo:   cluster revive node-2"), "{said}");
    let (path, torn) = log(home.path(), 2);
    let status = up.says(&["status"]);
    assert!(
        status.contains("killed") && in_force(&up).is_empty(),
        "{status}"
    );
    // Whoever reads it without knowing finds a frame that does not end.
    let bytes = std::fs::read(&path).expect("the log");
    up.run(&["revive", "node-2", "--wait"]).assert().success();
    await_held(&up, 2, "k");
    let after = std::fs::read(&path).expect("the log");
    let whole = bytes.iter().zip(&after).take_while(|(a, b)| a == b).count() as u64;
    assert!(whole < torn, "{whole} of {torn} bytes were kept");
}

#[test]
fn a_disk_in_memory_has_no_end_to_be_torn() {
    let up = Up::start(&[]);
    let refused = up
        .run(&["disk", "node-2", "--corrupt-tail"])
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("--data-dir"), "{said}");
    assert!(up.says(&["status"]).contains("3 of 3 up"));
}

#[test]
fn a_slow_disk_holds_nobody_up_once_it_is_healed_or_its_node_is_killed() {
    // A leader that waits for its disk is not heard meanwhile: nobody is to take it for dead.
    let up = Up::start(&["--election-timeout", "10s"]);
    let put = || {
        let url = up.url(1);
        std::thread::spawn(move || ask(&url, "PUT", "/key/k", b"1").0)
    };
    up.says(&["disk", "node-1", "--slow", "10m"]);
    let written = put();
    up.says(&["heal", "disk-1"]);
    assert!(written.join().is_ok_and(|status| status == 200));
    up.says(&["disk", "node-1", "--slow", "10m"]);
    drop(put());
    up.says(&["kill", "node-1"]);
    up.says(&["down"]);
}

#[test]
fn a_node_that_cannot_be_started_again_when_it_is_healed_is_started_by_the_next_attempt() {
    let home = tempfile::TempDir::new().expect("a directory");
    let up = on_disk(home.path());
    up.says(&["transfer", "node-1"]);
    for n in 0..5 {
        up.says(&["put", &format!("k{n}"), "1"]);
    }
    up.run(&["wait", "equal"]).assert().success();
    up.says(&["disk", "node-2", "--full"]);
    up.says(&["put", "k", "1"]);
    await_that("its disk failed", || {
        up.says(&["status"]).contains("no disk")
    });
    let (path, length) = log(home.path(), 2);
    let whole = std::fs::read(&path).expect("the log");
    let mut damaged = whole.clone();
    damaged[length as usize / 4] ^= 0xff;
    std::fs::write(&path, damaged).expect("to damage it");
    for _ in 0..2 {
        let healed = up.run(&["heal"]).assert().code(1);
        let said = String::from_utf8_lossy(&healed.get_output().stderr).into_owned();
        assert!(said.contains("node-2: cannot start again"), "{said}");
        assert_eq!(in_force(&up), ["disk-1"]);
    }
    std::fs::write(&path, whole).expect("to mend it");
    up.run(&["heal", "--wait"]).assert().success();
    assert!(in_force(&up).is_empty());
    await_held(&up, 2, "k");
}

#[test]
fn what_cannot_be_undone_in_time_keeps_nothing_else_in_force_and_healing_says_what_it_undid() {
    let home = tempfile::TempDir::new().expect("a directory");
    let up = on_disk(home.path());
    up.says(&["transfer", "node-3"]);
    up.says(&["put", "k", "1"]);
    up.run(&["wait", "equal"]).assert().success();
    up.says(&["disk", "node-1", "node-2", "--full", "--for", "6s"]);
    // Nobody acknowledges it before there is space again.
    let _ = up.run(&["put", "k", "2", "--timeout", "1s"]).output();
    await_that("their disks failed", || {
        up.says(&["status"]).matches("no disk").count() == 2
    });
    let (path, length) = log(home.path(), 1);
    let whole = std::fs::read(&path).expect("the log");
    let mut damaged = whole.clone();
    damaged[length as usize / 4] ^= 0xff;
    std::fs::write(&path, damaged).expect("to damage it");
    await_that("node-2 is well", || in_force(&up) == ["disk-1"]);
    await_held(&up, 2, "k");
    await_that("it is said to be late", || {
        up.says(&["faults"]).contains("overdue")
    });
    up.says(&["pause", "node-3"]);
    let healed = up.run(&["heal"]).assert().code(1);
    let said = String::from_utf8_lossy(&healed.get_output().stderr).into_owned();
    assert!(
        said.contains("node-1: cannot start again") && said.contains("; pause-1 is undone"),
        "{said}"
    );
    std::fs::write(&path, whole).expect("to mend it");
    await_that("it is well by itself", || in_force(&up).is_empty());
    await_held(&up, 1, "k");
}
