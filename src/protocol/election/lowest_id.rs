//! `lowest-id`: the lowest live id leads, without votes and without a majority (the chapter's way).
//!
//! A node whose leader is silent probes every lower id, and its last leader. If one of them lives and knows of a leader
//! heard lately, that leader is waited for; if a lower one lives and knows of none, it should lead itself, and is waited
//! for; if nobody is left who should come first, the node leads. Nearest lower ids are asked first, in batches of 1, 2,
//! 4, …: of a run of dead ids the node just above it asks all, and everybody else stops at the first that lives. So each
//! run of dead ids is walked about once, with O(N) messages in all.
//!
//! Caveats, by design of the mode: whoever cannot be reached counts as dead, so a partition has a leader on each side;
//! and the lowest id leads even if others hold later writes, which are then lost (and reported).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::event::Event;
use crate::protocol::election::{LEAST_SILENCE, Standing};
use crate::protocol::message::{Known, Message, MessageKind};
use crate::protocol::node::{Node, Part};
use crate::types::{NodeId, Term, Time};

/// A round of asking who lives.
#[derive(Debug, Clone)]
pub(in crate::protocol) struct Poll {
    /// Those yet to be asked, the next one last.
    pub(in crate::protocol) waiting: Vec<NodeId>,
    /// Those asked who have not answered.
    pub(in crate::protocol) asked: BTreeSet<NodeId>,
    /// How many are asked next.
    pub(in crate::protocol) batch: usize,
    /// When those asked count as dead.
    pub(in crate::protocol) deadline: Time,
    /// The highest term heard of.
    pub(in crate::protocol) highest: Term,
}

impl Poll {
    pub(in crate::protocol) fn rename(&mut self, address: &NodeId, id: &NodeId) {
        if self.asked.remove(address) {
            self.asked.insert(id.clone());
        }
        self.waiting
            .iter_mut()
            .filter(|waiting| *waiting == address)
            .for_each(|w| *w = id.clone());
    }

    /// The next batch: twice as many as before.
    fn next(&mut self) -> Vec<NodeId> {
        let rest = self.waiting.len().saturating_sub(self.batch);
        self.batch *= 2;
        self.waiting.split_off(rest)
    }
}

impl Node {
    /// Begins to ask: the last leader and everyone whose id is not known yet, and the nearest lower id.
    pub(super) fn poll(&mut self, now: Time) {
        let (last_leader, own) = (self.leader.take(), self.config.id.clone());
        let last_leader = last_leader.filter(|leader| *leader != own);
        let is_first = |id: &NodeId| id.is_address() || Some(id) == last_leader.as_ref();
        let members = &self.config.members;
        let mut first: Vec<NodeId> = members
            .iter()
            .filter(|id| **id != own && is_first(id))
            .cloned()
            .collect();
        let mut waiting: Vec<NodeId> = members
            .iter()
            .filter(|id| **id < own && !is_first(id))
            .cloned()
            .collect();
        waiting.sort();
        let silence = self.config.heartbeat.max(LEAST_SILENCE);
        let mut poll = Poll {
            waiting,
            asked: BTreeSet::new(),
            batch: 1,
            deadline: now + silence,
            highest: self.term,
        };
        first.extend(poll.next());
        self.part = Part::Standing(Standing::Poll(poll));
        self.ask(now, first);
    }

    fn ask(&mut self, now: Time, batch: Vec<NodeId>) {
        let silence = self.config.heartbeat.max(LEAST_SILENCE);
        let term = self.term;
        let Part::Standing(Standing::Poll(poll)) = &mut self.part else {
            return;
        };
        poll.deadline = now + silence;
        poll.asked.extend(batch.iter().cloned());
        for peer in batch {
            self.send(peer, Message::Probe { term });
        }
        self.go_on_if_all_answered(now);
    }

    /// Asks the next batch when nobody of this one is left; leads when nobody is left at all.
    fn go_on_if_all_answered(&mut self, now: Time) {
        let Part::Standing(Standing::Poll(poll)) = &mut self.part else {
            return;
        };
        if !poll.asked.is_empty() {
            return;
        }
        let batch = poll.next();
        match batch.is_empty() {
            true => {
                let term = poll.highest.max(self.term) + 1;
                self.lead(now, term);
            }
            false => self.ask(now, batch),
        }
    }

    /// Those who have not answered count as dead.
    pub(in crate::protocol) fn poll_timed_out(&mut self, now: Time) {
        if let Part::Standing(Standing::Poll(poll)) = &mut self.part {
            poll.asked.clear();
        }
        self.go_on_if_all_answered(now);
    }

    /// A refused probe is an immediate no.
    pub(in crate::protocol) fn refused_probe(
        &mut self,
        now: Time,
        peer: &NodeId,
        message: MessageKind,
    ) {
        if message == MessageKind::Probe
            && let Part::Standing(Standing::Poll(poll)) = &mut self.part
            && poll.asked.remove(peer)
        {
            self.go_on_if_all_answered(now);
        }
    }

    pub(in crate::protocol) fn on_probe(&mut self, now: Time, from: NodeId) {
        let (known, heard_ago) = (self.known(), self.heard_ago(now));
        self.send(
            from,
            Message::ProbeAck {
                known,
                heard_ago,
                contends: true,
            },
        );
    }

    pub(in crate::protocol) fn on_probe_ack(
        &mut self,
        now: Time,
        from: NodeId,
        known: Known,
        heard_ago: Option<Duration>,
        contends: bool,
    ) {
        let Part::Standing(Standing::Poll(poll)) = &mut self.part else {
            return;
        };
        // An answer that nobody waits for is late, and may tell of what was true in an earlier round.
        if !poll.asked.remove(&from) {
            return;
        }
        poll.highest = poll.highest.max(known.term);
        let heard_lately = heard_ago.is_some_and(|ago| ago < self.config.election_timeout);
        let leads_now = known
            .leader
            .filter(|leader| heard_lately && *leader != self.config.id);
        if leads_now.is_some() {
            // It will be heard here too, or be silent for everybody.
            self.follow_nobody(now);
        } else if contends && from < self.config.id {
            self.report(Event::Waiting { leader: from });
            self.follow_nobody(now);
        } else {
            self.go_on_if_all_answered(now);
        }
    }
}
