//! Snapshots as files: a frame that says as of which entry, frames of keys, and one that says that this was all.

use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::history::is_history_of;
use crate::protocol::{Run, Snapshot};
use crate::storage::DiskError;
use crate::storage::codec::{Reader, Writer};
use crate::storage::frame::{Frames, Next, frame};
use crate::storage::io::Io;
use crate::store::Store;
use crate::types::{EntryId, Members};

/// About how large a frame of keys is.
const FRAME: usize = 256 << 10;

#[derive(Serialize, Deserialize)]
struct Head {
    last: Option<EntryId>,
    history: Vec<Run>,
    members: Option<Members>,
    keys: usize,
    sessions: usize,
}

/// Writes `snapshot` to `path`, under a preliminary name until it is complete and synced. Whoever reads `path` finds all
/// of it or nothing.
pub fn write(io: &Io, path: &Path, snapshot: &Snapshot) -> Result<(), DiskError> {
    let preliminary = path.with_extension("part");
    let mut file = io.create(&preliminary)?;
    write_to(snapshot, |bytes| io.write(&mut file, &preliminary, bytes))?;
    io.sync(&file, &preliminary)?;
    io.rename(&preliminary, path)?;
    match path.parent() {
        Some(directory) => io.sync_directory(directory),
        None => Ok(()),
    }
}

/// Gives the bytes of `snapshot`'s file to `write`, in parts: all of them need not be in memory at once.
pub fn write_to<E>(
    snapshot: &Snapshot,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let head = Head {
        last: snapshot.last.clone(),
        history: snapshot.history.to_vec(),
        members: snapshot.members.clone(),
        keys: snapshot.store.len(),
        sessions: snapshot.store.sessions(),
    };
    let head = serde_json::to_vec(&head).expect("what is stored is always JSON");
    let mut buffer = frame(&head);
    let mut pieces = Writer::default();
    for piece in snapshot.store.pieces_after(None) {
        pieces.piece(&piece);
        if pieces.0.len() >= FRAME {
            buffer.extend(frame(&pieces.0));
            pieces.0.clear();
            write(&buffer)?;
            buffer.clear();
        }
    }
    if !pieces.0.is_empty() {
        buffer.extend(frame(&pieces.0));
    }
    // An empty frame ends it.
    buffer.extend(frame(&[]));
    write(&buffer)
}

/// Reads the snapshot at `path`.
pub fn read(path: &Path) -> Result<Snapshot, DiskError> {
    read_from(Frames::open(path, false)?)
}

/// Reads a snapshot from the frames of its file.
pub fn read_from<F: Read + Seek>(mut frames: Frames<F>) -> Result<Snapshot, DiskError> {
    let Next::Frame(head, _) = frames.read_next()? else {
        return Err(frames.damaged("it is empty"));
    };
    let Ok(head) = serde_json::from_slice::<Head>(&head) else {
        return Err(frames.damaged("its head cannot be read"));
    };
    if !is_history_of(&head.history, head.last.as_ref()) {
        return Err(frames.damaged("its history does not lead to its last entry"));
    }
    let mut store = Store::default();
    let mut leader = None;
    loop {
        match frames.read_next()? {
            Next::Frame(content, _) if content.is_empty() => break,
            Next::Frame(content, _) => {
                let mut reader = Reader::new(&content, leader.take());
                while !reader.is_empty() {
                    let piece = reader.piece();
                    if !piece.is_ok_and(|piece| store.restore(piece)) {
                        return Err(frames.damaged("a key cannot be read"));
                    }
                }
                leader = reader.leader();
            }
            Next::End | Next::Torn(_) => return Err(frames.damaged("its end is missing")),
        }
    }
    if (store.len(), store.sessions()) != (head.keys, head.sessions) {
        return Err(frames.damaged("keys are missing"));
    }
    Ok(Snapshot {
        last: head.last,
        history: Arc::new(head.history),
        members: head.members,
        store,
    })
}
