//! Why a history is not linearizable: as few operations as show it.
//!
//! An operation that is left out counts as one of which nothing is known: it may have happened at any time, any number of
//! times, or never. So what remains cannot be put in order *whatever* the others did; and as soon as any one of them is
//! left out too, it can.

use std::time::Instant;

use crate::check::history::{End, History};
use crate::check::linear::{by_key, decide};
use crate::check::search::Found;

/// The few operations of one key that cannot be put in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The history of that key, up to the answer that is one too many.
    pub history: History,
    /// The operations that cannot be ordered, in the order in which they were asked.
    pub operations: Vec<usize>,
    /// As many of them as can be, in such an order.
    pub order: Vec<usize>,
}

/// Explains why `key` of `history` is not linearizable; `None` if that cannot be found until `deadline`, or if it is.
pub fn explain(history: &History, key: usize, deadline: Instant) -> Option<Explanation> {
    let numbers = by_key(history).get(key)?.clone();
    let history = shortest(history, &numbers, deadline)?;
    let numbers: Vec<usize> = (0..history.operations.len()).collect();
    let operations = minimal(&history, numbers, deadline)?;
    let left_out = others(&history, &operations);
    match decide(&history, &operations, &left_out, deadline) {
        Found::None(order) => Some(Explanation {
            history,
            operations,
            order,
        }),
        Found::Order(_) | Found::Unknown => None,
    }
}

/// The history of one key up to the first answer with which it cannot be ordered any more.
fn shortest(history: &History, numbers: &[usize], deadline: Instant) -> Option<History> {
    let returned = numbers
        .iter()
        .filter_map(|n| history.operations[*n].returned);
    let mut ends: Vec<usize> = returned.collect();
    ends.sort_unstable();
    // If it cannot be ordered up to an answer, it cannot be up to a later one either.
    let (mut good, mut bad) = (0, ends.len());
    while good < bad {
        let middle = good.midpoint(bad);
        let part = until(history, numbers, ends[middle]);
        let all: Vec<usize> = (0..part.operations.len()).collect();
        match decide(&part, &all, &[], deadline) {
            Found::Order(_) => good = middle + 1,
            Found::None(_) => bad = middle,
            Found::Unknown => return None,
        }
    }
    Some(until(history, numbers, *ends.get(good)?))
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
    let all = 0..history.operations.len();
    all.filter(|n| !operations.contains(n)).collect()
}

/// Leaves out as many as possible (Zeller's delta debugging: large pieces first, then each alone).
fn minimal(history: &History, mut kept: Vec<usize>, deadline: Instant) -> Option<Vec<usize>> {
    let mut size = kept.len().div_ceil(2).max(1);
    loop {
        let (mut at, mut shrunk) = (0, false);
        while at < kept.len() {
            let end = (at + size).min(kept.len());
            let rest = [&kept[..at], &kept[end..]].concat();
            match decide(history, &rest, &others(history, &rest), deadline) {
                Found::None(_) => (kept, shrunk) = (rest, true),
                Found::Order(_) => at = end,
                Found::Unknown => return None,
            }
        }
        match (size, shrunk) {
            (1, false) => return Some(kept),
            (1, true) => {}
            _ => size = size.div_ceil(2).max(1),
        }
    }
}
