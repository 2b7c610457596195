//! One run: a plan is played, and judged.

use std::sync::Arc;

use crate::check::history::History;
use crate::sim::invariants::Violation;
use crate::sim::moment::Sink;
use crate::sim::plan::{Fate, Plan};
use crate::sim::stats::Stats;
use crate::sim::verdict::STEPS;
use crate::sim::world::World;

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What it met.
    pub stats: Stats,
    /// What must hold and did not, if anything.
    pub violation: Option<Violation>,
    /// What chance decided of messages.
    pub decided: Vec<Fate>,
    /// What clients saw.
    pub history: History,
}

/// Plays a plan to its end, or to the first thing that is broken. `sink` is told what happens.
pub fn run(plan: &Arc<Plan>, sink: Option<Sink>) -> Outcome {
    run_within(plan, sink, STEPS)
}

/// The same, of which the judge may not search longer than so many steps.
pub(super) fn run_within(plan: &Arc<Plan>, sink: Option<Sink>, steps: u64) -> Outcome {
    let mut world = World::new(plan.clone(), sink);
    for place in world.places() {
        world.start(place, true);
    }
    world.play_until(plan.until * 1000);
    if let (Some(finale), None) = (plan.finale, &world.violation) {
        world.finale(finale);
    }
    let history = world.history(false);
    if world.violation.is_none() {
        world.judge(&history, steps);
    }
    world.stats.close();
    Outcome {
        history,
        stats: world.stats,
        violation: world.violation,
        decided: world.decided,
    }
}
