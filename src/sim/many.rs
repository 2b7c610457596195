//! Many runs at once: seeds are taken in turn by as many threads as there are jobs, and what they found is put together in
//! the order of the seeds, so that it is the same however many threads there were.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use serde::{Deserialize, Serialize};

use crate::sim::invariants::Violation;
use crate::sim::plan::{Kind, Micros, Plan};
use crate::sim::run::{Outcome, run};
use crate::sim::stats::{Met, Stats};
use crate::sim::swarm::{Options, draw};
use crate::sim::turns::Turns;

/// How many seeds a thread may be ahead of the first that is not done: what is done early waits in memory.
const AHEAD: u64 = 8;

/// How far a run of one seed after the other has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Seeds before this one are done.
    pub next: u64,
    /// How many there were.
    pub seeds: u64,
    /// How long they took, in virtual time.
    pub virtual_time: Micros,
    /// What all of them met.
    pub stats: Stats,
    /// Of each seed: acknowledged writes, changes of leader, and kinds of faults that took effect.
    samples: Vec<(u32, u32, u8)>,
    /// What was broken.
    pub violations: Vec<Found>,
}

/// A violation, and by which seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The seed.
    pub seed: u64,
    /// What is broken.
    pub invariant: String,
    /// How that shows.
    pub what: String,
    /// When, in microseconds of virtual time.
    pub at: Micros,
}

impl Found {
    fn new(seed: u64, violation: &Violation) -> Found {
        Found {
            seed,
            invariant: violation.invariant.to_owned(),
            what: violation.what.clone(),
            at: violation.at,
        }
    }

    /// Whether no write could be done any more, rather than something wrong done.
    pub fn is_stuck(&self) -> bool {
        is_stuck(&self.invariant)
    }
}

/// Whether an invariant is about what must happen one day, rather than about what must never.
pub fn is_stuck(invariant: &str) -> bool {
    matches!(invariant, "availability" | "convergence")
}

impl Tally {
    /// Nothing done yet; the first seed is `first`.
    pub fn from(first: u64) -> Tally {
        Tally {
            next: first,
            seeds: 0,
            virtual_time: 0,
            stats: Stats::default(),
            samples: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Adds the next run.
    pub fn add(&mut self, plan: &Plan, outcome: &Outcome) {
        let seed = plan.seed;
        self.next = seed.saturating_add(1);
        self.seeds += 1;
        self.virtual_time += plan.until;
        self.stats.add(&outcome.stats);
        let stats = &outcome.stats;
        self.samples.push((
            stats.acknowledged as u32,
            stats.leader_changes as u32,
            stats.kinds_of_faults() as u8,
        ));
        let found = outcome.violation.as_ref();
        self.violations
            .extend(found.map(|violation| Found::new(seed, violation)));
    }

    /// The first seed; `None`: the numbers contradict each other, as in a file that somebody changed.
    pub fn began(&self) -> Option<u64> {
        let began = self.next.checked_sub(self.seeds)?;
        let is_played = |found: &Found| (began..self.next).contains(&found.seed);
        let is_sound = self.samples.len() as u64 == self.seeds
            && self.stats.is_whole()
            && self.violations.iter().all(is_played);
        is_sound.then_some(began)
    }

    /// The median seed's acknowledged writes, changes of leader, and kinds of faults that took effect.
    pub fn median(&self) -> (u32, u32, u8) {
        let middle = |mut numbers: Vec<u32>| {
            numbers.sort_unstable();
            numbers.get(numbers.len() / 2).copied().unwrap_or(0)
        };
        let all = &self.samples;
        (
            middle(all.iter().map(|s| s.0).collect()),
            middle(all.iter().map(|s| s.1).collect()),
            middle(all.iter().map(|s| u32::from(s.2)).collect()) as u8,
        )
    }

    /// What could have been met with these options and never was.
    pub fn never_met(&self, options: &Options) -> Vec<Met> {
        let expected = |met: &&Met| {
            met.is_expected(options.mode, &options.faults) && self.stats.count(**met) == 0
        };
        Met::ALL.iter().filter(expected).copied().collect()
    }

    /// Why it proves nothing, if it does not: a quiet schedule.
    pub fn too_quiet(&self, options: &Options) -> Option<String> {
        // Only as many faults as are asked for can take effect, and only long runs have room for them.
        if options.faults.len() < Kind::ALL.len() - 1
            || options.time < 60_000_000
            || self.seeds < 10
        {
            return None;
        }
        let (acknowledged, changes, kinds) = self.median();
        let quiet = acknowledged < 20 || changes < 2 || kinds < 3;
        quiet.then(|| {
            format!(
                "the median seed had {acknowledged} acknowledged writes, {changes} changes of leader and {kinds} kinds of faults: too little to prove anything"
            )
        })
    }
}

/// Plays seeds from `tally.next` up to `seeds.end`, and adds what they met. After each, in order, `each` is told. Ends early
/// when `stop` is set, or, if `until_found`, at the first violation.
pub fn play(
    options: &Options,
    seeds: &Range<u64>,
    jobs: usize,
    until_found: bool,
    stop: &AtomicBool,
    tally: &mut Tally,
    mut each: impl FnMut(&Tally),
) {
    let done = AtomicBool::new(false);
    let is_over = || stop.load(Ordering::Relaxed) || done.load(Ordering::Relaxed);
    let turns = Turns::new(tally.next..seeds.end, AHEAD * jobs as u64);
    std::thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..jobs {
            let (sender, turns) = (sender.clone(), &turns);
            scope.spawn(move || {
                while let Some(turn) = turns.take(is_over) {
                    let plan = Arc::new(draw(options, turn.seed));
                    let outcome = run(&plan, None);
                    if sender.send((plan, outcome)).is_err() {
                        return turns.give_up();
                    }
                }
            });
        }
        drop(sender);
        let mut early: BTreeMap<u64, (Arc<Plan>, Outcome)> = BTreeMap::new();
        for (plan, outcome) in results {
            early.insert(plan.seed, (plan, outcome));
            while let Some((plan, outcome)) = early.remove(&tally.next) {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                tally.add(&plan, &outcome);
                each(tally);
                if until_found && outcome.violation.is_some() {
                    done.store(true, Ordering::Relaxed);
                }
            }
            turns.done(tally.next);
        }
    });
}
