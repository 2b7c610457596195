//! Every run that ever failed is played again: it must not fail any more.
//!
//! `scripts/soak sim` keeps what it finds here, shrunk. A file holds a whole plan, so it stays what it was, whatever
//! seeds come to mean later.

use std::path::Path;

use assert_cmd::Command;

#[test]
fn what_failed_once_does_not_fail_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions");
    let files = std::fs::read_dir(&folder).expect("the folder");
    let mut played = 0;
    for file in files.flatten().map(|file| file.path()) {
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let mut command = Command::cargo_bin("cluster").expect("the binary");
        let played_again = command.arg("sim").arg("--replay").arg(&file).assert();
        let name = file.display().to_string();
        let output = String::from_utf8_lossy(&played_again.get_output().stdout).into_owned();
        assert!(
            played_again.get_output().status.success(),
            "{name}:\n{output}"
        );
        played += 1;
    }
    assert!(played > 0, "nothing was played");
}
