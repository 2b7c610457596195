//! For what it is worth that something may have happened: it does so only right before something that needs it.

use crate::check::memory::Set;
use crate::check::problem::{Effect, Problem};
use crate::check::prospects::Prospects;
use crate::check::values::State;

/// The values that are worth it.
pub(super) enum Wanted {
    /// Whatever they are.
    Any,
    /// These.
    These(Set<State>),
    /// Where values grow: what is still to be seen, and these, can grow from them.
    Parts(Set<State>),
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
        let mut wanted = match problem.is_closed {
            true => Wanted::These(pending.filter_map(Effect::sees).collect()),
            // Others may follow that put something behind it: it is enough if that is to be seen one day.
            false => Wanted::Parts(Set::default()),
        };
        loop {
            let mut is_more = false;
            for group in available {
                if let Effect::Swap(from, to) = problem.perhaps[*group].effect
                    && wanted.has(problem, prospects, to)
                {
                    is_more |= wanted.add(from);
                }
            }
            if !is_more {
                return wanted;
            }
        }
    }

    /// That is wanted, too; says whether it is new.
    fn add(&mut self, state: State) -> bool {
        match self {
            Wanted::Any => false,
            Wanted::These(values) | Wanted::Parts(values) => values.insert(state),
        }
    }

    /// Whether it is worth it that `state` comes about.
    pub(super) fn has(&self, problem: &Problem, prospects: &Prospects, state: State) -> bool {
        let leads_to = |whole: &State| problem.values.grows_to(state, *whole);
        match self {
            Wanted::Any => true,
            Wanted::These(values) => values.contains(&state),
            Wanted::Parts(values) => {
                prospects.is_part_of_any(&problem.values, state) || values.iter().any(leads_to)
            }
        }
    }
}
