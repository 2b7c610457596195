//! A voter that lost its disk.
//!
//! It may have promised anything: a vote, or that it holds an entry which was then committed. If it voted again as if
//! new, a majority could be made of nodes none of which knows that entry. So in raft it comes back *recovering*: it
//! follows and copies, and neither votes nor stands; what it acknowledges counts towards no majority, of a commit, a read
//! or its leader's own standing; until a leader whom a majority of *intact* nodes confirmed after it had caught up tells it
//! that it may. Where no such majority is left, [`Input::Trust`](crate::protocol::Input) is the way out, and a risk.
//!
//! Caveat: a vote that it gave right before the loss, in a term higher than that leader's, to a candidate that is still
//! collecting votes then, is not remembered by anybody else. That needs the candidate to be cut off from the majority
//! that confirms, to keep standing in that one term all the while, and to be reached again by the one vote it lacks.

use crate::event::Event;
use crate::protocol::door::Action;
use crate::protocol::message::Message;
use crate::protocol::node::{Node, Part};
use crate::protocol::record::Record;
use crate::types::{Boot, EntryId, Leadership, NodeId, Time};

impl Node {
    /// A follower says whether it lost its disk. Once it has all that is committed, its leader has itself confirmed.
    pub(super) fn on_recovering(&mut self, from: &NodeId, recovering: bool) {
        let commit = self.commit;
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let (round, began) = (leading.round, leading.began);
        let Some(progress) = leading.followers.get_mut(from) else {
            return;
        };
        progress.intact = !recovering;
        let caught_up = commit >= began && progress.matched >= commit;
        progress.recovering = match (recovering && caught_up, progress.recovering) {
            (false, _) => None,
            // From the first of them on: rounds before it may have been confirmed before it had caught up.
            (true, waiting) => waiting.or(Some(round)),
        };
    }

    /// Tells those who have caught up that they may vote, once a majority without them has confirmed this leader.
    pub(super) fn confirm_recovery(&mut self) {
        let Part::Leader(leading) = &self.part else {
            return;
        };
        let waiting = leading.followers.iter();
        let waiting = waiting.filter_map(|(id, p)| Some((id, p.recovering?)));
        let confirmed: Vec<NodeId> = waiting
            .filter(|(_, round)| self.is_confirmed(*round))
            .map(|(id, _)| id.clone())
            .collect();
        for id in confirmed {
            let (claim, mut held, mut life) = (self.claim(), 0, None);
            self.with_progress(&id, |progress| {
                // If this gets lost, its next answer begins anew.
                progress.recovering = None;
                (held, life) = (progress.matched, progress.boot);
            });
            let commit = self.log.id_at(self.commit.min(held));
            if let Some(boot) = life {
                self.send(
                    id,
                    Message::Restored {
                        boot,
                        claim,
                        commit,
                    },
                );
            }
        }
    }

    pub(super) fn on_restored(
        &mut self,
        now: Time,
        boot: Boot,
        claim: &Leadership,
        commit: Option<EntryId>,
    ) {
        if self.obey(now, claim)
            && self.recovering
            && boot == self.boot
            && self.log.contains(commit.as_ref())
        {
            self.vote_again(Some(claim.leader.clone()));
        }
    }

    /// An operator takes the risk.
    pub(super) fn trust(&mut self) {
        if self.recovering {
            self.vote_again(None);
        }
    }

    /// From now on it votes. In the term of whoever says so it may have voted before the loss, and only for that leader if
    /// that vote counted: it is not to give another.
    fn vote_again(&mut self, by: Option<NodeId>) {
        if let Some(leader) = &by
            && self.vote.is_none()
        {
            self.vote_for(leader);
        }
        self.recovering = false;
        self.out.push(Action::Persist(Record::Recovering(false)));
        self.report(Event::Restored { by });
    }
}
