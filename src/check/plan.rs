//! A whole history, as it is to be put in one order that keeps each client's own.

use crate::check::history::History;
use crate::check::memory::Map;
use crate::check::problem::{Problem, Sure};

/// After so many operations of a client, of those that surely happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) client: usize,
    pub(super) count: usize,
}

/// An operation that surely happened: one of a key's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) key: usize,
    pub(super) at: usize,
}

/// The operations, by key and by client.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) keys: Vec<Problem>,
    pub(super) clients: Vec<Vec<Step>>,
    /// After what each client begins, if it is none of the history's.
    pub(super) begins: Vec<Option<Place>>,
    /// For each key, and each group of what may have happened there: from when on each of its operations may have.
    pub(super) perhaps: Vec<Vec<Vec<Place>>>,
}

enum Known {
    Sure(Step),
    Perhaps(usize, usize, usize),
}

impl Plan {
    /// Some operations of `history`; those of `left_out` may have happened at any time, or never.
    pub(super) fn new(history: &History, numbers: &[usize], left_out: &[usize]) -> Plan {
        let keys = problems(history, numbers, left_out);
        let mut known = Map::default();
        for (key, problem) in keys.iter().enumerate() {
            for (at, sure) in problem.sure.iter().enumerate() {
                known.insert(sure.operation, Known::Sure(Step { key, at }));
            }
            for (group, perhaps) in problem.perhaps.iter().enumerate() {
                for (member, (_, operation)) in perhaps.asked.iter().enumerate() {
                    known.insert(*operation, Known::Perhaps(key, group, member));
                }
            }
        }
        let nowhere = Place {
            client: 0,
            count: 0,
        };
        let places = |problem: &Problem| {
            let groups = problem.perhaps.iter();
            groups
                .map(|perhaps| vec![nowhere; perhaps.asked.len()])
                .collect()
        };
        let mut perhaps: Vec<Vec<Vec<Place>>> = keys.iter().map(places).collect();
        let mut clients: Vec<Vec<Step>> = Vec::new();
        let mut names: Map<&str, usize> = Map::default();
        for number in numbers {
            let Some(known) = known.get(number) else {
                continue;
            };
            let name = history.operations[*number].process.as_str();
            let client = *names.entry(name).or_insert_with(|| {
                clients.push(Vec::new());
                clients.len() - 1
            });
            match known {
                Known::Sure(step) => clients[client].push(*step),
                Known::Perhaps(key, group, member) => {
                    let count = clients[client].len();
                    perhaps[*key][*group][*member] = Place { client, count };
                }
            }
        }
        Plan {
            begins: vec![None; clients.len()],
            keys,
            clients,
            perhaps,
        }
    }

    /// The only operation of a group surely happened: it is as good as one of a client that does nothing else. Says which
    /// number it has now among those of its key.
    pub(super) fn promote(&mut self, key: usize, group: usize) -> Option<usize> {
        let problem = &mut self.keys[key];
        let perhaps = &mut problem.perhaps[group];
        let (invoked, operation) = perhaps.asked.pop()?;
        let at = problem.sure.len();
        problem.sure.push(Sure {
            effect: perhaps.effect,
            invoked,
            returned: invoked,
            operation,
        });
        self.begins.push(self.perhaps[key][group].pop());
        self.clients.push(vec![Step { key, at }]);
        Some(at)
    }
}

/// What is to be put in order of each key; `numbers` are in the order in which they were asked.
fn problems(history: &History, numbers: &[usize], left_out: &[usize]) -> Vec<Problem> {
    let mut kept: Vec<Vec<usize>> = Vec::new();
    let mut free: Vec<Vec<usize>> = Vec::new();
    let mut places = Map::default();
    for number in numbers {
        let place = *places
            .entry(history.operations[*number].key)
            .or_insert(kept.len());
        if place == kept.len() {
            kept.push(Vec::new());
            free.push(Vec::new());
        }
        kept[place].push(*number);
    }
    for number in left_out {
        // Of a key of which nothing is kept nothing needs to be told.
        if let Some(place) = places.get(&history.operations[*number].key) {
            free[*place].push(*number);
        }
    }
    let operation = |number: &usize| &history.operations[*number];
    let problem = |(kept, free): (&Vec<usize>, &Vec<usize>)| {
        Problem::new(
            kept.iter().map(|number| (*number, operation(number))),
            free.iter().map(operation),
        )
    };
    kept.iter().zip(&free).map(problem).collect()
}
