//! Everything there is once, under a number: states are lists of such numbers.

use std::collections::HashMap;

use crate::protocol::fingerprint::Sketch;
use crate::sim::scatter::Plain;

/// All ways to call the nodes; as they are called first.
#[derive(Debug)]
pub(super) struct Renamings(Vec<Vec<u8>>);

impl Renamings {
    /// Every permutation of `nodes` names, or, unless `all`, only the identity.
    pub(super) fn new(nodes: usize, all: bool) -> Renamings {
        let own: Vec<u8> = (0..nodes as u8).collect();
        let mut ways = vec![own];
        for fixed in 0..if all { nodes } else { 0 } {
            let swapped = ways.iter().flat_map(|way| {
                (fixed + 1..nodes).map(move |with| {
                    let mut way = way.clone();
                    way.swap(fixed, with);
                    way
                })
            });
            let swapped: Vec<Vec<u8>> = swapped.collect();
            ways.extend(swapped);
        }
        Renamings(ways)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// What can be recognised, whoever is who.
pub(super) trait Sketched {
    /// Adds all that matters of it.
    fn sketch(&self, sketch: &mut Sketch<'_>);

    /// All that matters of it, with the nodes called by `names`.
    fn print(&self, names: &[u8]) -> u128 {
        let mut sketch = Sketch::new(names);
        self.sketch(&mut sketch);
        sketch.finish()
    }
}

/// Things of one kind, each once, with what it looks like under each renaming.
#[derive(Debug)]
pub(super) struct Table<T> {
    items: Vec<T>,
    prints: Vec<u128>,
    ways: usize,
    known: HashMap<u128, u32, Plain>,
}

impl<T: Sketched> Table<T> {
    pub(super) fn new(ways: usize) -> Table<T> {
        Table {
            items: Vec::new(),
            prints: Vec::new(),
            ways,
            known: HashMap::default(),
        }
    }

    /// The number of `item`, a new one if nothing like it was there.
    pub(super) fn number(&mut self, item: T, renamings: &Renamings) -> u32 {
        let own = renamings.iter().next().unwrap_or(&[]);
        let next = self.items.len() as u32;
        let at = *self.known.entry(item.print(own)).or_insert(next);
        if at == next {
            self.prints
                .extend(renamings.iter().map(|names| item.print(names)));
            self.items.push(item);
        }
        at
    }

    pub(super) fn get(&self, at: u32) -> &T {
        &self.items[at as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// What it looks like under each renaming.
    pub(super) fn prints(&self, at: u32) -> &[u128] {
        let from = at as usize * self.ways;
        &self.prints[from..from + self.ways]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permutation_is_there_once_and_the_identity_first() {
        for (nodes, factorial) in [(1, 1), (2, 2), (3, 6), (4, 24), (5, 120)] {
            let mut ways = Renamings::new(nodes, true).0;
            assert_eq!(ways[0], (0..nodes as u8).collect::<Vec<u8>>());
            ways.sort();
            ways.dedup();
            assert_eq!(ways.len(), factorial);
        }
        assert_eq!(Renamings::new(3, false).len(), 1);
    }
}
