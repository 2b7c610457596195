//! How a pair fares when the network splits: simulated runs, each judged by what its clients saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::check::history::{End, Operation};
use crate::compare::findings::Partitions;
use crate::sim::plan::{Micros, Step, Timed};
use crate::sim::{Expect, Kind, Options, draw, run};
use crate::types::{Mode, Safeguards};

/// How long each run has partitions, in virtual time.
pub const TIME: Micros = 20_000_000;

/// How many operations a virtual second.
pub const RATE: u64 = 20;

/// Plays the first so many seeds in which the network splits, in as many threads as there are cores. `None`: it was to stop.
pub fn play(mode: Mode, nodes: usize, seeds: u64, stop: &AtomicBool) -> Option<Partitions> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let splits = |seed: &u64| {
        let plan = draw(&options(mode, nodes, Expect::Promised), *seed);
        let mut steps = plan.steps.iter();
        steps.any(|timed| matches!(timed.step, Step::Fault { .. }))
    };
    let seeds: Vec<u64> = (0..).filter(splits).take(seeds as usize).collect();
    let shares = seeds.chunks(seeds.len().div_ceil(cores).max(1));
    std::thread::scope(|scope| {
        let threads: Vec<_> = shares
            .map(|share| scope.spawn(move || some(mode, nodes, share, stop)))
            .collect();
        let mut sum = Partitions::default();
        for thread in threads {
            // A panic of a run is one of this program.
            let found = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            sum = add(sum, found);
        }
        Some(sum)
    })
}

fn some(mode: Mode, nodes: usize, seeds: &[u64], stop: &AtomicBool) -> Option<Partitions> {
    let mut sum = Partitions::default();
    for seed in seeds {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        sum = add(sum, one(mode, nodes, *seed));
    }
    Some(sum)
}

fn options(mode: Mode, nodes: usize, expect: Expect) -> Options {
    Options {
        nodes,
        mode,
        safeguards: Safeguards::default(),
        faults: vec![Kind::Partition],
        time: TIME,
        clients: Some(5),
        rate: Some(RATE),
        expect,
    }
}

/// The same seed under each expectation: the schedule is the same, and each ends at the first thing that breaks it.
fn one(mode: Mode, nodes: usize, seed: u64) -> Partitions {
    let play = |expect| {
        let plan = Arc::new(draw(&options(mode, nodes, expect), seed));
        (run(&plan, None), plan)
    };
    let breaks = |expect| usize::from(play(expect).0.violation.is_some());
    let (promised, plan) = play(Expect::Promised);
    let (strict, _) = play(Expect::Linearizable);
    let is_asked = |timed: &&Timed| matches!(timed.step, Step::Ask { .. });
    // That a condition does not hold is an answer, too. What is read in the end is no client's.
    let is_answered = |asked: &&Operation| {
        let is_clients = asked.invoked_at.is_none_or(|at| at <= 1000 * TIME);
        is_clients && asked.end != End::Unknown
    };
    let answered = promised.history.operations.iter().filter(is_answered);
    Partitions {
        seeds: 1,
        lost: breaks(Expect::NoLostAcks),
        not_linearizable: usize::from(strict.violation.is_some()),
        two_leaders: breaks(Expect::OneLeader),
        undecided: usize::from(strict.violation.is_none() && strict.stats.undecided > 0),
        broken: usize::from(promised.violation.is_some()),
        operations: plan.steps.iter().filter(is_asked).count(),
        answered: answered.count(),
    }
}

fn add(a: Partitions, b: Partitions) -> Partitions {
    Partitions {
        seeds: a.seeds + b.seeds,
        lost: a.lost + b.lost,
        not_linearizable: a.not_linearizable + b.not_linearizable,
        two_leaders: a.two_leaders + b.two_leaders,
        undecided: a.undecided + b.undecided,
        broken: a.broken + b.broken,
        operations: a.operations + b.operations,
        answered: a.answered + b.answered,
    }
}
