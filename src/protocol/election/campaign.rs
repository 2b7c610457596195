//! Asking for votes: who granted, and when silence becomes an answer. What a vote means differs: see `votes` and `bully`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::planted::{Bug, is_planted};
use crate::protocol::election::Standing;
use crate::protocol::message::{Known, Message};
use crate::protocol::node::{Node, Part};
use crate::types::{Election, NodeId, Term, Time};

/// What is being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol) enum Stage {
    /// raft: would they vote for this node?
    PreVote,
    /// raft: do they?
    Vote,
    /// bully: do lower ids vote for it, and does no higher one live?
    Outbid,
}

/// A round of asking for votes.
#[derive(Debug, Clone)]
pub(in crate::protocol) struct Campaign {
    pub(in crate::protocol) stage: Stage,
    /// The term that would be led.
    pub(in crate::protocol) term: Term,
    /// Those who granted, itself included. A set: an answer that comes twice counts once.
    pub(in crate::protocol) granted: BTreeSet<NodeId>,
    /// bully: higher ids that may still live.
    pub(in crate::protocol) higher: BTreeSet<NodeId>,
    /// When silence becomes an answer.
    pub(in crate::protocol) deadline: Time,
}

impl Campaign {
    pub(super) fn rename(&mut self, address: &NodeId, id: &NodeId) {
        for those in [&mut self.granted, &mut self.higher] {
            if those.remove(address) {
                those.insert(id.clone());
            }
        }
    }
}

impl Node {
    pub(super) fn campaign(&self) -> Option<&Campaign> {
        match &self.part {
            Part::Standing(Standing::Campaign(campaign)) => Some(campaign),
            _ => None,
        }
    }

    /// Asks every other voter with `message`.
    pub(super) fn ask_voters(&mut self, message: &Message) {
        let own = &self.config.id;
        let others = self.members.voters.iter().filter(|id| *id != own);
        let others: Vec<NodeId> = others.cloned().collect();
        for voter in others {
            self.send(voter, message.clone());
        }
    }

    /// Whether a majority granted.
    pub(super) fn is_elected(&self) -> bool {
        self.campaign().is_some_and(|campaign| {
            let counts = |id: &&NodeId| self.members.votes(id);
            campaign.granted.iter().filter(counts).count() >= self.members.majority()
        })
    }

    pub(in crate::protocol) fn on_vote(
        &mut self,
        now: Time,
        from: NodeId,
        term: Term,
        last: Option<crate::types::EntryId>,
        transfer: bool,
    ) {
        match self.config.mode.election {
            Election::Raft => self.weigh_vote(now, from, term, last.as_ref(), transfer),
            Election::Bully => self.weigh_bid(now, from, term),
            // Nobody votes there.
            Election::LowestId => {}
        }
    }

    pub(super) fn answer_vote(
        &mut self,
        now: Time,
        to: NodeId,
        term: Term,
        pre: bool,
        granted: bool,
    ) {
        let (known, heard_ago) = (self.known(), self.heard_ago(now));
        self.send(
            to,
            Message::VoteAck {
                known,
                term,
                pre,
                granted,
                heard_ago,
            },
        );
    }

    pub(in crate::protocol) fn on_vote_ack(
        &mut self,
        now: Time,
        from: NodeId,
        known: Known,
        (term, pre, granted): (Term, bool, bool),
        heard_ago: Option<Duration>,
    ) {
        let Some(campaign) = self.campaign() else {
            return;
        };
        // An answer to an earlier question says nothing about this one.
        let is_earlier = campaign.term != term && !is_planted(Bug::StaleVoteCounts);
        let asked_pre = campaign.stage == Stage::PreVote;
        let is_other = asked_pre != pre && !is_planted(Bug::PreVoteCountsAsVote);
        if is_earlier || is_other {
            return;
        }
        match campaign.stage {
            Stage::PreVote | Stage::Vote => self.count_vote(now, from, &known, granted),
            Stage::Outbid => self.count_bid(now, from, known, granted, heard_ago),
        }
    }
}
