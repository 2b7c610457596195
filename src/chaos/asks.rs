//! What clients of a run ask, and when: drawn from the seed alone, whatever the faults are.

use crate::chaos::drawing::Options;
use crate::rng::{Rng, mix};
use crate::sim::Expect;
use crate::sim::plan::{Call, Place, Reading, Step, Timed};

/// The questions of all clients.
pub(super) fn draw(options: &Options, seed: u64) -> Vec<Timed> {
    let mut rng = Rng::new(mix(seed ^ 0xa5c4));
    let mean = 1_000_000 / options.rate.max(1);
    let mut steps = Vec::new();
    let mut at = rng.below(mean.max(1));
    while at < options.time {
        let client = rng.below(options.clients as u64) as u16;
        let call = call(options, &mut rng);
        let step = Step::Ask { client, call };
        steps.push(Timed { at, step });
        at += rng.below(2 * mean) + 1;
    }
    steps
}

fn call(options: &Options, rng: &mut Rng) -> Call {
    let key = rng.below(options.keys as u64) as u16;
    let place = rng.below(options.nodes as u64) as Place;
    let named = rng.chance(300);
    match rng.below(100) {
        0..50 => Call::Read {
            key,
            consistency: reading(options, rng, place),
        },
        50..54 => Call::Delete { key },
        54..66 => Call::Swap { key, named },
        _ => Call::Put { key, named },
    }
}

/// The strongest that the mode offers; others too where clients are held to what all reads show.
fn reading(options: &Options, rng: &mut Rng, place: Place) -> Reading {
    let is_weak = rng.chance(500);
    match options.expect {
        Expect::ReadYourWrites | Expect::MonotonicReads | Expect::Eventual if is_weak => {
            Reading::Local(place)
        }
        _ if options.mode.is_linearizable() => Reading::Linearizable(place),
        _ => Reading::Leader,
    }
}
