//! A world that is driven by hand: whoever has it lets time pass, looks, breaks, and asks, step by step, where a
//! [`Plan`] would say all of it before. The same is held against it after every event, and the same hand movements give the
//! same run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::engine;
use crate::faults::{Fault, Faults, Traffic, Verdict};
use crate::protocol::{Node, Reply};
use crate::rng::mix;
use crate::sim::called::{Called, Wish};
use crate::sim::clients::{Asker, Request, Want};
use crate::sim::invariants::Violation;
use crate::sim::moment::Sink;
use crate::sim::plan::{Harm, Micros, Operation, Place, Plan};
use crate::sim::queue::Nanos;
use crate::sim::world::{Coming, PLACES, World};
use crate::types::EntryId;
use crate::value::{Key, Value};

/// What clients are called where faults are set. No node has that place.
const CLIENTS: Place = Place::MAX;

/// What a node answers to whoever asks by hand.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// What the protocol replies.
    Reply(Reply),
    /// What the node's store holds.
    Found(Option<(Value, EntryId)>),
    /// It does not lead.
    NotLeader,
    /// Nobody listens there.
    Unreachable,
    /// The connection broke before an answer came.
    Broken,
}

/// What is asked by hand.
#[derive(Debug, Clone)]
pub enum Errand {
    /// What the node holds.
    Local,
    /// What it holds, if it leads.
    AtLeader,
    /// What was committed before.
    Linearizable,
    /// A write.
    Write(crate::protocol::Change, Option<crate::store::Condition>),
}

/// A question by hand, and its answer.
#[derive(Debug)]
pub(super) struct Question {
    key: Key,
    told: Option<Told>,
}

/// A world, and its driver.
pub struct Hand {
    world: World,
    next_fault: u32,
    /// When faults end by themselves, and which.
    ends: BTreeSet<(Nanos, u32)>,
    /// Between clients and nodes.
    clients: Faults<Place>,
}

impl Hand {
    /// The cluster of `plan`, started; `sink` is told what happens.
    pub fn new(plan: &Arc<Plan>, sink: Option<Sink>) -> Hand {
        let mut world = World::new(plan.clone(), sink);
        for place in world.places() {
            world.start(place, true);
        }
        Hand {
            world,
            next_fault: 1,
            ends: BTreeSet::new(),
            clients: Faults::seeded(plan.seed ^ 0x4a4d),
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Micros {
        self.world.now / 1000
    }

    /// Lets time pass. Faults whose time is over end on their time, whoever waits for what.
    pub fn pass(&mut self, by: Micros) {
        let end = self.world.now + by * 1000;
        while let Some((at, number)) = self.ends.first().copied().filter(|(at, _)| *at <= end) {
            self.ends.pop_first();
            self.world.play_until(at);
            self.lift(number);
        }
        self.world.play_until(end);
    }

    /// What must hold and does not.
    pub fn violation(&self) -> Option<&Violation> {
        self.world.violation.as_ref()
    }

    /// The places that are taken.
    pub fn places(&self) -> Vec<Place> {
        let is_there = |place: &Place| !self.world.seat(*place).is_gone;
        self.world.places().filter(is_there).collect()
    }

    /// The node at a place, if it lives; and whether it stands still, and whether its disk failed.
    pub fn node(&self, place: Place) -> (Option<&Node>, bool, bool) {
        let seat = self.world.seat(place);
        (seat.node.as_ref(), seat.is_paused, seat.has_failed)
    }

    /// What a node that answers holds.
    pub fn held(&self, place: Place, key: &Key) -> Option<Option<Value>> {
        let seat = self.world.seat(place);
        let answers = seat.is_up() && !seat.is_paused;
        answers.then(|| seat.find(key).map(|slot| slot.value.clone()))
    }

    fn number(&mut self) -> u32 {
        self.next_fault += 1;
        self.next_fault
    }

    /// A fault begins; its number.
    pub fn harm(&mut self, harm: &Harm) -> u32 {
        let number = self.number();
        self.world.harm(number, harm);
        number
    }

    /// Messages from some to others fare like this; the fault's number. Blocks of one fault have one number.
    pub fn block(
        &mut self,
        blocks: &[(Vec<Place>, Vec<Place>)],
        fault: Fault,
        only: &[Traffic],
    ) -> u32 {
        let number = self.number();
        self.world.troubled_until = u64::MAX;
        for (from, to) in blocks {
            self.world.faults.set_only(number, from, to, fault, only);
        }
        number
    }

    /// The fault `number`, if it is in force still, cuts these links, each in one direction, and no others any more.
    pub fn cut_instead(&mut self, number: u32, links: &[(Place, Place)]) {
        if self.world.faults.lift(number) {
            for (from, to) in links {
                self.world.faults.set(number, &[*from], &[*to], Fault::CUT);
            }
        }
    }

    /// The place that the next node to join will have, if there is one left.
    pub fn next_place(&self) -> Option<Place> {
        let next = self.world.seats.len();
        (next < PLACES).then_some(next as Place)
    }

    /// Between clients and these nodes, there and back.
    pub fn between_clients(&mut self, nodes: &[Place], fault: Fault) -> u32 {
        let number = self.number();
        let there = mix(self.world.plan.seed ^ mix(u64::from(number)));
        // What becomes of an answer has nothing to do with what became of a request.
        let back = mix(there);
        let clients = &mut self.clients;
        clients.set_seeded(number, there, &[CLIENTS], nodes, fault, &[]);
        clients.set_seeded(number, back, nodes, &[CLIENTS], fault, &[]);
        number
    }

    /// A fault ends in a while, if it has not before.
    pub fn lift_in(&mut self, number: u32, time: Micros) {
        self.ends.insert((self.world.now + time * 1000, number));
    }

    /// A fault ends.
    pub fn lift(&mut self, number: u32) {
        self.clients.lift(number);
        self.world.faults.lift(number);
        self.world.lift(number);
    }

    /// All faults end; the dead stay dead.
    pub fn heal(&mut self) {
        self.ends.clear();
        for number in 1..=self.next_fault {
            self.lift(number);
        }
        self.world.troubled_until = self.world.now;
    }

    /// A node dies.
    pub fn kill(&mut self, place: Place, harm: engine::Harm) {
        let power = matches!(harm, engine::Harm::LoseUnsynced | engine::Harm::TearTail);
        self.world.kill(place, power);
        if harm == engine::Harm::Wipe {
            self.world.seat_mut(place).disk.is_damaged = true;
        }
    }

    /// A node starts on the disk it has.
    pub fn revive(&mut self, place: Place) {
        self.world.start(place, false);
    }

    /// An operator asks the leader; what comes of it the sink is told.
    pub fn operate(&mut self, operation: Operation) {
        self.world
            .perform_step(&crate::sim::plan::Step::Operate(operation));
    }

    /// Asks a node, and waits for the answer at most so long; `None`: none came.
    pub fn ask(
        &mut self,
        place: Place,
        key: &Key,
        errand: Errand,
        patience: Micros,
    ) -> Option<Told> {
        let ticket = self.world.hands.len();
        self.world.hands.push(Question {
            key: key.clone(),
            told: None,
        });
        if let Verdict::Deliver { after, .. } = self.clients.verdict(&CLIENTS, &place) {
            let asker = Asker::Hand(ticket);
            let at = self.world.now + self.world.client_latency(asker) + nanos(after);
            let want = want(key, errand);
            let request = Request { asker, want };
            self.world
                .queue
                .plan(at, Coming::Request { place, request });
        }
        let end = self.world.now + patience * 1000;
        while self.is_waiting(ticket, end) {
            self.pass(1_000);
        }
        let told = self.world.hands[ticket].told.take()?;
        // That a port refuses is no answer of a node, and nothing holds it back.
        if told == Told::Unreachable {
            return Some(told);
        }
        let left = end.saturating_sub(self.world.now);
        let back = match self.clients.verdict(&place, &CLIENTS) {
            Verdict::Deliver { after, .. } => Some(nanos(after)).filter(|after| *after <= left),
            Verdict::Drop => None,
        };
        self.pass(back.unwrap_or(left) / 1000);
        back.map(|_| told)
    }

    fn is_waiting(&self, ticket: usize, end: Nanos) -> bool {
        let is_told = self.world.hands[ticket].told.is_some();
        !is_told && self.world.now < end && self.world.violation.is_none()
    }
}

fn nanos(time: Duration) -> Nanos {
    time.as_nanos() as Nanos
}

fn want(key: &Key, errand: Errand) -> Want {
    match errand {
        Errand::Local => Want::Local,
        Errand::AtLeader => Want::AtLeader,
        Errand::Linearizable => Want::Confirmed,
        Errand::Write(change, condition) => Want::Write(Wish::Write {
            key: key.clone(),
            change,
            proviso: condition.map(|condition| {
                Arc::new(crate::store::Proviso {
                    condition: Some(condition),
                    token: None,
                })
            }),
        }),
    }
}

impl World {
    /// A request by hand reaches a node.
    pub(super) fn hand_requested(&mut self, place: Place, ticket: usize, want: Want) {
        let asker = Asker::Hand(ticket);
        let Some(seat) = self.seats.get(place as usize).filter(|seat| seat.is_up()) else {
            return self.tell_hand(ticket, Told::Unreachable);
        };
        let leads = seat.node.as_ref().is_some_and(Node::leads);
        match want {
            Want::Write(wish) => self.call(place, Called::Ask(asker, wish)),
            Want::Confirmed => self.call(place, Called::Ask(asker, Wish::Read)),
            // It is not answered before whoever asked has lost patience.
            Want::Local | Want::AtLeader if seat.is_paused => {}
            Want::Local | Want::AtLeader if seat.has_failed => self.tell_hand(ticket, Told::Broken),
            Want::AtLeader if !leads => self.tell_hand(ticket, Told::NotLeader),
            Want::Local | Want::AtLeader => self.hand_looks(place, ticket),
        }
    }

    /// A node replies to a question by hand.
    pub(super) fn hand_replied(&mut self, place: Place, ticket: usize, reply: Reply) {
        if let Reply::Done { version, .. } = &reply {
            self.watch_done(place, version);
        }
        match reply {
            Reply::Readable => self.hand_looks(place, ticket),
            reply => self.tell_hand(ticket, Told::Reply(reply)),
        }
    }

    fn hand_looks(&mut self, place: Place, ticket: usize) {
        let key = &self.hands[ticket].key;
        let slot = self.seat(place).find(key);
        let found = slot.map(|slot| (slot.value.clone(), slot.version.as_ref().clone()));
        self.tell_hand(ticket, Told::Found(found));
    }

    /// Whoever asked by hand is answered.
    pub(super) fn tell_hand(&mut self, ticket: usize, told: Told) {
        self.hands[ticket].told = Some(told);
    }
}
