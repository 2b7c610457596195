//! Linearizable (Herlihy and Wing 1990): all operations can be put in one order, each at a moment between its question and
//! its answer, such that a single store that carries them out in that order gives the same answers. It holds for a
//! history if it holds for each of its keys.

use crate::check::budget::Budget;
use crate::check::history::{History, Operation};
use crate::check::problem::Problem;
use crate::check::search::Search;
use crate::check::walk::{Found, search};

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It could be. An order for each key, in numbers of operations.
    Holds(Vec<Vec<usize>>),
    /// It could not be, because of this key; the longest order that explains a part of it.
    Violated {
        /// Which key.
        key: usize,
        /// The operations of that order.
        order: Vec<usize>,
    },
    /// The time was not enough for these keys; all others are well.
    Unknown {
        /// Which.
        keys: Vec<usize>,
    },
}

/// The operations of each key, in order.
pub(super) fn by_key(history: &History) -> Vec<Vec<usize>> {
    let mut keys = vec![Vec::new(); history.keys.len()];
    for (number, operation) in history.operations.iter().enumerate() {
        keys[operation.key].push(number);
    }
    keys
}

/// Decides whether `history` is linearizable. Steps are counted for each key, a moment is the same for all; a hard key
/// leaves the others their share.
pub fn linearizable(history: &History, budget: impl Into<Budget>) -> Verdict {
    let budget = budget.into();
    let keys = by_key(history);
    let mut orders: Vec<Option<Vec<usize>>> = vec![None; keys.len()];
    let first = (budget.is_timed() && keys.len() > 1).then_some(false);
    for is_last in first.into_iter().chain([true]) {
        let mut left = orders.iter().filter(|order| order.is_none()).count();
        for (key, numbers) in keys.iter().enumerate() {
            if orders[key].is_some() {
                continue;
            }
            // Half is for the second time, when what is easy is done.
            let parts = if is_last { left } else { 2 * left };
            match decide(history, numbers, &[], budget.turn(parts)).0 {
                Found::Order(order) => orders[key] = Some(order),
                Found::None(order) => return Verdict::Violated { key, order },
                Found::Unknown => {}
            }
            left -= 1;
        }
    }
    let unknown = orders.iter().enumerate().filter(|(_, o)| o.is_none());
    let keys: Vec<usize> = unknown.map(|(key, _)| key).collect();
    match keys.is_empty() {
        true => Verdict::Holds(orders.into_iter().flatten().collect()),
        false => Verdict::Unknown { keys },
    }
}

/// Decides on one key of `history` alone.
pub fn linearizable_key(history: &History, key: usize, budget: impl Into<Budget>) -> Verdict {
    let numbers = by_key(history).swap_remove(key);
    match decide(history, &numbers, &[], budget.into()).0 {
        Found::Order(order) => Verdict::Holds(vec![order]),
        Found::None(order) => Verdict::Violated { key, order },
        Found::Unknown => Verdict::Unknown { keys: vec![key] },
    }
}

/// Decides on some operations of one key; those left out may have happened at any time, or never. Says, too,
/// how many steps it took.
pub(super) fn decide(
    history: &History,
    numbers: &[usize],
    left_out: &[usize],
    budget: Budget,
) -> (Found, u64) {
    let operation = |number: &usize| -> &Operation { &history.operations[*number] };
    let mut problem = Problem::new(
        numbers.iter().map(|number| (*number, operation(number))),
        left_out.iter().map(operation),
    );
    match Search::new(&mut problem) {
        Some(walk) => search(walk, budget),
        None => (Found::None(Vec::new()), 0),
    }
}
