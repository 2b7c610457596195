//! Snapshots: files of them, whatever they hold, and stores that were restored from one.

use std::convert::Infallible;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use cluster::protocol::log::Log;
use cluster::protocol::{Entry, Snapshot};
use cluster::storage::frame::{Frames, frame};
use cluster::storage::snapshot::{read_from, write_to};
use cluster::store::Store;
use cluster::types::EntryId;

use super::draw::Draw;
use super::make;

/// A byte that says how the others are taken: as a file, as the contents of its frames, or as what a store did.
pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => file(rest),
        1 => framed(rest),
        _ => store(&mut Draw::new(rest)),
    }
}

fn read(bytes: &[u8]) -> Option<Snapshot> {
    let (file, length) = (Cursor::new(bytes), bytes.len() as u64);
    read_from(Frames::of(Path::new("snapshot"), file, length, false)).ok()
}

pub fn bytes(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written: Result<(), Infallible> = write_to(snapshot, |part| {
        bytes.extend(part);
        Ok(())
    });
    written.expect("memory takes it");
    bytes
}

/// What can be read is written so that it reads the same.
fn file(file: &[u8]) {
    let Some(snapshot) = read(file) else {
        return;
    };
    assert!(read(&bytes(&snapshot)).is_some_and(|again| again == snapshot));
    // Nothing of what a log is asked may fail.
    let log = Log::behind(&snapshot);
    assert_eq!(log.last(), snapshot.last);
    assert!(log.contains(snapshot.last.as_ref()));
    is_well_kept(&snapshot.store);
}

/// Frames with good checksums around whatever there is: the head, two frames of pieces, the end.
fn framed(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let (head, first) = (draw.long(), draw.long());
    let parts = [head, first, draw.rest(), &[]];
    let parts = parts
        .iter()
        .enumerate()
        .filter(|(at, part)| *at == 3 || !part.is_empty());
    file(&parts.flat_map(|(_, part)| frame(part)).collect::<Vec<u8>>());
}

fn is_well_kept(store: &Store) {
    let sum = store
        .iter()
        .map(|(key, slot)| key.as_str().len() + slot.value.as_str().len());
    assert_eq!(store.bytes(), sum.sum::<usize>());
    assert_eq!(store.keys().count(), store.len());
    let pieces = store.pieces_after(None).count();
    assert_eq!(pieces, store.len() + store.sessions());
}

/// A store that goes on from a snapshot stays the same as the one that it was taken of.
fn store(draw: &mut Draw) {
    let (mut first, mut second) = (Store::default(), None::<Store>);
    let mut log = Log::default();
    for index in 1..200 {
        if draw.is_empty() {
            break;
        }
        if draw.byte() >= 230 {
            second = Some(copy(&first, &log));
        }
        let id = EntryId {
            index,
            term: 1,
            leader: make::node(draw),
            boot: 1,
        };
        let command = make::command(draw);
        let applied = first.apply(&id, &command);
        if let Some(second) = &mut second {
            assert_eq!(second.apply(&id, &command), applied);
        }
        log.push(Entry { id, command });
    }
    is_well_kept(&first);
    if let Some(second) = second {
        is_well_kept(&second);
        assert!(
            first == second,
            "they hold different things: {first:#?} {second:#?}"
        );
    }
}

fn copy(store: &Store, log: &Log) -> Store {
    let last = log.last_index();
    let snapshot = Snapshot {
        last: log.last(),
        history: Arc::clone(log.history()),
        members: log.members_upto(last).cloned(),
        store: store.clone(),
    };
    let read = read(&bytes(&snapshot)).expect("what was written is read");
    assert!(read == snapshot);
    read.store
}
