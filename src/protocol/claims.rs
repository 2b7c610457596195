//! Who is obeyed: every claim to lead is weighed here, and nowhere else.
//!
//! Claims are ordered by term and, within a term, by the lower id ([`Leadership`]). A node obeys the greatest it has
//! met. A leader that meets a greater claim than its own steps down, wherever it reads of it.
//!
//! Only `lowest-id` can have two leaders in a term. Where leaders are voted for, a second one in the same term would be
//! a forgery or our own bug: it is refused, and the tests, not the network, are what panics at it.

use std::mem;
use std::time::Duration;

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::door::{Action, Reply};
use crate::protocol::message::Known;
use crate::protocol::node::{Node, Part};
use crate::protocol::record::{Ballot, Record};
use crate::types::{Election, Leadership, NodeId, Term, Time};

impl Node {
    /// Obeys `claim` if no greater one is known, and says whether it did.
    pub(super) fn obey(&mut self, now: Time, claim: &Leadership) -> bool {
        let is_rival =
            self.leader
                .as_ref()
                .is_some_and(|leader| match self.config.mode.needs_majority() {
                    _ if is_planted(Bug::EqualTermsUnresolved) => *leader != claim.leader,
                    true => *leader != claim.leader,
                    false => *leader < claim.leader,
                });
        let outdated = (claim.term < self.term && !is_planted(Bug::StaleClaimObeyed))
            || (claim.term == self.term && is_rival)
            || self.is_outbidding(claim);
        // Nobody else can claim this node's own leadership: that is a forgery, or an echo of an earlier life.
        if outdated || claim.leader == self.config.id {
            return false;
        }
        let news = claim.term > self.term || self.leader.as_ref() != Some(&claim.leader);
        let deadline = self.next_stand(now, &claim.leader);
        self.raise_term(claim.term);
        if matches!(self.part, Part::Leader(_)) {
            let leader = Some(claim.leader.clone());
            self.report(Event::SteppedDown {
                term: claim.term,
                leader,
            });
        }
        if news {
            self.report(Event::Following {
                leader: claim.leader.clone(),
                term: claim.term,
            });
            self.stop_asking("the leader changed");
        }
        self.leader = Some(claim.leader.clone());
        self.heard = now;
        self.become_follower(deadline);
        true
    }

    /// Whether this node is just taking over from the lower id that claims to lead (`bully`).
    fn is_outbidding(&self, claim: &Leadership) -> bool {
        let asked = self.bid();
        claim.leader < self.config.id && asked.is_some_and(|asked| asked > claim.term)
    }

    /// When to stand, having heard `leader` now. With `bully` a lower id that leads is heard, but not for ever: the
    /// higher one takes over once its election timeout, during which it is brought up to date, has passed.
    fn next_stand(&mut self, now: Time, leader: &NodeId) -> Time {
        let fresh = now + self.patience();
        let outranks = self.config.mode.election == Election::Bully && *leader < self.config.id;
        match self.part {
            Part::Follower { deadline, .. } if outranks => deadline.min(fresh),
            _ => fresh,
        }
    }

    /// Whether this node leads, and an answer's `known` says that its sender obeys just this leadership. A leader that
    /// reads of a greater claim than its own steps down.
    pub(super) fn still_leads(&mut self, now: Time, known: &Known) -> bool {
        if !matches!(self.part, Part::Leader(_)) {
            return false;
        }
        // Where votes decide, no term has two leaders; unless a voter lost its disk and forgot its vote. Then neither goes on.
        let votes = self.config.mode.needs_majority();
        let own = &self.config.id;
        let rival = known
            .leader
            .as_ref()
            .is_some_and(|leader| *leader < *own || (votes && leader != own))
            && !is_planted(Bug::EqualTermsUnresolved);
        if known.term > self.term || (known.term == self.term && rival) {
            self.raise_term(known.term);
            if is_planted(Bug::LeadsAfterHigherTerm) {
                return false;
            }
            self.report(Event::SteppedDown {
                term: known.term,
                leader: known.leader.clone(),
            });
            self.follow_nobody(now);
            return false;
        }
        known.term == self.term && known.leader.as_ref() == Some(&self.config.id)
    }

    /// Waits a whole election timeout for whoever may lead.
    pub(super) fn follow_nobody(&mut self, now: Time) {
        self.leader = None;
        self.stop_asking("no leader is known");
        let deadline = now + self.patience();
        self.become_follower(deadline);
    }

    /// Whatever it was doing, it waits until `deadline`. Clients of a leadership that ends are told at once.
    fn become_follower(&mut self, deadline: Time) {
        let steps_down = matches!(self.part, Part::Leader(_) | Part::Standing(_));
        if steps_down && is_planted(Bug::SteppingDownClearsVote) {
            self.vote = None;
            self.persist_ballot();
        }
        let part = Part::Follower {
            deadline,
            bootstrap: false,
        };
        let Part::Leader(leading) = mem::replace(&mut self.part, part) else {
            return;
        };
        self.abandon(leading.waiting);
        self.abandon_reads(leading.reads);
        if let Some(request) = leading.changing.and_then(|changing| changing.request) {
            let reason = "the leadership was lost before the change was committed".to_owned();
            self.reply(request, Reply::Unknown { reason });
        }
        if let Some(transfer) = leading.handing_over {
            self.reply(transfer.request, Reply::Changed);
        }
    }

    pub(super) fn raise_term(&mut self, term: Term) {
        if term > self.term {
            (self.term, self.vote) = (term, None);
            if !is_planted(Bug::TermNotPersisted) {
                self.persist_ballot();
            }
        }
    }

    /// Votes for `candidate` in the present term: on the disk before anybody is told.
    pub(super) fn vote_for(&mut self, candidate: &NodeId) {
        if self.vote.as_ref() != Some(candidate) {
            self.vote = Some(candidate.clone());
            self.persist_ballot();
        }
    }

    fn persist_ballot(&mut self) {
        let (term, vote) = (self.term, self.vote.clone());
        let vote = vote.filter(|_| !is_planted(Bug::VoteNotPersisted));
        self.out
            .push(Action::Persist(Record::Ballot(Ballot { term, vote })));
    }

    pub(super) fn known(&self) -> Known {
        Known {
            term: self.term,
            leader: self.leader.clone(),
        }
    }

    pub(super) fn heard_ago(&self, now: Time) -> Option<Duration> {
        match &self.part {
            Part::Leader(_) => Some(Duration::ZERO),
            Part::Waiting | Part::Follower { .. } | Part::Standing(_) => {
                self.leader.as_ref().map(|_| now - self.heard)
            }
        }
    }

    /// Whether a leader, perhaps this node itself, was heard within the election timeout.
    pub(super) fn hears_leader(&self, now: Time) -> bool {
        let timeout = self.config.election_timeout;
        self.heard_ago(now).is_some_and(|ago| ago < timeout)
    }
}
