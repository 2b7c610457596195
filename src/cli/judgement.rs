//! One history's verdict: what it says, to people and to scripts.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::check::history::Operation;
use crate::check::{
    Explanation, Held, History, Property, Sequential, Verdict, explain, explain_sequential, holds,
    linearizable, sequential,
};
use crate::views::intervals;
use crate::views::lines::clean;

/// What a history is judged by.
#[derive(Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Asked {
    /// One order explains everything, each operation between its question and its answer
    #[default]
    Linearizable,
    /// One order explains everything, and keeps each client's own
    Sequential,
    /// Who wrote a key never reads what was there before; writes count in the order of time
    ReadYourWrites,
    /// Who read a key never reads what was there before that; writes count in the order of time
    MonotonicReads,
    /// When nobody writes any more, everybody reads the same
    Eventual,
    /// What was acknowledged is there in the end, unless something later replaced it
    NoLostAcks,
}

impl Asked {
    pub(super) fn name(self) -> &'static str {
        match self {
            Asked::Linearizable => "linearizable",
            Asked::Sequential => "sequential",
            Asked::ReadYourWrites => "read-your-writes",
            Asked::MonotonicReads => "monotonic-reads",
            Asked::Eventual => "eventual",
            Asked::NoLostAcks => "no-lost-acks",
        }
    }
}

/// A verdict.
pub(super) struct Judgement<'a> {
    pub(super) history: &'a History,
    pub(super) asked: Asked,
    /// `None`: it could not be told.
    pub(super) holds: Option<bool>,
    /// In a sentence, where no explanation says it.
    pub(super) why: Option<String>,
    /// The keys that could not be decided in time.
    pub(super) undecided: Vec<usize>,
    /// The key that shows it.
    pub(super) key: Option<usize>,
    /// The few operations that show it, as numbers in the history.
    pub(super) operations: Vec<usize>,
    pub(super) explanation: Option<Explanation>,
    /// Where each client's own order is all that is kept: an order, or as much of one as there is.
    pub(super) order: Vec<usize>,
    took: Duration,
}

#[derive(Serialize)]
struct Report<'a> {
    file: &'a str,
    property: &'a str,
    verdict: &'a str,
    /// Null: unknown.
    holds: Option<bool>,
    operations: usize,
    keys: usize,
    milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    undecided: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explained<'a>>,
}

#[derive(Serialize)]
struct Explained<'a> {
    /// Null, if several keys are needed to show it.
    key: Option<&'a str>,
    operations: Vec<Shown<'a>>,
    /// As many of them as can be put in order: places in `operations`, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Vec<usize>>,
    /// Whether none of them can be left out.
    smallest: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    process: &'a str,
    key: &'a str,
    what: String,
    invoked: usize,
    returned: Option<usize>,
}

impl<'a> Judgement<'a> {
    /// Thinks about it for as long as `budget`; explaining may take as long again.
    pub(super) fn new(history: &'a History, asked: Asked, budget: Duration) -> Judgement<'a> {
        let began = Instant::now();
        let mut judgement = Judgement {
            history,
            asked,
            holds: None,
            why: None,
            undecided: Vec::new(),
            key: None,
            operations: Vec::new(),
            explanation: None,
            order: Vec::new(),
            took: Duration::ZERO,
        };
        match asked {
            Asked::Linearizable => judgement.linearizable(budget),
            Asked::Sequential => judgement.sequential(budget),
            Asked::ReadYourWrites => judgement.weaker(Property::ReadYourWrites, budget),
            Asked::MonotonicReads => judgement.weaker(Property::MonotonicReads, budget),
            Asked::Eventual => judgement.weaker(Property::Eventual, budget),
            Asked::NoLostAcks => judgement.weaker(Property::NoLostAcks, budget),
        }
        judgement.took = began.elapsed();
        judgement
    }

    fn linearizable(&mut self, budget: Duration) {
        match linearizable(self.history, Instant::now() + budget) {
            Verdict::Holds(_) => self.holds = Some(true),
            Verdict::Unknown { keys } => {
                self.why = Some(late(budget));
                self.undecided = keys;
            }
            Verdict::Violated { key, .. } => {
                self.holds = Some(false);
                self.key = Some(key);
                match explain(self.history, key, Instant::now() + budget) {
                    Some(explanation) => self.explained(explanation),
                    None => {
                        let name = clean(&self.history.keys[key]);
                        self.why = Some(format!("key {name}; why in short was not found in time"));
                    }
                }
            }
        }
    }

    fn sequential(&mut self, budget: Duration) {
        match sequential(self.history, Instant::now() + budget) {
            Sequential::Holds(order) => (self.holds, self.order) = (Some(true), order),
            Sequential::Unknown => self.why = Some(late(budget)),
            Sequential::Violated { operations, order } => {
                self.holds = Some(false);
                let deadline = Instant::now() + budget;
                let explanation = explain_sequential(self.history, &operations, &order, deadline);
                let mut keys = explanation
                    .operations
                    .iter()
                    .map(|n| self.history.operations[*n].key);
                let key = keys.next();
                self.key = key.filter(|key| keys.all(|other| other == *key));
                self.order = order;
                self.explained(explanation);
            }
        }
    }

    fn weaker(&mut self, property: Property, budget: Duration) {
        match holds(self.history, property, Instant::now() + budget) {
            Held::Yes => self.holds = Some(true),
            Held::Unknown(why) => self.why = Some(why),
            Held::No { operations, why } => {
                self.holds = Some(false);
                self.key = operations.first().map(|n| self.history.operations[*n].key);
                (self.operations, self.why) = (operations, Some(why));
            }
        }
    }

    /// The explanation may be of a part of the history: events have the same numbers in both.
    fn explained(&mut self, explanation: Explanation) {
        let all = &self.history.operations;
        let events = explanation.operations.iter();
        let events = events.map(|n| explanation.history.operations[*n].invoked);
        let number = |event| all.partition_point(|operation| operation.invoked < event);
        self.operations = events.map(number).collect();
        self.explanation = Some(explanation);
    }

    /// The verdict in words.
    pub(super) fn verdict(&self) -> &'static str {
        match (self.holds, self.asked) {
            (Some(true), Asked::Linearizable) => "linearizable",
            (Some(false), Asked::Linearizable) => "not linearizable",
            (Some(true), Asked::Sequential) => "sequentially consistent",
            (Some(false), Asked::Sequential) => "not sequentially consistent",
            (Some(true), _) => "holds",
            (Some(false), _) => "does not hold",
            (None, _) => "unknown",
        }
    }

    /// The same, with the property's name where it needs one.
    pub(super) fn sentence(&self) -> String {
        match (self.holds, self.asked) {
            (Some(_), Asked::Linearizable | Asked::Sequential) => self.verdict().to_owned(),
            (None, Asked::Linearizable) => self.verdict().to_owned(),
            _ => format!("{} {}", self.asked.name(), self.verdict()),
        }
    }

    /// `12 operations, 2 keys`.
    pub(super) fn facts(&self) -> Vec<String> {
        vec![
            counted(self.history.operations.len(), "operation"),
            counted(self.history.keys.len(), "key"),
        ]
    }

    /// All of it, as text.
    pub(super) fn text(&self, file: &str) -> String {
        let mut lines = vec![format!(
            "{file}: {} ({})",
            self.sentence(),
            self.facts().join(", ")
        )];
        if let Some(explanation) = &self.explanation {
            lines.push(intervals::explanation(explanation));
        } else {
            let told = self.operations.iter().map(|n| &self.history.operations[*n]);
            let told = told.map(|operation| self.told(operation));
            lines.extend(told.map(|told| format!("  {told}")));
        }
        if let Some(why) = &self.why {
            let keys = clean(&self.undecided().join(", "));
            lines.push(match keys.as_str() {
                "" => format!("  {why}"),
                keys => format!("  {why}: keys {keys}"),
            });
        }
        lines.join("\n")
    }

    fn told(&self, operation: &Operation) -> String {
        let key = clean(&self.history.keys[operation.key]);
        let (process, what) = (clean(&operation.process), intervals::what(operation));
        format!("client {process}, key {key}: {what}")
    }

    fn undecided(&self) -> Vec<&str> {
        let keys = self.undecided.iter();
        keys.map(|key| self.history.keys[*key].as_str()).collect()
    }

    /// All of it, as JSON.
    pub(super) fn report(&'a self, file: &'a str) -> impl Serialize + 'a {
        Report {
            file,
            property: self.asked.name(),
            verdict: self.verdict(),
            holds: self.holds,
            operations: self.history.operations.len(),
            keys: self.history.keys.len(),
            milliseconds: self.took.as_millis() as u64,
            why: self.why.clone(),
            undecided: self.undecided(),
            explanation: (!self.operations.is_empty()).then(|| self.explanation_shown()),
        }
    }

    fn explanation_shown(&self) -> Explained<'_> {
        let key = |number: &usize| self.history.keys[self.history.operations[*number].key].as_str();
        let shown = |number: &usize| {
            let operation = &self.history.operations[*number];
            Shown {
                process: &operation.process,
                key: key(number),
                what: intervals::what(operation),
                invoked: operation.invoked,
                returned: operation.returned,
            }
        };
        let order = self.explanation.as_ref().map(|explanation| {
            let all = &explanation.operations;
            let place = |number: &usize| all.iter().position(|other| other == number);
            explanation.order.iter().filter_map(place).collect()
        });
        Explained {
            key: self.key.map(|key| self.history.keys[key].as_str()),
            operations: self.operations.iter().map(shown).collect(),
            order,
            smallest: self.explanation.as_ref().is_none_or(|e| e.is_smallest),
        }
    }
}

/// `1 key`, `2 keys`.
pub(super) fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn late(budget: Duration) -> String {
    let budget = humantime::format_duration(budget);
    format!("not decided within {budget}; give it more: --budget 10m")
}
