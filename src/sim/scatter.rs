//! How maps hash whose keys are numbers. Nothing iterates over such a map, so its order shows nowhere.

use std::hash::{BuildHasherDefault, Hasher};

use crate::rng::mix;

/// For a map's or a set's type.
pub(super) type Plain = BuildHasherDefault<Scatter>;

/// A hash map's hasher for keys that are numbers, the same on every machine.
#[derive(Debug, Default)]
pub(super) struct Scatter(u64);

impl Hasher for Scatter {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number);
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
}
