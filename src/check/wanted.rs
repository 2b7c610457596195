//! For what it is worth that something may have happened: it does so only right before something that needs it.

use crate::check::memory::Set;
use crate::check::problem::{Effect, Problem};
use crate::check::prospects::Prospects;
use crate::check::values::State;

/// The values that are worth it.
pub(super) enum Wanted {
    /// Whatever they are.
    Any,
    /// These, and where values grow, what they can grow from.
    These(Set<State>),
}

impl Wanted {
    /// What is wanted in `state`, when those of `pending` may come next, and of what may have happened those that are
    /// `available`.
    pub(super) fn new(
        problem: &mut Problem,
        prospects: &Prospects,
        state: State,
        pending: impl Iterator<Item = Effect> + Clone,
        available: &[usize],
    ) -> Wanted {
        let is_stuck = pending.clone().any(|effect| match effect {
            // Text goes behind text only, elements among elements.
            Effect::Append(_) | Effect::Add(_) => problem.values.apply(state, effect).is_none(),
            effect => effect == Effect::IsNot(state),
        });
        // Where values grow, what happens now may still tell in a refusal much later.
        if is_stuck || (problem.has_refusals && !problem.is_closed) {
            return Wanted::Any;
        }
        let mut values: Set<State> = match problem.is_closed {
            true => pending.filter_map(Effect::sees).collect(),
            // Others may follow that put something behind it: it is enough if that is to be seen one day.
            false => prospects.to_see().collect(),
        };
        loop {
            let before = values.len();
            for group in available {
                if let Effect::Swap(from, to) = problem.perhaps[*group].effect
                    && leads_on(problem, to, &values)
                {
                    values.insert(from);
                }
            }
            if values.len() == before {
                return Wanted::These(values);
            }
        }
    }

    /// Whether it is worth it that `state` comes about.
    pub(super) fn has(&self, problem: &Problem, state: State) -> bool {
        match self {
            Wanted::Any => true,
            Wanted::These(values) => leads_on(problem, state, values),
        }
    }
}

/// Whether `state` is one of `values`, or where values can grow, a part of one.
fn leads_on(problem: &Problem, state: State, wanted: &Set<State>) -> bool {
    let values = &problem.values;
    let is_part = |whole: &State| match problem.has_sets {
        true => values.is_part(state, *whole) || values.is_subset(state, *whole),
        false => values.is_part(state, *whole),
    };
    wanted.contains(&state) || (!problem.is_closed && wanted.iter().any(is_part))
}
