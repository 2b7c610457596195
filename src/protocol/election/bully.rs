//! `bully`: the highest live id leads, if a majority of the whole cluster, dead nodes counted, votes for it.
//!
//! A node whose leader is silent asks everybody with a term above all it has seen. Lower ids vote for it, once a term and
//! on their disks; higher ids answer that they outrank it and stand themselves. It leads once a majority has voted and
//! no higher id is left that may live. The term is not persisted before: who cannot win runs no term up. A higher id that
//! comes back follows for one election timeout, learns the term and copies what it can, and then takes over.
//!
//! Caveats, by design of the mode: nobody asks what a candidate knows. The highest id leads even if others hold later
//! writes, acknowledged ones too; those are truncated, and reported lost.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::election::campaign::{Campaign, Stage};
use crate::protocol::election::{LEAST_SILENCE, Standing};
use crate::protocol::message::{Known, Message};
use crate::protocol::node::{Node, Part};
use crate::types::{EntryId, NodeId, TERM_LIMIT, Term, Time};

impl Node {
    /// Asks everybody.
    pub(super) fn outbid(&mut self, now: Time) {
        let term = self.term + 1;
        if term >= TERM_LIMIT {
            return self.follow_nobody(now);
        }
        self.leader = None;
        self.stop_asking("no leader is known");
        let own = self.config.id.clone();
        let higher = self.members.voters.iter().filter(|id| **id > own);
        self.part = Part::Standing(Standing::Campaign(Campaign {
            stage: Stage::Outbid,
            term,
            granted: BTreeSet::from([own.clone()]),
            higher: higher.cloned().collect(),
            deadline: now + self.config.heartbeat.max(LEAST_SILENCE),
        }));
        let (last, transfer) = (self.log.last(), false);
        self.ask_voters(&Message::Vote {
            term,
            last,
            transfer,
        });
        self.lead_if_highest(now);
    }

    /// The term that it asks for just now.
    pub(in crate::protocol) fn bid(&self) -> Option<Term> {
        let bids = self
            .campaign()
            .filter(|campaign| campaign.stage == Stage::Outbid);
        bids.map(|campaign| campaign.term)
    }

    fn lead_if_highest(&mut self, now: Time) {
        let Some(campaign) = self.campaign() else {
            return;
        };
        let term = campaign.term;
        let is_elected = self.is_elected() || is_planted(Bug::BullyLeadsWithoutMajority);
        if campaign.stage == Stage::Outbid && campaign.higher.is_empty() && is_elected {
            let own = self.config.id.clone();
            self.raise_term(term);
            self.vote_for(&own);
            self.lead(now, term);
        }
    }

    /// Higher ids that said nothing count as dead; without a majority, later again.
    pub(super) fn outbid_timed_out(&mut self, now: Time) {
        if let Part::Standing(Standing::Campaign(campaign)) = &mut self.part {
            campaign.higher.clear();
        }
        self.lead_if_highest(now);
        if self.campaign().is_some() {
            self.follow_nobody(now);
        }
    }

    /// `peer`, if it was waited for, is not alive.
    pub(super) fn answered_outbid(&mut self, now: Time, peer: &NodeId) {
        if let Part::Standing(Standing::Campaign(campaign)) = &mut self.part
            && campaign.higher.remove(peer)
        {
            self.lead_if_highest(now);
        }
    }

    /// Votes for `from` if it is the higher one; otherwise this node outranks it, and stands if nobody leads.
    pub(super) fn weigh_bid(&mut self, now: Time, from: NodeId, term: Term) {
        let hears_higher =
            self.hears_leader(now) && self.leader.as_ref().is_some_and(|leader| *leader > from);
        let is_free = term > self.term
            || (term == self.term && self.vote.as_ref().is_none_or(|vote| *vote == from))
            || (term == self.term && is_planted(Bug::TwoVotesInATerm));
        let leads_it = term == self.term && matches!(self.part, Part::Leader(_));
        // It has led this term and lost its disk since, or it would know: nobody leads one twice.
        let of_it = |id: EntryId| (id.term, id.leader) == (term, from.clone());
        let has_led_it = term == self.term
            && (self.leader.as_ref() == Some(&from) || self.log.last().is_some_and(of_it));
        let is_free = is_free && !has_led_it;
        let granted = from > self.config.id && !hears_higher && is_free && !leads_it;
        if granted {
            self.raise_term(term);
            self.vote_for(&from);
            if matches!(self.part, Part::Leader(_)) {
                let leader = Some(from.clone());
                self.report(Event::SteppedDown { term, leader });
            }
            if !matches!(self.part, Part::Waiting) {
                self.follow_nobody(now);
            }
        }
        self.answer_vote(now, from.clone(), term, false, granted);
        let is_idle = matches!(self.part, Part::Follower { .. });
        if from < self.config.id && is_idle && !self.hears_leader(now) {
            self.stand(now, false);
        }
    }

    pub(super) fn count_bid(
        &mut self,
        now: Time,
        from: NodeId,
        known: Known,
        granted: bool,
        heard_ago: Option<Duration>,
    ) {
        let timeout = self.config.election_timeout;
        let heard_lately = heard_ago.is_some_and(|ago| ago < timeout);
        let own = self.config.id.clone();
        let asked = self.campaign().map_or(0, |campaign| campaign.term);
        if granted {
            if let Part::Standing(Standing::Campaign(campaign)) = &mut self.part {
                campaign.granted.insert(from);
            }
            return self.lead_if_highest(now);
        }
        let leads = known.leader.filter(|leader| heard_lately && *leader > own);
        // The term that it has seen is one that this node must exceed; on its disk only once it leads.
        self.raise_term(known.term);
        if leads.is_some() {
            // It will be heard here too, or be silent for everybody.
            self.follow_nobody(now);
        } else if from > own {
            self.report(Event::Waiting { leader: from });
            self.follow_nobody(now);
        } else if known.term >= asked {
            // It has voted in that term already, for one that stood at the same time: whoever is outranked gives up, and
            // the highest asks again at once, in a term that is free.
            self.outbid(now);
        }
    }
}
