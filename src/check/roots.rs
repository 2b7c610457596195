//! Where texts are set and appended to: which of those that are set each value can have grown from.

use std::collections::BTreeSet;

use crate::check::memory::Map;
use crate::check::values::{State, Values};

/// The values that are to be seen, and what they can have grown from, while the search goes back and forth.
pub(super) struct Roots {
    /// Where each value that is to be seen stands, sorted as texts; what they are.
    places: Map<State, usize>,
    sorted: Vec<State>,
    /// For each value that is set: from which place to which the values begin with it.
    grown: Map<State, (usize, usize)>,
    /// The places of those that are still to be seen.
    awaited: BTreeSet<usize>,
    /// For each place: from how many of those that can still be set it can have grown.
    counts: Vec<usize>,
    /// Those still to be seen that can grow from nothing that is still to be set.
    uprooted: BTreeSet<usize>,
}

impl Roots {
    /// Of all that is to be seen, and all that is set.
    pub(super) fn new(
        values: &Values,
        seen: impl Iterator<Item = State>,
        set: impl Iterator<Item = State>,
    ) -> Roots {
        let mut sorted: Vec<State> = seen.collect();
        sorted.sort_unstable_by_key(|value| values.written(*value));
        let places = sorted.iter().enumerate();
        let mut roots = Roots {
            places: places.map(|(place, value)| (*value, place)).collect(),
            grown: Map::default(),
            awaited: (0..sorted.len()).collect(),
            counts: vec![0; sorted.len()],
            uprooted: (0..sorted.len()).collect(),
            sorted,
        };
        for root in set {
            let text = values.written(root);
            let sorted = &roots.sorted;
            let begin = sorted.partition_point(|value| values.written(*value) < text);
            let grown = |value: &State| values.written(*value).starts_with(text);
            let end = begin + sorted[begin..].partition_point(grown);
            roots.grown.insert(root, (begin, end));
            roots.can_be_set(root, true);
        }
        roots
    }

    /// A value is still to be seen, or is not any more.
    pub(super) fn is_to_be_seen(&mut self, value: State, is_awaited: bool) {
        if let Some(place) = self.places.get(&value).copied() {
            match is_awaited {
                true => self.awaited.insert(place),
                false => self.awaited.remove(&place),
            };
            self.look_at(place);
        }
    }

    /// A value can still be set, or cannot any more.
    pub(super) fn can_be_set(&mut self, root: State, can: bool) {
        let Some((begin, end)) = self.grown.get(&root).copied() else {
            return;
        };
        for place in begin..end {
            let count = &mut self.counts[place];
            *count = if can {
                *count + 1
            } else {
                count.saturating_sub(1)
            };
            if *count <= 1 {
                self.look_at(place);
            }
        }
    }

    fn look_at(&mut self, place: usize) {
        match self.counts[place] == 0 && self.awaited.contains(&place) {
            true => self.uprooted.insert(place),
            false => self.uprooted.remove(&place),
        };
    }

    /// Whether something that is still to be seen begins with `state`.
    pub(super) fn is_part_of_any(&self, values: &Values, state: State) -> bool {
        let text = values.written(state);
        let begin = (self.sorted).partition_point(|value| values.written(*value) < text);
        let next = self.awaited.range(begin..).next();
        next.is_some_and(|place| values.is_part(state, self.sorted[*place]))
    }

    /// Whether any of them, `except` one, can grow from nothing that is still to be set, nor from `state`.
    pub(super) fn is_stranded(&self, values: &Values, state: State, except: Option<State>) -> bool {
        let except = except.and_then(|value| self.places.get(&value));
        let mut all = self.uprooted.iter().filter(|place| Some(*place) != except);
        // What begins with the same text stands together: the first and the last tell.
        let (first, last) = (all.next(), all.next_back());
        let ends = first.into_iter().chain(last);
        ends.map(|place| self.sorted[*place])
            .any(|value| !values.is_part(state, value))
    }
}
