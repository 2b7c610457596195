//! The search for one key: an order of its operations that one correct store could have carried out, each at a moment
//! between its question and its answer (Herlihy and Wing 1990; the search is Wing and Gong's of 1993, with Lowe's memory of
//! configurations of 2017).
//!
//! What makes it fast; each of these leaves the verdict as it is:
//! 1. An observation that holds in the present state is put in at once: it changes nothing, and later is no better.
//! 2. A value that is still to be seen, and that nothing left could make again, is not left; nor, where texts are appended
//!    to, what it can still grow from.
//! 3. An operation that may have happened does so only right before something that needs what it makes: a read of it, an
//!    exchange from it, a failed exchange that it explains, or another such operation that leads there.
//! 4. Values that nobody observes are one value; operations of one effect that may have happened are one with a count.
//! 5. Right before a write, all writes of values that nobody observes are done with, unless somebody saw what was not there.
//! 6. Where values only grow, by `append` or `add`, each must be a part of every value that is still to be read.
//!
//! `tests/check` compares it with every order there is, on thousands of small histories.

use std::collections::HashSet;
use std::time::Instant;

use crate::check::problem::{Effect, Problem};
use crate::check::prospects::Prospects;
use crate::check::values::{ABSENT, State, UNSEEN};

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

/// A step back: what one step forward did.
struct Frame {
    /// How many entries the order had before it.
    length: usize,
    state: State,
    moves: Vec<Move>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Sure(usize, State),
    Perhaps(usize, State),
}

/// What stands in the order.
#[derive(Debug, Clone, Copy)]
enum Done {
    Sure(usize),
    Perhaps(usize),
}

/// How many configurations are kept in mind for one key: some hundred megabytes.
const MEMORY: usize = 1_000_000;

struct Search<'a> {
    problem: &'a mut Problem,
    /// The operations that are left, as a list in the order in which they were asked; the last entry is its head.
    next: Vec<usize>,
    previous: Vec<usize>,
    done: Vec<bool>,
    used: Vec<usize>,
    state: State,
    order: Vec<Done>,
    prospects: Prospects,
    /// Somebody saw that a value was *not* there: then even a value that nobody saw makes a difference.
    has_refusals: bool,
    met: HashSet<Box<[u32]>>,
    best: Vec<usize>,
}

/// Searches until `deadline`.
pub(super) fn search(problem: &mut Problem, deadline: Instant) -> Found {
    let Some(mut search) = Search::new(problem) else {
        return Found::None(Vec::new());
    };
    search.run(deadline)
}

impl<'a> Search<'a> {
    /// `None` if it is hopeless from the beginning.
    fn new(problem: &'a mut Problem) -> Option<Search<'a>> {
        let n = problem.sure.len();
        let prospects = Prospects::new(problem)?;
        let has_refusals = problem
            .changes()
            .any(|effect| matches!(effect, Effect::IsNot(_)));
        Some(Search {
            next: (0..n).map(|at| at + 1).chain([0]).collect(),
            previous: [n].into_iter().chain(0..n).collect(),
            done: vec![false; n],
            used: vec![0; problem.perhaps.len()],
            problem,
            state: ABSENT,
            order: Vec::new(),
            prospects,
            has_refusals,
            met: HashSet::new(),
            best: Vec::new(),
        })
    }

    fn run(&mut self, deadline: Instant) -> Found {
        self.settle();
        let mut frames = vec![self.frame()];
        let mut steps = 0_u64;
        loop {
            if self.is_empty() {
                return Found::Order(self.operations());
            }
            steps += 1;
            let is_late = steps.is_multiple_of(1024) && Instant::now() > deadline;
            if is_late || self.met.len() > MEMORY {
                return Found::Unknown;
            }
            let Some(frame) = frames.last_mut() else {
                return Found::None(std::mem::take(&mut self.best));
            };
            match frame.moves.get(frame.next).copied() {
                Some(chosen) => {
                    frame.next += 1;
                    let (length, state) = (frame.length, frame.state);
                    self.perform(chosen);
                    self.settle();
                    match self.is_new() {
                        true => frames.push(self.frame()),
                        false => self.back_to(length, state),
                    }
                }
                None => {
                    if self.order.len() > self.best.len() {
                        self.best = self.operations();
                    }
                    frames.pop();
                    if let Some(before) = frames.last() {
                        let (length, state) = (before.length, before.state);
                        self.back_to(length, state);
                    }
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.head() == self.done.len()
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
        self.order.push(Done::Sure(at));
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
                self.order.push(Done::Perhaps(group));
                self.state = state;
            }
        }
    }

    /// What is about to be overwritten may as well be something else that nobody saw: all such writes that are under way
    /// are done with.
    fn take_unseen(&mut self, before: usize) {
        if self.has_refusals {
            return;
        }
        for at in self.pending().0 {
            if at != before && self.problem.sure[at].effect == Effect::Set(UNSEEN) {
                self.take(at);
            }
        }
    }

    fn back_to(&mut self, length: usize, state: State) {
        while self.order.len() > length {
            match self.order.pop() {
                Some(Done::Sure(at)) => self.put_back(at),
                Some(Done::Perhaps(group)) => {
                    self.used[group] -= 1;
                    self.count_perhaps(group, true);
                }
                None => return,
            }
        }
        self.state = state;
    }

    /// What can be done from here.
    fn frame(&mut self) -> Frame {
        let (pending, until) = self.pending();
        let mut moves = Vec::new();
        let mut sure: Vec<usize> = pending.clone();
        sure.retain(|at| !self.problem.sure[*at].effect.is_observation());
        sure.sort_by_key(|at| self.problem.sure[*at].returned);
        for at in sure {
            let effect = self.problem.sure[at].effect;
            if let Some(state) = self.leads_to(effect) {
                moves.push(Move::Sure(at, state));
            }
        }
        let wanted = self.wanted(&pending, until);
        for group in 0..self.problem.perhaps.len() {
            let effect = self.problem.perhaps[group].effect;
            if !self.is_available(group, until) {
                continue;
            }
            if let Some(state) = self.leads_to(effect)
                && state != self.state
                && wanted
                    .as_ref()
                    .is_none_or(|wanted| self.leads_on(state, wanted))
            {
                moves.push(Move::Perhaps(group, state));
            }
        }
        Frame {
            length: self.order.len(),
            state: self.state,
            moves,
            next: 0,
        }
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

    /// The values for which it is worth that something may have happened; `None`: any.
    fn wanted(&self, pending: &[usize], until: usize) -> Option<HashSet<State>> {
        let effects = pending.iter().map(|at| self.problem.sure[*at].effect);
        let is_stuck = effects
            .clone()
            .any(|effect| effect == Effect::IsNot(self.state));
        if is_stuck {
            return None;
        }
        let mut wanted: HashSet<State> = match self.problem.is_closed {
            true => effects.filter_map(Effect::sees).collect(),
            // Others may follow that put something behind it: it is enough if that is to be seen one day.
            false => self.prospects.to_see().collect(),
        };
        loop {
            let before = wanted.len();
            for (group, perhaps) in self.problem.perhaps.iter().enumerate() {
                if let Effect::Swap(from, to) = perhaps.effect
                    && self.leads_on(to, &wanted)
                    && self.is_available(group, until)
                {
                    wanted.insert(from);
                }
            }
            if wanted.len() == before {
                return Some(wanted);
            }
        }
    }

    /// Whether `state` is wanted, or where values can grow, a part of what is.
    fn leads_on(&self, state: State, wanted: &HashSet<State>) -> bool {
        let values = &self.problem.values;
        let is_part =
            |whole: &State| values.is_part(state, *whole) || values.is_subset(state, *whole);
        wanted.contains(&state) || (!self.problem.is_closed && wanted.iter().any(is_part))
    }

    /// Whether this configuration was not met before: what is done, what may have happened, and the state.
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
        self.met.insert(key.into_boxed_slice())
    }

    fn sure_done(&self) -> usize {
        let perhaps: usize = self.used.iter().sum();
        self.order.len() - perhaps
    }

    /// The order so far, in the history's numbers.
    fn operations(&self) -> Vec<usize> {
        let mut used = vec![0; self.used.len()];
        let number = |done: &Done| match *done {
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
