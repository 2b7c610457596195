//! One history's verdict, drawn on a page.

use std::time::{Duration, Instant};

use crate::check::{Explanation, Verdict, linearizable_key};
use crate::cli::judgement::{Asked, Judgement, counted};
use crate::views::intervals;
use crate::views::lanes::Lanes;
use crate::views::page::{Page, Section, Tone};

/// The page; orders that the verdict did not need are looked for as long as `budget`.
pub(super) fn page(judgement: &Judgement, file: &str, budget: Duration) -> String {
    let history = judgement.history;
    let mut facts = judgement.facts();
    let mut clients: Vec<&str> = history
        .operations
        .iter()
        .map(|o| o.process.as_str())
        .collect();
    clients.sort_unstable();
    clients.dedup();
    facts.push(counted(clients.len(), "client"));
    let page = Page {
        name: if file == "-" { "stdin" } else { file },
        verdict: &judgement.sentence(),
        tone: tone(judgement.holds),
        facts,
        words: words(judgement),
        why: why(judgement),
        sections: match judgement.asked {
            Asked::Sequential => vec![together(judgement)],
            _ => sections(judgement, Instant::now() + budget),
        },
    };
    page.html()
}

fn tone(holds: Option<bool>) -> Tone {
    match holds {
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
        None => Tone::Unknown,
    }
}

/// What the verdict means.
fn words(judgement: &Judgement) -> Vec<String> {
    let meaning = match (judgement.asked, judgement.holds) {
        (Asked::Linearizable, Some(true)) => {
            "One correct store could have given all these answers: for each key there is an order in which every \
             operation happens at one moment between its question and its answer."
        }
        (Asked::Linearizable, Some(false)) => {
            "No correct store could have given all these answers, in whatever order the operations happened, each at one \
             moment between its question and its answer."
        }
        (Asked::Sequential, Some(true)) => {
            "One correct store could have given all these answers: there is an order that keeps each client's own. The \
             numbers are the places in it; time does not count."
        }
        (Asked::Sequential, Some(false)) => {
            "No order of all operations that keeps each client's own explains these answers. Time does not count."
        }
        (Asked::ReadYourWrites, _) => "Who wrote a key never reads what was there before.",
        (Asked::MonotonicReads, _) => "Who read a key never reads what was there before that.",
        (Asked::Eventual, _) => "When nobody writes any more, everybody reads the same.",
        (Asked::NoLostAcks, _) => {
            "What was acknowledged is there in the end, unless something later replaced it."
        }
        (_, None) => "It could not be told.",
    };
    let mut words = vec![meaning.to_owned()];
    words.extend(judgement.why.iter().map(|why| sentence(why)));
    if let Some(explanation) = &judgement.explanation {
        if let Some(stuck) = &explanation.stuck {
            let key = explanation.history.keys.first().map_or("", String::as_str);
            words.push(format!(
                "All answers{} before event {} fit into one order; with that one none is left.",
                if key.is_empty() {
                    String::new()
                } else {
                    format!(" of key {key}")
                },
                stuck.event,
            ));
        }
        let told = intervals::words(explanation);
        words.push(
            told.iter()
                .map(|told| sentence(told))
                .collect::<Vec<String>>()
                .join(" "),
        );
    }
    words
}

/// `text` as a sentence of its own.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.trim_matches(['(', ')']).chars();
    let first = characters
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().to_string());
    format!("{first}{}.", characters.as_str())
}

/// The few operations that show it.
fn why<'a>(judgement: &'a Judgement) -> Option<Lanes<'a>> {
    if judgement.operations.is_empty() || judgement.operations.len() > intervals::FEW {
        return None;
    }
    let few = |explanation: &'a Explanation| Lanes {
        history: &explanation.history,
        operations: explanation.operations.clone(),
        order: explanation
            .order
            .iter()
            .copied()
            .filter(|n| explanation.operations.contains(n))
            .collect(),
        is_in_time: explanation.stuck.is_some(),
        marked: explanation.operations.clone(),
        stuck: None,
        names_keys: judgement.key.is_none(),
        is_summary: true,
    };
    Some(match &judgement.explanation {
        Some(explanation) => few(explanation),
        None => Lanes {
            is_summary: true,
            ..plain(judgement, judgement.operations.clone())
        },
    })
}

/// How many operations are drawn of a part at most: enough around what is pointed out.
const AROUND: usize = 5_000;

/// Leaves out what is far from what is pointed out, or from the beginning.
fn near(lanes: &mut Lanes) -> &'static str {
    if lanes.operations.len() <= AROUND {
        return "";
    }
    let last = lanes.marked.last();
    let place = last.map_or(0, |last| lanes.operations.partition_point(|n| n <= last));
    let begin = place.saturating_sub(AROUND - AROUND / 10);
    let end = (begin + AROUND).min(lanes.operations.len());
    lanes.operations = lanes.operations[begin..end].to_vec();
    let kept = |number: &usize| lanes.operations.binary_search(number).is_ok();
    lanes.order.retain(kept);
    match place {
        0 => "; only the first 5,000 are drawn",
        _ => "; only what is near to it is drawn",
    }
}

/// Operations without an order.
fn plain<'a>(judgement: &'a Judgement, operations: Vec<usize>) -> Lanes<'a> {
    let has = |number: &usize| operations.binary_search(number).is_ok();
    let marked = judgement.operations.iter().copied().filter(has);
    Lanes {
        history: judgement.history,
        marked: marked.collect(),
        operations,
        order: Vec::new(),
        is_in_time: false,
        stuck: None,
        names_keys: false,
        is_summary: false,
    }
}

/// All operations in one picture, with their places in the order.
fn together<'a>(judgement: &'a Judgement) -> Section<'a> {
    let all = 0..judgement.history.operations.len();
    let note = match judgement.holds {
        Some(true) => "numbered in the order found",
        Some(false) => "red: what no order can place together",
        None => "no order was found in time",
    };
    let mut lanes = plain(judgement, all.collect());
    lanes.names_keys = judgement.history.keys.len() > 1;
    if judgement.holds == Some(true) {
        lanes.order.clone_from(&judgement.order);
    }
    Section {
        name: "All operations".to_owned(),
        tone: tone(judgement.holds),
        note: format!("{note}{}", near(&mut lanes)),
        lanes,
    }
}

/// A section for each key; what is pointed out comes first.
fn sections<'a>(judgement: &'a Judgement, deadline: Instant) -> Vec<Section<'a>> {
    let mut keys: Vec<Vec<usize>> = vec![Vec::new(); judgement.history.keys.len()];
    for (number, operation) in judgement.history.operations.iter().enumerate() {
        keys[operation.key].push(number);
    }
    let keys = keys.into_iter().enumerate();
    let section = |(key, numbers)| of_key(judgement, key, numbers, deadline);
    let mut sections: Vec<Section> = keys.map(section).collect();
    sections.sort_by_key(|section| section.lanes.marked.is_empty());
    sections
}

fn of_key<'a>(
    judgement: &'a Judgement,
    key: usize,
    numbers: Vec<usize>,
    deadline: Instant,
) -> Section<'a> {
    let name = match judgement.history.keys[key].as_str() {
        "" => "The only key".to_owned(),
        name => format!("Key {name}"),
    };
    let count = counted(numbers.len(), "operation");
    let mut lanes = plain(judgement, numbers);
    let is_shown = judgement.key == Some(key);
    let (tone, told) = match judgement.asked {
        Asked::Linearizable if is_shown => stuck(judgement, &mut lanes),
        Asked::Linearizable => ordered(judgement, key, &mut lanes, deadline),
        _ if is_shown => (Tone::Bad, "; red: what shows it"),
        _ if judgement.holds == Some(true) => (Tone::Good, ""),
        _ => (Tone::Unknown, ""),
    };
    Section {
        name,
        tone,
        note: format!("{count}{told}{}", near(&mut lanes)),
        lanes,
    }
}

/// Draws how far one gets with the key that shows it.
fn stuck(judgement: &Judgement, lanes: &mut Lanes) -> (Tone, &'static str) {
    let explanation = judgement.explanation.as_ref();
    if let Some(stuck) = explanation.and_then(|explanation| explanation.stuck.as_ref()) {
        let number = |number: &usize| lanes.operations.get(*number).copied();
        lanes.order = stuck.before.iter().filter_map(number).collect();
        lanes.stuck = Some(stuck.event);
        lanes.is_in_time = true;
    }
    (
        Tone::Bad,
        "; not linearizable: the line ends where it gets stuck",
    )
}

/// Draws the order of a key, if there is one.
fn ordered(
    judgement: &Judgement,
    key: usize,
    lanes: &mut Lanes,
    deadline: Instant,
) -> (Tone, &'static str) {
    match linearizable_key(judgement.history, key, deadline) {
        Verdict::Holds(orders) => {
            (lanes.order, lanes.is_in_time) = (orders.concat(), true);
            (
                Tone::Good,
                "; linearizable: the line is an order that explains it",
            )
        }
        Verdict::Violated { .. } => (Tone::Bad, "; not linearizable either"),
        Verdict::Unknown { .. } => (Tone::Unknown, "; not decided in time"),
    }
}
