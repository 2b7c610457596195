//! Histories: whatever text there is, and small ones that are judged by every order there is, too.

use std::time::{Duration, Instant};

use cluster::check::history::{Call, End, Operation};
use cluster::check::{Held, History, Property, Verdict, explain, holds, linearizable};
use cluster::views::intervals;
use serde_json::Value as Json;

use super::brute::{is_explained_by, is_linearizable, is_linearizable_with_free};
use super::draw::Draw;
use super::make;

/// A longer one is read, and not judged: a fuzzer has no patience.
const JUDGED: usize = 40;

/// As many as every order can be tried of.
const TRIED: usize = 7;

/// A byte that says whether the others are a text, or make one up.
pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 4 {
        0 => text(rest),
        kind => small(&mut Draw::new(rest), usize::from(kind)),
    }
}

fn text(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    match History::read(text) {
        Ok(history) => judge(&history),
        Err(unusable) => {
            let lines = text.matches('\n').count() + 1;
            assert!((1..=lines).contains(&unusable.line), "{unusable}");
        }
    }
}

/// An event: the process, its kind, what it asks, of which key, and the value.
type Event = (usize, &'static str, &'static str, usize, Json);

const MODELS: [&[&str]; 6] = [
    &["read", "write"],
    &["read", "write", "delete"],
    &["read", "write", "cas", "delete"],
    &["read", "append"],
    &["read", "add"],
    &["read", "write", "append", "cas", "delete"],
];

/// What a few clients saw, written as JSON lines and as Jepsen does: it is the same, and judged right.
fn small(draw: &mut Draw, keys: usize) {
    let model = draw.below(MODELS.len());
    let mut open: [Option<(&str, usize, Json)>; 4] = Default::default();
    let mut events: Vec<Event> = Vec::new();
    let mut asked = 0;
    while !draw.is_empty() {
        let process = draw.below(open.len());
        let Some((f, key, value)) = open[process].take() else {
            if asked == TRIED {
                continue;
            }
            asked += 1;
            let (f, key) = (*draw.pick(MODELS[model]), draw.below(keys));
            let value = argument(draw, model, f);
            events.push((process, "invoke", f, key, value.clone()));
            open[process] = Some((f, key, value));
            continue;
        };
        let kind = *draw.pick(&["ok", "ok", "ok", "ok", "fail", "info"]);
        let value = match f {
            "read" if kind == "ok" => seen(draw, model),
            _ => value,
        };
        events.push((process, kind, f, key, value));
    }
    let lines: Vec<String> = events.iter().map(line).collect();
    let edn: Vec<String> = events.iter().map(jepsens).collect();
    let history = History::read(&lines.join("\n")).expect("our own lines");
    if !events.is_empty() {
        assert_eq!(History::read(&edn.join("\n")).as_ref(), Ok(&history));
    }
    judge(&history);
}

fn text_value(draw: &mut Draw) -> Json {
    Json::from(*draw.pick(&["a", "b", "\"", "\n"]))
}

fn argument(draw: &mut Draw, model: usize, f: &str) -> Json {
    let number = |draw: &mut Draw| match model {
        5 => text_value(draw),
        _ => Json::from(draw.below(3)),
    };
    match f {
        "write" | "add" => number(draw),
        "append" => text_value(draw),
        "cas" => Json::from(vec![number(draw), number(draw)]),
        _ => Json::Null,
    }
}

fn seen(draw: &mut Draw, model: usize) -> Json {
    if draw.byte() >= 200 {
        return Json::Null;
    }
    match model {
        3 | 5 => {
            let parts = make::several(draw, 3, text_value);
            let text: Vec<&str> = parts.iter().filter_map(Json::as_str).collect();
            Json::from(text.concat())
        }
        4 => Json::from(make::several(draw, 3, |draw| draw.below(3))),
        _ => Json::from(draw.below(3)),
    }
}

fn line((process, kind, f, key, value): &Event) -> String {
    format!(r#"{{"process":{process},"type":"{kind}","f":"{f}","key":{key},"value":{value}}}"#)
}

fn jepsens((process, kind, f, key, value): &Event) -> String {
    let value = match value {
        Json::Null => "nil".to_owned(),
        value => value.to_string().replace(',', " "),
    };
    format!("{{:process {process}, :type :{kind}, :f :{f}, :key {key}, :value {value}}}")
}

fn judge(history: &History) {
    if history.operations.len() > JUDGED {
        return;
    }
    let deadline = || Instant::now() + Duration::from_millis(100);
    let verdict = linearizable(history, deadline());
    // That an array is a set goes for keys that are added to; the simple judge knows no other.
    let has_arrays = history
        .operations
        .iter()
        .any(|operation| match &operation.call {
            Call::Write(value) => value.starts_with('['),
            Call::Cas(expected, value) => expected.starts_with('[') || value.starts_with('['),
            Call::Read | Call::Delete | Call::Append(_) | Call::Add(_) => false,
        });
    let orders = |key: usize| {
        if has_arrays {
            return None;
        }
        let of_key = history.operations.iter().filter(|o| o.key == key);
        let of_key: Vec<Operation> = of_key.cloned().collect();
        (of_key.len() <= TRIED).then(|| is_linearizable(&of_key))
    };
    match &verdict {
        Verdict::Holds(all) => {
            assert_eq!(all.len(), history.keys.len());
            for (key, order) in all.iter().enumerate() {
                if !has_arrays {
                    explains_all(history, key, order);
                }
                assert_ne!(orders(key), Some(false), "no order explains {history:#?}");
            }
        }
        Verdict::Violated { key, .. } => {
            assert_ne!(orders(*key), Some(true), "an order explains {history:#?}");
            explained(history, *key, has_arrays, deadline());
        }
        Verdict::Unknown { keys } => assert!(!keys.is_empty()),
    }
    for property in [
        Property::ReadYourWrites,
        Property::MonotonicReads,
        Property::Eventual,
        Property::NoLostAcks,
    ] {
        if let Held::No { operations, why } = holds(history, property, deadline()) {
            let is_linearizable = matches!(verdict, Verdict::Holds(_));
            assert!(!is_linearizable, "{property:?}: {why} {history:#?}");
            assert!(operations.iter().all(|at| *at < history.operations.len()));
        }
    }
}

/// Whether `order` has all of `key` that surely happened, each between its question and its answer, and each answers so.
fn explains_all(history: &History, key: usize, order: &[usize]) {
    for (at, number) in order.iter().enumerate() {
        let operation = &history.operations[*number];
        assert_eq!(operation.key, key);
        assert!(!order[..at].contains(number), "twice in the order");
        let later = order[at..].iter().map(|later| &history.operations[*later]);
        let mut ended = later.filter_map(|later| later.returned.filter(|_| !later.is_unknown()));
        assert!(
            ended.all(|returned| operation.invoked < returned),
            "out of time: {order:?} {history:#?}"
        );
    }
    assert!(
        is_explained_by(&history.operations, order),
        "something cannot happen: {order:?} {history:#?}"
    );
    for (number, operation) in history.operations.iter().enumerate() {
        let says_something = match &operation.end {
            End::Ok(_) => true,
            End::Fail => matches!(operation.call, Call::Cas(..)),
            End::Unknown => false,
        };
        if operation.key == key && says_something {
            assert!(
                order.contains(&number),
                "{number} is missing: {order:?} {history:#?}"
            );
        }
    }
}

/// Whether the few operations alone cannot be ordered, and can be when any one of them is left out.
fn explained(history: &History, key: usize, has_arrays: bool, deadline: Instant) {
    let Some(explanation) = explain(history, key, deadline) else {
        return;
    };
    drop(intervals::explanation(&explanation));
    let (all, those) = (&explanation.history.operations, &explanation.operations);
    assert!(!those.is_empty() && those.iter().all(|at| *at < all.len()));
    assert!(explanation.order.iter().all(|at| those.contains(at)));
    let only = |kept: &[usize]| History {
        keys: explanation.history.keys.clone(),
        operations: kept.iter().map(|at| all[*at].clone()).collect(),
    };
    let verdict = linearizable(&only(those), deadline);
    assert!(!matches!(verdict, Verdict::Holds(_)), "{those:?} {all:#?}");
    // Who ran out of time may say more than is needed.
    if has_arrays || all.len() > TRIED || Instant::now() >= deadline {
        return;
    }
    for left_out in those {
        let kept: Vec<usize> = those.iter().copied().filter(|at| at != left_out).collect();
        let others: Vec<usize> = (0..all.len()).filter(|at| !kept.contains(at)).collect();
        let (kept, others) = (only(&kept).operations, only(&others).operations);
        let can = is_linearizable_with_free(&kept, &others);
        assert!(can, "{left_out} is not needed in {those:?}: {all:#?}");
    }
}
