//! What was seen before: a set of 128-bit numbers, each with what the cheapest ways there had spent.

use crate::sim::exhaustive::bounds::Spent;

/// The states seen. Open addressing over two flat lists: 20 bytes a place, so 27 to 53 a state.
#[derive(Debug)]
pub(super) struct Seen {
    keys: Vec<u128>,
    spent: Vec<u32>,
    len: usize,
}

/// Added to a key for the second way to the same state that is not dearer than the first in everything, and so on.
const ANOTHER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

impl Seen {
    pub(super) fn new() -> Seen {
        Seen {
            keys: vec![0; 1 << 16],
            spent: vec![0; 1 << 16],
            len: 0,
        }
    }

    /// Whether `key` was not seen before by who had spent no more.
    pub(super) fn is_new(&mut self, mut key: u128, spent: Spent) -> bool {
        loop {
            let at = self.find(key);
            if self.keys[at] == 0 {
                (self.keys[at], self.spent[at]) = (key.max(1), spent.0);
                self.len += 1;
                if self.len * 4 > self.keys.len() * 3 {
                    self.grow();
                }
                return true;
            }
            if Spent(self.spent[at]).is_at_most(spent) {
                return false;
            }
            key = key.wrapping_add(ANOTHER);
        }
    }

    /// Where `key` is, or should be.
    fn find(&self, key: u128) -> usize {
        let (key, mask) = (key.max(1), self.keys.len() - 1);
        let mut at = (key >> 64) as usize & mask;
        while self.keys[at] != 0 && self.keys[at] != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let larger = self.keys.len() * 2;
        let keys = std::mem::replace(&mut self.keys, vec![0; larger]);
        let spent = std::mem::replace(&mut self.spent, vec![0; larger]);
        for (key, spent) in keys.into_iter().zip(spent).filter(|(key, _)| *key != 0) {
            let at = self.find(key);
            (self.keys[at], self.spent[at]) = (key, spent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::exhaustive::Bounds;
    use crate::sim::exhaustive::bounds::Budget;

    #[test]
    fn a_state_is_new_again_only_to_who_has_spent_less_of_something() {
        let bounds = Bounds::default();
        let spent = |whats: &[Budget]| {
            let more = |spent: Spent, what: &Budget| spent.and(*what, &bounds).unwrap();
            whats.iter().fold(Spent::default(), more)
        };
        let mut seen = Seen::new();
        assert!(seen.is_new(7, spent(&[Budget::Crash])));
        assert!(!seen.is_new(7, spent(&[Budget::Crash, Budget::Timeout])));
        assert!(seen.is_new(7, spent(&[Budget::Timeout])));
        assert!(!seen.is_new(7, spent(&[Budget::Timeout, Budget::Write])));
        assert!(seen.is_new(7, Spent::default()));
        assert!(!seen.is_new(7, spent(&[Budget::Write])));
    }

    #[test]
    fn nothing_is_forgotten_when_the_table_grows() {
        let mut seen = Seen::new();
        let key = |n: u64| u128::from(crate::rng::mix(n)) << 64 | u128::from(n);
        assert!((0..200_000).all(|n| seen.is_new(key(n), Spent::default())));
        assert!((0..200_000).all(|n| !seen.is_new(key(n), Spent::default())));
    }
}
