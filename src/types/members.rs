//! Who belongs to a cluster.

use serde::{Deserialize, Serialize};

use crate::planted::{Bug, is_planted};
use crate::types::NodeId;

/// Who belongs to a cluster, as of some place in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Those whose votes and copies count, in order.
    pub voters: Vec<NodeId>,
    /// Those that are sent everything and count for nothing yet (Ongaro's dissertation, §4.2.1), in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learners: Vec<NodeId>,
}

impl Members {
    /// A cluster of voters.
    pub fn new(mut voters: Vec<NodeId>) -> Members {
        voters.sort();
        Members {
            voters,
            learners: Vec::new(),
        }
    }

    /// How many voters are more than half of them.
    pub fn majority(&self) -> usize {
        match is_planted(Bug::HalfIsMajority) {
            true => self.voters.len().div_ceil(2),
            false => self.voters.len() / 2 + 1,
        }
    }

    /// Whether `id`'s vote counts.
    pub fn votes(&self, id: &NodeId) -> bool {
        self.voters.contains(id)
    }

    /// Whether `id` belongs to the cluster.
    pub fn contains(&self, id: &NodeId) -> bool {
        self.votes(id) || self.learners.contains(id)
    }

    /// Everyone, voters first.
    pub fn iter(&self) -> impl Iterator<Item = &NodeId> {
        self.voters.iter().chain(&self.learners)
    }

    /// The same with `id` as a learner.
    pub fn with_learner(&self, id: &NodeId) -> Members {
        let mut members = self.without(id);
        members.learners.push(id.clone());
        members.learners.sort();
        members
    }

    /// The same with `id` as a voter.
    pub fn with_voter(&self, id: &NodeId) -> Members {
        let mut members = self.without(id);
        members.voters.push(id.clone());
        members.voters.sort();
        members
    }

    /// The same without `id`.
    pub fn without(&self, id: &NodeId) -> Members {
        let others = |ids: &[NodeId]| ids.iter().filter(|other| *other != id).cloned().collect();
        Members {
            voters: others(&self.voters),
            learners: others(&self.learners),
        }
    }

    /// A member known by address is called `id`. One that turns out to be known already was listed twice, and goes.
    pub fn rename(&mut self, address: &NodeId, id: &NodeId) {
        if self.votes(address) {
            *self = match self.contains(id) {
                true => self.without(address),
                false => self.without(address).with_voter(id),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_is_more_than_half_and_learners_do_not_count() {
        let members = Members::new((1..=4).map(NodeId::nth).collect());
        assert_eq!(members.majority(), 3);
        let members = members.with_learner(&NodeId::nth(5));
        assert_eq!(members.majority(), 3);
        assert_eq!(members.with_voter(&NodeId::nth(5)).majority(), 3);
        assert_eq!(members.without(&NodeId::nth(1)).majority(), 2);
    }
}
