//! All that was met so far, each once: nodes, messages, logs, pasts; and what becomes of each node when each thing happens.
//!
//! What one node does depends on that node alone. So the protocol is asked once for each pair of a node as it is and a thing that
//! happens to it, however many million states of the whole have that pair in them; the rest is looking up numbers.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::event::Event;
use crate::protocol::MessageKind;
use crate::protocol::log::Log;
use crate::sim::exhaustive::bounds::Bounds;
use crate::sim::exhaustive::cause::{Cause, Rules};
use crate::sim::exhaustive::envelope::Envelope;
use crate::sim::exhaustive::invariant::{Broken, Invariant};
use crate::sim::exhaustive::letter::{Epoch, Letter, epoch};
use crate::sim::exhaustive::seat::{After, Seat};
use crate::sim::exhaustive::table::{Renamings, Table};
use crate::sim::exhaustive::view::{Past, View};
use crate::sim::scatter::Plain;
use crate::types::{Election, EntryId, Term};

/// What happens to one node, in numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Happening {
    Timeout,
    Heartbeat,
    Crash,
    Start,
    Write(u32),
    Refusal(usize, MessageKind),
    Arrival {
        message: u32,
        late: bool,
    },
    Tear {
        message: u32,
        late: bool,
        kept: usize,
    },
}

impl Happening {
    fn code(self) -> u64 {
        match self {
            Happening::Timeout => 0,
            Happening::Heartbeat => 1,
            Happening::Crash => 2,
            Happening::Start => 3,
            Happening::Write(n) => 8 + u64::from(n),
            Happening::Refusal(peer, kind) => 64 + peer as u64 * 32 + kind as u64,
            Happening::Arrival { message, late } => 256 + u64::from(message) * 8 + u64::from(late),
            Happening::Tear {
                message,
                late,
                kept,
            } => 256 + u64::from(message) * 8 + kept as u64 * 2 + u64::from(late),
        }
    }
}

/// What is asked of a node in every state.
#[derive(Debug, Clone)]
pub(super) struct Glance {
    pub(super) is_up: bool,
    /// It follows somebody.
    pub(super) obeys: bool,
    pub(super) epoch: Epoch,
    pub(super) leads: Option<Term>,
    pub(super) can_time_out: bool,
    pub(super) term: Term,
    pub(super) view: u32,
    /// What it knows to be committed.
    pub(super) committed: u128,
}

/// What becomes of a node.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) seat: u32,
    /// Which of [`World::sent`] it sent.
    pub(super) sent: Range<usize>,
    /// How many records it wrote.
    pub(super) records: usize,
    /// The terms it began to lead.
    pub(super) led: Vec<Term>,
    /// The writes it acknowledged.
    pub(super) done: Vec<EntryId>,
    pub(super) broken: Option<Broken>,
}

/// All that was met.
#[derive(Debug)]
pub(super) struct World {
    pub(super) rules: Rules,
    pub(super) invariants: Vec<Invariant>,
    /// Whether an invariant asks what was ever committed.
    pub(super) counts_commits: bool,
    renamings: Renamings,
    identity: Renamings,
    pub(super) seats: Table<Seat>,
    pub(super) glances: Vec<Glance>,
    pub(super) envelopes: Table<Envelope>,
    pub(super) letters: Vec<Letter>,
    /// Whether no node ever went back to an earlier epoch.
    pub(super) goes_on: bool,
    pub(super) views: Table<View>,
    pub(super) pasts: Table<Past>,
    pub(super) sent: Vec<u32>,
    pub(super) outcomes: Vec<Outcome>,
    known: HashMap<u64, u32, Plain>,
    /// Pairs of views that match.
    pub(super) matching: HashSet<u64, Plain>,
}

impl World {
    pub(super) fn new(bounds: &Bounds) -> World {
        let renamings = Renamings::new(bounds.nodes, bounds.renames());
        let ways = renamings.len();
        let counts = [Invariant::StateMachineSafety, Invariant::LeaderCompleteness];
        World {
            counts_commits: counts.iter().any(|which| bounds.invariants.contains(which)),
            rules: Rules::new(bounds),
            invariants: bounds.invariants.clone(),
            renamings,
            identity: Renamings::new(bounds.nodes, false),
            seats: Table::new(ways),
            glances: Vec::new(),
            envelopes: Table::new(ways),
            letters: Vec::new(),
            goes_on: true,
            views: Table::new(1),
            pasts: Table::new(ways),
            sent: Vec::new(),
            outcomes: Vec::new(),
            known: HashMap::default(),
            matching: HashSet::default(),
        }
    }

    /// How many ways there are to call the nodes.
    pub(super) fn ways(&self) -> usize {
        self.renamings.len()
    }

    /// All ways, as they are called first.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.renamings.iter()
    }

    pub(super) fn nodes(&self) -> usize {
        self.rules.nodes()
    }

    pub(super) fn election(&self) -> Election {
        self.rules.election()
    }

    pub(super) fn seat(&mut self, seat: Seat) -> u32 {
        let at = self.seats.number(seat, &self.renamings);
        if at as usize == self.glances.len() {
            let glance = self.glance(at);
            self.glances.push(glance);
        }
        at
    }

    fn glance(&mut self, at: u32) -> Glance {
        let seat = self.seats.get(at);
        let view = View::of(seat, &self.rules);
        Glance {
            is_up: seat.node().is_some(),
            obeys: seat.obeys(),
            epoch: epoch(seat),
            leads: seat.led(),
            can_time_out: seat.can_time_out(),
            term: seat.disk().found().ballot.term,
            committed: view.committed(),
            view: self.views.number(view, &self.identity),
        }
    }

    fn envelope(&mut self, envelope: Envelope) -> u32 {
        let letter = Letter::new(&envelope, self.election());
        let at = self.envelopes.number(envelope, &self.renamings);
        if at as usize == self.letters.len() {
            self.letters.push(letter);
        }
        at
    }

    pub(super) fn past(&mut self, past: Past) -> u32 {
        self.pasts.number(past, &self.renamings)
    }

    /// What becomes of `seat`: the number of the outcome.
    pub(super) fn outcome(&mut self, seat: u32, happening: Happening) -> u32 {
        let key = u64::from(seat) << 32 | happening.code();
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let after = self.after(seat, happening);
        let number = self.record(seat, after);
        self.known.insert(key, number);
        number
    }

    /// The same, with everything that was said.
    pub(super) fn after(&self, seat: u32, happening: Happening) -> After {
        let cause = match happening {
            Happening::Timeout => Cause::Timeout,
            Happening::Heartbeat => Cause::Heartbeat,
            Happening::Crash => Cause::Crash,
            Happening::Start => Cause::Start,
            Happening::Write(n) => Cause::Write(n),
            Happening::Refusal(peer, kind) => Cause::Refusal(peer, kind),
            Happening::Arrival { message, late } => Cause::Arrival {
                envelope: self.envelopes.get(message),
                late,
            },
            Happening::Tear {
                message,
                late,
                kept,
            } => Cause::Tear {
                envelope: self.envelopes.get(message),
                late,
                kept,
            },
        };
        self.seats.get(seat).after(cause, &self.rules)
    }

    fn record(&mut self, before: u32, after: After) -> u32 {
        let After {
            seat,
            sent,
            events,
            done,
            records,
        } = after;
        let seat = self.seat(seat);
        let from = self.sent.len();
        for envelope in sent {
            let message = self.envelope(envelope);
            self.sent.push(message);
        }
        self.sent[from..].sort_unstable();
        let [was, is] = [before, seat].map(|seat| self.glances[seat as usize].epoch);
        self.goes_on &= was <= is;
        let led = events.iter().filter_map(|event| match event {
            Event::Leader { term } => Some(*term),
            _ => None,
        });
        let outcome = Outcome {
            seat,
            sent: from..self.sent.len(),
            records: records.len(),
            led: led.collect(),
            done,
            broken: self.broken_alone(before, seat),
        };
        self.outcomes.push(outcome);
        self.outcomes.len() as u32 - 1
    }

    /// What can be seen to be wrong by looking at one node before and after.
    fn broken_alone(&self, before: u32, after: u32) -> Option<Broken> {
        let (was, is) = (
            &self.glances[before as usize],
            &self.glances[after as usize],
        );
        let checks = |invariant| self.invariants.contains(&invariant);
        let goes_on = is.leads.is_some() && was.leads == is.leads;
        let [old, new] = [was.view, is.view].map(|view| self.views.get(view));
        if checks(Invariant::LeaderAppendOnly) && goes_on && !new.continues(old) {
            let why = format!(
                "the leader of term {} took back entries of its own",
                is.term
            );
            return Some(Broken::new(Invariant::LeaderAppendOnly, why));
        }
        let durable = || self.is_durable(before, after);
        if checks(Invariant::Durability) && !durable() {
            let why = "term, vote or log on the disk are not what the node goes by, or went back";
            return Some(Broken::new(Invariant::Durability, why.to_owned()));
        }
        None
    }

    fn is_durable(&self, before: u32, after: u32) -> bool {
        let (was, seat) = (self.seats.get(before), self.seats.get(after));
        let [old, found] = [was, seat].map(|seat| seat.disk().found());
        let (old, new) = (&old.ballot, &found.ballot);
        let keeps = old.vote.is_none() || old.vote == new.vote;
        let goes_on = new.term > old.term || (new.term == old.term && keeps);
        let Some(node) = seat.node() else {
            return goes_on;
        };
        let (log, kept) = (node.log(), Log::recover(&found));
        let same_log = log.compacted() == kept.compacted() && log.iter().eq(kept.iter());
        goes_on && same_log && node.term() == new.term && node.vote() == new.vote.as_ref()
    }
}
