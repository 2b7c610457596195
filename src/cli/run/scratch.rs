//! A directory for the disks of one run, which goes with it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::up::refused;
use crate::runtime::boot::seed;

pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Result<Scratch, Failure> {
        let name = format!("cluster-run-{:016x}", seed().map_err(refused)?);
        let path = std::env::temp_dir().join(name);
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| Failure::system(&format!("cannot make {}", path.display()), &error))?;
        Ok(Scratch(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        clear(&self.0);
    }
}

/// Removes it and all in it.
pub(super) fn clear(path: &Path) {
    // What cannot be removed from a temporary directory does no harm there.
    let _ = std::fs::remove_dir_all(path);
}
