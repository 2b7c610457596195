//! What the tests of the simulator share.

use std::sync::{Arc, Mutex};

use cluster::sim::{Expect, Kind, Moment, Options, Plan, run, tell};
use cluster::types::{Election, Mode, Replication, Safeguards};

/// All nine pairs.
pub fn modes() -> Vec<Mode> {
    let elections = [Election::LowestId, Election::Bully, Election::Raft];
    let replications = [Replication::Async, Replication::Quorum, Replication::Sync];
    let pairs = elections.into_iter().flat_map(|election| {
        replications.map(|replication| Mode {
            election,
            replication,
        })
    });
    pairs.collect()
}

pub fn mode(name: &str) -> Mode {
    name.parse().expect("a mode, as it is displayed")
}

/// Five nodes under all faults.
pub fn options(mode: Mode, seconds: u64, expect: Expect) -> Options {
    Options {
        nodes: 5,
        mode,
        safeguards: Safeguards::default(),
        faults: Kind::ALL.to_vec(),
        time: seconds * 1_000_000,
        clients: None,
        rate: None,
        expect,
    }
}

/// What happens when a plan is played.
pub fn moments_of(plan: &Arc<Plan>) -> Vec<Moment> {
    let moments = Arc::new(Mutex::new(Vec::new()));
    let sink = moments.clone();
    let keep = move |moment| sink.lock().expect("nobody panics with it").push(moment);
    run(plan, Some(Box::new(keep)));
    let mut moments = moments.lock().expect("nobody panics with it");
    std::mem::take(&mut *moments)
}

/// The hash of a plan's trace (FNV-1a), and how many lines it has.
pub fn trace_of(plan: &Arc<Plan>) -> (u64, usize) {
    let state = Arc::new(Mutex::new((0xcbf2_9ce4_8422_2325_u64, 0)));
    let sink = state.clone();
    run(
        plan,
        Some(Box::new(move |moment| {
            let mut state = sink.lock().expect("nobody panics with it");
            for byte in tell::line(&moment).bytes().chain([b'\n']) {
                state.0 = (state.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            state.1 += 1;
        })),
    );
    let state = state.lock().expect("nobody panics with it");
    *state
}
