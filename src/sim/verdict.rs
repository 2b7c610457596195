//! What is said of a run: what its clients saw, and what is left in the end, held against what the mode promises, or
//! against what was asked for.

use std::time::{Duration, Instant};

use crate::check::Budget;
use crate::check::history::{self, History, Operation};
use crate::sim::clients::Asked;
use crate::sim::plan::Reading;
use crate::sim::promise::{self, Judged};
use crate::sim::world::World;

/// How long the judge may search: counted, since what is said must not depend on how fast a machine is.
pub(super) const STEPS: u64 = 1_000_000;

impl World {
    /// Judges what clients saw, all of which is `whole`, in so many steps.
    pub(super) fn judge(&mut self, whole: &History, steps: u64) {
        let claim = self.plan.expect.claim(self.plan.mode);
        // It is over long before.
        let never = Instant::now() + Duration::from_secs(24 * 3600);
        let strongest = self.history(true);
        match promise::judge(claim, &strongest, whole, Budget::steps(steps), never) {
            Judged::Kept => {}
            Judged::Broken(breach) => self.fail(breach.invariant, breach.what),
            Judged::Undecided(_) => self.stats.undecided += 1,
        }
        if self.violation.is_none() && self.plan.finale.is_some() {
            self.acknowledged_is_there();
        }
    }

    /// The operations that are held to one order: writes, and the strongest reads that the mode offers.
    pub(super) fn history(&self, strongest_only: bool) -> History {
        history_of(self, strongest_only)
    }

    /// What was acknowledged is there when all is quiet, or was reported lost where the mode allows that.
    fn acknowledged_is_there(&mut self) {
        let Some(leader) = self.leader() else {
            return;
        };
        let Some(node) = &self.seat(leader).node else {
            return;
        };
        let may_lose = (self.plan.expect).may_lose(self.plan.mode, self.watch.has_lost_disks);
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
                let reported = self.watch.lost.get(key);
                // What was reported before it was asked for was something else.
                let is_reported = reported.is_some_and(|at| *at >= asked.invoked)
                    || self.is_deleted_after(number);
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
