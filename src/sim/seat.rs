//! The place of one node, and its driver: what [`runtime`](crate::runtime)'s task does on ports, in virtual time. It
//! takes what is at hand, steps each, puts all that is to be persisted on the disk in one write, which takes its time, and
//! only then lets sends and replies leave. While it writes, or stands still, what arrives waits.

use std::collections::{BTreeMap, VecDeque};

use crate::event::Event;
use crate::faults::skew::Clock;
use crate::planted::{Bug, is_planted};
use crate::protocol::{Action, Input, Node, Record, RequestId};
use crate::sim::called::{Called, input_of};
use crate::sim::clients::Asker;
use crate::sim::disk::SimDisk;
use crate::sim::moment::What;
use crate::sim::plan::Place;
use crate::sim::queue::Nanos;
use crate::sim::rules::Asked;
use crate::sim::stats::Met;
use crate::sim::world::{Coming, World};
use crate::storage::Disk;
use crate::store::{Sight, Slot};
use crate::types::{Config, Index, NodeId, Time};
use crate::value::Key;

/// How many calls one turn takes at most, as on ports.
const BATCH: usize = 256;

/// How many calls may wait for a node that stands still or writes; more are lost, as on full connections.
const INBOX: usize = 512;

#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: NodeId,
    pub(super) config: Config,
    pub(super) disk: SimDisk,
    /// `None`: it is dead.
    pub(super) node: Option<Node>,
    /// How often it was started.
    pub(super) life: u32,
    pub(super) clock: Clock,
    /// It was removed, and its place stays empty.
    pub(super) is_gone: bool,
    pub(super) is_paused: bool,
    /// It loses power in the middle of its next write, unless all is healed before.
    pub(super) dies_writing: bool,
    /// Its disk failed: it takes no part until it is restarted.
    pub(super) has_failed: bool,
    /// How much longer its disk takes.
    pub(super) slow: Nanos,
    pub(super) writing: Option<Writing>,
    /// What it writes is on the disk, but it stands still and does not know.
    pub(super) is_written: bool,
    /// What it shows to readers while it writes.
    pub(super) shown: Option<Sight>,
    /// What readers saw before the last turn that changed that, and what says whether it is still the same.
    pub(super) before: Option<((u64, Index), Sight)>,
    pub(super) inbox: VecDeque<Called>,
    /// When it is woken next; never: `Nanos::MAX`.
    pub(super) wake_at: Nanos,
    pub(super) pending: BTreeMap<RequestId, Asker>,
    next_request: u64,
    pub(super) writes: u64,
}

/// A write under way, and what leaves when it is done.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) records: Vec<Record>,
    pub(super) actions: Vec<Action>,
}

impl Seat {
    pub(super) fn new(config: Config, boot: u64, now: Nanos) -> Seat {
        Seat {
            id: config.id.clone(),
            disk: SimDisk::new(boot),
            config,
            node: None,
            life: 0,
            clock: Clock::true_from(now),
            is_gone: false,
            is_paused: false,
            dies_writing: false,
            has_failed: false,
            slow: 0,
            writing: None,
            is_written: false,
            shown: None,
            before: None,
            inbox: VecDeque::new(),
            wake_at: Nanos::MAX,
            pending: BTreeMap::new(),
            next_request: 0,
            writes: 0,
        }
    }

    /// Whether its port answers.
    pub(super) fn is_up(&self) -> bool {
        self.node.is_some()
    }

    /// Whether it lives and acts.
    pub(super) fn is_well(&self) -> bool {
        self.node.is_some() && !self.is_paused && !self.has_failed
    }

    /// What a reader finds.
    pub(super) fn find(&self, key: &Key) -> Option<&Slot> {
        match &self.shown {
            Some(shown) => shown.get(key.as_str()),
            None => self.node.as_ref()?.store().get(key.as_str()),
        }
    }

    /// Remembers what readers see: not anew if it is still the same.
    fn remember_sight(&mut self) {
        let Some(node) = &self.node else {
            return;
        };
        let as_of = (node.epoch(), node.applied_index());
        if self.before.as_ref().is_none_or(|(then, _)| *then != as_of) {
            self.before = Some((as_of, node.store().sight()));
        }
    }

    pub(super) fn number(&mut self, asker: Asker) -> RequestId {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        self.pending.insert(request, asker);
        request
    }
}

impl World {
    pub(super) fn seat(&self, place: Place) -> &Seat {
        &self.seats[place as usize]
    }

    pub(super) fn seat_mut(&mut self, place: Place) -> &mut Seat {
        &mut self.seats[place as usize]
    }

    /// Something arrives at a node that lives.
    pub(super) fn call(&mut self, place: Place, called: Called) {
        let seat = self.seat_mut(place);
        if seat.has_failed {
            return self.refuse(called);
        }
        if seat.is_paused || seat.writing.is_some() {
            match seat.inbox.len() < INBOX {
                true => seat.inbox.push_back(called),
                false => self.refuse(called),
            }
            return;
        }
        self.turn(place, Some(called));
    }

    /// Nobody takes it.
    pub(super) fn refuse(&mut self, called: Called) {
        if let Called::Ask(asker, _) = called {
            self.broken(asker);
        }
    }

    /// One turn: what is at hand, then what is due, then the disk.
    pub(super) fn turn(&mut self, place: Place, first: Option<Called>) {
        let now = self.now;
        let keeps_shown = self.disk_takes_time(place);
        let seat = &mut self.seats[place as usize];
        if seat.node.is_none() || seat.has_failed || seat.is_paused || seat.writing.is_some() {
            return;
        }
        if keeps_shown {
            seat.remember_sight();
        }
        let time = seat.clock.time(now);
        let mut actions = self.lists.pop().unwrap_or_default();
        let (mut next, mut broken) = (first, None);
        for _ in 0..BATCH {
            let Some(called) = next.take().or_else(|| seat.inbox.pop_front()) else {
                break;
            };
            let input = input_of(seat, &self.ids, called);
            broken = broken.or(step(seat, time, input, &mut actions));
        }
        if let Some(due) = seat.node.as_ref().map(|node| node.due(time)) {
            for input in due {
                if matches!(input, Input::Resumed) {
                    self.stats.meet(Met::Resumed);
                }
                step(seat, time, input, &mut actions);
            }
        }
        if let Some((invariant, what)) = broken {
            self.fail(invariant, format!("{} {what}", self.ids[place as usize]));
        }
        self.settle(place, actions, keeps_shown);
        self.arm(place);
    }

    fn disk_takes_time(&self, place: Place) -> bool {
        self.plan.scale.disk > 0 || self.seat(place).slow > 0
    }

    /// Puts on the disk what is to be there, and lets go what rests on it.
    fn settle(&mut self, place: Place, mut actions: Vec<Action>, takes_time: bool) {
        let persists = actions.iter().any(|a| matches!(a, Action::Persist(_)));
        if !persists {
            self.watch_progress(place);
            return self.perform(place, actions);
        }
        let mut records = Vec::new();
        let mut rest = self.lists.pop().unwrap_or_default();
        for action in actions.drain(..) {
            match action {
                Action::Persist(record) => {
                    self.watch_record(place, &record);
                    records.push(record);
                }
                // Before the disk forgets it, as on ports.
                Action::Report(event @ Event::Lost(_)) => self.report(place, event),
                other => rest.push(other),
            }
        }
        self.watch_progress(place);
        self.lists.push(actions);
        let seat = self.seat_mut(place);
        if !takes_time || !seat.disk.blocks(&records) {
            return self.finish(place, &records, rest);
        }
        seat.shown = seat.before.as_ref().map(|(_, sight)| sight.clone());
        seat.writing = Some(Writing {
            records,
            actions: rest,
        });
        seat.writes += 1;
        let (nth, life, slow) = (seat.writes, seat.life, seat.slow);
        let scale = self.plan.scale;
        let drawn = self.draw(place, 0x0d15_c000 + nth) % (scale.disk_jitter * 1000 + 1);
        let takes = scale.disk * 1000 + drawn + slow;
        self.queue
            .plan(self.now + takes, Coming::Written { place, life });
        if self.seat(place).dies_writing {
            self.queue
                .plan(self.now + takes / 2, Coming::PowerCut { place, life });
        }
    }

    /// A write is done.
    pub(super) fn written(&mut self, place: Place, life: u32) {
        let seat = self.seat_mut(place);
        if seat.life != life {
            return;
        }
        if seat.is_paused {
            seat.is_written = true;
            return;
        }
        let Some(Writing { records, actions }) = seat.writing.take() else {
            return;
        };
        seat.shown = None;
        self.finish(place, &records, actions);
        self.turn(place, None);
    }

    pub(super) fn finish(&mut self, place: Place, records: &[Record], actions: Vec<Action>) {
        let seat = self.seat_mut(place);
        match seat.disk.write(records) {
            Ok(()) => {
                self.note(place, || What::Kept(records.to_vec()));
                self.perform(place, actions);
            }
            Err(_) if is_planted(Bug::FailedSyncTrusted) => self.perform(place, actions),
            Err(_) => {
                seat.has_failed = true;
                self.watch_torn(place, records);
                self.stats.meet(Met::SyncFailed);
                self.note(place, || What::DiskFailed);
                self.forget_clients(place);
            }
        }
    }

    fn perform(&mut self, place: Place, mut actions: Vec<Action>) {
        for action in actions.drain(..) {
            match action {
                Action::Persist(_) => {}
                Action::Send { to, message } => self.send(place, &to, message),
                Action::Reply { request, reply } => {
                    if let Some(asker) = self.seat_mut(place).pending.remove(&request) {
                        self.replied(place, asker, reply);
                    }
                }
                Action::Report(event) => self.report(place, event),
            }
        }
        self.lists.push(actions);
    }

    /// Has the node woken when it is due.
    pub(super) fn arm(&mut self, place: Place) {
        let now = self.now;
        let seat = &mut self.seats[place as usize];
        if seat.is_paused || seat.has_failed || seat.writing.is_some() {
            return;
        }
        let Some(due) = seat.node.as_ref().and_then(Node::next_deadline) else {
            return;
        };
        let at = seat.clock.when(due).max(now);
        if at < seat.wake_at {
            seat.wake_at = at;
            self.queue.plan(at, Coming::Wake(place));
        }
    }

    /// Whether it was to be woken just now.
    pub(super) fn wake(&mut self, place: Place) -> bool {
        let now = self.now;
        let seat = self.seat_mut(place);
        if seat.wake_at != now {
            return false;
        }
        seat.wake_at = Nanos::MAX;
        let time = seat.clock.time(now);
        let is_due = |node: &Node| node.next_deadline().is_some_and(|due| due <= time);
        match seat.node.as_ref().is_some_and(is_due) {
            true => self.turn(place, None),
            false => self.arm(place),
        }
        true
    }
}

/// What it breaks, if anything.
fn step(
    seat: &mut Seat,
    time: Time,
    input: Input,
    actions: &mut Vec<Action>,
) -> Option<(&'static str, &'static str)> {
    let node = seat.node.as_mut()?;
    let asked = Asked::of(node, &input);
    let before = actions.len();
    node.step_into(time, input, actions);
    asked.and_then(|asked| asked.judge(node, &actions[before..]))
}
