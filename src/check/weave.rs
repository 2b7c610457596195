//! The search for one order of all clients' operations that keeps each client's own: like the search for one key, but
//! whatever a client does next may come next, at any time. What makes it fast leaves the verdict as it is:
//!
//! 1. An observation that holds in the present state is put in at once.
//! 2. A value that is still to be seen, and that nothing left could make again, is not left.
//! 3. An operation that may have happened does so only right before something on its key that needs what it makes.
//! 4. Values that nobody observes are one value.
//! 5. Right before a write, all writes of values that nobody observes are done with.
//! 6. What must come before something else, whatever the order, comes first; and keys that wait for each other are seen at
//!    once.
//!
//! `tests/check` compares it with every order there is, on thousands of small histories.

use crate::check::knots::Knots;
use crate::check::memory::Memory;
use crate::check::plan::{Place, Plan, Step};
use crate::check::precedence::{Needs, Order};
use crate::check::problem::{Effect, Sure};
use crate::check::prospects::Prospects;
use crate::check::values::{ABSENT, State, UNSEEN};
use crate::check::walk::Walk;
use crate::check::wanted::Wanted;

/// An order of all clients' operations.
pub(super) struct Weave<'a> {
    plan: &'a mut Plan,
    needs: Needs,
    knots: Option<Knots>,
    prospects: Vec<Prospects>,
    /// How many operations of each client are done.
    at: Vec<usize>,
    /// How many are left.
    left: usize,
    states: Vec<State>,
    used: Vec<Vec<Vec<bool>>>,
    /// What was done, and the state of its key before.
    order: Vec<(Done, State)>,
    /// Which key changed last.
    changed: Option<usize>,
    met: Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Sure(usize),
    /// Which key, which group, and which of its operations, unless it is free.
    Perhaps(usize, usize, Option<usize>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Move {
    Sure(usize, State),
    Perhaps(usize, usize, State),
}

impl<'a> Weave<'a> {
    /// `None` if it is hopeless from the beginning.
    pub(super) fn new(plan: &'a mut Plan, order: Order) -> Option<Weave<'a>> {
        let prospects: Option<Vec<Prospects>> = plan.keys.iter().map(Prospects::new).collect();
        let group = |places: &Vec<Place>| vec![false; places.len()];
        let used = plan
            .perhaps
            .iter()
            .map(|groups| groups.iter().map(group).collect());
        let mut weave = Weave {
            prospects: prospects?,
            needs: order.needs,
            knots: order.graph.map(|graph| Knots::new(plan, graph)),
            at: vec![0; plan.clients.len()],
            left: plan.clients.iter().map(Vec::len).sum(),
            states: vec![ABSENT; plan.keys.len()],
            used: used.collect(),
            order: Vec::new(),
            changed: None,
            met: Memory::default(),
            plan,
        };
        weave.settle();
        Some(weave)
    }

    /// What a client does next.
    fn head(&self, client: usize) -> Option<Step> {
        self.plan.clients[client].get(self.at[client]).copied()
    }

    fn sure(&self, step: Step) -> Sure {
        self.plan.keys[step.key].sure[step.at]
    }

    /// Whether all is done that has to come before the client's next operation.
    fn is_ready(&self, client: usize) -> bool {
        let needs = &self.needs[client][self.at[client]];
        needs.iter().all(|need| self.at[need.client] >= need.count)
    }

    /// Puts in what can be seen in the present states, until nothing more can.
    fn settle(&mut self) {
        for client in 0..self.at.len() {
            while let Some(step) = self.head(client) {
                let state = self.states[step.key];
                let holds = match self.sure(step).effect {
                    Effect::Is(value) => value == state,
                    Effect::IsNot(value) => value != state,
                    _ => false,
                };
                if !holds {
                    break;
                }
                self.take(client, step, state);
            }
        }
    }

    fn take(&mut self, client: usize, step: Step, state: State) {
        self.order.push((Done::Sure(client), self.states[step.key]));
        self.at[client] += 1;
        self.left -= 1;
        self.states[step.key] = state;
        self.count(step, false);
    }

    /// An operation is left, or is not any more.
    fn count(&mut self, step: Step, is_left: bool) {
        let effect = self.sure(step).effect;
        let values = &self.plan.keys[step.key].values;
        self.prospects[step.key].count(values, effect, is_left);
    }

    fn count_perhaps(&mut self, key: usize, group: usize, is_left: bool) {
        let effect = self.plan.keys[key].perhaps[group].effect;
        self.prospects[key].count_making(effect, is_left);
    }

    /// What is about to be overwritten may as well be something else that nobody saw.
    fn take_unseen(&mut self, key: usize, before: usize) {
        let problem = &self.plan.keys[key];
        if problem.has_refusals || !problem.fits {
            return;
        }
        for client in (0..self.at.len()).filter(|client| *client != before) {
            while let Some(step) = self.head(client)
                && step.key == key
                && self.sure(step).effect == Effect::Set(UNSEEN)
                && self.is_ready(client)
            {
                self.take(client, step, UNSEEN);
            }
        }
    }

    /// The state that `effect` leads to, unless it is impossible here, or hopeless.
    fn leads_to(&mut self, key: usize, effect: Effect) -> Option<State> {
        let problem = &mut self.plan.keys[key];
        let before = self.states[key];
        let state = problem.values.apply(before, effect)?;
        let hopeless = self.prospects[key].is_hopeless(&problem.values, before, effect, state);
        (!hopeless).then_some(state)
    }

    /// The first of a group that may happen now.
    fn available(&self, key: usize, group: usize) -> Option<usize> {
        let places = self.plan.perhaps[key][group].iter().enumerate();
        let may = |(member, place): &(usize, &Place)| {
            !self.used[key][group][*member] && self.at[place.client] >= place.count
        };
        places.into_iter().find(may).map(|(member, _)| member)
    }

    /// Whether the key that changed last waits for ever.
    fn is_tied(&self) -> bool {
        let stays = |key: usize| {
            let problem = &self.plan.keys[key];
            problem.is_closed && self.prospects[key].is_last(self.states[key])
        };
        let Some((knots, key)) = self.knots.as_ref().zip(self.changed) else {
            return false;
        };
        knots.is_tied(key, &self.at, &self.states, stays)
    }

    /// What only may have happened, and nobody saw yet: the key where something has to come of it.
    fn unseen(&self) -> Option<usize> {
        match self.order.last() {
            Some((Done::Perhaps(key, _, _), _)) => Some(*key),
            _ => None,
        }
    }

    fn sure_moves(&mut self, clients: &[usize]) -> Vec<Move> {
        let is_unseen = self.unseen().is_some();
        let mut moves = Vec::new();
        for client in clients {
            let Some(step) = self.head(*client) else {
                continue;
            };
            let Sure {
                effect, returned, ..
            } = self.sure(step);
            // What only may have happened is never overwritten at once.
            let is_vain = is_unseen && matches!(effect, Effect::Set(_));
            if effect.is_observation() || is_vain {
                continue;
            }
            if let Some(state) = self.leads_to(step.key, effect) {
                moves.push((returned, Move::Sure(*client, state)));
            }
        }
        moves.sort_by_key(|(returned, _)| *returned);
        moves.into_iter().map(|(_, chosen)| chosen).collect()
    }

    fn perhaps_moves(&mut self, key: usize, pending: &[Effect], moves: &mut Vec<Move>) {
        let is_unseen = self.unseen().is_some();
        let groups = self.plan.keys[key].perhaps.iter().enumerate();
        let available = groups.filter(|(group, perhaps)| {
            let is_vain = is_unseen && matches!(perhaps.effect, Effect::Set(_));
            !is_vain && (perhaps.is_free || self.available(key, *group).is_some())
        });
        let available: Vec<usize> = available.map(|(group, _)| group).collect();
        if available.is_empty() {
            return;
        }
        let state = self.states[key];
        let problem = &mut self.plan.keys[key];
        let pending = pending.iter().copied();
        let wanted = Wanted::new(problem, &self.prospects[key], state, pending, &available);
        for group in available {
            let effect = self.plan.keys[key].perhaps[group].effect;
            if let Some(next) = self.leads_to(key, effect)
                && next != state
                && wanted.has(&self.plan.keys[key], &self.prospects[key], next)
            {
                moves.push(Move::Perhaps(key, group, next));
            }
        }
    }
}

impl Walk for Weave<'_> {
    type Move = Move;

    fn is_done(&self) -> bool {
        self.left == 0
    }

    fn moves(&mut self) -> Vec<Move> {
        let unseen = self.unseen();
        let mut clients = Vec::new();
        let mut pending: Vec<Vec<Effect>> = vec![Vec::new(); self.states.len()];
        for client in 0..self.at.len() {
            if let Some(step) = self.head(client)
                && unseen.is_none_or(|key| key == step.key)
                && self.is_ready(client)
            {
                clients.push(client);
                pending[step.key].push(self.sure(step).effect);
            }
        }
        let mut moves = self.sure_moves(&clients);
        for (key, pending) in pending.iter().enumerate() {
            if !pending.is_empty() {
                self.perhaps_moves(key, pending, &mut moves);
            }
        }
        moves
    }

    fn perform(&mut self, chosen: Move) {
        match chosen {
            Move::Sure(client, state) => {
                let Some(step) = self.head(client) else {
                    return;
                };
                if let Effect::Set(_) = self.sure(step).effect {
                    self.take_unseen(step.key, client);
                }
                self.take(client, step, state);
                self.changed = Some(step.key);
            }
            Move::Perhaps(key, group, state) => {
                let member = self.available(key, group);
                if let Some(member) = member {
                    self.used[key][group][member] = true;
                    self.count_perhaps(key, group, false);
                }
                self.order
                    .push((Done::Perhaps(key, group, member), self.states[key]));
                self.states[key] = state;
                self.changed = Some(key);
            }
        }
        self.settle();
    }

    fn length(&self) -> usize {
        self.order.len()
    }

    fn back_to(&mut self, length: usize) {
        while self.order.len() > length
            && let Some((done, before)) = self.order.pop()
        {
            match done {
                Done::Sure(client) => {
                    self.at[client] -= 1;
                    self.left += 1;
                    if let Some(step) = self.head(client) {
                        self.states[step.key] = before;
                        self.count(step, true);
                    }
                }
                Done::Perhaps(key, group, member) => {
                    self.states[key] = before;
                    if let Some(member) = member {
                        self.used[key][group][member] = false;
                        self.count_perhaps(key, group, true);
                    }
                }
            }
        }
    }

    /// A configuration is what is done of each client, what may have happened, and the states. One of which nothing can
    /// come is none.
    fn is_new(&mut self) -> bool {
        if self.is_tied() {
            return false;
        }
        let at = self.at.iter().map(|at| *at as u32);
        let mut configuration: Vec<u32> = at.chain(self.states.iter().copied()).collect();
        for (key, groups) in self.used.iter().enumerate() {
            for (group, members) in groups.iter().enumerate() {
                let used = members.iter().filter(|used| **used).count();
                if used > 0 {
                    configuration.extend([key as u32, group as u32, used as u32]);
                }
            }
        }
        self.met.is_new(configuration)
    }

    fn operations(&self) -> Vec<usize> {
        let mut at = vec![0; self.at.len()];
        let number = |(done, _): &(Done, State)| match *done {
            Done::Sure(client) => {
                at[client] += 1;
                let step = self.plan.clients[client][at[client] - 1];
                Some(self.sure(step).operation)
            }
            Done::Perhaps(key, group, member) => {
                let asked = self.plan.keys[key].perhaps[group].asked.get(member?);
                asked.map(|(_, operation)| *operation)
            }
        };
        self.order.iter().filter_map(number).collect()
    }
}
