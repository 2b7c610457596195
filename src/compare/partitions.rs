//! How a pair fares when the network splits: simulated runs, each judged by what its clients saw.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::check::history::End;
use crate::compare::findings::Partitions;
use crate::sim::plan::Micros;
use crate::sim::{Expect, Kind, Options, draw, run};
use crate::types::{Mode, Safeguards};

/// How long each run has partitions, in virtual time.
pub const TIME: Micros = 20_000_000;

/// How many operations a virtual second.
pub const RATE: u64 = 20;

/// Plays every seed, in as many threads as there are cores. `None`: it was to stop.
pub fn play(mode: Mode, nodes: usize, seeds: Range<u64>, stop: &AtomicBool) -> Option<Partitions> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let share = (seeds.end - seeds.start).div_ceil(cores).max(1);
    let shares = (seeds.start..seeds.end)
        .step_by(share as usize)
        .map(|first| first..(first + share).min(seeds.end));
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

fn some(mode: Mode, nodes: usize, seeds: Range<u64>, stop: &AtomicBool) -> Option<Partitions> {
    let mut sum = Partitions::default();
    for seed in seeds {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        sum = add(sum, one(mode, nodes, seed));
    }
    Some(sum)
}

/// The same seed under each expectation: the schedule is the same, and each ends at the first thing that breaks it.
fn one(mode: Mode, nodes: usize, seed: u64) -> Partitions {
    let play = |expect| {
        let options = Options {
            nodes,
            mode,
            safeguards: Safeguards::default(),
            faults: vec![Kind::Partition],
            time: TIME,
            clients: Some(5),
            rate: Some(RATE),
            expect,
        };
        run(&Arc::new(draw(&options, seed)), None)
    };
    let breaks = |expect| usize::from(play(expect).violation.is_some());
    let promised = play(Expect::Promised);
    let strict = play(Expect::Linearizable);
    let is_answered = |end: &End| matches!(end, End::Ok(_));
    let operations = &promised.history.operations;
    Partitions {
        seeds: 1,
        lost: breaks(Expect::NoLostAcks),
        not_linearizable: usize::from(strict.violation.is_some()),
        two_leaders: breaks(Expect::OneLeader),
        undecided: usize::from(strict.violation.is_none() && strict.stats.undecided > 0),
        broken: usize::from(promised.violation.is_some()),
        operations: operations.len(),
        answered: operations.iter().filter(|op| is_answered(&op.end)).count(),
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
