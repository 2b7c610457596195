//! One key's operations, as the search wants them: what each observes and does, over states that are small numbers.
//!
//! The model is our own and covers every operation at once: a key is absent, or has a value; `write` and `delete` set it,
//! `cas` observes and sets it, `append` puts text behind it, `add` an element among those it has.

use std::collections::BTreeSet;

use crate::check::history::{Call, End, Operation, Text};
use crate::check::memory::{Map, Set};
use crate::check::values::{ABSENT, State, UNSEEN, Values};

/// What an operation does to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Sees this value, and changes nothing.
    Is(State),
    /// Sees that the value is not this one, and changes nothing.
    IsNot(State),
    /// Sets the value.
    Set(State),
    /// Sees a value, and sets another.
    Swap(State, State),
    /// Puts text, by its number, behind the value.
    Append(u32),
    /// Puts an element, by its number, among the others.
    Add(u32),
}

impl Effect {
    pub(super) fn is_observation(self) -> bool {
        matches!(self, Effect::Is(_) | Effect::IsNot(_))
    }

    /// The value that it must have seen.
    pub(super) fn sees(self) -> Option<State> {
        match self {
            Effect::Is(value) | Effect::Swap(value, _) => Some(value),
            Effect::IsNot(_) | Effect::Set(_) | Effect::Append(_) | Effect::Add(_) => None,
        }
    }

    /// The element that it adds.
    pub(super) fn adds(self) -> Option<u32> {
        match self {
            Effect::Add(argument) => Some(argument),
            _ => None,
        }
    }

    /// The value that it leaves behind, where that does not depend on what was there.
    pub(super) fn makes(self) -> Option<State> {
        match self {
            Effect::Set(value) | Effect::Swap(_, value) => Some(value),
            Effect::Is(_) | Effect::IsNot(_) | Effect::Append(_) | Effect::Add(_) => None,
        }
    }
}

/// An operation that surely happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sure {
    pub(super) effect: Effect,
    pub(super) invoked: usize,
    pub(super) returned: usize,
    /// Which operation of the history it is.
    pub(super) operation: usize,
}

/// Operations with one effect that may have happened, once each, at any time after they were asked; the earliest first.
#[derive(Debug, Clone)]
pub(super) struct Perhaps {
    pub(super) effect: Effect,
    /// When each was asked, and which operation of the history it is.
    pub(super) asked: Vec<(usize, usize)>,
    /// It may have happened at any time, any number of times: operations that are left out of an explanation.
    pub(super) is_free: bool,
}

/// What kind of a key this is: where values only ever grow, much can be told early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    Any,
    Appends,
    Adds,
}

/// What is to be put in order.
#[derive(Debug)]
pub(super) struct Problem {
    /// In the order in which they were asked.
    pub(super) sure: Vec<Sure>,
    pub(super) perhaps: Vec<Perhaps>,
    pub(super) growth: Growth,
    /// No value comes about but by `write`, `delete` and `cas`: it is known what can make which.
    pub(super) is_closed: bool,
    /// Elements are added to it.
    pub(super) has_sets: bool,
    /// Whatever is there, text or elements can be added to it.
    pub(super) fits: bool,
    /// Somebody saw that a value was *not* there: then even a value that nobody saw makes a difference.
    pub(super) has_refusals: bool,
    pub(super) values: Values,
}

impl Problem {
    /// The effects of all that may be put in order.
    pub(super) fn changes(&self) -> impl Iterator<Item = Effect> {
        let sure = self.sure.iter().map(|sure| sure.effect);
        sure.chain(self.perhaps.iter().map(|perhaps| perhaps.effect))
    }

    /// The operations of one key. Those of `left_out` may have happened at any time, or never.
    pub(super) fn new<'a>(
        operations: impl Iterator<Item = (usize, &'a Operation)> + Clone,
        left_out: impl Iterator<Item = &'a Operation> + Clone,
    ) -> Problem {
        let all = operations.clone().map(|(_, o)| o).chain(left_out.clone());
        let growth = growth(all.clone());
        let seen = observed(all.clone());
        let has = |is: fn(&Call) -> bool| all.clone().any(|o| is(&o.call));
        let has_sets = has(|call| matches!(call, Call::Add(_)));
        let has_texts = has(|call| matches!(call, Call::Append(_)));
        let is_closed = !has_sets && !has_texts;
        let fits = fits(has_texts, has_sets, all.clone());
        let mut builder = Builder {
            values: Values::new(seen.iter().cloned().collect()),
            is_set: has_sets || all.clone().all(|o| o.call == Call::Read),
            seen: is_closed.then_some(seen),
        };
        let (mut sure, mut perhaps) = (Vec::new(), Map::default());
        for (number, operation) in operations {
            let Some(effect) = builder.effect(operation) else {
                continue;
            };
            match operation.returned.filter(|_| !operation.is_unknown()) {
                Some(returned) => sure.push(Sure {
                    effect,
                    invoked: operation.invoked,
                    returned,
                    operation: number,
                }),
                None => {
                    let asked: &mut Vec<(usize, usize)> = perhaps.entry(effect).or_default();
                    asked.push((operation.invoked, number));
                }
            }
        }
        let mut free = BTreeSet::new();
        for operation in left_out {
            let effect = builder.effect(operation);
            free.extend(effect.filter(|effect| !effect.is_observation()).map(freed));
        }
        let mut perhaps: Vec<Perhaps> = perhaps
            .into_iter()
            .filter(|(effect, _)| !effect.is_observation() && !free.contains(effect))
            .map(|(effect, asked)| Perhaps {
                effect,
                asked,
                is_free: false,
            })
            .collect();
        perhaps.extend(free.into_iter().map(|effect| Perhaps {
            effect,
            asked: Vec::new(),
            is_free: true,
        }));
        perhaps.sort_by_key(|perhaps| perhaps.effect);
        for perhaps in &mut perhaps {
            perhaps.asked.sort_unstable();
        }
        sure.sort_unstable_by_key(|sure| sure.invoked);
        let refusal = |sure: &Sure| matches!(sure.effect, Effect::IsNot(_));
        Problem {
            has_refusals: sure.iter().any(refusal),
            is_closed,
            has_sets,
            fits,
            sure,
            perhaps,
            growth,
            values: builder.values,
        }
    }
}

/// What may have happened in place of an operation that is left out: its effect, whatever it depended on.
fn freed(effect: Effect) -> Effect {
    match effect {
        Effect::Swap(_, value) => Effect::Set(value),
        other => other,
    }
}

/// Whether values of the key only ever grow.
fn growth<'a>(operations: impl Iterator<Item = &'a Operation> + Clone) -> Growth {
    let mut changes = operations.filter(|o| o.call != Call::Read && o.end != End::Fail);
    let only = |is: fn(&Call) -> bool| changes.clone().all(|o| is(&o.call));
    if only(|call| matches!(call, Call::Append(_))) && changes.clone().next().is_some() {
        Growth::Appends
    } else if only(|call| matches!(call, Call::Add(_))) && changes.next().is_some() {
        Growth::Adds
    } else {
        Growth::Any
    }
}

/// Whether every value that is set takes what is added.
fn fits<'a>(
    has_texts: bool,
    has_sets: bool,
    operations: impl Iterator<Item = &'a Operation>,
) -> bool {
    let mut set = operations.filter_map(|operation| match &operation.call {
        Call::Write(value) | Call::Cas(_, value) if &**value != "null" => Some(value),
        _ => None,
    });
    let takes = |value: &Text| match has_texts {
        true => value.starts_with('"'),
        false => value.starts_with('['),
    };
    match (has_texts, has_sets) {
        (false, false) => true,
        (true, true) => false,
        _ => set.all(takes),
    }
}

/// The values that anybody saw, or expected.
fn observed<'a>(operations: impl Iterator<Item = &'a Operation>) -> Set<Text> {
    let mut seen = Set::default();
    for operation in operations {
        match (&operation.call, &operation.end) {
            (Call::Read, End::Ok(Some(value))) => drop(seen.insert(value.clone())),
            (Call::Cas(expected, _), _) => drop(seen.insert(expected.clone())),
            _ => {}
        }
    }
    seen
}

struct Builder {
    values: Values,
    /// An array is a set, whose order says nothing, and an empty one is as good as absent.
    is_set: bool,
    /// What was seen, where no value comes about but by `write`, `delete` and `cas`.
    seen: Option<Set<Text>>,
}

impl Builder {
    fn state(&mut self, text: &Text) -> State {
        if &**text == "null" {
            return ABSENT;
        }
        let set = match self.is_set && text.starts_with('[') {
            true => self.values.set(text),
            false => None,
        };
        match &self.seen {
            _ if set.is_some() => set.unwrap_or(ABSENT),
            Some(seen) if !seen.contains(text) => UNSEEN,
            Some(_) => self.values.word(text),
            None => self.values.open(text),
        }
    }

    /// `None` if the operation says nothing about the key.
    fn effect(&mut self, operation: &Operation) -> Option<Effect> {
        let happened = operation.end != End::Fail;
        match (&operation.call, &operation.end) {
            (Call::Read, End::Ok(Some(value))) => Some(Effect::Is(self.state(value))),
            (Call::Read, _) => None,
            (Call::Cas(expected, _), End::Fail) => Some(Effect::IsNot(self.state(expected))),
            (Call::Cas(expected, value), end) => {
                let (expected, value) = (self.state(expected), self.state(value));
                match expected == value {
                    true if *end == End::Unknown => None,
                    true => Some(Effect::Is(value)),
                    false => Some(Effect::Swap(expected, value)),
                }
            }
            (Call::Write(value), _) if happened => Some(Effect::Set(self.state(value))),
            (Call::Delete, _) if happened => Some(Effect::Set(ABSENT)),
            (Call::Append(text), _) if happened => Some(Effect::Append(self.values.argument(text))),
            (Call::Add(element), _) if happened => Some(Effect::Add(self.values.argument(element))),
            _ => None,
        }
    }
}
