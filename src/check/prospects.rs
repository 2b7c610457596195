//! What is left to be seen and to be made: it tells early that a way leads nowhere.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::check::problem::{Effect, Growth, Problem};
use crate::check::values::{ABSENT, State, Values, elements};

/// More than any count: what is free may happen again and again.
const ALWAYS: usize = usize::MAX / 2;

/// What is left, while the search goes back and forth.
pub(super) struct Prospects {
    growth: Growth,
    is_closed: bool,
    /// How often each value is still to be seen, and can still be made.
    to_see: HashMap<State, usize>,
    to_make: HashMap<State, usize>,
    /// The values that are still to be read, by length (`append`).
    to_read: BTreeMap<usize, usize>,
    /// The longest of them all.
    longest: State,
    /// How many reads are left that lack an element (`add`).
    lacking: HashMap<u32, usize>,
    lacks: HashMap<State, Vec<u32>>,
    /// Where values are set and appended to: which of those that are set a value can have grown from. `None` where
    /// there are sets.
    roots: Option<HashMap<State, Vec<State>>>,
}

impl Prospects {
    /// `None` if it is hopeless from the beginning.
    pub(super) fn new(problem: &Problem) -> Option<Prospects> {
        let mut prospects = Prospects {
            growth: problem.growth,
            is_closed: problem.is_closed,
            to_see: HashMap::new(),
            to_make: HashMap::new(),
            to_read: BTreeMap::new(),
            longest: ABSENT,
            lacking: HashMap::new(),
            lacks: HashMap::new(),
            roots: None,
        };
        let seen: HashSet<State> = problem
            .sure
            .iter()
            .filter_map(|sure| sure.effect.sees())
            .collect();
        let values = &problem.values;
        match problem.growth {
            Growth::Appends => {
                let longest = seen.iter().max_by_key(|value| values.length(**value));
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
                *prospects.to_make.entry(value).or_default() += match perhaps.is_free {
                    true => ALWAYS,
                    false => perhaps.asked.len(),
                };
            }
        }
        prospects.roots = prospects.roots(problem);
        Some(prospects)
    }

    fn roots(&self, problem: &Problem) -> Option<HashMap<State, Vec<State>>> {
        let has_sets = problem.changes().any(|effect| effect.adds().is_some());
        if self.is_closed || has_sets || self.growth != Growth::Any {
            return None;
        }
        let from = |value: &State| {
            let roots = self.to_make.keys();
            let roots = roots.filter(|root| problem.values.is_part(**root, *value));
            (*value, roots.copied().collect())
        };
        Some(self.to_see.keys().map(from).collect())
    }

    /// An operation that surely happened is left, or is not any more.
    pub(super) fn count(&mut self, values: &Values, effect: Effect, is_left: bool) {
        if let Some(value) = effect.sees() {
            change(self.to_see.entry(value).or_default(), is_left);
            if self.growth == Growth::Appends {
                let length = values.length(value);
                let left = self.to_read.entry(length).or_default();
                change(left, is_left);
                if *left == 0 {
                    self.to_read.remove(&length);
                }
            }
            for argument in self.lacks.get(&value).into_iter().flatten() {
                change(self.lacking.entry(*argument).or_default(), is_left);
            }
        }
        self.count_making(effect, is_left);
    }

    /// Something that makes a value is left, or is not any more.
    pub(super) fn count_making(&mut self, effect: Effect, is_left: bool) {
        if let Some(value) = effect.makes() {
            change(self.to_make.entry(value).or_default(), is_left);
        }
    }

    /// The values that are still to be seen.
    pub(super) fn to_see(&self) -> impl Iterator<Item = State> {
        let left = self.to_see.iter().filter(|(_, count)| **count > 0);
        left.map(|(value, _)| *value)
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
                values.length(to) > *shortest || !values.is_part(to, self.longest)
            }),
            Growth::Adds => effect
                .adds()
                .and_then(|argument| self.lacking.get(&argument))
                .is_some_and(|count| *count > 0),
        }
    }

    /// Whether the value `from` is still to be seen by others than `effect`, and cannot be made again.
    fn is_bound(&self, from: State, effect: Effect) -> bool {
        let own = usize::from(effect.sees() == Some(from));
        let to_see = self.to_see.get(&from).copied().unwrap_or(0);
        let to_make = self.to_make.get(&from).copied().unwrap_or(0);
        self.is_closed && to_see > own && to_make == 0
    }

    /// Whether, after `effect` has led to a state, a value is still to be seen that cannot grow from there, nor from
    /// anything that is still to be set.
    fn is_stranded(&self, values: &Values, effect: Effect, to: State) -> bool {
        let Some(roots) = &self.roots else {
            return false;
        };
        let is_left = |root: &State| self.to_make.get(root).is_some_and(|count| *count > 0);
        let mut to_see = self.to_see.iter().filter(|(value, count)| {
            let own = usize::from(effect.sees() == Some(**value));
            **count > own
        });
        to_see.any(|(value, _)| {
            let from = roots.get(value).map_or(&[][..], Vec::as_slice);
            !values.is_part(to, *value) && !from.iter().any(is_left)
        })
    }
}

/// Which elements that are ever added each value lacks; `None` if one of them is no set.
fn lacks(problem: &Problem, seen: &HashSet<State>) -> Option<HashMap<State, Vec<u32>>> {
    let values = &problem.values;
    let arguments: HashSet<u32> = problem.changes().filter_map(Effect::adds).collect();
    let lacks = |value: &State| {
        let set = elements(values.text(*value))?;
        let missing = arguments
            .iter()
            .filter(|argument| !set.contains(values.element(**argument)));
        Some((*value, missing.copied().collect()))
    };
    seen.iter().map(lacks).collect()
}

fn change(count: &mut usize, more: bool) {
    *count = match more {
        true => *count + 1,
        false => count.saturating_sub(1),
    };
}
