//! Faults as verdicts: whoever carries a message asks, at the moment of sending, what becomes of it. Nothing is
//! scheduled and nothing has to be undone in flight; lifting a fault is forgetting it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::types::NodeId;

/// What becomes of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives this much later than it would have.
    Deliver {
        /// The added delay.
        after: Duration,
    },
    /// It is lost, and its sender learns nothing.
    Drop,
}

/// The faults in force between nodes. Empty means a perfect network.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    cuts: BTreeSet<(NodeId, NodeId)>,
}

impl Faults {
    /// What becomes of a message from `from` to `to`, asked when it is sent.
    pub fn verdict(&self, from: &NodeId, to: &NodeId) -> Verdict {
        // The empty case is asked for every message of every healthy cluster: it must cost nothing.
        if !self.cuts.is_empty() && self.cuts.contains(&(from.clone(), to.clone())) {
            return Verdict::Drop;
        }
        Verdict::Deliver {
            after: Duration::ZERO,
        }
    }

    /// Loses everything from `from` to `to`, in that direction.
    pub fn cut(&mut self, from: &NodeId, to: &NodeId) {
        self.cuts.insert((from.clone(), to.clone()));
    }

    /// Lifts every fault.
    pub fn heal(&mut self) {
        self.cuts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_one_way_until_healed() {
        let (a, b) = (NodeId::nth(1), NodeId::nth(2));
        let mut faults = Faults::default();
        faults.cut(&a, &b);
        assert_eq!(faults.verdict(&a, &b), Verdict::Drop);
        assert_eq!(
            faults.verdict(&b, &a),
            Verdict::Deliver {
                after: Duration::ZERO
            }
        );
        faults.heal();
        assert_eq!(
            faults.verdict(&a, &b),
            Verdict::Deliver {
                after: Duration::ZERO
            }
        );
    }
}
