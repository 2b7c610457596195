//! A crash at every operation on files of a random workload, then recovery: nothing that was acknowledged is missing,
//! nothing is invented; and damage is refused, not repaired.

use std::collections::BTreeMap;
use std::path::Path;

use cluster::protocol::log::Log;
use cluster::protocol::{Ballot, Entry, Record, Recovered, Snapshot};
use cluster::rng::Rng;
use cluster::storage::files::Files;
use cluster::storage::io::Io;
use cluster::storage::meta::{FORMAT, Meta};
use cluster::storage::{Disk, DiskError};
use cluster::store::{Command, Store};
use cluster::types::{EntryId, Index, NodeId};
use cluster::value::{Key, Value};
use tempfile::TempDir;

fn meta() -> Meta {
    Meta {
        format: FORMAT,
        id: NodeId::nth(1),
        members: vec![NodeId::nth(1)],
        boot: 7,
        mode: "raft + quorum".to_owned(),
        recovering: false,
        wiping: false,
    }
}

fn open(directory: &Path, io: Io) -> Result<(Files, Recovered), DiskError> {
    let mut files = Files::open(directory, meta(), io)?;
    let found = files.recover()?;
    Ok((files, found))
}

/// What a node keeps on its disk, in the simplest way: all entries, from the first.
#[derive(Clone, Default)]
struct Model {
    ballot: Ballot,
    recovering: bool,
    entries: Vec<Entry>,
    /// As of here a snapshot was taken.
    applied: Index,
}

impl Model {
    fn store(&self, upto: Index) -> Store {
        let mut store = Store::default();
        for entry in self.entries.iter().take(upto as usize) {
            store.apply(&entry.id, &entry.command);
        }
        store
    }

    fn snapshot(&self, upto: Index) -> Snapshot {
        let mut log = Log::default();
        let entries = self.entries.iter().take(upto as usize).cloned();
        entries.for_each(|entry| log.push(entry));
        Snapshot {
            last: log.last(),
            history: log.history().clone(),
            members: None,
            store: self.store(upto),
        }
    }

    /// The next batch that a node might write, and what is to be kept once it is.
    fn next(&self, rng: &mut Rng) -> (Vec<Record>, Model) {
        let mut next = self.clone();
        let last = self.entries.len() as Index;
        let records = match rng.below(10) {
            0 => {
                next.ballot.term += 1;
                next.ballot.vote = (rng.below(2) == 0).then(|| NodeId::nth(2));
                vec![Record::Ballot(next.ballot.clone())]
            }
            1 => {
                next.recovering = !self.recovering;
                vec![Record::Recovering(next.recovering)]
            }
            2 if last > self.applied + 2 => {
                next.applied = self.applied + 1 + rng.below(last - self.applied);
                let snapshot = self.snapshot(next.applied);
                let compacted = self.entries[next.applied as usize / 2].id.clone();
                let tail = self.entries[next.applied as usize..].to_vec();
                vec![Record::Compact {
                    snapshot: Box::new(snapshot),
                    compacted,
                    tail,
                }]
            }
            3 => {
                // Another's snapshot, further than this log.
                let more = 1 + rng.below(3);
                (0..more).for_each(|_| next.push(rng));
                next.applied = next.entries.len() as Index;
                vec![Record::Install(Box::new(next.snapshot(next.applied)))]
            }
            4 if last > self.applied => {
                // A tail that nobody was promised is taken back.
                let kept = self.applied + rng.below(last - self.applied);
                next.entries.truncate(kept as usize);
                next.ballot.term += 1;
                next.push(rng);
                let entries = next.entries[kept as usize..].to_vec();
                vec![Record::Ballot(next.ballot.clone()), Record::Append(entries)]
            }
            _ => {
                (0..=rng.below(3)).for_each(|_| next.push(rng));
                let entries = next.entries[last as usize..].to_vec();
                let index = last;
                vec![
                    Record::Append(entries),
                    Record::Commit { index, firm: false },
                ]
            }
        };
        (records, next)
    }

    fn push(&mut self, rng: &mut Rng) {
        let id = EntryId {
            index: self.entries.len() as Index + 1,
            term: self.ballot.term,
            leader: NodeId::nth(1),
            boot: 7,
        };
        let key = Key::new(&format!("k{}", rng.below(4)));
        let command = match rng.below(4) {
            0 => Command::delete(key),
            _ => Command::put(key, Value::string(&"v".repeat(rng.below(200) as usize))),
        };
        self.entries.push(Entry { id, command });
    }
}

/// Everything that a disk holds, whatever of it is in a snapshot.
#[derive(Debug, PartialEq)]
struct Held {
    ballot: Ballot,
    recovering: bool,
    last: Option<EntryId>,
    keys: BTreeMap<String, String>,
}

fn held(found: &Recovered) -> Held {
    let log = Log::recover(found);
    let mut store = found.snapshot.store.clone();
    for entry in &found.entries {
        store.apply(&entry.id, &entry.command);
    }
    Held {
        ballot: found.ballot.clone(),
        recovering: found.recovering,
        last: log.last(),
        keys: keys(&store),
    }
}

fn wanted(model: &Model) -> Held {
    Held {
        ballot: model.ballot.clone(),
        recovering: model.recovering,
        last: model.entries.last().map(|entry| entry.id.clone()),
        keys: keys(&model.store(model.entries.len() as Index)),
    }
}

fn keys(store: &Store) -> BTreeMap<String, String> {
    let pairs = store.iter();
    pairs
        .map(|(key, slot)| (key.as_str().to_owned(), slot.value.as_str().to_owned()))
        .collect()
}

/// Writes batches until an operation fails, and says what must be there then: what the last completed write promised, or
/// what the one that failed would have.
fn write_until_it_fails(directory: &Path, io: Io, seed: u64) -> Vec<Held> {
    let mut model = Model::default();
    let Ok((mut files, _)) = open(directory, io.clone()) else {
        return vec![wanted(&model)];
    };
    let mut rng = Rng::new(seed);
    for _ in 0..40 {
        let (records, next) = model.next(&mut rng);
        if files.write(&records).is_err() {
            return vec![wanted(&model), wanted(&next)];
        }
        model = next;
        // The order of what a thread does beside is settled here, so that every run fails at the same operation.
        files.settle();
    }
    vec![wanted(&model)]
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_promised_and_invents_nothing() {
    for seed in 0..6 {
        let mut operations = 0;
        loop {
            let folder = TempDir::new().unwrap();
            let io = Io::failing_after(operations);
            let possible = write_until_it_fails(folder.path(), io.clone(), seed);
            let (_, found) = open(folder.path(), Io::default())
                .unwrap_or_else(|error| panic!("seed {seed}, operation {operations}: {error}"));
            let found = held(&found);
            assert!(
                possible.contains(&found),
                "seed {seed}, operation {operations}: {found:?}\nis none of {possible:?}"
            );
            if !io.has_failed() {
                break;
            }
            operations += 1;
        }
        assert!(operations > 50, "only {operations} operations");
    }
}

#[test]
fn after_a_failed_sync_only_what_was_synced_before_counts() {
    let folder = TempDir::new().unwrap();
    let (mut files, _) = open(folder.path(), Io::default()).unwrap();
    let mut model = Model::default();
    model.push(&mut Rng::new(1));
    files
        .write(&[Record::Append(model.entries.clone())])
        .unwrap();
    drop(files);
    // Counted: what opening takes, the write itself, and then its sync fails.
    for operations in 0..60 {
        let io = Io::failing_after(operations);
        let Ok((mut files, _)) = open(folder.path(), io) else {
            continue;
        };
        let mut more = model.clone();
        more.push(&mut Rng::new(2));
        if files
            .write(&[Record::Append(more.entries[1..].to_vec())])
            .is_ok()
        {
            return;
        }
        assert!(
            files.write(&[Record::Recovering(true)]).is_err(),
            "it went on"
        );
        drop(files);
        let (_, found) = open(folder.path(), Io::default()).unwrap();
        assert!(found.entries.len() <= 2 && !found.recovering);
    }
    panic!("it never worked");
}

#[test]
fn a_damaged_middle_is_refused_with_its_file_and_position_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let (mut files, _) = open(folder.path(), Io::default()).unwrap();
    let mut model = Model::default();
    for seed in 0..5 {
        model.push(&mut Rng::new(seed));
        let entries = model.entries[seed as usize..].to_vec();
        files.write(&[Record::Append(entries)]).unwrap();
    }
    drop(files);
    let log = folder.path().join("log-000000000000");
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&log, &bytes).unwrap();
    let error = open(folder.path(), Io::default()).unwrap_err().to_string();
    assert!(
        error.contains("log-000000000000 is damaged at byte "),
        "{error}"
    );
    assert_eq!(std::fs::read(&log).unwrap(), bytes);
}

#[test]
fn a_disk_is_opened_by_one_and_never_by_an_older_program() {
    let folder = TempDir::new().unwrap();
    let (files, _) = open(folder.path(), Io::default()).unwrap();
    let second = open(folder.path(), Io::default()).unwrap_err();
    assert!(matches!(second, DiskError::InUse { .. }), "{second}");
    drop(files);
    let path = folder.path().join("meta.json");
    let newer = std::fs::read_to_string(&path)
        .unwrap()
        .replace("\"format\": 1", "\"format\": 99");
    std::fs::write(&path, &newer).unwrap();
    let error = open(folder.path(), Io::default()).unwrap_err();
    assert!(
        matches!(error, DiskError::TooNew { format: 99, .. }),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), newer);
}

#[test]
fn what_was_committed_before_a_shorter_snapshot_came_says_nothing_of_what_comes_after() {
    let folder = TempDir::new().unwrap();
    let (mut files, _) = open(folder.path(), Io::default()).unwrap();
    let mut model = Model::default();
    (0..9).for_each(|seed| model.push(&mut Rng::new(seed)));
    let commit = |index| Record::Commit { index, firm: true };
    files
        .write(&[Record::Append(model.entries.clone()), commit(9)])
        .unwrap();
    // Where the id leads, and not the log, commitment can go back.
    files
        .write(&[Record::Install(Box::new(model.snapshot(5)))])
        .unwrap();
    files
        .write(&[Record::Append(model.entries[5..].to_vec())])
        .unwrap();
    drop(files);
    let (files, found) = open(folder.path(), Io::default()).unwrap();
    assert_eq!((found.entries.len(), found.commit), (4, 5));
    drop(files);
    assert_eq!(open(folder.path(), Io::default()).unwrap().1.commit, 5);
}

/// A disk with a snapshot of five entries and a log of four more.
fn with_a_snapshot(directory: &Path) -> Held {
    let (mut files, _) = open(directory, Io::default()).unwrap();
    let mut model = Model::default();
    (0..9).for_each(|seed| model.push(&mut Rng::new(seed)));
    let upto = model.snapshot(5);
    files.write(&[Record::Install(Box::new(upto))]).unwrap();
    let rest = model.entries[5..].to_vec();
    files.write(&[Record::Append(rest)]).unwrap();
    drop(files);
    held(&open(directory, Io::default()).unwrap().1)
}

#[test]
fn a_log_whose_snapshot_is_gone_is_refused_and_is_no_new_node() {
    let folder = TempDir::new().unwrap();
    with_a_snapshot(folder.path());
    std::fs::remove_file(folder.path().join("snapshot-000000000001")).unwrap();
    let error = open(folder.path(), Io::default()).unwrap_err().to_string();
    assert!(error.contains("snapshot-000000000001"), "{error}");
    assert!(error.contains("missing"), "{error}");
}

#[test]
fn a_snapshot_whose_log_is_gone_is_refused_too() {
    let folder = TempDir::new().unwrap();
    with_a_snapshot(folder.path());
    std::fs::remove_file(folder.path().join("log-000000000001")).unwrap();
    let error = open(folder.path(), Io::default()).unwrap_err().to_string();
    assert!(error.contains("log-000000000001"), "{error}");
}

#[test]
fn a_disk_whose_destruction_is_interrupted_holds_all_it_had_or_nothing_and_then_it_does_not_vote() {
    let (mut whole, mut empty) = (0, 0);
    for operations in 0.. {
        let folder = TempDir::new().unwrap();
        let before = with_a_snapshot(folder.path());
        let io = Io::failing_after(operations);
        let wiped = open(folder.path(), io).and_then(|(mut files, _)| files.wipe(9, true));
        let (files, found) = open(folder.path(), Io::default())
            .unwrap_or_else(|error| panic!("operation {operations}: {error}"));
        drop(files);
        if held(&found) == before {
            whole += 1;
            assert!(wiped.is_err(), "operation {operations}: it is all there");
        } else {
            empty += 1;
            assert!(found.recovering, "operation {operations}: it would vote");
            assert_eq!((found.entries.len(), found.boot), (0, 9));
            assert!(found.compacted.is_none(), "operation {operations}");
        }
        if wiped.is_ok() {
            break;
        }
    }
    assert!(whole > 2 && empty > 3, "{whole} and {empty}");
}
