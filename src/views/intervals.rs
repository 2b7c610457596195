//! Operations as intervals, a lane each: who waited for what, while who else did what.

use crate::check::Explanation;
use crate::check::history::{Call, End, Operation};
use crate::views::lines::clean;

/// How wide a column is: one event.
const STEP: usize = 3;

/// How much of a value is shown.
const SHOWN: usize = 40;

/// More operations than these explain nothing to anybody.
pub const FEW: usize = 40;

/// Why a history is not what it should be: a picture of the few operations that show it, and of how far one gets.
pub fn explanation(explanation: &Explanation) -> String {
    if explanation.operations.len() > FEW {
        return format!("  {}", words(explanation).join("\n  "));
    }
    let picture = match explanation.stuck {
        Some(_) => lanes(explanation),
        None => clients(explanation),
    };
    let words = words(explanation);
    let (first, rest) = words
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (first, rest));
    format!("  {first}:\n{picture}  {}", rest.join("\n  "))
}

/// The same in words: what does not fit, how far one gets, and what that means.
pub fn words(explanation: &Explanation) -> Vec<String> {
    let (history, all) = (&explanation.history, &explanation.operations);
    let key = history.keys.first().map_or("", String::as_str);
    let of = match key {
        _ if explanation.stuck.is_none() => String::new(),
        "" => String::new(),
        key => format!(" of key {}", short(key)),
    };
    let order = match explanation.stuck {
        Some(_) => "no order",
        None => "no order that keeps each client's own",
    };
    if all.len() > FEW {
        let number = all.len();
        let fewer = match explanation.is_smallest {
            true => "none of them can be left out",
            false => "fewer that show it were not found in time",
        };
        return vec![format!("{number} operations{of} fit into {order}; {fewer}")];
    }
    let mut words = vec![match all.len() {
        1 => format!("this operation{of} cannot have happened"),
        n => format!("these {n} operations{of} fit into {order}"),
    }];
    let place = |number: &usize| all.iter().position(|other| other == number);
    let names = |places: Vec<usize>| {
        let names: Vec<String> = places.iter().map(|at| format!("#{}", at + 1)).collect();
        names.join(", ")
    };
    let order: Vec<usize> = explanation.order.iter().filter_map(place).collect();
    let left: Vec<usize> = (0..all.len()).filter(|at| !order.contains(at)).collect();
    words.push(match order.is_empty() {
        true if all.len() == 1 => "nothing that happened could have led to it".to_owned(),
        true => "they contradict each other, in whatever order".to_owned(),
        false => format!(
            "as far as one gets: {}; then {} cannot be placed",
            names(order),
            names(left)
        ),
    });
    if history.operations.len() > all.len() {
        let others =
            "(whatever the others did: each of them may have happened at any time, or never)";
        words.push(others.to_owned());
    }
    if !explanation.is_smallest {
        words.push("(fewer may show it, too: the time was over)".to_owned());
    }
    words
}

/// A lane for each operation: when it was asked for, and when answered.
fn lanes(explanation: &Explanation) -> String {
    let history = &explanation.history;
    let all = explanation
        .operations
        .iter()
        .map(|number| &history.operations[*number]);
    let all: Vec<&Operation> = all.collect();
    let mut events: Vec<usize> = all
        .iter()
        .flat_map(|operation| [Some(operation.invoked), operation.returned])
        .flatten()
        .collect();
    events.sort_unstable();
    let column = |event: usize| STEP * events.partition_point(|other| *other < event);
    let width = STEP * events.len() + 1;
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
        let process = short(&operation.process);
        let told = what(operation);
        format!("  #{:<2} client {process:<4} {bar} {told}\n", at + 1)
    };
    all.iter().enumerate().map(lane).collect()
}

/// What each client did, from top to bottom: nothing else counts where time does not.
fn clients(explanation: &Explanation) -> String {
    let history = &explanation.history;
    let mut clients: Vec<(&str, Vec<String>)> = Vec::new();
    for (at, number) in explanation.operations.iter().enumerate() {
        let operation = &history.operations[*number];
        let told = format!("#{:<2} {}", at + 1, of_key(history, operation));
        match clients
            .iter_mut()
            .find(|(name, _)| *name == operation.process)
        {
            Some((_, steps)) => steps.push(told),
            None => clients.push((&operation.process, vec![told])),
        }
    }
    let told = |(name, steps): &(&str, Vec<String>)| {
        let name = format!("  client {:<4} ", short(name));
        let indent = format!("\n{}", " ".repeat(name.chars().count()));
        format!("{name}{}\n", steps.join(&indent))
    };
    clients.iter().map(told).collect()
}

/// An operation with its key, in words: `x: write 4`.
pub fn of_key(history: &crate::check::History, operation: &Operation) -> String {
    match history.keys[operation.key].as_str() {
        "" => what(operation),
        key => format!("{}: {}", short(key), what(operation)),
    }
}

/// An operation in words: `write 4`, `read → null`.
pub fn what(operation: &Operation) -> String {
    let asked = asked(&operation.call);
    match &operation.end {
        End::Ok(Some(seen)) => format!("{asked} → {}", short(seen)),
        End::Ok(None) => asked,
        End::Fail => format!("{asked}: refused"),
        End::Unknown => format!("{asked}: no answer"),
    }
}

/// What was asked for, in words.
pub fn asked(call: &Call) -> String {
    match call {
        Call::Read => "read".to_owned(),
        Call::Write(value) => format!("write {}", short(value)),
        Call::Delete => "delete".to_owned(),
        Call::Append(text) => format!("append {}", short(text)),
        Call::Cas(expected, value) => {
            format!("cas {} to {}", short(expected), short(value))
        }
        Call::Add(element) => format!("add {}", short(element)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::History;

    #[test]
    fn of_too_many_to_draw_it_is_said_whether_fewer_would_do() {
        let told = |is_smallest| {
            let explanation = Explanation {
                history: History::default(),
                operations: (0..=FEW).collect(),
                order: Vec::new(),
                is_smallest,
                stuck: None,
            };
            words(&explanation).join("\n")
        };
        assert!(told(true).ends_with("none of them can be left out"));
        assert!(told(false).ends_with("fewer that show it were not found in time"));
    }
}
