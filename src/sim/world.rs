//! The world of one run: nodes, what is between them, clients, and the time that all share. One event at a time is taken
//! from the queue, and what it causes is queued again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::faults::{Faults, Verdict};
use crate::protocol::{Action, Message, MessageKind};
use crate::rng::mix;
use crate::sim::called::Called;
use crate::sim::clients::{Answer, Asker, Clients, Request};
use crate::sim::hand::Question;
use crate::sim::harm::InForce;
use crate::sim::invariants::{Violation, Watch};
use crate::sim::moment::{Moment, Sink, What};
use crate::sim::plan::{Fate, Micros, Place, Plan};
use crate::sim::queue::{Nanos, Queue};
use crate::sim::seat::Seat;
use crate::sim::stats::Stats;
use crate::types::{Config, NodeId};

/// How many nodes there can be in the course of a run, those included that join.
pub(super) const PLACES: usize = 12;

/// What is to come.
#[derive(Debug)]
pub(super) enum Coming {
    Message(Box<Letter>),
    /// A message looks whether it still waits at a narrow link, until then; behind that it has some way to go.
    Turn {
        until: Nanos,
        way: Nanos,
        letter: Box<Letter>,
    },
    /// The port of `peer` refused a message of `to`.
    Refused {
        to: Place,
        peer: Place,
        message: MessageKind,
    },
    Wake(Place),
    Written {
        place: Place,
        life: u32,
    },
    PowerCut {
        place: Place,
        life: u32,
    },
    Request {
        place: Place,
        request: Request,
    },
    Answer {
        asker: Asker,
        answer: Answer,
    },
    /// A client has waited long enough for an answer.
    Patience(u16),
}

/// A message under way; in a box of its own, since it changes hands several times.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) from: Place,
    pub(super) to: Place,
    /// How many went from there to there before.
    pub(super) nth: u32,
    pub(super) message: Message,
}

pub(super) struct World {
    pub(super) plan: Arc<Plan>,
    pub(super) now: Nanos,
    pub(super) queue: Queue<Coming>,
    pub(super) seats: Vec<Seat>,
    /// The names of all places.
    pub(super) ids: Vec<NodeId>,
    pub(super) faults: Faults<Place>,
    /// What becomes of single messages, if that is decided already.
    pub(super) fates: Option<HashMap<(Place, Place, u32), Verdict>>,
    /// What chance decided.
    pub(super) decided: Vec<Fate>,
    /// How many messages went from whom to whom.
    pub(super) sent: [[u32; PLACES]; PLACES],
    pub(super) clients: Clients,
    pub(super) watch: Watch,
    pub(super) stats: Stats,
    pub(super) violation: Option<Violation>,
    pub(super) in_force: HashMap<u32, InForce>,
    /// What was asked by hand.
    pub(super) hands: Vec<Question>,
    /// Since when nothing was wrong but that nodes died and came back; `Nanos::MAX`: something is.
    pub(super) troubled_until: Nanos,
    next_step: usize,
    sink: Option<Sink>,
    /// Emptied lists, for turns to come.
    pub(super) lists: Vec<Vec<Action>>,
}

impl World {
    pub(super) fn new(plan: Arc<Plan>, sink: Option<Sink>) -> World {
        let ids: Vec<NodeId> = (1..=PLACES).map(NodeId::nth).collect();
        let members = ids[..plan.nodes].to_vec();
        let fates = plan.fates.as_ref().map(|fates| {
            let key = |fate: &Fate| (fate.from, fate.to, fate.nth);
            fates.iter().map(|fate| (key(fate), fate.verdict)).collect()
        });
        let mut world = World {
            now: 0,
            queue: Queue::new(),
            seats: Vec::new(),
            faults: Faults::seeded(plan.seed),
            fates,
            decided: Vec::new(),
            sent: [[0; PLACES]; PLACES],
            clients: Clients::new(&plan),
            watch: Watch::new(&plan),
            stats: Stats::default(),
            violation: None,
            in_force: HashMap::new(),
            hands: Vec::new(),
            troubled_until: 0,
            next_step: 0,
            sink,
            lists: Vec::new(),
            ids,
            plan,
        };
        for place in 0..members.len() {
            world.sit(place as Place, members.clone());
        }
        world
    }

    /// A place for one more node, which knows `members`.
    pub(super) fn sit(&mut self, place: Place, members: Vec<NodeId>) {
        let config = config(&self.plan, self.ids[place as usize].clone(), members);
        let boot = self.draw(place, 0xb007) >> 11;
        self.seats.push(Seat::new(config, boot, self.now));
        self.watch.sit();
    }

    /// A number that depends on the seed, a place and what it is for, and on nothing else that happens.
    pub(super) fn draw(&self, place: Place, salt: u64) -> u64 {
        mix(self.plan.seed ^ mix((u64::from(place) << 48) ^ salt))
    }

    /// Lets time pass, until `end` or a violation.
    pub(super) fn play_until(&mut self, end: Nanos) {
        while self.violation.is_none() {
            let step = self.plan.steps.get(self.next_step);
            let step_at = step.map(|step| step.at * 1000).filter(|at| *at <= end);
            let event_at = self.queue.next_at().filter(|at| *at <= end);
            match (step_at, event_at) {
                (None, None) => break,
                (Some(step), event) if event.is_none_or(|event| step <= event) => {
                    self.now = self.now.max(step);
                    self.take_step();
                }
                _ => self.take_event(),
            }
        }
        self.now = self.now.max(end);
    }

    /// Lets time pass until something holds, at the latest until `end`; whether it does.
    pub(super) fn play_until_that(&mut self, end: Nanos, holds: impl Fn(&World) -> bool) -> bool {
        // Looking costs something, and a moment more or less does not matter.
        const PAUSE: Nanos = 20_000_000;
        while self.now < end && self.violation.is_none() {
            if holds(self) {
                return true;
            }
            self.play_until((self.now + PAUSE).min(end));
        }
        self.violation.is_none() && holds(self)
    }

    fn take_step(&mut self) {
        let plan = self.plan.clone();
        let step = &plan.steps[self.next_step].step;
        self.next_step += 1;
        self.stats.events += 1;
        self.perform_step(step);
        self.look_over();
    }

    fn take_event(&mut self) {
        let Some((at, coming)) = self.queue.pop() else {
            return;
        };
        self.now = at;
        let counts = match coming {
            Coming::Message(letter) => {
                self.deliver(letter);
                true
            }
            Coming::Turn { until, way, letter } => {
                self.wait_turn(until, way, letter);
                false
            }
            Coming::Refused { to, peer, message } => {
                if self.seat(to).is_up() {
                    self.call(to, Called::Refused { peer, message });
                }
                true
            }
            Coming::Wake(place) => self.wake(place),
            Coming::Written { place, life } => {
                self.written(place, life);
                true
            }
            Coming::PowerCut { place, life } => {
                let seat = self.seat(place);
                if seat.life == life && seat.dies_writing {
                    self.kill(place, true);
                }
                true
            }
            Coming::Request { place, request } => {
                self.requested(place, request);
                true
            }
            Coming::Answer { asker, answer } => {
                self.answered(asker, answer);
                true
            }
            Coming::Patience(client) => self.out_of_patience(client),
        };
        if counts {
            self.stats.events += 1;
            self.look_over();
        }
    }

    /// A node reports something.
    pub(super) fn report(&mut self, place: Place, event: Event) {
        self.stats.happened(place, &event);
        self.watch_event(place, &event);
        self.note(place, || What::Reported(event));
    }

    pub(super) fn is_noted(&self) -> bool {
        self.sink.is_some()
    }

    /// Writes down what happens, if anybody wants to know.
    pub(super) fn note(&mut self, place: Place, what: impl FnOnce() -> What) {
        if let Some(sink) = &mut self.sink {
            sink(Moment {
                at: self.now,
                place,
                what: what(),
            });
        }
    }

    pub(super) fn fail(&mut self, invariant: &'static str, what: String) {
        if self.violation.is_none() {
            self.note(0, || What::Violated {
                invariant,
                what: what.clone(),
            });
            let at = self.now / 1000;
            self.violation = Some(Violation {
                invariant,
                what,
                at,
            });
        }
    }
}

/// The place of a node.
pub(super) fn place_of(id: &NodeId) -> Option<Place> {
    let number = id.number().filter(|number| *number <= PLACES)?;
    Some(number as Place - 1)
}

fn config(plan: &Plan, id: NodeId, members: Vec<NodeId>) -> Config {
    let micros = |micros: Micros| Duration::from_micros(micros);
    let scale = &plan.scale;
    Config {
        mode: plan.mode,
        safeguards: plan.safeguards,
        heartbeat: micros(scale.heartbeat),
        election_timeout: micros(scale.election_timeout),
        write_timeout: micros(scale.write_timeout),
        append_pause: micros(scale.append_pause),
        log_window: scale.log_window,
        snapshot_every: scale.snapshot_every,
        append_bytes: scale.append_bytes,
        ..Config::new(id, members)
    }
}
