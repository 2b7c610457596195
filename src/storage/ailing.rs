//! A disk in memory that can suffer from what real disks suffer from.

use std::path::Path;

use crate::protocol::{Record, Recovered};
use crate::storage::ailment::Ailments;
use crate::storage::io::failed;
use crate::storage::memory::Memory;
use crate::storage::{Disk, DiskError};
use crate::types::Boot;

/// What it is called in errors.
const NAME: &str = "the disk in memory";

/// A disk in memory, and its ailments.
#[derive(Debug)]
pub struct Ailing {
    disk: Memory,
    ailments: Ailments,
}

impl Ailing {
    /// `disk` as it suffers from `ailments`.
    pub fn new(disk: Memory, ailments: Ailments) -> Ailing {
        Ailing { disk, ailments }
    }
}

fn promises(records: &[Record]) -> bool {
    records.iter().any(Record::is_promise)
}

impl Disk for Ailing {
    fn recover(&mut self) -> Result<Recovered, DiskError> {
        self.disk.recover()
    }

    fn write(&mut self, records: &[Record]) -> Result<(), DiskError> {
        let path = Path::new(NAME);
        if promises(records) {
            self.ailments.on_write().map_err(failed("write", path))?;
            self.ailments.on_sync().map_err(failed("sync", path))?;
        }
        self.disk.write(records)
    }

    fn blocks(&self, records: &[Record]) -> bool {
        !self.ailments.slow().is_zero() && promises(records)
    }

    fn lose_unsynced(&mut self) {
        self.disk.lose_unsynced();
    }

    fn wipe(&mut self, boot: Boot, recovering: bool) -> Result<(), DiskError> {
        self.disk.wipe(boot, recovering)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Ballot;

    fn ballot(term: u64) -> [Record; 1] {
        [Record::Ballot(Ballot { term, vote: None })]
    }

    #[test]
    fn of_a_write_that_failed_nothing_is_kept_and_the_next_is() {
        let ailments = Ailments::default();
        let mut disk = Ailing::new(Memory::new(1), ailments.clone());
        ailments.set_failing(true);
        assert!(disk.write(&ballot(1)).is_err());
        assert!(disk.recover().is_ok_and(|found| found.ballot.term == 0));
        assert!(disk.write(&ballot(2)).is_ok());
        ailments.set_full(true);
        let said = disk.write(&ballot(3)).map_err(|error| error.to_string());
        assert!(said.is_err_and(|error| error.contains("No space left")));
        assert!(disk.recover().is_ok_and(|found| found.ballot.term == 2));
    }
}
