//! `raft`: a leader is voted for by a majority that finds its log at least as fresh as their own (Ongaro's dissertation,
//! §3.4 and §3.6), after asking whether it could win (pre-vote, §9.6).

use std::collections::BTreeSet;

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::election::Standing;
use crate::protocol::election::campaign::{Campaign, Stage};
use crate::protocol::message::{Known, Message};
use crate::protocol::node::{Node, Part};
use crate::types::{EntryId, NodeId, TERM_LIMIT, Term, Time};

impl Node {
    /// Asks whether it could win, without raising any term: a node that cannot reach a majority, or knows too little,
    /// disturbs nobody.
    pub(super) fn ask_for_pre_votes(&mut self, now: Time) {
        let term = self.term + 1;
        self.leader = None;
        self.begin(now, Stage::PreVote, term);
        let last = self.log.last();
        self.ask_voters(&Message::PreVote { term, last });
        self.go_on_if_elected(now);
    }

    /// Begins a term, votes for itself, on the disk first, and asks the others to.
    pub(in crate::protocol) fn ask_for_votes(&mut self, now: Time, transfer: bool) {
        let term = self.term + 1;
        if term >= TERM_LIMIT {
            return self.follow_nobody(now);
        }
        self.leader = None;
        let own = self.config.id.clone();
        (self.term, self.vote) = (term, None);
        self.vote_for(&own);
        self.begin(now, Stage::Vote, term);
        let last = self.log.last();
        self.ask_voters(&Message::Vote {
            term,
            last,
            transfer,
        });
        self.go_on_if_elected(now);
    }

    fn begin(&mut self, now: Time, stage: Stage, term: Term) {
        self.stop_asking("no leader is known");
        let deadline = now + self.patience();
        self.part = Part::Standing(Standing::Campaign(Campaign {
            stage,
            term,
            granted: BTreeSet::from([self.config.id.clone()]),
            higher: BTreeSet::new(),
            deadline,
        }));
    }

    fn go_on_if_elected(&mut self, now: Time) {
        if !self.is_elected() {
            return;
        }
        match self
            .campaign()
            .map(|campaign| (campaign.stage, campaign.term))
        {
            Some((Stage::PreVote, _)) => self.ask_for_votes(now, false),
            Some((Stage::Vote, term)) => self.lead(now, term),
            Some((Stage::Outbid, _)) | None => {}
        }
    }

    /// Would it vote for `from`? It would not while it hears a leader, or if it knows more. Saying yes changes nothing,
    /// its own patience included (hashicorp/raft#609).
    pub(in crate::protocol) fn on_pre_vote(
        &mut self,
        now: Time,
        from: NodeId,
        term: Term,
        last: Option<EntryId>,
    ) {
        let granted = !self.recovering
            && term > self.term
            && !self.hears_leader(now)
            && (self.is_fresh(last.as_ref()) || is_planted(Bug::PreVoteIgnoresLog));
        if granted && is_planted(Bug::GrantedPreVoteResetsTimer) {
            self.follow_nobody(now);
        }
        if term > self.term && is_planted(Bug::PreVoteChangesTerm) {
            self.give_way(now, term);
        }
        self.answer_vote(now, from, term, true, granted);
    }

    /// Votes for `from`, or not: at most once a term, only for a log as fresh as its own, and, if check-quorum stands
    /// guard, not while it hears a leader, so that no removed or returning server disturbs one (§4.2.3).
    pub(super) fn weigh_vote(
        &mut self,
        now: Time,
        from: NodeId,
        term: Term,
        last: Option<&EntryId>,
        transfer: bool,
    ) {
        let guarded = self.config.safeguards.check_quorum && self.hears_leader(now);
        if guarded && !transfer {
            return self.answer_vote(now, from, term, false, false);
        }
        if term > self.term {
            self.give_way(now, term);
        }
        let is_free =
            self.vote.as_ref().is_none_or(|vote| *vote == from) || is_planted(Bug::TwoVotesInATerm);
        let is_fresh = self.is_fresh(last) || (transfer && is_planted(Bug::TransferWithoutCatchUp));
        let leads = matches!(self.part, Part::Leader(_));
        let granted = term == self.term && is_free && !leads && !self.recovering && is_fresh;
        if granted {
            self.vote_for(&from);
            // Whoever was voted for is given time to lead.
            if !matches!(self.part, Part::Waiting) {
                self.follow_nobody(now);
            }
        }
        self.answer_vote(now, from, term, false, granted);
    }

    /// A higher term has begun: whatever this node was, it is a follower of nobody in it.
    fn give_way(&mut self, now: Time, term: Term) {
        self.raise_term(term);
        match self.part {
            Part::Leader(_) => {
                let leader = None;
                self.report(Event::SteppedDown { term, leader });
                self.follow_nobody(now);
            }
            Part::Standing(_) => self.follow_nobody(now),
            Part::Follower { .. } if is_planted(Bug::RefusedVoteResetsTimer) => {
                self.follow_nobody(now);
            }
            // Its patience goes on: a candidate that it does not vote for earns no more of it.
            Part::Follower { .. } | Part::Waiting => {
                self.leader = None;
                self.stop_asking("no leader is known");
            }
        }
    }

    pub(super) fn count_vote(&mut self, now: Time, from: NodeId, known: &Known, granted: bool) {
        if known.term > self.term && !granted {
            // It would ask in vain: others are further.
            self.raise_term(known.term);
            return self.follow_nobody(now);
        }
        if granted && let Part::Standing(Standing::Campaign(campaign)) = &mut self.part {
            if !campaign.granted.insert(from) && is_planted(Bug::RepeatedVoteCounts) {
                let mut voters = self.members.voters.iter();
                let other = voters.find(|id| !campaign.granted.contains(*id));
                campaign.granted.extend(other.cloned());
            }
            self.go_on_if_elected(now);
        }
    }
}
