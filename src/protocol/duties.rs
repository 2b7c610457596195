//! What a leader has to do, and when.

use std::collections::VecDeque;

use crate::types::{NodeId, Time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Duty {
    Heartbeat,
    Send,
    /// Everybody is asked at once whether this leader still leads.
    Confirm,
    /// Is a majority still heard?
    CheckQuorum,
}

/// To be done then, for that follower.
pub(super) type Due = (Time, Duty, NodeId);

/// What is to be done when, in order, each once. A sorted list: what is due is taken from its front, and what comes anew
/// belongs near the front or near the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Duties(VecDeque<Due>);

impl Duties {
    pub(super) fn first(&self) -> Option<&Due> {
        self.0.front()
    }

    pub(super) fn pop_first(&mut self) -> Option<Due> {
        self.0.pop_front()
    }

    pub(super) fn insert(&mut self, due: Due) {
        if self.0.back().is_none_or(|last| *last < due) {
            return self.0.push_back(due);
        }
        if let Err(at) = self.0.binary_search(&due) {
            self.0.insert(at, due);
        }
    }

    pub(super) fn remove(&mut self, due: &Due) {
        if let Ok(at) = self.0.binary_search(due) {
            self.0.remove(at);
        }
    }

    /// Forgets those of which it does not hold.
    pub(super) fn retain(&mut self, holds: impl Fn(&Due) -> bool) {
        self.0.retain(holds);
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Due> {
        self.0.iter()
    }
}

impl FromIterator<Due> for Duties {
    fn from_iter<I: IntoIterator<Item = Due>>(all: I) -> Duties {
        let mut duties = Duties::default();
        all.into_iter().for_each(|due| duties.insert(due));
        duties
    }
}

impl IntoIterator for Duties {
    type Item = Due;
    type IntoIter = std::collections::vec_deque::IntoIter<Due>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duties_are_done_in_order_and_each_once() {
        let due = |at, duty, k| (Time::after_nanos(at), duty, NodeId::nth(k));
        let given = [
            due(3, Duty::Send, 1),
            due(1, Duty::Send, 2),
            due(1, Duty::Heartbeat, 9),
            due(3, Duty::Send, 1),
            due(2, Duty::Confirm, 1),
        ];
        let mut duties: Duties = given.iter().cloned().collect();
        duties.remove(&given[4]);
        duties.remove(&due(7, Duty::Send, 1));
        assert_eq!(duties.pop_first(), Some(given[2].clone()));
        assert_eq!(duties.first(), Some(&given[1]));
        duties.retain(|(_, _, id)| *id == NodeId::nth(1));
        assert!(duties.iter().eq([&given[0]]));
    }
}
