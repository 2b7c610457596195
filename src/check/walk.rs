//! The way both searches go: forward while something can be done, back when nothing can, and never twice from the same
//! configuration.

use crate::check::budget::Budget;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The operations of the history in an order that explains all.
    Order(Vec<usize>),
    /// There is none. The longest order that explains a part of it.
    None(Vec<usize>),
    /// The time is over.
    Unknown,
}

/// An order that grows and shrinks.
pub(super) trait Walk {
    /// A step forward.
    type Move: Copy;

    /// Whether all is in order.
    fn is_done(&self) -> bool;
    /// What can be done from here, the most promising first.
    fn moves(&mut self) -> Vec<Self::Move>;
    /// Does it, and whatever can be done at once behind it.
    fn perform(&mut self, chosen: Self::Move);
    /// How many stand in the order.
    fn length(&self) -> usize;
    /// Takes back what stands beyond `length`.
    fn back_to(&mut self, length: usize);
    /// Whether this configuration was not met before.
    fn is_new(&mut self) -> bool;
    /// The order so far, in the history's numbers.
    fn operations(&self) -> Vec<usize>;
}

struct Frame<M> {
    length: usize,
    moves: std::vec::IntoIter<M>,
}

fn frame<W: Walk>(walk: &mut W) -> Frame<W::Move> {
    Frame {
        length: walk.length(),
        moves: walk.moves().into_iter(),
    }
}

/// Walks until all is in order, or until the time is over. Says, too, how many steps it took.
pub(super) fn search<W: Walk>(walk: W, budget: Budget) -> (Found, u64) {
    let mut steps = 0;
    let found = walked(walk, budget, &mut steps);
    (found, steps)
}

fn walked<W: Walk>(mut walk: W, budget: Budget, steps: &mut u64) -> Found {
    let mut frames = vec![frame(&mut walk)];
    let mut best = Vec::new();
    let mut longest = 0;
    loop {
        if walk.is_done() {
            return Found::Order(walk.operations());
        }
        *steps += 1;
        if budget.is_over(*steps) {
            return Found::Unknown;
        }
        let Some(last) = frames.last_mut() else {
            return Found::None(best);
        };
        match last.moves.next() {
            Some(chosen) => {
                let length = last.length;
                walk.perform(chosen);
                match walk.is_new() {
                    true => frames.push(frame(&mut walk)),
                    false => walk.back_to(length),
                }
            }
            None => {
                if walk.length() > longest {
                    longest = walk.length();
                    best = walk.operations();
                }
                frames.pop();
                if let Some(before) = frames.last() {
                    walk.back_to(before.length);
                }
            }
        }
    }
}
