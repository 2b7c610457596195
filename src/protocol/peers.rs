//! What a node keeps of each other one.

use crate::types::NodeId;

/// The first so many are looked through.
const FEW: usize = 8;

/// A map by node: a sorted list, since there are few nodes and a leader looks into it several times at each answer.
#[derive(Debug, Clone)]
pub(super) struct Peers<T>(Vec<(NodeId, T)>);

impl<T> Peers<T> {
    /// Where it is, or else belongs.
    fn at(&self, id: &NodeId) -> Result<usize, usize> {
        // Looking through a few is faster than halving them.
        let few = &self.0[..self.0.len().min(FEW)];
        match few.iter().position(|(other, _)| other == id) {
            Some(at) => Ok(at),
            None => self.0.binary_search_by(|(other, _)| other.cmp(id)),
        }
    }

    pub(super) fn get(&self, id: &NodeId) -> Option<&T> {
        self.at(id).ok().map(|at| &self.0[at].1)
    }

    pub(super) fn get_mut(&mut self, id: &NodeId) -> Option<&mut T> {
        self.at(id).ok().map(|at| &mut self.0[at].1)
    }

    pub(super) fn contains(&self, id: &NodeId) -> bool {
        self.at(id).is_ok()
    }

    /// Keeps `kept` of `id`, instead of what was kept.
    pub(super) fn insert(&mut self, id: NodeId, kept: T) {
        match self.at(&id) {
            Ok(at) => self.0[at].1 = kept,
            Err(at) => self.0.insert(at, (id, kept)),
        }
    }

    pub(super) fn remove(&mut self, id: &NodeId) -> Option<T> {
        self.at(id).ok().map(|at| self.0.remove(at).1)
    }

    /// Forgets those of whom it does not hold.
    pub(super) fn retain(&mut self, holds: impl Fn(&NodeId) -> bool) {
        self.0.retain(|(id, _)| holds(id));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&NodeId, &T)> {
        self.0.iter().map(|(id, kept)| (id, kept))
    }

    /// All, in order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&NodeId, &mut T)> {
        self.0.iter_mut().map(|(id, kept)| (&*id, kept))
    }
}

impl<T> FromIterator<(NodeId, T)> for Peers<T> {
    fn from_iter<I: IntoIterator<Item = (NodeId, T)>>(all: I) -> Peers<T> {
        let mut peers = Peers(Vec::new());
        for (id, kept) in all {
            peers.insert(id, kept);
        }
        peers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_peers_are_found_as_few_are() {
        let mut peers = Peers(Vec::new());
        for k in (1..=40).rev() {
            peers.insert(NodeId::nth(k), k);
        }
        for k in 1..=40 {
            assert_eq!(peers.get(&NodeId::nth(k)), Some(&k));
        }
        assert!(!peers.contains(&NodeId::nth(41)));
        assert_eq!(peers.remove(&NodeId::nth(3)), Some(3));
        assert_eq!(peers.get(&NodeId::nth(3)), None);
        assert!(peers.iter().map(|(_, k)| *k).is_sorted());
    }
}
