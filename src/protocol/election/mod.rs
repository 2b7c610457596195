//! How a leader is found: one file a mode, and the dispatch between them.

mod lowest_id;

pub(super) use lowest_id::Poll;

use std::time::Duration;

use crate::event::Event;
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::Leading;
use crate::types::{Election, TERM_LIMIT, Term, Time};

/// How much later than its predecessor each node of a new cluster stands.
const BOOTSTRAP_STEP: Duration = Duration::from_millis(10);

impl Node {
    /// How long a node of a cluster that starts as a whole waits for those before it: by rank, so that the first leader
    /// stands at once and nobody contests it.
    pub(super) fn bootstrap_wait(&self) -> Duration {
        let lower = self
            .config
            .members
            .iter()
            .filter(|id| **id < self.config.id)
            .count();
        BOOTSTRAP_STEP * lower as u32
    }

    /// The leader is silent: finds out whether to lead. At a new cluster's first deadline that is no news.
    pub(super) fn stand(&mut self, now: Time, bootstrap: bool) {
        if !bootstrap {
            self.report(Event::Election { term: self.term });
        }
        match self.config.mode.election {
            Election::LowestId => self.poll(now),
        }
    }

    /// Leads from now on, in a term above all that were seen: the same term and leader never lead twice.
    pub(super) fn lead(&mut self, now: Time, highest: Term) {
        let term = self.term.max(highest) + 1;
        if term >= TERM_LIMIT {
            return self.follow_nobody(now);
        }
        self.raise_term(term);
        self.leader = Some(self.config.id.clone());
        self.heard = now;
        self.incoming = None;
        self.report(Event::Leader { term });
        let own = &self.config.id;
        let followers = self
            .config
            .members
            .iter()
            .filter(|member| *member != own)
            .cloned();
        self.part = Part::Leader(Leading::new(now, followers));
        self.perform_duties(now);
    }
}
