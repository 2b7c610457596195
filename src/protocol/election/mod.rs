//! How a leader is found: one file a mode, and the dispatch between them.

mod bully;
mod campaign;
mod lowest_id;
mod votes;

use std::time::Duration;

pub(super) use campaign::{Campaign, Stage};
pub(super) use lowest_id::Poll;

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::duties::Duty;
use crate::protocol::log::Entry;
use crate::protocol::message::MessageKind;
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::Leading;
use crate::store::Command;
use crate::types::{Election, EntryId, NodeId, TERM_LIMIT, Term, Time};

/// How much later than its predecessor each node of a new cluster stands.
const BOOTSTRAP_STEP: Duration = Duration::from_millis(10);

/// Silence takes at least this long, however short the heartbeat.
pub(super) const LEAST_SILENCE: Duration = Duration::from_millis(20);

/// Finding out whether to lead.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    /// By asking who lives.
    Poll(Poll),
    /// By asking for votes.
    Campaign(Campaign),
}

impl Standing {
    /// When silence becomes an answer.
    pub(super) fn deadline(&self) -> Time {
        match self {
            Standing::Poll(poll) => poll.deadline,
            Standing::Campaign(campaign) => campaign.deadline,
        }
    }

    pub(super) fn rename(&mut self, address: &NodeId, id: &NodeId) {
        match self {
            Standing::Poll(poll) => poll.rename(address, id),
            Standing::Campaign(campaign) => campaign.rename(address, id),
        }
    }
}

impl Node {
    /// How long a node of a cluster that starts as a whole waits for those before it: by rank, so that the first leader
    /// stands at once and nobody contests it. It still needs the votes that its mode asks for.
    pub(super) fn bootstrap_wait(&self) -> Duration {
        let own = &self.config.id;
        let comes_first = |id: &&NodeId| match self.config.mode.election {
            Election::LowestId | Election::Raft => *id < own,
            Election::Bully => *id > own,
        };
        let earlier = self.config.members.iter().filter(comes_first).count();
        BOOTSTRAP_STEP * earlier as u32
    }

    /// How long to wait for a leader: the election timeout T, and in raft up to twice that, drawn anew each time
    /// (§3.4).
    pub(super) fn patience(&mut self) -> Duration {
        let timeout = self.config.election_timeout;
        let is_random = self.config.safeguards.random_timeout;
        match self.config.mode.election {
            Election::Raft if is_random => {
                let extra = self
                    .rng
                    .below(timeout.as_nanos().min(u64::MAX.into()) as u64);
                timeout + Duration::from_nanos(extra)
            }
            Election::Raft | Election::LowestId | Election::Bully => timeout,
        }
    }

    /// The leader is silent: finds out whether to lead. At a new cluster's first deadline that is no news.
    pub(super) fn stand(&mut self, now: Time, bootstrap: bool) {
        let votes = self.config.mode.election == Election::Raft;
        if votes && (self.recovering || !(self.is_voter() || self.is_being_removed())) {
            // It may not: whoever may will lead it.
            return self.wait_on(now);
        }
        self.is_new_cluster = bootstrap;
        if !bootstrap {
            self.report(Event::Election { term: self.term });
        }
        match self.config.mode.election {
            Election::LowestId => self.poll(now),
            Election::Bully => self.outbid(now),
            Election::Raft if self.config.safeguards.pre_vote => self.ask_for_pre_votes(now),
            Election::Raft => self.ask_for_votes(now, false),
        }
    }

    /// Nobody is heard, and this node may not stand: it waits again.
    fn wait_on(&mut self, now: Time) {
        let deadline = now + self.patience();
        self.part = Part::Follower {
            deadline,
            bootstrap: false,
        };
    }

    /// Silence has become an answer.
    pub(super) fn campaign_timed_out(&mut self, now: Time) {
        match &self.part {
            Part::Standing(Standing::Poll(_)) => self.poll_timed_out(now),
            Part::Standing(Standing::Campaign(_))
                if self.config.mode.election == Election::Bully =>
            {
                self.outbid_timed_out(now);
            }
            // Votes were split, or lost: again, in another term (§3.4).
            Part::Standing(Standing::Campaign(_)) => self.stand(now, false),
            Part::Waiting | Part::Follower { .. } | Part::Leader(_) => {}
        }
    }

    /// A refused port is an answer too.
    pub(super) fn refused_campaign(&mut self, now: Time, peer: &NodeId, message: MessageKind) {
        self.refused_probe(now, peer, message);
        if message == MessageKind::Vote && self.config.mode.election == Election::Bully {
            self.answered_outbid(now, peer);
        }
    }

    /// Leads from now on, in `term`: the same term and leader never lead twice.
    pub(super) fn lead(&mut self, now: Time, term: Term) {
        if term >= TERM_LIMIT {
            return self.follow_nobody(now);
        }
        self.raise_term(term);
        self.leader = Some(self.config.id.clone());
        self.heard = now;
        self.incoming = None;
        self.stop_asking("this node leads now: ask again");
        self.report(Event::Leader { term });
        let own = self.config.id.clone();
        let began = self.log.last_index() + 1;
        let followers = self.members.iter().filter(|id| **id != own).cloned();
        let mut leading = Leading::new(now, began, followers);
        let is_raft = self.config.mode.election == Election::Raft;
        if is_raft && self.config.safeguards.check_quorum {
            let due = now + self.config.election_timeout;
            leading.duties.insert((due, Duty::CheckQuorum, own));
        }
        self.part = Part::Leader(leading);
        // Whoever finds term 1 free without being told that the cluster is new may have led it before it lost its disk.
        // With an entry of this life, what it has is told from what it had, even if that is nothing.
        let is_doubtful = term == 1 && !self.is_new_cluster && self.log.last().is_none();
        let needs_entry = self.config.mode.commits() && !is_planted(Bug::NoNoop);
        if needs_entry || is_doubtful {
            // What earlier leaders wrote is committed along with an entry of one's own (§3.6.2, §6.4).
            let (id, command) = (self.next_id(), Command::Noop);
            self.extend(vec![Entry { id, command }]);
            self.advance_commit();
        }
        self.perform_duties(now);
    }

    /// Whether a log that ends at `last` has all that this one may have promised: a later term, or as much of the same
    /// (§3.6.1). The terms come first, not the lengths.
    pub(super) fn is_fresh(&self, last: Option<&EntryId>) -> bool {
        let own = self.log.last();
        let place = |id: Option<&EntryId>| match id {
            None => (0, 0),
            Some(id) if is_planted(Bug::VoteComparesLength) => (0, id.index),
            Some(id) if is_planted(Bug::VotesForShorterLog) => (id.term, 0),
            Some(id) => (id.term, id.index),
        };
        place(last) >= place(own.as_ref())
    }
}
