//! Configurations from which nothing leads on, though much may still be done: keys that wait for each other.
//!
//! A value that is still to be seen, and cannot be made again, stays until all have seen it. If one of those waits, by
//! way of what must come before it, for another key to change, that key has to be let go first. Keys that wait so for
//! each other in a circle wait for ever. Seeing that at once spares the search all the ways of doing something else
//! meanwhile.

use crate::check::graph::{Graph, Node};
use crate::check::memory::Map;
use crate::check::plan::Plan;
use crate::check::values::State;

/// Who sees what, and what changes what.
pub(super) struct Knots {
    graph: Graph,
    /// The first of each client's operations.
    firsts: Vec<Node>,
    /// For each key and value: who sees it, by client and place.
    observers: Vec<Map<State, Vec<(usize, usize)>>>,
    /// For each client and key: the places where it changes it.
    changes: Vec<Vec<(usize, Vec<usize>)>>,
}

impl Knots {
    pub(super) fn new(plan: &Plan, graph: Graph) -> Knots {
        let mut observers: Vec<Map<State, Vec<(usize, usize)>>> = Vec::new();
        observers.resize(plan.keys.len(), Map::default());
        let (mut firsts, mut node) = (Vec::new(), 0);
        let mut changes = Vec::new();
        for (client, steps) in plan.clients.iter().enumerate() {
            firsts.push(node);
            node += steps.len();
            let mut own: Map<usize, Vec<usize>> = Map::default();
            for (place, step) in steps.iter().enumerate() {
                let effect = plan.keys[step.key].sure[step.at].effect;
                if let Some(value) = effect.sees() {
                    let seen = observers[step.key].entry(value).or_default();
                    seen.push((client, place));
                }
                if !effect.is_observation() {
                    own.entry(step.key).or_default().push(place);
                }
            }
            changes.push(own.into_iter().collect());
        }
        Knots {
            graph,
            firsts,
            observers,
            changes,
        }
    }

    /// Whether `key` waits for itself, by way of others, when so many operations of each client are done, and each key
    /// has such a value; `stays` says of which keys it cannot be made again.
    pub(super) fn is_tied(
        &self,
        key: usize,
        at: &[usize],
        states: &[State],
        stays: impl Fn(usize) -> bool,
    ) -> bool {
        let mut met = vec![false; states.len()];
        let mut open = vec![key];
        while let Some(next) = open.pop() {
            if !stays(next) {
                continue;
            }
            let mut waits = vec![false; states.len()];
            self.waits(next, at, states, &mut waits);
            if waits[key] {
                return true;
            }
            for (other, waits) in waits.into_iter().enumerate() {
                if waits && !std::mem::replace(&mut met[other], true) {
                    open.push(other);
                }
            }
        }
        false
    }

    /// The keys that have to change before all have seen the value of `key`.
    fn waits(&self, key: usize, at: &[usize], states: &[State], waits: &mut [bool]) {
        let observers = self.observers[key].get(&states[key]);
        for (client, place) in observers.into_iter().flatten() {
            if *place < at[*client] {
                continue;
            }
            let node = self.firsts[*client] + place;
            for (other, done) in at.iter().enumerate() {
                let count = self.graph.count_before(node, other);
                if *done >= count {
                    continue;
                }
                for (changed, places) in &self.changes[other] {
                    let next = places.get(places.partition_point(|place| place < done));
                    waits[*changed] |= next.is_some_and(|next| *next < count);
                }
            }
        }
    }
}
