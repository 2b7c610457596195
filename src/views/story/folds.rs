//! What is not told one by one, in one sentence.

use std::collections::{BTreeMap, BTreeSet};

use crate::sim::plan::Place;
use crate::views::story::deals::Operations;
use crate::views::story::digest::{About, Beat};
use crate::views::story::names::{list, node, span, times};

/// So many wishes can be named.
const NAMED: usize = 4;

/// Beats that stand for each other, counted.
#[derive(Default)]
struct Count {
    answered: BTreeSet<usize>,
    in_vain: BTreeSet<usize>,
    standing: BTreeMap<Place, usize>,
    letters: BTreeMap<&'static str, usize>,
    asides: usize,
}

/// One sentence in place of several beats.
pub(super) fn fold(run: &[Beat], operations: &Operations) -> String {
    let mut count = Count::default();
    for beat in run {
        match &beat.about {
            About::Operation { number, done: true } => {
                count.answered.insert(*number);
            }
            About::Operation { number, .. } => {
                count.in_vain.insert(*number);
            }
            About::Standing(place) => *count.standing.entry(*place).or_default() += 1,
            About::Letter { fate, .. } => *count.letters.entry(fate).or_default() += 1,
            About::Aside => count.asides += 1,
            About::Course | About::Nothing | About::Each(_) => {}
        }
    }
    // Who waits for an answer may get it yet.
    count
        .in_vain
        .retain(|number| !count.answered.contains(number));
    let clauses = count.clauses(operations);
    let lasts = run.last().map_or(0, |last| last.at - run[0].at);
    match (&clauses[..], lasts) {
        ([], _) => format!("{} pass.", span(lasts)),
        (_, 0) => format!("{}.", upper(&list(&clauses))),
        _ => format!("For {} {}.", span(lasts), list(&clauses)),
    }
}

impl Count {
    fn clauses(&self, operations: &Operations) -> Vec<String> {
        let mut clauses = Vec::new();
        let is_stale = |number: &&usize| operations.get(**number).is_some_and(|deal| deal.is_stale);
        let stale = match self.answered.iter().filter(is_stale).count() {
            0 => String::new(),
            n => format!(" ({n} of these answers are old)"),
        };
        let (answered, in_vain) = (self.answered.len(), self.in_vain.len());
        match answered {
            0 => {}
            n if n <= NAMED => {
                let wishes = self.answered.iter().map(|n| operations.wish(*n));
                let wishes = list(&wishes.collect::<Vec<String>>());
                clauses.push(format!("clients {wishes}{stale}"));
            }
            n => clauses.push(format!("clients are answered {}{stale}", times(n))),
        }
        match (answered, in_vain) {
            (_, 0) => {}
            (0, n) => clauses.push(format!("clients ask {} in vain", times(n))),
            (_, n) => clauses.push(format!("ask {} in vain", times(n))),
        }
        if !self.standing.is_empty() {
            let who = self.standing.iter();
            let who = who.map(|(place, n)| format!("{} ({})", node(*place), times(*n)));
            let stand = if self.standing.len() == 1 {
                "stands"
            } else {
                "stand"
            };
            let who = list(&who.collect::<Vec<String>>());
            clauses.push(format!("{who} {stand} for election in vain"));
        }
        clauses.extend(self.letters.iter().map(|(fate, n)| messages(fate, *n)));
        match self.asides {
            0 => {}
            1 => clauses.push("a fault that strikes no leader begins or ends".to_owned()),
            n => clauses.push(format!("faults that strike no leader begin or end ({n})")),
        }
        clauses
    }
}

/// What becomes of so many messages.
fn messages(fate: &str, count: usize) -> String {
    match count {
        1 => format!("a message {fate}"),
        n => {
            let fate = fate.replace("is ", "are ").replace("arrives", "arrive");
            format!("{n} messages {fate}")
        }
    }
}

fn upper(text: &str) -> String {
    match text.starts_with("clients") {
        true => format!("C{}", &text[1..]),
        false => text.to_owned(),
    }
}
