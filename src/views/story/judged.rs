//! What clients saw, judged once more, to say which few operations show what is broken.

use std::time::{Duration, Instant};

use crate::check::history::{Call, End, History};
use crate::check::{
    Budget, Held, Property, Sequential, explain, explain_sequential, holds, sequential,
};
use crate::views::story::Teller;
use crate::views::story::deals::Deal;

/// How long the judge may search for an order: longer than it did when the run was judged.
const STEPS: u64 = 10_000_000;

/// How long it may look for the few operations that show it: each of the harder questions may take as long as the verdict.
const EXPLAINING: u64 = 32_000_000;

/// What clients saw, and the numbers of the operations.
struct Seen {
    history: History,
    numbers: Vec<Option<usize>>,
}

impl Teller<'_> {
    fn seen(&self, held: impl Fn(&Deal) -> bool) -> Seen {
        let (history, numbers) = self.operations.history(held);
        Seen { history, numbers }
    }

    /// The writes and the strongest reads.
    fn strongest(&self) -> Seen {
        let is_linearizable = self.plan.mode.is_linearizable();
        self.seen(|deal| deal.is_strongest(is_linearizable))
    }

    /// The operations that fit into no order.
    pub(super) fn disordered(&self, what: &str) -> (String, Vec<usize>) {
        let seen = self.strongest();
        let name = what.rsplit(' ').next().unwrap_or_default();
        let key = seen.history.keys.iter().position(|key| key == name);
        let explained = key.and_then(|key| explain(&seen.history, key, Budget::steps(EXPLAINING)));
        let Some(explained) = explained else {
            return (what.to_owned(), Vec::new());
        };
        // It has a history of its own, of that key alone.
        let part = &explained.history.operations;
        let is_part = |at: &usize| {
            let operation = &seen.history.operations[*at];
            let mut part = explained.operations.iter().map(|at| &part[*at]);
            Some(operation.key) == key
                && part.any(|p| (p.invoked, &p.process) == (operation.invoked, &operation.process))
        };
        let all = 0..seen.history.operations.len();
        self.shown(what, &seen, &all.filter(is_part).collect::<Vec<usize>>())
    }

    /// The operations that fit into no order that keeps each client's own.
    pub(super) fn unorderly(&self, what: &str) -> (String, Vec<usize>) {
        let seen = self.strongest();
        match sequential(&seen.history, Budget::steps(STEPS)) {
            Sequential::Violated { operations, order } => {
                let steps = Budget::steps(EXPLAINING);
                let explained = explain_sequential(&seen.history, &operations, &order, steps);
                self.shown(what, &seen, &explained.operations)
            }
            Sequential::Holds(_) | Sequential::Unknown => (what.to_owned(), Vec::new()),
        }
    }

    /// The operations that show that clients do not have a property.
    pub(super) fn unlawful(&self, property: Property, what: &str) -> (String, Vec<usize>) {
        // What was read while faults still acted says nothing of the end.
        let is_early = |deal: &Deal| property == Property::Eventual && deal.call == Call::Read;
        let seen = self.seen(|deal| !is_early(deal));
        match holds(&seen.history, property, never()) {
            Held::No { operations, why } => self.shown(&why, &seen, &operations),
            Held::Yes | Held::Unknown(_) => (what.to_owned(), Vec::new()),
        }
    }

    fn shown(&self, text: &str, seen: &Seen, those: &[usize]) -> (String, Vec<usize>) {
        let clauses = those.iter().map(|at| self.clause(seen, *at));
        let clauses: Vec<String> = clauses.collect();
        let clauses = match &clauses[..] {
            [most @ .., last] if !most.is_empty() => format!("{}, and {last}", most.join(", ")),
            all => all.concat(),
        };
        let numbers = those.iter().filter_map(|at| seen.numbers[*at]).collect();
        (format!("{text}: {clauses}"), numbers)
    }

    fn clause(&self, seen: &Seen, at: usize) -> String {
        let operation = &seen.history.operations[at];
        let key = &seen.history.keys[operation.key];
        let deal = seen.numbers[at].and_then(|number| self.operations.get(number));
        let Some(deal) = deal else {
            return match &operation.end {
                End::Ok(Some(seen)) if &**seen != "null" => format!("in the end {key} is {seen}"),
                _ => format!("in the end there is no {key}"),
            };
        };
        let (client, wish) = (deal.client, deal.wish());
        match (&deal.call, &deal.end) {
            (Call::Read, Some(End::Ok(Some(seen)))) if &**seen == "null" => {
                format!("client {client} read {key} and saw nothing")
            }
            (Call::Read, Some(End::Ok(Some(seen)))) => {
                format!("client {client} read {key} and saw {seen}")
            }
            (_, Some(End::Ok(None))) => format!("client {client} was told that \"{wish}\" is done"),
            (_, Some(End::Fail)) => format!("client {client} was told that \"{wish}\" cannot be"),
            (_, Some(End::Ok(_))) => format!("client {client} was told that there is no {key}"),
            _ => format!("client {client} was not told what became of \"{wish}\""),
        }
    }
}

/// Nothing is searched for: what is told must not depend on how fast a machine is.
fn never() -> Instant {
    Instant::now() + Duration::from_secs(24 * 3600)
}
