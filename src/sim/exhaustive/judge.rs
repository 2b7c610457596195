//! Whether what must hold does, of a state and the step that led there.

use crate::sim::exhaustive::invariant::{Broken, Invariant};
use crate::sim::exhaustive::state::{State, Step};
use crate::sim::exhaustive::view::View;
use crate::sim::exhaustive::world::World;
use crate::types::{EntryId, Mode, Replication};

/// Looks at `next`, which `step` led to from `state`. The past of `next` if all holds.
pub(super) fn judge(
    state: &State,
    next: &State,
    step: Step,
    world: &mut World,
    mode: Mode,
) -> Result<u32, Broken> {
    let Some(outcome) = step.outcome.map(|outcome| outcome as usize) else {
        return Ok(state.past);
    };
    if let Some(broken) = &world.outcomes[outcome].broken {
        return Err(broken.clone());
    }
    let past = remember(state, next, step.at, outcome, world)?;
    for at in 0..world.nodes() {
        if state.seats[at] != next.seats[at] {
            compare(next, at, world, mode)?;
        }
    }
    for id in &world.outcomes[outcome].done {
        acknowledged(next, id, world, mode)?;
    }
    Ok(past)
}

fn checks(invariant: Invariant, world: &World) -> bool {
    world.invariants.contains(&invariant)
}

/// The past of `next`, in which the node at `at` has changed.
fn remember(
    state: &State,
    next: &State,
    at: usize,
    outcome: usize,
    world: &mut World,
) -> Result<u32, Broken> {
    let [was, is] = [state, next].map(|state| &world.glances[state.seats[at] as usize]);
    let led = &world.outcomes[outcome].led;
    let commits = world.counts_commits && was.committed != is.committed;
    if led.is_empty() && !commits {
        return Ok(state.past);
    }
    let view = world.views.get(is.view);
    let mut past = world.pasts.get(state.past).clone();
    for term in led {
        past.lead(at, *term, view, &world.invariants)?;
    }
    if commits {
        past.commit(at, is.term, view)?;
        for (at, seat) in next.seats[..world.nodes()].iter().enumerate() {
            let glance = &world.glances[*seat as usize];
            if let Some(term) = glance
                .leads
                .filter(|_| checks(Invariant::LeaderCompleteness, world))
            {
                past.complete(at, term, world.views.get(glance.view))?;
            }
        }
    }
    Ok(world.past(past))
}

/// Whether the log of the node at `at` matches all others.
fn compare(state: &State, at: usize, world: &mut World, mode: Mode) -> Result<(), Broken> {
    let own = world.glances[state.seats[at] as usize].view;
    for seat in &state.seats[..world.nodes()] {
        let other = world.glances[*seat as usize].view;
        let pair = u64::from(own.min(other)) << 32 | u64::from(own.max(other));
        if own != other && !world.matching.contains(&pair) {
            let [a, b] = [own, other].map(|view| world.views.get(view));
            match unlike(a, b, world, mode) {
                Some(broken) => return Err(broken),
                None => drop(world.matching.insert(pair)),
            }
        }
    }
    Ok(())
}

fn unlike(a: &View, b: &View, world: &World, mode: Mode) -> Option<Broken> {
    let matching = checks(Invariant::LogMatching, world);
    let mismatch = matching.then(|| a.mismatch(b, mode)).flatten();
    let safety = checks(Invariant::StateMachineSafety, world);
    mismatch.or_else(|| safety.then(|| a.divergence(b)).flatten())
}

/// Whether a write that was acknowledged is where the mode says it is.
fn acknowledged(state: &State, id: &EntryId, world: &World, mode: Mode) -> Result<(), Broken> {
    let nodes = world.nodes();
    let needed = match mode.replication {
        Replication::Async => 1,
        Replication::Quorum => nodes / 2 + 1,
        Replication::Sync => nodes,
    };
    let holds = |seat: &&u32| {
        let view = world.glances[**seat as usize].view;
        world.views.get(view).at(id.index) == Some(id)
    };
    let holders = state.seats[..nodes].iter().filter(holds).count();
    if holders < needed && checks(Invariant::Acknowledgement, world) {
        let why = format!("{id:?} is acknowledged, and {holders} of {nodes} nodes have it");
        return Err(Broken::new(Invariant::Acknowledgement, why));
    }
    Ok(())
}
