//! What is left to be seen and to be made: it tells early that a way leads nowhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::memory::Set;
use crate::check::problem::{Effect, Growth, Problem};
use crate::check::roots::Roots;
use crate::check::values::{ABSENT, State, Values};

/// More than any count: what is free may happen again and again.
const ALWAYS: usize = usize::MAX / 2;

/// What is left, while the search goes back and forth.
pub(super) struct Prospects {
    growth: Growth,
    is_closed: bool,
    /// How often each value is still to be seen, and can still be made.
    to_see: Counts,
    to_make: Counts,
    /// The values that are still to be seen.
    awaited: BTreeSet<State>,
    /// The values that are still to be read, by length (`append`).
    to_read: BTreeMap<usize, usize>,
    /// The longest of them all.
    longest: State,
    /// How many reads are left that lack an element (`add`).
    lacking: Counts,
    /// Which elements each value lacks.
    lacks: Vec<Vec<u32>>,
    /// Where values are set and appended to: what they can have grown from. `None` where there are sets.
    roots: Option<Roots>,
}

/// A count for each of some small numbers.
#[derive(Default)]
struct Counts(Vec<usize>);

impl Counts {
    fn of(&self, number: u32) -> usize {
        self.0.get(number as usize).copied().unwrap_or(0)
    }

    fn entry(&mut self, number: u32) -> &mut usize {
        let at = number as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        &mut self.0[at]
    }

    fn positive(&self) -> impl Iterator<Item = u32> {
        let counts = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(number, _)| number as u32)
    }
}

/// A list for each of some small numbers.
fn lists(pairs: impl Iterator<Item = (State, Vec<u32>)>) -> Vec<Vec<u32>> {
    let mut lists = Vec::new();
    for (state, list) in pairs {
        let at = state as usize;
        if at >= lists.len() {
            lists.resize(at + 1, Vec::new());
        }
        lists[at] = list;
    }
    lists
}

fn list(lists: &[Vec<u32>], state: State) -> &[u32] {
    lists.get(state as usize).map_or(&[], Vec::as_slice)
}

impl Prospects {
    /// `None` if it is hopeless from the beginning.
    pub(super) fn new(problem: &Problem) -> Option<Prospects> {
        let mut prospects = Prospects {
            growth: problem.growth,
            is_closed: problem.is_closed,
            to_see: Counts::default(),
            to_make: Counts::default(),
            awaited: BTreeSet::new(),
            to_read: BTreeMap::new(),
            longest: ABSENT,
            lacking: Counts::default(),
            lacks: Vec::new(),
            roots: None,
        };
        let seen: Set<State> = problem
            .sure
            .iter()
            .filter_map(|sure| sure.effect.sees())
            .collect();
        let values = &problem.values;
        match problem.growth {
            Growth::Appends => {
                let longest = seen
                    .iter()
                    .max_by_key(|value| values.written(**value).len());
                prospects.longest = longest.copied().unwrap_or(ABSENT);
                let longest = prospects.longest;
                if !seen.iter().all(|value| values.is_part(*value, longest)) {
                    return None;
                }
            }
            Growth::Adds => prospects.lacks = lacks(problem, &seen)?,
            Growth::Any => {}
        }
        for sure in &problem.sure {
            prospects.count(values, sure.effect, true);
        }
        for perhaps in &problem.perhaps {
            if let Some(value) = perhaps.effect.makes() {
                *prospects.to_make.entry(value) += match perhaps.is_free {
                    true => ALWAYS,
                    false => perhaps.asked.len(),
                };
            }
        }
        prospects.roots = prospects.roots(problem);
        (!prospects.is_out_of_nothing()).then_some(prospects)
    }

    /// Whether somebody saw a value that nothing makes.
    fn is_out_of_nothing(&self) -> bool {
        let mut values = self.awaited.iter().filter(|value| **value != ABSENT);
        self.is_closed && values.any(|value| self.to_make.of(*value) == 0)
    }

    fn roots(&self, problem: &Problem) -> Option<Roots> {
        let is_mixed = !self.is_closed && !problem.has_sets && self.growth == Growth::Any;
        let (seen, set) = (self.to_see(), self.to_make.positive());
        is_mixed.then(|| Roots::new(&problem.values, seen, set))
    }

    /// An operation that surely happened is left, or is not any more.
    pub(super) fn count(&mut self, values: &Values, effect: Effect, is_left: bool) {
        if let Some(value) = effect.sees() {
            let to_see = self.to_see.entry(value);
            change(to_see, is_left);
            if *to_see == usize::from(is_left) {
                match is_left {
                    true => self.awaited.insert(value),
                    false => self.awaited.remove(&value),
                };
                if let Some(roots) = &mut self.roots {
                    roots.is_to_be_seen(value, is_left);
                }
            }
            if self.growth == Growth::Appends {
                let length = values.written(value).len();
                let left = self.to_read.entry(length).or_default();
                change(left, is_left);
                if *left == 0 {
                    self.to_read.remove(&length);
                }
            }
            for argument in list(&self.lacks, value) {
                change(self.lacking.entry(*argument), is_left);
            }
        }
        self.count_making(effect, is_left);
    }

    /// Something that makes a value is left, or is not any more.
    pub(super) fn count_making(&mut self, effect: Effect, is_left: bool) {
        if let Some(value) = effect.makes() {
            let to_make = self.to_make.entry(value);
            change(to_make, is_left);
            if *to_make == usize::from(is_left)
                && let Some(roots) = &mut self.roots
            {
                roots.can_be_set(value, is_left);
            }
        }
    }

    /// The values that are still to be seen.
    pub(super) fn to_see(&self) -> impl Iterator<Item = State> {
        self.awaited.iter().copied()
    }

    /// Whether something that is still to be seen can grow from `state`.
    pub(super) fn is_part_of_any(&self, values: &Values, state: State) -> bool {
        match (&self.roots, self.growth) {
            (Some(roots), _) => roots.is_part_of_any(values, state),
            (None, Growth::Appends) => {
                let longest = self.to_read.last_key_value();
                longest.is_some_and(|(length, _)| values.written(state).len() <= *length)
                    && values.is_part(state, self.longest)
            }
            (None, Growth::Adds | Growth::Any) => self
                .awaited
                .iter()
                .any(|whole| values.grows_to(state, *whole)),
        }
    }

    /// Whether `value` is still to be seen, and nothing can make it again.
    pub(super) fn is_last(&self, value: State) -> bool {
        self.to_see.of(value) > 0 && self.to_make.of(value) == 0
    }

    /// Whether nothing can come of it when `effect` leads from one state to another.
    pub(super) fn is_hopeless(
        &self,
        values: &Values,
        from: State,
        effect: Effect,
        to: State,
    ) -> bool {
        match self.growth {
            Growth::Any => {
                from != to && (self.is_bound(from, effect) || self.is_stranded(values, effect, to))
            }
            Growth::Appends => self.to_read.first_key_value().is_some_and(|(shortest, _)| {
                values.written(to).len() > *shortest || !values.is_part(to, self.longest)
            }),
            Growth::Adds => effect
                .adds()
                .is_some_and(|argument| self.lacking.of(argument) > 0),
        }
    }

    /// Whether the value `from` is still to be seen by others than `effect`, and cannot be made again.
    fn is_bound(&self, from: State, effect: Effect) -> bool {
        let own = usize::from(effect.sees() == Some(from));
        self.is_closed && self.to_see.of(from) > own && self.to_make.of(from) == 0
    }

    /// Whether, after `effect` has led to a state, a value is still to be seen that cannot grow from there, nor from
    /// anything that is still to be set.
    fn is_stranded(&self, values: &Values, effect: Effect, to: State) -> bool {
        let Some(roots) = &self.roots else {
            return false;
        };
        let own = effect.sees().filter(|value| self.to_see.of(*value) == 1);
        roots.is_stranded(values, to, own)
    }
}

/// Which elements that are ever added each value lacks; `None` if one of them is no set.
fn lacks(problem: &Problem, seen: &Set<State>) -> Option<Vec<Vec<u32>>> {
    let values = &problem.values;
    let arguments: Set<u32> = problem.changes().filter_map(Effect::adds).collect();
    let lacks = |value: &State| {
        let missing = arguments
            .iter()
            .filter(|argument| !values.has(*value, **argument));
        let is_set = values.is_set(*value);
        is_set.then(|| (*value, missing.copied().collect()))
    };
    let lacks: Option<Vec<(State, Vec<u32>)>> = seen.iter().map(lacks).collect();
    lacks.map(|lacks| lists(lacks.into_iter()))
}

fn change(count: &mut usize, more: bool) {
    *count = match more {
        true => *count + 1,
        false => count.saturating_sub(1),
    };
}
