//! The chapter's closing table of trade-offs, measured instead of asserted: every pair of an election and a replication
//! is asked what it costs and what it gives.
//!
//! On ports ([`live`]) a pair's cluster is loaded, for its speed. Then, on ports and in virtual time ([`simulated`]) alike, the
//! same is done to it (`trial`): it is read right after it was written, its leader is killed under writes, its nodes are killed
//! one by one. How it fares when the network splits is told by the simulator alone ([`partitions`]), over many seeds, and
//! judged by what clients saw. Nothing is said of a pair because of what it is: all is seen.
//!
//! # Caveats
//!
//! - On ports everything shares the machine: nodes, clients and whatever else runs there. Speeds are for comparing pairs of
//!   one run with each other.
//! - A pair that lost nothing in so many deaths may lose something in another.

pub mod findings;
pub mod load;
pub mod partitions;
pub mod trial;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use crate::client::control::ControlClient;
use crate::compare::findings::Findings;
use crate::compare::trial::Trial;
use crate::scenario::live::Live;
use crate::scenario::virtually::Virtual;
use crate::scenario::{self, Setup};
use crate::sim::Expect;
use crate::types::{Config, Election, Mode, Replication, Safeguards};

/// How late replication is while a leader is about to die, and while followers are read: as in the chapter's second exercise.
pub const LATE: Duration = Duration::from_millis(100);

/// How often a leader is killed on ports.
pub const DEATHS: usize = 3;

/// The least and the most time that a message takes in virtual time, in microseconds.
pub const LINK: (u64, u64) = (5_000, 10_000);

/// How long a write waits for its acknowledgements: short, since many are made that get none.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// All nine pairs, in the order of the table.
pub fn pairs() -> impl Iterator<Item = Mode> {
    let elections = [Election::LowestId, Election::Bully, Election::Raft];
    elections.into_iter().flat_map(|election| {
        let replications = [Replication::Async, Replication::Quorum, Replication::Sync];
        replications.map(|replication| Mode {
            election,
            replication,
        })
    })
}

/// The cluster that is compared.
pub fn setup(mode: Mode, nodes: usize) -> Setup {
    let heartbeat = Config::default_heartbeat(nodes);
    Setup {
        nodes,
        mode,
        safeguards: Safeguards::default(),
        heartbeat,
        election_timeout: Config::default_election_timeout(heartbeat),
        write_timeout: WRITE_TIMEOUT,
    }
}

/// What the cluster behind `control`, which is its own, is like: each load goes on for `time`.
pub async fn live(
    control: ControlClient,
    setup: &Setup,
    time: Duration,
) -> Result<Findings, String> {
    let mut found = Findings::of(setup.mode, setup.nodes);
    load::put(&control, time, &mut found.put).await?;
    load::get(&control, time, &mut found.get).await?;
    let ground = Live::open(control, setup).await?;
    Trial::on(ground, setup).play(DEATHS, &mut found).await?;
    Ok(found)
}

/// The same in virtual time, once a seed. `None`: it was to stop.
pub fn simulated(
    setup: &Setup,
    seeds: Range<u64>,
    stop: &AtomicBool,
) -> Result<Option<Findings>, String> {
    let mut found = Findings::of(setup.mode, setup.nodes);
    for seed in seeds {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut plan = scenario::plan_of(setup, Expect::Promised, seed);
        plan.scale.latency = LINK.0;
        plan.scale.jitter = LINK.1 - LINK.0;
        let mut trial = Trial::on(Virtual::new(&plan.into()), setup);
        trial.time_calls(&mut found).now_or_never().transpose()?;
        let played = trial.play(1, &mut found).now_or_never();
        // Where time is virtual nothing is waited for.
        played.unwrap_or_else(|| Err("virtual time stood still".to_owned()))?;
    }
    Ok(Some(found))
}
