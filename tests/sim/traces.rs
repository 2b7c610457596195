//! The same seed gives the same trace, byte for byte: on any machine, with any number of threads, in debug and release.
//!
//! The hashes are in `traces.tsv`. A change of the protocol or of the simulator changes them; `UPDATE_TRACES=1 cargo test
//! --test sim` writes them anew. Nothing else may.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cluster::sim::{Expect, Tally, draw, play};

use crate::support::{modes, options, trace_of};

/// How many seeds of each mode are compared.
const SEEDS: u64 = 20;

#[test]
fn twenty_seeds_of_each_mode_have_the_traces_they_had() {
    let mut found = String::new();
    for mode in modes() {
        let options = options(mode, 2, Expect::Promised);
        for seed in 0..SEEDS {
            let (hash, lines) = trace_of(&Arc::new(draw(&options, seed)));
            writeln!(found, "{mode}\t{seed}\t{lines}\t{hash:016x}").expect("a string takes all");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim/traces.tsv");
    if std::env::var_os("UPDATE_TRACES").is_some() {
        std::fs::write(&path, &found).expect("the file can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the traces");
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "another trace: see the head of this file");
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

#[test]
fn a_run_depends_on_its_plan_alone_and_a_trace_on_every_event() {
    let options = options(cluster::types::Mode::RAFT, 5, Expect::Promised);
    let plan = Arc::new(draw(&options, 3));
    assert_eq!(trace_of(&plan), trace_of(&plan));
    let mut other = (*plan).clone();
    other.steps.remove(0);
    assert_ne!(trace_of(&plan), trace_of(&Arc::new(other)));
    assert_ne!(trace_of(&plan), trace_of(&Arc::new(draw(&options, 4))));
}

#[test]
fn what_is_found_is_the_same_with_one_thread_and_with_two() {
    let options = options(cluster::types::Mode::default(), 5, Expect::NoLostAcks);
    let tally = |jobs| {
        let mut tally = Tally::from(0);
        let stop = AtomicBool::new(false);
        play(&options, &(0..24), jobs, false, &stop, &mut tally, |_| {});
        tally
    };
    let (one, two) = (tally(1), tally(2));
    assert_eq!(one, two);
    assert!(!one.violations.is_empty());
}
