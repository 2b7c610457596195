//! Who is obeyed: every claim to lead is weighed here, and nowhere else.
//!
//! Claims are ordered by term and, within a term, by the lower id ([`Leadership`]). A node obeys the greatest it has
//! met. A leader that meets a greater claim than its own steps down, wherever it reads of it.

use std::time::Duration;

use crate::event::Event;
use crate::protocol::door::{Action, Record};
use crate::protocol::message::Known;
use crate::protocol::node::{Node, Part};
use crate::types::{Leadership, Term, Time};

impl Node {
    /// Obeys `claim` if no greater one is known, and says whether it did.
    pub(super) fn obey(&mut self, now: Time, claim: &Leadership) -> bool {
        let outdated = claim.term < self.term
            || (claim.term == self.term
                && self
                    .leader
                    .as_ref()
                    .is_some_and(|leader| *leader < claim.leader));
        // Nobody else can claim this node's own leadership: that is a forgery, or an echo of an earlier life.
        if outdated || claim.leader == self.config.id {
            return false;
        }
        let news = claim.term > self.term || self.leader.as_ref() != Some(&claim.leader);
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
        }
        self.leader = Some(claim.leader.clone());
        self.heard = now;
        let deadline = now + self.config.election_timeout;
        self.part = Part::Follower {
            deadline,
            bootstrap: false,
        };
        true
    }

    /// Whether this node leads, and an answer's `known` says that its sender obeys just this leadership. A leader that
    /// reads of a greater claim than its own steps down.
    pub(super) fn still_leads(&mut self, now: Time, known: &Known) -> bool {
        if !matches!(self.part, Part::Leader(_)) {
            return false;
        }
        let rival = known
            .leader
            .as_ref()
            .is_some_and(|leader| *leader < self.config.id);
        if known.term > self.term || (known.term == self.term && rival) {
            self.raise_term(known.term);
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
        let deadline = now + self.config.election_timeout;
        self.part = Part::Follower {
            deadline,
            bootstrap: false,
        };
    }

    pub(super) fn raise_term(&mut self, term: Term) {
        if term > self.term {
            self.term = term;
            self.out.push(Action::Persist(Record::Term(term)));
        }
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
}
