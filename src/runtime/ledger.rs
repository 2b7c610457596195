//! A node's disk, as its task uses it: away while it is written to, so that only the promises wait for it.

use std::io;
use std::path::Path;

use crate::protocol::Record;
use crate::storage::io::failed;
use crate::storage::{Disk, DiskError};

/// A disk that may be away. Its last write is awaited before the next.
#[derive(Debug)]
pub(super) struct Ledger(Option<Box<dyn Disk>>);

impl Ledger {
    pub(super) fn new(disk: Box<dyn Disk>) -> Ledger {
        Ledger(Some(disk))
    }

    /// Writes `records`; returns once what they promise is on the device. What waits for a device does so on a thread
    /// of its own.
    pub(super) async fn write(&mut self, records: Vec<Record>) -> Result<(), DiskError> {
        if records.is_empty() {
            return Ok(());
        }
        let Some(mut disk) = self.0.take() else {
            return Err(gone());
        };
        if !disk.blocks(&records) {
            let result = disk.write(&records);
            self.0 = Some(disk);
            return result;
        }
        let work = move || {
            let result = disk.write(&records);
            (disk, result)
        };
        let (disk, result) = tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| gone())?;
        self.0 = Some(disk);
        result
    }

    pub(super) fn syncs(&self) -> u64 {
        self.0.as_ref().map_or(0, |disk| disk.syncs())
    }

    pub(super) fn into_disk(self) -> Option<Box<dyn Disk>> {
        self.0
    }
}

fn gone() -> DiskError {
    let source = io::Error::other("the thread that wrote to it failed");
    failed("write", Path::new("the disk"))(source)
}
