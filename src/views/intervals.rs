//! Operations as intervals, a lane each: who waited for what, while who else did what.

use crate::check::Explanation;
use crate::check::history::{Call, End, Operation};
use crate::views::lines::clean;

/// How wide a column is: one event.
const STEP: usize = 3;

/// How much of a value is shown.
const SHOWN: usize = 40;

/// Why a key's history is not linearizable: a picture of the few operations that show it, and of how far one gets.
pub fn explanation(explanation: &Explanation) -> String {
    let history = &explanation.history;
    let all: Vec<&Operation> = explanation
        .operations
        .iter()
        .map(|number| &history.operations[*number])
        .collect();
    let mut events: Vec<usize> = all
        .iter()
        .flat_map(|operation| [Some(operation.invoked), operation.returned])
        .flatten()
        .collect();
    events.sort_unstable();
    let column = |event: usize| STEP * events.partition_point(|other| *other < event);
    let width = STEP * events.len() + 1;
    let key = history.keys.first().map_or("", String::as_str);
    let of = match key {
        "" => String::new(),
        key => format!(" of key {}", clean(key)),
    };
    let mut text = match all.len() {
        1 => format!("this operation{of} cannot have happened:\n"),
        n => format!("these {n} operations{of} fit into no order:\n"),
    };
    let lane = |(at, operation): (usize, &&Operation)| {
        let begin = column(operation.invoked);
        let (end, last) = match operation.returned.filter(|_| !operation.is_unknown()) {
            Some(returned) => (column(returned), '┤'),
            None => (width, '╌'),
        };
        let bar: String = (0..=width)
            .map(|x| match x {
                x if x == begin => '├',
                x if x == end => last,
                x if begin < x && x < end => '─',
                _ => ' ',
            })
            .collect();
        let process = clean(&operation.process);
        format!(
            "  #{:<2} client {process:<4} {bar} {}\n",
            at + 1,
            what(operation)
        )
    };
    text.extend(all.iter().enumerate().map(lane));
    let place = |number: &usize| {
        explanation
            .operations
            .iter()
            .position(|other| other == number)
    };
    let order: Vec<String> = explanation
        .order
        .iter()
        .filter_map(place)
        .map(|at| format!("#{}", at + 1))
        .collect();
    let left: Vec<String> = (0..all.len())
        .map(|at| format!("#{}", at + 1))
        .filter(|name| !order.contains(name))
        .collect();
    text.push_str(&match order.is_empty() {
        true if all.len() == 1 => "  nothing that happened could have led to it".to_owned(),
        true => "  they contradict each other, in whatever order".to_owned(),
        false => format!(
            "  as far as one gets: {}; then {} cannot be placed",
            order.join(", "),
            left.join(", ")
        ),
    });
    text.push_str(match history.operations.len() > all.len() {
        true => {
            "\n  (whatever the others did: each of them may have happened at any time, or never)"
        }
        false => "",
    });
    text
}

/// An operation in words: `write 4`, `read → null`.
pub fn what(operation: &Operation) -> String {
    let asked = match &operation.call {
        Call::Read => "read".to_owned(),
        Call::Write(value) => format!("write {}", short(value)),
        Call::Delete => "delete".to_owned(),
        Call::Append(text) => format!("append {}", short(text)),
        Call::Cas(expected, value) => {
            format!("cas {} to {}", short(expected), short(value))
        }
        Call::Add(element) => format!("add {}", short(element)),
    };
    match &operation.end {
        End::Ok(Some(seen)) => format!("{asked} → {}", short(seen)),
        End::Ok(None) => asked,
        End::Fail => format!("{asked}: refused"),
        End::Unknown => format!("{asked}: no answer"),
    }
}

fn short(value: &str) -> String {
    let value = clean(value);
    match value.chars().count() > SHOWN {
        true => {
            let tail: String = value.chars().rev().take(SHOWN - 1).collect();
            format!("…{}", tail.chars().rev().collect::<String>())
        }
        false => value,
    }
}
