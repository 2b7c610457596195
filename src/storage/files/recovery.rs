//! What a node that starts finds in its files: the last snapshot, and the logs from there on, without a torn end.

use std::fs;
use std::path::{Path, PathBuf};

use crate::protocol::{Entry, Recovered, Snapshot};
use crate::storage::codec::{Reader, Stored};
use crate::storage::files::Files;
use crate::storage::frame::{Frames, Next};
use crate::storage::io::{Io, failed};
use crate::storage::{DiskError, snapshot};
use crate::types::{Index, TERM_LIMIT, index_of};

impl Files {
    /// Reads what is there, cuts a torn end off, and goes on behind it.
    pub(super) fn read_all(&mut self) -> Result<Recovered, DiskError> {
        if self.meta.wiping {
            self.finish_wipe()?;
        }
        let (snapshots, logs) = numbers(&self.directory)?;
        let base = snapshots.last().copied().unwrap_or(0);
        let snapshot = match snapshots.last() {
            Some(number) => snapshot::read(&self.snapshot_path(*number))?,
            None => Snapshot::default(),
        };
        let mut found = Recovered {
            boot: self.meta.boot,
            compacted: snapshot.last.clone(),
            snapshot,
            ..Recovered::default()
        };
        let logs: Vec<u64> = logs.into_iter().filter(|number| *number >= base).collect();
        if let Some(path) = self.missing(base, &logs) {
            return Err(DiskError::Damaged {
                path,
                position: 0,
                what: "it is missing",
            });
        }
        for number in &logs {
            self.read_log(*number, logs.last() == Some(number), &mut found)?;
        }
        let last = base_of(&found) + found.entries.len() as Index;
        // It must not reach what is yet to be added.
        let is_clipped = found.commit > last;
        found.commit = match self.was_applied {
            // Whatever the next mode thinks of it, it was promised: who has to give it up is to say so.
            true => last,
            false => found.commit.min(last),
        };
        if logs.is_empty() {
            found.recovering = self.meta.recovering;
        }
        self.ballot = found.ballot.clone();
        (self.recovering, self.commit) = (found.recovering, found.commit);
        match logs.last() {
            Some(last) => {
                let path = self.log_path(*last);
                let log = self.io.append_to(&path)?;
                let length = log.metadata().map_err(failed("look at", &path))?.len();
                // What a kill left unsynced is to be relied on from here on.
                self.io.sync(&log, &path)?;
                (self.number, self.log, self.synced) = (*last, Some(log), length);
            }
            None => self.begin_log(base, &[])?,
        }
        remove_preliminary(&self.io, &self.directory)?;
        if is_clipped {
            self.unsynced.stored(&Stored::Commit(self.commit));
        }
        if std::mem::take(&mut self.was_applied) {
            self.unsynced.stored(&Stored::Commit(self.commit));
            self.flush()?;
        }
        // What is relied on from here on must not be a name that a power cut takes back.
        self.io.sync_directory(&self.directory)?;
        remove_before(&self.io, &self.directory, base)?;
        Ok(found)
    }

    /// What would have to be there: each snapshot is begun with the log of its number, and no log goes before the snapshot
    /// that stands for it is there.
    fn missing(&self, base: u64, logs: &[u64]) -> Option<PathBuf> {
        match logs.first() {
            Some(first) if *first > base && base == 0 => Some(self.snapshot_path(*first)),
            Some(first) => (*first > base).then(|| self.log_path(base)),
            None => (base > 0).then(|| self.log_path(base)),
        }
    }

    fn read_log(&self, number: u64, is_last: bool, found: &mut Recovered) -> Result<(), DiskError> {
        let path = self.log_path(number);
        let mut frames = Frames::open(&path, is_last)?;
        let mut leader = None;
        loop {
            match frames.read_next()? {
                Next::End => return Ok(()),
                Next::Torn(at) => return self.io.cut(&path, at),
                Next::Frame(content, _) => {
                    let mut reader = Reader::new(&content, leader.take());
                    while !reader.is_empty() {
                        let Ok(stored) = reader.stored() else {
                            return Err(frames.damaged("what it says cannot be read"));
                        };
                        take(found, stored).map_err(|what| frames.damaged(what))?;
                    }
                    leader = reader.leader();
                }
            }
        }
    }
}

fn base_of(found: &Recovered) -> Index {
    index_of(found.compacted.as_ref())
}

/// Adds what a log says to what was found so far.
fn take(found: &mut Recovered, stored: Stored) -> Result<(), &'static str> {
    match stored {
        Stored::Ballot(ballot) if ballot.term < TERM_LIMIT => found.ballot = ballot,
        Stored::Ballot(_) => return Err("it holds a term beyond all reason"),
        Stored::Commit(index) => found.commit = index,
        Stored::Recovering(recovering) => found.recovering = recovering,
        Stored::Append(entries) => {
            if !follow_each_other(&entries) {
                return Err("its entries do not follow each other");
            }
            let base = base_of(found);
            let entries = entries.into_iter().filter(|entry| entry.id.index > base);
            let entries: Vec<Entry> = entries.collect();
            let Some(first) = entries.first() else {
                return Ok(());
            };
            let kept = (first.id.index - 1 - base) as usize;
            if kept > found.entries.len() {
                return Err("entries before these are missing");
            }
            found.entries.truncate(kept);
            found.entries.extend(entries);
        }
    }
    Ok(())
}

fn follow_each_other(entries: &[Entry]) -> bool {
    let is_next = |pair: &[Entry]| pair[0].id.index + 1 == pair[1].id.index;
    entries.iter().all(|entry| entry.id.is_sound()) && entries.windows(2).all(is_next)
}

/// Whether a node's log or snapshot is in `directory`.
pub(super) fn is_used(directory: &Path) -> Result<bool, DiskError> {
    let (snapshots, logs) = numbers(directory)?;
    Ok(!snapshots.is_empty() || !logs.is_empty())
}

/// The numbers of snapshots and logs in `directory`, in order.
fn numbers(directory: &Path) -> Result<(Vec<u64>, Vec<u64>), DiskError> {
    let (mut snapshots, mut logs) = (Vec::new(), Vec::new());
    let files = fs::read_dir(directory).map_err(failed("read", directory))?;
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let number = |prefix: &str| name.strip_prefix(prefix)?.parse::<u64>().ok();
        snapshots.extend(number("snapshot-"));
        logs.extend(number("log-"));
    }
    snapshots.sort_unstable();
    logs.sort_unstable();
    Ok((snapshots, logs))
}

/// Removes logs and snapshots numbered below `number`.
pub(super) fn remove_before(io: &Io, directory: &Path, number: u64) -> Result<(), DiskError> {
    let (snapshots, logs) = numbers(directory)?;
    let old = |prefix: &'static str, numbers: Vec<u64>| {
        let numbers = numbers.into_iter().filter(move |old| *old < number);
        numbers.map(move |old| format!("{prefix}-{old:012}"))
    };
    for name in old("snapshot", snapshots).chain(old("log", logs)) {
        io.remove(&directory.join(name))?;
    }
    Ok(())
}

/// Removes snapshots that were never completed.
fn remove_preliminary(io: &Io, directory: &Path) -> Result<(), DiskError> {
    let files = fs::read_dir(directory).map_err(failed("read", directory))?;
    let paths = files.flatten().map(|file| file.path());
    for path in paths.filter(|path| path.extension().is_some_and(|e| e == "part")) {
        io.remove(&path)?;
    }
    Ok(())
}
