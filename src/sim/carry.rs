//! What becomes of messages: decided when they are sent, by the faults in force, or by what was written down of an earlier
//! run.

use std::time::Duration;

use crate::faults::{Parcel, Traffic, Verdict};
use crate::protocol::{Message, MessageKind};
use crate::sim::called::Called;
use crate::sim::moment::{Fated, What};
use crate::sim::plan::{Fate, Place, Scale};
use crate::sim::queue::Nanos;
use crate::sim::stats::Met;
use crate::sim::world::{Coming, Letter, World, place_of};
use crate::types::{NodeId, Time};
use crate::wire::peer;

/// How often a message that waits at a narrow link looks whether it still is.
const GLANCE: Nanos = 50_000_000;

/// The longest turn: an hour.
const FOR_EVER: Nanos = 3_600_000_000_000;

impl World {
    /// A node sends something: what becomes of it is decided now.
    pub(super) fn send(&mut self, from: Place, to: &NodeId, message: Message) {
        let Some(to) = place_of(to).filter(|to| usize::from(*to) < self.seats.len()) else {
            return;
        };
        self.watch_promise(from, to, &message);
        let nth = self.sent[from as usize][to as usize];
        self.sent[from as usize][to as usize] += 1;
        let verdict = self.verdict(from, to, nth, message.kind());
        let turn = match verdict {
            Verdict::Drop => 0,
            Verdict::Deliver { .. } => self.turn_of(from, to, &message),
        };
        let latency = self.latency(from, to, nth);
        let arrive = |after: Duration| self.now + turn + latency + after.as_nanos() as Nanos;
        let (first, second) = match verdict {
            Verdict::Drop => (None, None),
            Verdict::Deliver { after, copy } => {
                let copy = copy.map(|later| arrive(after + later));
                (Some(arrive(after)), copy)
            }
        };
        if self.is_noted() {
            let told = message.clone();
            self.note(from, || What::Sent {
                to,
                nth,
                message: Box::new(told),
                fated: Fated {
                    arrives: first,
                    again: second,
                },
            });
        }
        let until = self.now + turn;
        let letter = |message| {
            Box::new(Letter {
                from,
                to,
                nth,
                message,
            })
        };
        if let Some(at) = second {
            self.wait_turn(until, at - until, letter(message.clone()));
        }
        if let Some(at) = first {
            self.wait_turn(until, at - until, letter(message));
        }
    }

    /// How long a message waits until those before it, and it itself, have passed a narrow link.
    fn turn_of(&self, from: Place, to: Place, message: &Message) -> Nanos {
        if self.fates.is_some() || !self.faults.is_narrow(&from, &to) {
            return 0;
        }
        let sender = &self.ids[from as usize];
        let written = match message.is_answer() {
            true => peer::encode_answer(sender, Some(message.clone())),
            false => peer::encode(sender, self.plan.mode, message, self.now / 1_000_000),
        };
        let parcel = Parcel {
            traffic: Traffic::of(message.kind()),
            bytes: written.len(),
            now: Time::after_nanos(self.now),
        };
        let turn = self.faults.turn(&from, &to, parcel);
        turn.as_nanos().min(FOR_EVER.into()) as Nanos
    }

    /// A message waits as long as those before it need on a narrow link, and no longer than it is narrow. Then it takes its
    /// way.
    pub(super) fn wait_turn(&mut self, until: Nanos, way: Nanos, letter: Box<Letter>) {
        let is_waiting = until > self.now && self.faults.is_narrow(&letter.from, &letter.to);
        if !is_waiting {
            return self.queue.plan(self.now + way, Coming::Message(letter));
        }
        let glance = until.min(self.now + GLANCE);
        let waiting = Coming::Turn { until, way, letter };
        self.queue.plan(glance, waiting);
    }

    fn verdict(&mut self, from: Place, to: Place, nth: u32, kind: MessageKind) -> Verdict {
        let verdict = match &self.fates {
            Some(_) if self.faults.is_cut(&from, &to) => return self.dropped(Met::Cut),
            Some(fates) => fates
                .get(&(from, to, nth))
                .copied()
                .unwrap_or(Verdict::PROMPT),
            None => {
                // What arrives, and when, does not depend on its size: that is asked where links are narrow.
                let parcel = Parcel {
                    traffic: Traffic::of(kind),
                    bytes: 0,
                    now: Time::after_nanos(self.now),
                };
                self.faults.verdict_on(&from, &to, Some(parcel))
            }
        };
        if verdict == Verdict::PROMPT {
            return verdict;
        }
        if self.fates.is_none() && self.faults.is_cut(&from, &to) {
            return self.dropped(Met::Cut);
        }
        self.decided.push(Fate {
            from,
            to,
            nth,
            verdict,
        });
        match verdict {
            Verdict::Drop => return self.dropped(Met::Dropped),
            Verdict::Deliver { after, copy } => {
                if !after.is_zero() {
                    self.stats.meet(Met::Delayed);
                }
                if copy.is_some() {
                    self.stats.meet(Met::Duplicated);
                }
            }
        }
        verdict
    }

    fn dropped(&mut self, met: Met) -> Verdict {
        self.stats.meet(met);
        Verdict::Drop
    }

    /// How long a message takes that nothing happens to.
    fn latency(&self, from: Place, to: Place, nth: u32) -> Nanos {
        let Scale {
            latency, jitter, ..
        } = self.plan.scale;
        if jitter == 0 {
            return latency * 1000;
        }
        let salt = (u64::from(to) << 40) ^ u64::from(nth);
        latency * 1000 + self.draw(from, salt ^ 0x1a7e_0000_0000_0000) % (jitter * 1000)
    }

    pub(super) fn deliver(&mut self, letter: Box<Letter>) {
        let (from, to, nth) = (letter.from, letter.to, letter.nth);
        self.note(to, || What::Arrived { from, nth });
        if let Some(node) = &self.seat(to).node {
            if node.believes(&letter.message) {
                self.stats.arrived(&letter.message);
                self.call(to, Called::Letter(letter));
            }
            return;
        }
        let message = &letter.message;
        let hears = !self.faults.is_cut(&to, &from);
        if !message.is_answer() && hears && !self.seat(to).is_gone {
            self.stats.meet(Met::PortRefused);
            let latency = self.plan.scale.latency * 1000;
            let refused = Coming::Refused {
                to: from,
                peer: to,
                message: message.kind(),
            };
            self.queue.plan(self.now + latency, refused);
        }
    }
}
