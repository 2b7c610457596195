//! `sync` without votes by log: when is a write on *every* disk?
//!
//! That each follower has said so once is not enough where the next leader need not hold what this one wrote: while one
//! follower was away, another leader may have led the rest for a while and taken it back from them. (The simulator found
//! that: lowest-id + sync acknowledged a write that two of five disks did not hold any more, and its leader's death lost
//! it.) So when all have said so, all are asked once more, and only if each still obeys and still holds it is there a
//! moment at which everybody did; from then on every leader has it.
//!
//! In raft none of this is needed: whoever is voted for holds what a majority holds.

use crate::protocol::node::{Node, Part};
use crate::types::{Election, Index, NodeId};

/// What is known of the entries that everybody has.
#[derive(Debug, Clone, Default)]
pub(super) struct Copies {
    /// At one moment everybody had everything up to here.
    pub(super) confirmed: Index,
    /// All said that they have everything up to there; answers to messages above that number say it again.
    pub(super) asked: Option<(Index, u64)>,
}

impl Node {
    /// The last index that every voter had at one moment.
    pub(super) fn copies_of_all(&self) -> Index {
        let is_alone = self.other_voters().next().is_none();
        match &self.part {
            Part::Leader(leading) if self.config.mode.election != Election::Raft && !is_alone => {
                leading.copies.confirmed
            }
            _ => self.match_of_all(),
        }
    }

    fn other_voters(&self) -> impl Iterator<Item = &NodeId> {
        let voters = self.members.voters.iter();
        voters.filter(|id| **id != self.config.id)
    }

    /// Takes what was answered, and asks again if there is more to confirm for somebody who waits.
    pub(super) fn confirm_copies(&mut self) {
        use crate::types::Replication::Sync;
        if self.config.mode.replication != Sync || self.config.mode.election == Election::Raft {
            return;
        }
        let all = self.match_of_all();
        let others: Vec<NodeId> = self.other_voters().cloned().collect();
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let answered = |round: u64, id: &NodeId| {
            let follower = leading.followers.get(id);
            follower.is_some_and(|progress| progress.answered > round)
        };
        match leading.copies.asked {
            // Somebody has it no more.
            Some((index, _)) if all < index => leading.copies.asked = None,
            Some((index, round)) if others.iter().all(|id| answered(round, id)) => {
                leading.copies = Copies {
                    confirmed: index,
                    asked: None,
                };
            }
            Some(_) | None => {}
        }
        let is_waited_for = leading.waiting.front().is_some();
        if leading.copies.asked.is_none() && all > leading.copies.confirmed && is_waited_for {
            leading.copies.asked = Some((all, leading.round));
            for id in others {
                if let Part::Leader(leading) = &mut self.part {
                    let round = leading.next_round();
                    self.send_heartbeat(id, round);
                }
            }
        }
    }
}
