//! Every operation on files, in one place: so that each names itself when it fails, is counted if it syncs, and can be made
//! to fail by a test.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::storage::DiskError;
use crate::storage::ailment::Ailments;

/// A way to the file system. Clones share the count and the failure.
#[derive(Debug, Clone)]
pub struct Io {
    syncs: Arc<AtomicU64>,
    /// How many operations still work; below zero, none does. Far away by default.
    left: Arc<AtomicI64>,
    ailments: Ailments,
}

impl Default for Io {
    fn default() -> Io {
        Io {
            syncs: Arc::default(),
            left: Arc::new(AtomicI64::new(i64::MAX)),
            ailments: Ailments::default(),
        }
    }
}

impl Io {
    /// One that works `operations` times more, and then, as after a crash, never again. The write that fails leaves half
    /// of its bytes behind.
    pub fn failing_after(operations: u32) -> Io {
        Io {
            left: Arc::new(AtomicI64::new(operations.into())),
            ..Io::default()
        }
    }

    /// One whose disk suffers from `ailments`.
    pub fn ailing(ailments: Ailments) -> Io {
        Io {
            ailments,
            ..Io::default()
        }
    }

    /// Whether the operation that was to fail has.
    pub fn has_failed(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    /// How many syncs have completed.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    fn gate(&self) -> Result<(), Error> {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            left if left > 0 => Ok(()),
            _ => {
                self.left.store(-1, Ordering::SeqCst);
                Err(Error::other("made to fail"))
            }
        }
    }

    /// Makes `path` and what is missing above it.
    pub fn create_directory(&self, path: &Path) -> Result<(), DiskError> {
        let made = self.gate().and_then(|()| fs::create_dir_all(path));
        made.map_err(failed("make the directory", path))
    }

    /// An empty file at `path`, whatever was there before.
    pub fn create(&self, path: &Path) -> Result<File, DiskError> {
        let open = |()| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).open(path)
        };
        self.gate().and_then(open).map_err(failed("create", path))
    }

    /// The file at `path`, to be written on at its end.
    pub fn append_to(&self, path: &Path) -> Result<File, DiskError> {
        let open = |()| OpenOptions::new().append(true).open(path);
        self.gate().and_then(open).map_err(failed("open", path))
    }

    /// Writes `bytes` at the end.
    pub fn write(&self, file: &mut File, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        let written = match self.gate().and_then(|()| self.ailments.on_write()) {
            Ok(()) => file.write_all(bytes),
            Err(error) => file.write_all(&bytes[..bytes.len() / 2]).and(Err(error)),
        };
        written.map_err(failed("write", path))
    }

    /// Returns once everything written is on the device.
    pub fn sync(&self, file: &File, path: &Path) -> Result<(), DiskError> {
        let gate = self.gate().and_then(|()| self.ailments.on_sync());
        let synced = gate.and_then(|()| file.sync_data());
        synced.map_err(failed("sync", path))?;
        self.syncs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Returns once the names in `directory` are on the device.
    pub fn sync_directory(&self, directory: &Path) -> Result<(), DiskError> {
        let sync = |()| File::open(directory)?.sync_all();
        let synced = self.gate().and_then(sync);
        synced.map_err(failed("sync the directory", directory))
    }

    /// Gives a file its final name, in place of what bore it.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let renamed = self.gate().and_then(|()| fs::rename(from, to));
        renamed.map_err(failed("rename", from))
    }

    /// Removes a file.
    pub fn remove(&self, path: &Path) -> Result<(), DiskError> {
        let removed = self.gate().and_then(|()| fs::remove_file(path));
        removed.map_err(failed("remove", path))
    }

    /// Cuts a file off behind `length` bytes.
    pub fn cut(&self, path: &Path, length: u64) -> Result<(), DiskError> {
        let cut = |()| {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(length)?;
            file.sync_all()
        };
        self.gate().and_then(cut).map_err(failed("cut", path))
    }
}

/// Names what failed.
pub fn failed(what: &'static str, path: &Path) -> impl FnOnce(Error) -> DiskError + use<> {
    let path = path.to_owned();
    move |source| DiskError::Io { what, path, source }
}
