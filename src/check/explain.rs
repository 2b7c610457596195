//! Why a history is not linearizable, or not sequentially consistent: as few operations as show it.
//!
//! An operation that is left out counts as one of which nothing is known: it may have happened at any time, any number of
//! times, or never. So what remains cannot be put in order *whatever* the others did; and as soon as any one of them is
//! left out too, it can.

use std::cell::Cell;
use std::time::Duration;

use crate::check::budget::Budget;
use crate::check::history::{End, History};
use crate::check::linear::{by_key, decide};
use crate::check::sequential;
use crate::check::walk::Found;

/// The few operations that cannot be put in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The history that they are of.
    pub history: History,
    /// The operations that cannot be ordered, in the order in which they were asked.
    pub operations: Vec<usize>,
    /// As many of them as can be, in such an order.
    pub order: Vec<usize>,
    /// Any one of them less, and the rest can be ordered. Otherwise the time was not enough to see that.
    pub is_smallest: bool,
    /// Where time counts: the answer that is one too many.
    pub stuck: Option<Stuck>,
}

/// The first answer with which no order is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Its place among all events.
    pub event: usize,
    /// An order that explains all before it.
    pub before: Vec<usize>,
}

/// Explains why `key` of `history` is not linearizable, with the history of that key, up to the answer that is one too
/// many. They are not the fewest, if those are not found within `budget`, which is for all questions together; `None` if
/// it is linearizable, or if the time is not even enough to see that it is not.
pub fn explain(history: &History, key: usize, budget: impl Into<Budget>) -> Option<Explanation> {
    let time = Time::new(budget.into());
    let numbers = by_key(history).get(key)?.clone();
    let (history, stuck, known) = shortest(history, &numbers, &time)?;
    let decide = |kept: &[usize]| {
        let others = others(&history, kept);
        time.spend(decide(&history, kept, &others, time.slice()))
    };
    let operations: Vec<usize> = (0..history.operations.len()).collect();
    let order = match known {
        Some(order) => order,
        None => match decide(&operations) {
            Found::None(order) => order,
            Found::Order(_) | Found::Unknown => return None,
        },
    };
    let whole = Part { operations, order };
    let (part, is_smallest) = minimal(whole, &time, decide);
    Some(part.explain(history, is_smallest, Some(stuck)))
}

/// Explains why no order that keeps each client's own explains some operations of `history`, of which that is known, as
/// is the longest order of a part of them. Not the fewest, if those are not found within `budget`.
pub fn explain_sequential(
    history: &History,
    operations: &[usize],
    order: &[usize],
    budget: impl Into<Budget>,
) -> Explanation {
    let time = Time::new(budget.into());
    let refute = |kept: &[usize]| {
        let found = sequential::refute(history, kept, &others(history, kept), time.slice());
        time.spend((found, 1))
    };
    let decide = |kept: &[usize]| {
        let others = others(history, kept);
        time.spend(sequential::decide(history, kept, &others, time.slice()))
    };
    let whole = Part {
        operations: operations.to_vec(),
        order: order.to_vec(),
    };
    // What shows without a search is small, and soon found.
    let (part, _) = minimal(beginning(whole, refute), &time, refute);
    let (part, is_smallest) = minimal(beginning(part, decide), &time, decide);
    part.explain(history.clone(), is_smallest, None)
}

/// The time for one explanation.
struct Time {
    budget: Budget,
    slice: Duration,
    /// How many steps are left.
    steps: Cell<u64>,
}

/// How many questions there is time for that are not answered.
const SLICES: u32 = 32;

impl Time {
    fn new(budget: Budget) -> Time {
        Time {
            budget,
            slice: budget.left() / SLICES,
            steps: Cell::new(budget.count()),
        }
    }

    /// How long one question may be thought about.
    fn slice(&self) -> Budget {
        let steps = self.budget.count() / u64::from(SLICES);
        let left = self.budget.within(steps.min(self.steps.get()));
        left.soon(self.slice)
    }

    /// What was found, and the steps that it took, are counted.
    fn spend(&self, (found, steps): (Found, u64)) -> Found {
        self.steps.set(self.steps.get().saturating_sub(steps));
        found
    }

    fn is_over(&self) -> bool {
        self.steps.get() == 0 || self.budget.is_late()
    }
}

/// Some operations that cannot be put in order, and how far one gets.
struct Part {
    operations: Vec<usize>,
    order: Vec<usize>,
}

impl Part {
    fn explain(self, history: History, is_smallest: bool, stuck: Option<Stuck>) -> Explanation {
        Explanation {
            stuck,
            history,
            operations: self.operations,
            order: self.order,
            is_smallest,
        }
    }
}

/// So many of the first operations as cannot be put in order: if they cannot, neither can more.
fn beginning(mut part: Part, decide: impl Fn(&[usize]) -> Found) -> Part {
    let (mut good, mut bad) = (0, part.operations.len());
    while good < bad {
        let middle = good.midpoint(bad);
        match decide(&part.operations[..middle]) {
            Found::None(order) => (bad, part.order) = (middle, order),
            Found::Order(_) | Found::Unknown => good = middle + 1,
        }
    }
    part.operations.truncate(bad);
    part
}

/// The history of one key up to the first answer with which it cannot be ordered any more; and, if that was seen on the
/// way, the longest order of a part of it.
fn shortest(
    history: &History,
    numbers: &[usize],
    time: &Time,
) -> Option<(History, Stuck, Option<Vec<usize>>)> {
    let returned = numbers
        .iter()
        .filter_map(|n| history.operations[*n].returned);
    let mut ends: Vec<usize> = returned.collect();
    ends.sort_unstable();
    let (mut before, mut longest) = (Vec::new(), None);
    // If it cannot be ordered up to an answer, it cannot be up to a later one either.
    let (mut good, mut bad) = (0, ends.len());
    while good < bad {
        // To find an order takes less than to see that there is none.
        let middle = good + (bad - good) / 4;
        let part = until(history, numbers, ends[middle]);
        let all: Vec<usize> = (0..part.operations.len()).collect();
        match time.spend(decide(&part, &all, &[], time.slice())) {
            Found::Order(order) => (good, before) = (middle + 1, order),
            Found::Unknown => good = middle + 1,
            Found::None(order) => (bad, longest) = (middle, Some(order)),
        }
    }
    let event = *ends.get(bad).or(ends.last())?;
    let part = until(history, numbers, event);
    Some((part, Stuck { event, before }, longest))
}

/// What was known at the moment `end`.
fn until(history: &History, numbers: &[usize], end: usize) -> History {
    let mut part = History::default();
    for operation in numbers.iter().map(|n| &history.operations[*n]) {
        if part.keys.is_empty() {
            part.keys.push(history.keys[operation.key].clone());
        }
        if operation.invoked > end {
            continue;
        }
        let mut operation = operation.clone();
        operation.key = 0;
        if operation.returned.is_some_and(|returned| returned > end) {
            operation.end = End::Unknown;
            (operation.returned, operation.returned_at) = (None, None);
        }
        part.operations.push(operation);
    }
    part
}

fn others(history: &History, operations: &[usize]) -> Vec<usize> {
    let mut is_other = vec![true; history.operations.len()];
    operations
        .iter()
        .for_each(|number| is_other[*number] = false);
    let all = is_other.iter().enumerate();
    all.filter(|(_, other)| **other)
        .map(|(number, _)| number)
        .collect()
}

/// Leaves out as many as possible (Zeller's delta debugging: large pieces first, then each alone). Says, too, whether each
/// that is left is needed for sure.
fn minimal(mut part: Part, time: &Time, decide: impl Fn(&[usize]) -> Found) -> (Part, bool) {
    let mut size = part.operations.len().div_ceil(2);
    loop {
        let (mut at, mut shrunk, mut is_sure) = (0, false, true);
        while at < part.operations.len() {
            if time.is_over() {
                return (part, false);
            }
            let end = (at + size).min(part.operations.len());
            let rest = [&part.operations[..at], &part.operations[end..]].concat();
            match decide(&rest) {
                Found::None(order) => {
                    part = Part {
                        operations: rest,
                        order,
                    };
                    shrunk = true;
                }
                Found::Order(_) => at = end,
                Found::Unknown => (at, is_sure) = (end, false),
            }
        }
        match (size, shrunk) {
            (0..=1, false) => return (part, is_sure),
            (0..=1, true) => {}
            _ => size = size.div_ceil(2),
        }
    }
}
