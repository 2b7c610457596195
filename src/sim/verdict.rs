//! What is said of a run: what its clients saw, and what is left in the end, held against what the mode promises, or
//! against what was asked for.

use std::time::{Duration, Instant};

use crate::check::history::{self, End, History, Operation};
use crate::check::{Budget, Held, Property, Sequential, Verdict, holds, linearizable, sequential};
use crate::sim::clients::Asked;
use crate::sim::expect::Expect;
use crate::sim::plan::Reading;
use crate::sim::world::World;
use crate::types::Replication;

/// How long the judge may search: counted, since what is said must not depend on how fast a machine is.
const STEPS: u64 = 1_000_000;

impl World {
    /// Judges what clients saw.
    pub(super) fn judge(&mut self) {
        self.reads_are_of_writes();
        if self.violation.is_some() {
            return;
        }
        let mode = self.plan.mode;
        match self.plan.expect {
            Expect::Promised if mode.is_linearizable() => self.is_linearizable(),
            Expect::Promised | Expect::Available | Expect::OneLeader => {}
            Expect::Linearizable => self.is_linearizable(),
            Expect::Sequential => self.is_sequential(),
            Expect::ReadYourWrites => self.has(Property::ReadYourWrites),
            Expect::MonotonicReads => self.has(Property::MonotonicReads),
            Expect::Eventual => self.has(Property::Eventual),
            Expect::NoLostAcks => {}
        }
        if self.violation.is_none() && self.plan.finale.is_some() {
            self.acknowledged_is_there();
        }
    }

    /// Nobody reads what nobody wrote, nor what was refused.
    fn reads_are_of_writes(&mut self) {
        let broken = self.clients.asked.iter().find_map(|read| {
            let (history::Call::Read, End::Ok(Some(seen))) = (&read.call, &read.end) else {
                return None;
            };
            if &**seen == "null" {
                return None;
            }
            let written = seen
                .parse::<usize>()
                .ok()
                .and_then(|n| self.clients.asked.get(n));
            let is_write = |asked: &&Asked| {
                let writes = matches!(asked.call, history::Call::Write(_) | history::Call::Cas(..));
                let refused = asked.is_void || asked.end == End::Fail;
                writes
                    && asked.key == read.key
                    && !refused
                    && asked.invoked < read.returned.unwrap_or(usize::MAX)
            };
            match written.filter(is_write) {
                Some(_) => None,
                None => {
                    let key = self.clients.key(read.key).as_str();
                    Some(format!(
                        "a read of {key} sees {seen}, which was never written or was refused"
                    ))
                }
            }
        });
        if let Some(what) = broken {
            self.fail("reads are of writes", what);
        }
    }

    /// The operations that are held to one order: writes, and the strongest reads that the mode offers.
    pub(super) fn history(&self, strongest_only: bool) -> History {
        history_of(self, strongest_only)
    }

    fn is_linearizable(&mut self) {
        let history = self.history(true);
        match linearizable(&history, Budget::steps(STEPS)) {
            Verdict::Holds(_) => {}
            Verdict::Violated { key, .. } => {
                let what = format!(
                    "no order explains what clients saw of {}",
                    history.keys[key]
                );
                self.fail("linearizability", what);
            }
            Verdict::Unknown { .. } => self.stats.undecided += 1,
        }
    }

    fn is_sequential(&mut self) {
        match sequential(&self.history(true), Budget::steps(STEPS)) {
            Sequential::Holds(_) => {}
            Sequential::Violated { .. } => {
                let what = "no order that keeps each client's own explains what they saw";
                self.fail("sequential consistency", what.to_owned());
            }
            Sequential::Unknown => self.stats.undecided += 1,
        }
    }

    fn has(&mut self, property: Property) {
        // It is over long before.
        let never = Instant::now() + Duration::from_secs(24 * 3600);
        match holds(&self.history(false), property, never) {
            Held::Yes => {}
            Held::No { why, .. } => self.fail(name(property), why),
            Held::Unknown(_) => self.stats.undecided += 1,
        }
    }

    /// What was acknowledged is there when all is quiet, or was reported lost where the mode allows that.
    fn acknowledged_is_there(&mut self) {
        let Some(leader) = self.leader() else {
            return;
        };
        let Some(node) = &self.seat(leader).node else {
            return;
        };
        // With a disk everything can go where the next leader need hold nothing.
        let only_with_disks = self.plan.mode.replication == Replication::Sync;
        let may_lose = !self.plan.mode.is_linearizable()
            && (!only_with_disks || self.watch.has_lost_disks)
            && self.plan.expect != Expect::NoLostAcks;
        let broken = self
            .clients
            .asked
            .iter()
            .enumerate()
            .find_map(|(number, asked)| {
                let entry = asked.entry.as_ref()?;
                let is_excused =
                    self.watch.excused.contains(&number) && !self.plan.mode.is_linearizable();
                if node.log().contains(Some(entry)) || is_excused {
                    return None;
                }
                let key = self.clients.key(asked.key);
                let is_reported = self.watch.lost.contains(key) || self.is_deleted_after(number);
                let is_delete = asked.call == history::Call::Delete;
                let told = may_lose && (is_reported || is_delete);
                (!told).then(|| {
                    let reported = if is_reported {
                        ""
                    } else {
                        ", and nobody reported it"
                    };
                    format!(
                        "{entry:?} of {} was acknowledged and is gone{reported}",
                        key.as_str()
                    )
                })
            });
        if let Some(what) = broken {
            self.fail("nothing acknowledged is missing", what);
        }
    }

    /// Whether its key may have been deleted afterwards: then it is not the write's effect that is missing.
    fn is_deleted_after(&self, number: usize) -> bool {
        let written = &self.clients.asked[number];
        self.clients.asked.iter().any(|asked| {
            let deletes = asked.call == history::Call::Delete && !asked.is_void;
            deletes
                && asked.key == written.key
                && asked.returned.unwrap_or(usize::MAX) > written.invoked
        })
    }
}

fn name(property: Property) -> &'static str {
    match property {
        Property::ReadYourWrites => "read your writes",
        Property::MonotonicReads => "monotonic reads",
        Property::Eventual => "eventual consistency",
        Property::NoLostAcks => "nothing acknowledged is missing",
    }
}

fn history_of(world: &World, strongest_only: bool) -> History {
    let mode = world.plan.mode;
    let is_judged = |asked: &&Asked| {
        let is_strongest = match asked.reading {
            None => true,
            Some(Reading::Linearizable(_)) => true,
            Some(Reading::Leader) => !mode.is_linearizable(),
            Some(Reading::Local(_)) => false,
        };
        !asked.is_void && (is_strongest || !strongest_only)
    };
    let operation = |asked: &Asked| Operation {
        process: asked.process.to_string(),
        key: asked.key as usize,
        call: asked.call.clone(),
        end: asked.end.clone(),
        invoked: asked.invoked,
        returned: asked.returned,
        invoked_at: Some(asked.invoked_at),
        returned_at: asked.returned.map(|_| asked.returned_at),
    };
    let keys = world
        .clients
        .keys()
        .iter()
        .map(|key| key.as_str().to_owned());
    History {
        keys: keys.collect(),
        operations: world
            .clients
            .asked
            .iter()
            .filter(is_judged)
            .map(operation)
            .collect(),
    }
}
