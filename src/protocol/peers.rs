//! What a node keeps of each other one.

use crate::types::NodeId;

/// A map by node: a sorted list, since there are few nodes and a leader looks into it several times at each answer.
#[derive(Debug, Clone)]
pub(super) struct Peers<T>(Vec<(NodeId, T)>);

impl<T> Peers<T> {
    fn at(&self, id: &NodeId) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(id))
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
