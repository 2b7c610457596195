//! The configurations that a search has met: as many as fit, the latest ones. What grows with a search is only this.
//!
//! To forget one costs time, when it is met again, but no truth.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// How much is kept in mind: two generations of this many bytes.
const GENERATION: usize = 64 << 20;

/// What an entry needs beside its numbers.
const ENTRY: usize = 48;

/// A hasher for small numbers; what is hashed only ever costs the time that the search was given.
#[derive(Default)]
pub(super) struct Mixer(u64);

type Mixing = BuildHasherDefault<Mixer>;

/// A map whose order, once built, is always the same.
pub(super) type Map<K, V> = HashMap<K, V, Mixing>;

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

/// A set whose order, once built, is always the same.
pub(super) type Set<T> = HashSet<T, Mixing>;

/// A bounded set of configurations.
#[derive(Default)]
pub(super) struct Memory {
    young: Set<Box<[u32]>>,
    old: Set<Box<[u32]>>,
    size: usize,
}

impl Memory {
    /// Whether `configuration` was not met before, as far as is remembered; from now on it was.
    pub(super) fn is_new(&mut self, configuration: Vec<u32>) -> bool {
        if self.old.contains(configuration.as_slice()) {
            return false;
        }
        let size = 4 * configuration.len() + ENTRY;
        let is_new = self.young.insert(configuration.into_boxed_slice());
        if is_new {
            self.size += size;
        }
        if self.size > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_is_known_and_memory_has_an_end() {
        let mut memory = Memory::default();
        assert!(memory.is_new(vec![1, 2]) && !memory.is_new(vec![1, 2]));
        let long = |n: u32| vec![n; 1 << 16];
        let count = 4 * GENERATION / (1 << 18);
        for n in 0..count as u32 {
            assert!(memory.is_new(long(n)));
        }
        let kept = memory.young.len() + memory.old.len();
        assert!(kept <= 2 * GENERATION / (1 << 18) + 1, "{kept}");
        assert!(!memory.is_new(long(count as u32 - 1)), "the latest");
        assert!(memory.is_new(vec![1, 2]), "the first was forgotten");
    }
}
