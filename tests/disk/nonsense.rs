//! Files whose checksums are right and which yet say what no node ever wrote, by a program that is not ours or a hand that
//! meant well: they are refused with their name, and no node starts on them.

use std::fs;
use std::path::Path;

use cluster::protocol::{Ballot, Entry, Run, Snapshot};
use cluster::storage::codec::{Stored, Writer};
use cluster::storage::files::Files;
use cluster::storage::frame::frame;
use cluster::storage::io::Io;
use cluster::storage::meta::{FORMAT, Meta};
use cluster::storage::{Disk, snapshot};
use cluster::store::{Command, Store};
use cluster::types::{EntryId, NodeId, TERM_LIMIT};
use tempfile::TempDir;

fn meta(boot: u64) -> Meta {
    Meta {
        format: FORMAT,
        id: NodeId::nth(1),
        members: vec![NodeId::nth(1)],
        boot,
        mode: "raft + quorum".to_owned(),
        recovering: false,
        wiping: false,
    }
}

/// What is said when a node is to start in `directory`.
fn refusal(directory: &Path) -> String {
    let files = Files::open(directory, meta(7), Io::default());
    let found = files.and_then(|mut files| files.recover());
    found.expect_err("it was taken").to_string()
}

/// A disk that was used once.
fn used() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut files = Files::open(folder.path(), meta(7), Io::default()).unwrap();
    files.recover().unwrap();
    folder
}

fn id(index: u64, term: u64) -> EntryId {
    EntryId {
        index,
        term,
        leader: NodeId::nth(1),
        boot: 7,
    }
}

fn refused_log(stored: &Stored) -> String {
    let folder = used();
    let mut writer = Writer::default();
    writer.stored(stored);
    fs::write(folder.path().join("log-000000000000"), frame(&writer.0)).unwrap();
    refusal(folder.path())
}

fn refused_entries(ids: &[EntryId]) -> String {
    let entry = |id: &EntryId| Entry {
        id: id.clone(),
        command: Command::Noop,
    };
    refused_log(&Stored::Append(ids.iter().map(entry).collect()))
}

#[test]
fn entries_that_do_not_follow_each_other_are_refused() {
    for ids in [
        vec![id(1, 1), id(3, 1)],
        vec![id(1, 1), id(1, 1)],
        vec![id(0, 1), id(1, 1)],
        vec![id(1, u64::MAX)],
        vec![id(u64::MAX, 1)],
    ] {
        let error = refused_entries(&ids);
        assert!(
            error.contains("log-000000000000 is damaged at byte "),
            "{error}"
        );
        assert!(error.contains("do not follow each other"), "{error}");
    }
    let error = refused_entries(&[id(2, 1)]);
    assert!(
        error.contains("entries before these are missing"),
        "{error}"
    );
}

#[test]
fn a_term_that_could_not_be_raised_any_more_is_refused() {
    let (term, vote) = (TERM_LIMIT, None);
    let error = refused_log(&Stored::Ballot(Ballot { term, vote }));
    assert!(error.contains("a term beyond all reason"), "{error}");
}

#[test]
fn a_snapshot_whose_history_leads_elsewhere_is_refused() {
    let run = |first, term| Run {
        first,
        term,
        leader: NodeId::nth(1),
        boot: 7,
    };
    let histories = [
        vec![],
        vec![run(1, 2)],
        vec![run(4, 1), run(1, 1)],
        vec![run(0, 1)],
        vec![run(1, u64::MAX), run(2, 1)],
    ];
    for history in histories {
        let folder = used();
        let forged = Snapshot {
            last: Some(id(5, 1)),
            history: history.into(),
            members: None,
            store: Store::default(),
        };
        let path = folder.path().join("snapshot-000000000000");
        snapshot::write(&Io::default(), &path, &forged).unwrap();
        let error = refusal(folder.path());
        assert!(
            error.contains("snapshot-000000000000 is damaged"),
            "{error}"
        );
        assert!(error.contains("does not lead to its last entry"), "{error}");
    }
}

#[test]
fn logs_without_their_description_are_not_taken_for_a_new_disk() {
    let folder = used();
    fs::remove_file(folder.path().join("meta.json")).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("meta.json is damaged"), "{error}");
    assert!(error.contains("it is missing"), "{error}");
}

#[test]
fn a_description_of_a_life_that_no_disk_had_is_refused() {
    let folder = TempDir::new().unwrap();
    let json = serde_json::to_vec(&meta(u64::MAX)).unwrap();
    fs::write(folder.path().join("meta.json"), json).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("a life that no disk had"), "{error}");
}
