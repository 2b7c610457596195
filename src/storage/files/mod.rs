//! A disk of files, in a directory of its own:
//!
//! | | |
//! |---|---|
//! | `lock` | held as long as it is open |
//! | `meta.json` | the format's version, the node's id, the members, the life of the disk, the mode |
//! | `snapshot-N`, `log-N` | the store as of the beginning of log N; what was promised since |
//!
//! Everything promised goes to the end of the last log in one frame, which is synced before the next. A new log begins
//! with each snapshot: it repeats what stands behind the snapshot, so the two together are all there is, and the older
//! ones go. A snapshot that only saves space is written by a thread beside, and until it is there the older log and
//! snapshot stay. Neither ports nor the cluster's name are kept: they belong to a run, not to the data.
//!
//! Caveat: a bit that flips in the very last frame looks like a write that a crash has torn, and is cut.

mod recovery;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use crate::protocol::{Ballot, Entry, Record, Recovered, Snapshot};
use crate::storage::codec::{Stored, Writer};
use crate::storage::files::recovery::{is_used, remove_before};
use crate::storage::frame::frame;
use crate::storage::io::{Io, failed};
use crate::storage::meta::{Meta, lock, read_meta, write_meta};
use crate::storage::{Disk, DiskError, snapshot};
use crate::types::{Boot, Index, Mode, index_of};

/// A node's disk.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    io: Io,
    meta: Meta,
    _lock: File,
    /// The number of the last log, and the file.
    number: u64,
    log: Option<File>,
    /// How much of it is synced.
    synced: u64,
    ballot: Ballot,
    recovering: bool,
    commit: Index,
    /// What promises nothing, and goes along with what is promised next.
    unsynced: Writer,
    background: Option<JoinHandle<Result<(), DiskError>>>,
    /// It was last used in a mode that applies, and so promises, whatever is in the log.
    was_applied: bool,
}

/// When a batch is written as more than one frame.
const LARGE: usize = 64 << 20;

fn applies_at_once(mode: &str) -> bool {
    mode.parse().is_ok_and(|mode: Mode| !mode.commits())
}

impl Files {
    /// Opens the disk in `directory`, or makes one as `fresh` says; `fresh` names the node, the members and the mode.
    pub fn open(directory: &Path, fresh: Meta, io: Io) -> Result<Files, DiskError> {
        io.create_directory(directory)?;
        if let Some(above) = directory.parent() {
            io.sync_directory(above)?;
        }
        let lock = lock(directory)?;
        let before = read_meta(directory)?;
        let was_applied = before
            .as_ref()
            .is_some_and(|meta| applies_at_once(&meta.mode));
        let meta = match before {
            Some(meta) if meta.id != fresh.id => {
                return Err(DiskError::Foreign {
                    path: directory.to_owned(),
                    found: meta.id.to_string(),
                    wanted: fresh.id.to_string(),
                });
            }
            Some(meta) => Meta {
                members: fresh.members,
                mode: fresh.mode,
                ..meta
            },
            // It is written before anything else: a crash does not leave this behind.
            None if is_used(directory)? => {
                return Err(DiskError::Damaged {
                    path: directory.join("meta.json"),
                    position: 0,
                    what: "it is missing, though there are a node's files beside it",
                });
            }
            None => fresh,
        };
        write_meta(&io, directory, &meta)?;
        Ok(Files {
            directory: directory.to_owned(),
            io,
            meta,
            _lock: lock,
            number: 0,
            log: None,
            synced: 0,
            ballot: Ballot::default(),
            recovering: false,
            commit: 0,
            unsynced: Writer::default(),
            background: None,
            was_applied,
        })
    }

    fn log_path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("log-{number:012}"))
    }

    fn snapshot_path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("snapshot-{number:012}"))
    }

    /// Adds the frame `content` to the last log, for good.
    fn promise(&mut self, content: &[u8]) -> Result<(), DiskError> {
        let path = self.log_path(self.number);
        let Some(log) = &mut self.log else {
            return Err(self.closed());
        };
        let frame = frame(content);
        let written = self.io.write(log, &path, &frame);
        if let Err(error) = written.and_then(|()| self.io.sync(log, &path)) {
            // What may never have reached the device must not be read again, whoever opens the file next. If this fails
            // too, there is no more to do.
            let _ = self.io.cut(&path, self.synced);
            return Err(error);
        }
        self.synced += frame.len() as u64;
        Ok(())
    }

    fn closed(&self) -> DiskError {
        let source = std::io::Error::other("it failed before, and was not recovered since");
        failed("write", &self.directory)(source)
    }

    /// Begins log `number`, which says what is known besides snapshots, and then `tail`.
    fn begin_log(&mut self, number: u64, tail: &[Entry]) -> Result<(), DiskError> {
        let path = self.log_path(number);
        let log = self.io.create(&path)?;
        (self.number, self.log, self.synced) = (number, Some(log), 0);
        let mut head = Writer::default();
        head.stored(&Stored::Ballot(self.ballot.clone()));
        head.stored(&Stored::Recovering(self.recovering));
        head.stored(&Stored::Commit(self.commit));
        if !tail.is_empty() {
            head.append(tail);
        }
        self.promise(&head.0)?;
        self.io.sync_directory(&self.directory)
    }

    fn write_all(&mut self, records: &[Record]) -> Result<(), DiskError> {
        self.check_background()?;
        let mut promised = false;
        for record in records {
            match record {
                Record::Ballot(ballot) => {
                    self.ballot = ballot.clone();
                    self.unsynced.stored(&Stored::Ballot(ballot.clone()));
                }
                Record::Append(entries) => self.unsynced.append(entries),
                Record::Commit { index, .. } => {
                    self.commit = *index;
                    self.unsynced.stored(&Stored::Commit(*index));
                }
                Record::Recovering(recovering) => {
                    self.recovering = *recovering;
                    self.unsynced.stored(&Stored::Recovering(*recovering));
                }
                Record::Compact { snapshot, tail, .. } => {
                    self.flush()?;
                    self.compact(snapshot, tail)?;
                    promised = false;
                    continue;
                }
                Record::Install(snapshot) => {
                    self.flush()?;
                    self.install(snapshot)?;
                    promised = false;
                    continue;
                }
            }
            promised |= record.is_promise();
            if self.unsynced.0.len() >= LARGE {
                // No frame grows beyond what is read again.
                self.flush()?;
            }
        }
        if promised { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        if self.unsynced.0.is_empty() {
            return Ok(());
        }
        let content = std::mem::take(&mut self.unsynced.0);
        self.promise(&content)
    }

    /// Destroys what there is, and begins anew as `meta` says.
    fn finish_wipe(&mut self) -> Result<(), DiskError> {
        remove_before(&self.io, &self.directory, u64::MAX)?;
        self.io.sync_directory(&self.directory)?;
        (self.ballot, self.commit) = (Ballot::default(), 0);
        self.recovering = self.meta.recovering;
        self.unsynced = Writer::default();
        self.begin_log(0, &[])?;
        self.meta.wiping = false;
        write_meta(&self.io, &self.directory, &self.meta)
    }

    /// A snapshot that only saves space: a thread writes it, unless one is still at it.
    fn compact(&mut self, snapshot: &Snapshot, tail: &[Entry]) -> Result<(), DiskError> {
        if self.background.is_some() {
            return Ok(());
        }
        let number = self.number + 1;
        self.begin_log(number, tail)?;
        let (io, path, snapshot) = (
            self.io.clone(),
            self.snapshot_path(number),
            snapshot.clone(),
        );
        let directory = self.directory.clone();
        self.background = Some(std::thread::spawn(move || {
            snapshot::write(&io, &path, &snapshot)?;
            remove_before(&io, &directory, number)
        }));
        Ok(())
    }

    /// A snapshot from another node: promised when it is there.
    fn install(&mut self, snapshot: &Snapshot) -> Result<(), DiskError> {
        self.finish_background()?;
        let number = self.number + 1;
        // The log first: alone, it changes nothing.
        self.begin_log(number, &[])?;
        self.commit = index_of(snapshot.last.as_ref());
        snapshot::write(&self.io, &self.snapshot_path(number), snapshot)?;
        // The log's head says what was committed before it, which may be more: what is added to the log must not be taken
        // for that.
        self.unsynced.stored(&Stored::Commit(self.commit));
        remove_before(&self.io, &self.directory, number)
    }

    /// Waits for what is done beside; how it went, the next write says.
    pub fn settle(&self) {
        while self
            .background
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
        {
            std::thread::yield_now();
        }
    }

    fn check_background(&mut self) -> Result<(), DiskError> {
        match &self.background {
            Some(thread) if thread.is_finished() => self.finish_background(),
            Some(_) | None => Ok(()),
        }
    }

    fn finish_background(&mut self) -> Result<(), DiskError> {
        let Some(thread) = self.background.take() else {
            return Ok(());
        };
        let ended = thread.join();
        ended.unwrap_or_else(|_| {
            let source = std::io::Error::other("the thread that wrote it failed");
            Err(failed("write a snapshot in", &self.directory)(source))
        })
    }
}

impl Disk for Files {
    fn recover(&mut self) -> Result<Recovered, DiskError> {
        // A thread at work on a snapshot is waited for; whether it succeeded, the files tell.
        let _ = self.finish_background();
        if self.log.take().is_some() {
            // After a failed sync what is in the file may never have reached the device, whatever reading it shows
            // (fsyncgate, 2018): only what was synced counts.
            self.io.cut(&self.log_path(self.number), self.synced)?;
        }
        self.unsynced = Writer::default();
        self.read_all()
    }

    fn write(&mut self, records: &[Record]) -> Result<(), DiskError> {
        self.write_all(records)
    }

    fn blocks(&self, records: &[Record]) -> bool {
        let waits =
            |record: &Record| record.is_promise() || matches!(record, Record::Compact { .. });
        records.iter().any(waits)
    }

    fn lose_unsynced(&mut self) {
        self.unsynced = Writer::default();
    }

    fn wipe(&mut self, boot: Boot, recovering: bool) -> Result<(), DiskError> {
        let _ = self.finish_background();
        self.log = None;
        // First of all it says what it will be: whatever is interrupted, neither is half of what there was taken for all of
        // it, nor an empty disk for one that never held anything.
        (self.meta.boot, self.meta.recovering) = (boot, recovering);
        self.meta.wiping = true;
        write_meta(&self.io, &self.directory, &self.meta)?;
        self.finish_wipe()
    }

    fn tear(&mut self) -> Result<bool, DiskError> {
        let _ = self.finish_background();
        let path = self.log_path(self.number);
        // Whoever opens it next does not know where it was whole.
        let Some(mut log) = self.log.take() else {
            return Ok(false);
        };
        let mut torn = Writer::default();
        torn.stored(&Stored::Ballot(self.ballot.clone()));
        torn.stored(&Stored::Commit(self.commit));
        let torn = frame(&torn.0);
        self.io.write(&mut log, &path, &torn[..torn.len() - 3])?;
        self.io.sync(&log, &path)?;
        Ok(true)
    }

    fn syncs(&self) -> u64 {
        self.io.syncs()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // The directory must not be locked by the next owner while a thread still writes in it.
        let _ = self.finish_background();
    }
}
