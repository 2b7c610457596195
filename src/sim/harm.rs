//! What is done to the cluster: faults, which begin and are lifted, and what operators ask.

use crate::faults::Fault;
use crate::protocol::{MemberChange, Reply};
use crate::sim::called::{Called, Wish};
use crate::sim::clients::Asker;
use crate::sim::moment::What;
use crate::sim::plan::{Harm, Operation, Place, Step, Who};
use crate::sim::queue::Nanos;
use crate::sim::seat::Seat;
use crate::sim::stats::Met;
use crate::sim::words;
use crate::sim::world::{PLACES, World};
use crate::types::NodeId;

/// A fault in force, and whom it struck.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    harm: Harm,
    whom: Place,
}

impl World {
    pub(super) fn perform_step(&mut self, step: &Step) {
        match step {
            Step::Fault { number, harm } => self.harm(*number, harm),
            Step::Lift(number) => self.lift(*number),
            Step::Operate(operation) => self.operate(*operation),
            Step::Ask { client, call } => self.ask(*client, *call),
        }
    }

    /// Who is meant, if there is such a node just now.
    fn whom(&self, who: Who) -> Option<Place> {
        match who {
            Who::Node(place) => (usize::from(place) < self.seats.len()).then_some(place),
            Who::Leader => self.leader(),
            Who::Follower(nth) => {
                let leader = self.leader();
                let others: Vec<Place> = self
                    .places()
                    .filter(|place| Some(*place) != leader && self.seat(*place).is_well())
                    .collect();
                let at = usize::from(nth).checked_rem(others.len())?;
                Some(others[at])
            }
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        0..self.seats.len() as Place
    }

    /// Who leads; of several, the one with the greatest term.
    pub(super) fn leader(&self) -> Option<Place> {
        let leads = |place: &Place| {
            let seat = self.seat(*place);
            seat.is_well() && seat.node.as_ref().is_some_and(|node| node.leads())
        };
        let term = |place: &Place| self.seat(*place).node.as_ref().map(|node| node.term());
        self.places().filter(leads).max_by_key(term)
    }

    pub(super) fn harm(&mut self, number: u32, harm: &Harm) {
        let Some(whom) = self.strike(number, harm) else {
            return;
        };
        let what = words::harm(harm, &self.ids[whom as usize]);
        let harm = harm.clone();
        if !harm.is_crash() {
            self.troubled_until = Nanos::MAX;
        }
        self.note(whom, || What::Harmed {
            number,
            harm: harm.clone(),
            what,
        });
        self.in_force.insert(number, InForce { harm, whom });
    }

    /// Lets a fault begin; whom it strikes, if it does.
    fn strike(&mut self, number: u32, harm: &Harm) -> Option<Place> {
        let all: Vec<Place> = (0..PLACES as Place).collect();
        let whom = match harm {
            Harm::Crash { who, .. }
            | Harm::Pause(who)
            | Harm::Skew(who, _)
            | Harm::Jump(who, _)
            | Harm::SlowDisk(who, _)
            | Harm::FailSync(who)
            | Harm::Isolate { who, .. } => self.whom(*who)?,
            Harm::Partition(_) | Harm::Links { .. } => 0,
        };
        match harm {
            Harm::Crash { writing: true, .. } if self.seat(whom).is_well() => {
                self.seat_mut(whom).dies_writing = true;
            }
            Harm::Crash { power, damaged, .. } => return self.crash(whom, *power, *damaged),
            Harm::Pause(_) => {
                let seat = self.seat_mut(whom);
                if !seat.is_well() {
                    return None;
                }
                seat.is_paused = true;
                self.stats.meet(Met::Paused);
                self.note(whom, || What::Paused);
            }
            Harm::Skew(_, rate) => {
                let now = self.now;
                self.seat_mut(whom).clock.set_rate(now, *rate);
                self.stats.meet(Met::Skewed);
                self.rearm(whom);
            }
            Harm::Jump(_, by) => {
                self.seat_mut(whom).clock.jump(by * 1000);
                self.stats.meet(Met::Jumped);
                self.rearm(whom);
            }
            Harm::SlowDisk(_, by) => {
                self.seat_mut(whom).slow = by * 1000;
                self.stats.meet(Met::DiskSlow);
            }
            Harm::FailSync(_) => self.seat_mut(whom).disk.fails = true,
            Harm::Partition(groups) => {
                for group in groups {
                    let apart = |place: &Place| !group.contains(place);
                    let others: Vec<Place> = all.iter().copied().filter(apart).collect();
                    self.faults.set(number, group, &others, Fault::CUT);
                    self.faults.set(number, &others, group, Fault::CUT);
                }
                self.stats.meet(Met::Partitioned);
            }
            Harm::Isolate { out, into, .. } => {
                if *out {
                    self.faults.set(number, &[whom], &all, Fault::CUT);
                }
                if *into {
                    self.faults.set(number, &all, &[whom], Fault::CUT);
                }
                self.stats.meet(match (out, into) {
                    (true, true) => Met::Isolated,
                    _ => Met::CutOneWay,
                });
            }
            Harm::Links { from, to, fault } => self.faults.set(number, from, to, *fault),
        }
        Some(whom)
    }

    fn crash(&mut self, whom: Place, power: bool, damaged: bool) -> Option<Place> {
        if !self.seat(whom).is_up() {
            return None;
        }
        self.kill(whom, power);
        // Beyond a minority of lost disks nothing is promised.
        let is_lost = |place: &Place| {
            let seat = self.seat(*place);
            let recovering = seat.node.as_ref().is_some_and(|node| node.is_recovering());
            !seat.is_gone
                && (seat.disk.is_damaged || recovering || seat.disk.kept().is_recovering())
        };
        let lost = self.places().filter(is_lost).count();
        let voters = self.watch.fewest_voters;
        if damaged && lost < (voters - 1) / 2 {
            self.seat_mut(whom).disk.is_damaged = true;
        }
        Some(whom)
    }

    pub(super) fn lift(&mut self, number: u32) {
        let Some(InForce { harm, whom }) = self.in_force.remove(&number) else {
            return;
        };
        self.note(whom, || What::Lifted { number });
        if !harm.is_crash() && self.in_force.values().all(|other| other.harm.is_crash()) {
            self.troubled_until = self.now;
        }
        match harm {
            Harm::Crash { .. } => {
                self.seat_mut(whom).dies_writing = false;
                self.start(whom, false);
            }
            Harm::Pause(_) => self.resume(whom),
            Harm::Skew(..) => self.true_clock(whom),
            Harm::Jump(..) => {}
            Harm::SlowDisk(..) => self.seat_mut(whom).slow = 0,
            Harm::FailSync(_) => self.mend_disk(whom),
            Harm::Partition(_) | Harm::Isolate { .. } | Harm::Links { .. } => {
                self.faults.lift(number);
            }
        }
    }

    fn true_clock(&mut self, place: Place) {
        let now = self.now;
        self.seat_mut(place).clock.set_rate(now, 1_000_000);
        self.rearm(place);
    }

    fn mend_disk(&mut self, place: Place) {
        self.seat_mut(place).disk.fails = false;
        if self.seat(place).has_failed {
            self.kill(place, false);
            self.start(place, false);
        }
    }

    /// Everything is well again between and in `places`; the dead live.
    pub(super) fn mend(&mut self, places: &[Place]) {
        for place in places.iter().copied() {
            if self.seat(place).is_gone {
                continue;
            }
            self.true_clock(place);
            (self.seat_mut(place).slow, self.seat_mut(place).dies_writing) = (0, false);
            self.mend_disk(place);
            self.resume(place);
            self.start(place, false);
        }
    }

    fn operate(&mut self, operation: Operation) {
        if !self.plan.mode.is_linearizable() {
            return;
        }
        let Some(leader) = self.leader() else {
            return;
        };
        let (whom, wish) = match operation {
            Operation::Add => match self.join(leader) {
                Some(place) => {
                    let id = self.ids[place as usize].clone();
                    (Some(place), Wish::Members(MemberChange::Add(id)))
                }
                None => return,
            },
            Operation::Remove(who) => match self.whom(who).filter(|_| self.may_shrink(leader)) {
                Some(place) => {
                    let id = self.ids[place as usize].clone();
                    (Some(place), Wish::Members(MemberChange::Remove(id)))
                }
                None => return,
            },
            Operation::Transfer(who) => {
                let to = who.and_then(|who| self.whom(who));
                let id = to.map(|place| self.ids[place as usize].clone());
                (to, Wish::Transfer(id))
            }
        };
        self.note(leader, || What::Operated { operation, whom });
        let asker = Asker::Operator {
            operation,
            place: whom,
        };
        self.call(leader, Called::Ask(asker, wish));
    }

    /// With fewer voters, or without one while a disk is lost, a majority could depend on each single node.
    fn may_shrink(&self, leader: Place) -> bool {
        let is_lost = |seat: &Seat| seat.disk.is_damaged || seat.disk.kept().is_recovering();
        self.voters(leader) > 3 && !self.seats.iter().any(|seat| !seat.is_gone && is_lost(seat))
    }

    fn voters(&self, place: Place) -> usize {
        let node = self.seat(place).node.as_ref();
        node.map_or(0, |node| node.members().voters.len())
    }

    /// One more node starts, which knows who is there.
    fn join(&mut self, leader: Place) -> Option<Place> {
        let place = self.seats.len();
        if place == PLACES {
            return None;
        }
        let node = self.seat(leader).node.as_ref()?;
        let members: Vec<NodeId> = node.members().voters.clone();
        self.sit(place as Place, members);
        self.start(place as Place, false);
        Some(place as Place)
    }

    /// An operator is told what became of it; `None`: the connection broke.
    pub(super) fn operator_learns(
        &mut self,
        operation: Operation,
        whom: Option<Place>,
        reply: Option<Reply>,
    ) {
        if let Some(reply) = reply.clone() {
            self.note(whom.unwrap_or(0), || What::OperatorAnswered { reply });
        }
        match (operation, reply) {
            (Operation::Add, Some(Reply::Changed)) => self.stats.meet(Met::MemberAdded),
            // It is in no log, and nobody waits for it.
            (Operation::Add, Some(Reply::Refused { .. } | Reply::NotLeader { .. })) => {
                self.stats.meet(Met::MemberRefused);
                self.leave(whom);
            }
            (Operation::Remove(_), Some(Reply::Changed)) => {
                self.stats.meet(Met::MemberRemoved);
                self.leave(whom);
            }
            (Operation::Remove(_), Some(Reply::Refused { .. } | Reply::NotLeader { .. })) => {
                self.stats.meet(Met::MemberRefused);
            }
            (Operation::Transfer(_), Some(Reply::Changed)) => self.stats.meet(Met::Transferred),
            (Operation::Transfer(_), Some(Reply::Refused { .. })) => {
                self.stats.meet(Met::TransferRefused);
            }
            _ => {}
        }
    }

    fn leave(&mut self, whom: Option<Place>) {
        if let Some(place) = whom {
            self.kill(place, false);
            self.seat_mut(place).is_gone = true;
        }
    }
}
