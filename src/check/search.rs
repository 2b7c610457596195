//! The search for one key: an order of its operations that one correct store could have carried out, each at a moment
//! between its question and its answer (Herlihy and Wing 1990; the search is Wing and Gong's of 1993, with Lowe's memory of
//! configurations of 2017).
//!
//! What makes it fast; each of these leaves the verdict as it is:
//! 1. An observation that holds in the present state is put in at once: it changes nothing, and later is no better.
//! 2. A value that is still to be seen, and that nothing left could make again, is not left; nor, where texts are appended
//!    to, what it can still grow from.
//! 3. An operation that may have happened does so only right before something that needs what it makes: a read of it, an
//!    exchange from it, a failed exchange that it explains, an addition that fits, or another such operation that leads
//!    there; so it is never overwritten at once.
//! 4. Values that nobody observes are one value; operations of one effect that may have happened are one with a count.
//! 5. Right before a write, all writes of values that nobody observes are done with, unless somebody saw what was not
//!    there, or an addition tells what kind of a value was there.
//! 6. Where values only grow, by `append` or `add`, each must be a part of every value that is still to be read.
//!
//! `tests/check` compares it with every order there is, on thousands of small histories.

use crate::check::memory::Memory;
use crate::check::problem::{Effect, Problem};
use crate::check::prospects::Prospects;
use crate::check::values::{ABSENT, State, UNSEEN};
use crate::check::walk::Walk;
use crate::check::wanted::Wanted;

#[derive(Debug, Clone, Copy)]
pub(super) enum Move {
    Sure(usize, State),
    Perhaps(usize, State),
}

/// What stands in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Sure(usize),
    Perhaps(usize),
}

/// An order of one key's operations.
pub(super) struct Search<'a> {
    problem: &'a mut Problem,
    /// The operations that are left, as a list in the order in which they were asked; the last entry is its head.
    next: Vec<usize>,
    previous: Vec<usize>,
    done: Vec<bool>,
    used: Vec<usize>,
    state: State,
    /// What was done, and the state before.
    order: Vec<(Done, State)>,
    prospects: Prospects,
    met: Memory,
}

impl<'a> Search<'a> {
    /// `None` if it is hopeless from the beginning.
    pub(super) fn new(problem: &'a mut Problem) -> Option<Search<'a>> {
        let n = problem.sure.len();
        let prospects = Prospects::new(problem)?;
        let mut search = Search {
            next: (0..n).map(|at| at + 1).chain([0]).collect(),
            previous: [n].into_iter().chain(0..n).collect(),
            done: vec![false; n],
            used: vec![0; problem.perhaps.len()],
            problem,
            state: ABSENT,
            order: Vec::new(),
            prospects,
            met: Memory::default(),
        };
        search.settle();
        Some(search)
    }

    /// The first operation that is left.
    fn head(&self) -> usize {
        self.next[self.done.len()]
    }

    /// The operations that may come next, and until when: those asked before the first answer among all that are left.
    fn pending(&self) -> (Vec<usize>, usize) {
        let (mut pending, mut until) = (Vec::new(), usize::MAX);
        let mut at = self.head();
        while at != self.done.len() && self.problem.sure[at].invoked < until {
            until = until.min(self.problem.sure[at].returned);
            pending.push(at);
            at = self.next[at];
        }
        (pending, until)
    }

    /// Puts in what can be seen in the present state, until nothing more can.
    fn settle(&mut self) {
        loop {
            let (pending, _) = self.pending();
            let holds = |at: &usize| match self.problem.sure[*at].effect {
                Effect::Is(value) => value == self.state,
                Effect::IsNot(value) => value != self.state,
                _ => false,
            };
            let holding: Vec<usize> = pending.into_iter().filter(holds).collect();
            if holding.is_empty() {
                return;
            }
            for at in holding {
                self.take(at);
            }
        }
    }

    fn take(&mut self, at: usize) {
        let (before, behind) = (self.previous[at], self.next[at]);
        self.next[before] = behind;
        self.previous[behind] = before;
        self.done[at] = true;
        self.order.push((Done::Sure(at), self.state));
        self.count(at, false);
    }

    fn put_back(&mut self, at: usize) {
        let (before, behind) = (self.previous[at], self.next[at]);
        self.next[before] = at;
        self.previous[behind] = at;
        self.done[at] = false;
        self.count(at, true);
    }

    /// An operation is left, or is not any more.
    fn count(&mut self, at: usize, is_left: bool) {
        let Problem { sure, values, .. } = &*self.problem;
        self.prospects.count(values, sure[at].effect, is_left);
    }

    fn count_perhaps(&mut self, group: usize, is_left: bool) {
        let perhaps = &self.problem.perhaps[group];
        if !perhaps.is_free {
            self.prospects.count_making(perhaps.effect, is_left);
        }
    }

    /// What is about to be overwritten may as well be something else that nobody saw: all such writes that are under way
    /// are done with.
    fn take_unseen(&mut self, before: usize) {
        if self.problem.has_refusals || !self.problem.fits {
            return;
        }
        for at in self.pending().0 {
            if at != before && self.problem.sure[at].effect == Effect::Set(UNSEEN) {
                self.take(at);
            }
        }
    }

    /// Whether `effect` overwrites what only may have happened, and nobody saw: then it need not have.
    fn is_vain(&self, effect: Effect) -> bool {
        let is_unseen = matches!(self.order.last(), Some((Done::Perhaps(_), _)));
        is_unseen && matches!(effect, Effect::Set(_))
    }

    fn is_available(&self, group: usize, until: usize) -> bool {
        let perhaps = &self.problem.perhaps[group];
        let next = perhaps.asked.get(self.used[group]);
        perhaps.is_free || next.is_some_and(|(asked, _)| *asked < until)
    }

    /// The state that `effect` leads to, unless it is impossible here, or hopeless.
    fn leads_to(&mut self, effect: Effect) -> Option<State> {
        let state = self.problem.values.apply(self.state, effect)?;
        let values = &self.problem.values;
        let hopeless = self
            .prospects
            .is_hopeless(values, self.state, effect, state);
        (!hopeless).then_some(state)
    }

    fn sure_done(&self) -> usize {
        let perhaps: usize = self.used.iter().sum();
        self.order.len() - perhaps
    }

    fn perhaps_moves(&mut self, pending: &[usize], until: usize, moves: &mut Vec<Move>) {
        let available: Vec<usize> = (0..self.problem.perhaps.len())
            .filter(|group| self.is_available(*group, until))
            .filter(|group| !self.is_vain(self.problem.perhaps[*group].effect))
            .collect();
        if available.is_empty() {
            return;
        }
        let effects: Vec<Effect> = pending
            .iter()
            .map(|at| self.problem.sure[*at].effect)
            .collect();
        let effects = effects.into_iter();
        let wanted = Wanted::new(
            self.problem,
            &self.prospects,
            self.state,
            effects,
            &available,
        );
        for group in available {
            let effect = self.problem.perhaps[group].effect;
            if let Some(state) = self.leads_to(effect)
                && state != self.state
                && wanted.has(self.problem, &self.prospects, state)
            {
                moves.push(Move::Perhaps(group, state));
            }
        }
    }
}

impl Walk for Search<'_> {
    type Move = Move;

    fn is_done(&self) -> bool {
        self.head() == self.done.len()
    }

    fn moves(&mut self) -> Vec<Move> {
        let (pending, until) = self.pending();
        let mut moves = Vec::new();
        let mut sure: Vec<usize> = pending.clone();
        sure.retain(|at| !self.problem.sure[*at].effect.is_observation());
        sure.sort_by_key(|at| self.problem.sure[*at].returned);
        for at in sure {
            let effect = self.problem.sure[at].effect;
            if self.is_vain(effect) {
                continue;
            }
            if let Some(state) = self.leads_to(effect) {
                moves.push(Move::Sure(at, state));
            }
        }
        self.perhaps_moves(&pending, until, &mut moves);
        moves
    }

    fn perform(&mut self, chosen: Move) {
        match chosen {
            Move::Sure(at, state) => {
                if let Effect::Set(_) = self.problem.sure[at].effect {
                    self.take_unseen(at);
                }
                self.take(at);
                self.state = state;
            }
            Move::Perhaps(group, state) => {
                self.used[group] += 1;
                self.count_perhaps(group, false);
                self.order.push((Done::Perhaps(group), self.state));
                self.state = state;
            }
        }
        self.settle();
    }

    fn length(&self) -> usize {
        self.order.len()
    }

    fn back_to(&mut self, length: usize) {
        for (done, before) in self.order.split_off(length).into_iter().rev() {
            self.state = before;
            match done {
                Done::Sure(at) => self.put_back(at),
                Done::Perhaps(group) => {
                    self.used[group] -= 1;
                    self.count_perhaps(group, true);
                }
            }
        }
    }

    /// A configuration is what is done, what may have happened, and the state.
    fn is_new(&mut self) -> bool {
        let head = self.head();
        let mut key = vec![self.state, head as u32];
        let (mut at, mut left) = (head, self.done.iter().skip(head).len());
        let beyond = self.sure_done() - head;
        while key.len() - 2 < beyond && left > 0 {
            if self.done[at] {
                key.push(at as u32);
            }
            (at, left) = (at + 1, left - 1);
        }
        key.push(u32::MAX);
        for (group, used) in self.used.iter().enumerate().filter(|(_, used)| **used > 0) {
            // What is free to happen again is as good as not used.
            if !self.problem.perhaps[group].is_free {
                key.extend([group as u32, *used as u32]);
            }
        }
        self.met.is_new(key)
    }

    fn operations(&self) -> Vec<usize> {
        let mut used = vec![0; self.used.len()];
        let number = |(done, _): &(Done, State)| match *done {
            Done::Sure(at) => Some(self.problem.sure[at].operation),
            Done::Perhaps(group) => {
                used[group] += 1;
                let asked = self.problem.perhaps[group].asked.get(used[group] - 1);
                asked.map(|(_, operation)| *operation)
            }
        };
        self.order.iter().filter_map(number).collect()
    }
}
