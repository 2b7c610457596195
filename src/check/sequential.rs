//! Sequentially consistent (Lamport 1979): all operations can be put in one order that keeps each client's own, such that
//! a single store that carries them out in that order gives the same answers. Real time does not count: a client may see
//! what is long over, and even what another will only ask for later.
//!
//! Unlike linearizability it does not hold for a history because it holds for each of its keys; and to decide it is hard
//! in the worst case (NP-complete: Taylor 1983; Gibbons and Korach 1997). What helps: what is linearizable is sequentially
//! consistent; what is not for one key alone is not as a whole; and most that is not shows it without a search.
//!
//! What nobody knows of may have happened at any time behind what its client had the answer to before, or never; it does
//! not come before what the client did later.

use crate::check::budget::Budget;
use crate::check::history::History;
use crate::check::linear::{Verdict, by_key, linearizable};
use crate::check::plan::Plan;
use crate::check::precedence::precedence;
use crate::check::walk::{Found, search};
use crate::check::weave::Weave;

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sequential {
    /// It is; in such an order.
    Holds(Vec<usize>),
    /// It is not, whatever happened beside these operations; the longest order that explains a part of them.
    Violated {
        /// Those of one key, if they show it, or all.
        operations: Vec<usize>,
        /// The operations of that order.
        order: Vec<usize>,
    },
    /// The time was not enough.
    Unknown,
}

/// Decides whether `history` is sequentially consistent.
pub fn sequential(history: &History, budget: impl Into<Budget>) -> Sequential {
    let budget = budget.into();
    if let Verdict::Holds(orders) = linearizable(history, budget.share(4)) {
        return Sequential::Holds(merged(history, &orders));
    }
    let keys = by_key(history);
    if keys.len() > 1 {
        for operations in keys {
            if let Found::None(order) = decide(history, &operations, &[], budget.share(4)).0 {
                return Sequential::Violated { operations, order };
            }
        }
    }
    let operations: Vec<usize> = (0..history.operations.len()).collect();
    match decide(history, &operations, &[], budget).0 {
        Found::Order(order) => Sequential::Holds(order),
        Found::None(order) => Sequential::Violated { operations, order },
        Found::Unknown => Sequential::Unknown,
    }
}

/// Decides on some operations, in the order in which they were asked; those left out may have happened at any time, or
/// never. Says, too, how many steps it took.
pub(super) fn decide(
    history: &History,
    numbers: &[usize],
    left_out: &[usize],
    budget: Budget,
) -> (Found, u64) {
    let mut plan = Plan::new(history, numbers, left_out);
    let order = precedence(&mut plan, budget.share(2));
    match order.and_then(|order| Weave::new(&mut plan, order)) {
        Some(walk) => search(walk, budget),
        None => (Found::None(Vec::new()), 0),
    }
}

/// The same, as far as it shows without a search.
pub(super) fn refute(
    history: &History,
    numbers: &[usize],
    left_out: &[usize],
    budget: Budget,
) -> Found {
    let mut plan = Plan::new(history, numbers, left_out);
    let order = precedence(&mut plan, budget);
    match order.and_then(|order| Weave::new(&mut plan, order)) {
        Some(_) => Found::Unknown,
        None => Found::None(Vec::new()),
    }
}

/// One order of all keys' operations, from one for each: each happens as early as its key's order allows (that the whole
/// is linearizable if each key is, is Herlihy and Wing's theorem 1).
fn merged(history: &History, orders: &[Vec<usize>]) -> Vec<usize> {
    let mut moments: Vec<(usize, usize)> = Vec::new();
    for order in orders {
        let mut moment = 0;
        for number in order {
            moment = moment.max(history.operations[*number].invoked);
            moments.push((moment, *number));
        }
    }
    // A stable sort: what happens at one moment is of one key, and in its order.
    moments.sort_by_key(|(moment, _)| *moment);
    moments.into_iter().map(|(_, number)| number).collect()
}
