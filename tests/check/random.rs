//! Thousands of small random histories: the judge says what trying every order says.

use std::time::{Duration, Instant};

use cluster::check::history::{Call, End, Operation};
use cluster::check::{History, Verdict, explain, linearizable};
use cluster::rng::Rng;

use crate::brute::is_linearizable;

#[derive(Clone, Copy, Debug)]
enum Model {
    Register,
    Kv,
    Cas,
    Append,
    Set,
    Mixed,
}

const MODELS: [Model; 6] = [
    Model::Register,
    Model::Kv,
    Model::Cas,
    Model::Append,
    Model::Set,
    Model::Mixed,
];

fn call(rng: &mut Rng, model: Model) -> Call {
    let number = |rng: &mut Rng| rng.below(3).to_string().as_str().into();
    let text = |rng: &mut Rng| ["\"a\"", "\"b\""][rng.below(2) as usize].into();
    let kinds: &[&str] = match model {
        Model::Register => &["read", "read", "write"],
        Model::Kv => &["read", "read", "write", "delete"],
        Model::Cas => &["read", "write", "cas", "cas"],
        Model::Append => &["read", "append"],
        Model::Set => &["read", "add"],
        Model::Mixed => &["read", "read", "text", "append", "delete", "cas"],
    };
    match kinds[rng.below(kinds.len() as u64) as usize] {
        "write" => Call::Write(number(rng)),
        "text" => Call::Write(text(rng)),
        "delete" => Call::Delete,
        "append" => Call::Append(text(rng)),
        "add" => Call::Add(number(rng)),
        "cas" if matches!(model, Model::Mixed) => Call::Cas(text(rng), text(rng)),
        "cas" => Call::Cas(number(rng), number(rng)),
        _ => Call::Read,
    }
}

/// What a store that loses its head now and then answers; mostly it is right, so that verdicts differ.
fn history(rng: &mut Rng, model: Model) -> History {
    let mut store = "null".to_owned();
    let mut operations: Vec<Operation> = Vec::new();
    let (mut open, mut event) = (Vec::new(), 0);
    let count = 4 + rng.below(4) as usize;
    while operations.len() < count || !open.is_empty() {
        if operations.len() < count && (open.is_empty() || rng.below(2) == 0) {
            open.push(operations.len());
            operations.push(Operation {
                process: operations.len().to_string(),
                key: 0,
                call: call(rng, model),
                end: End::Unknown,
                invoked: event,
                returned: None,
                invoked_at: None,
                returned_at: None,
            });
        } else {
            let at = open.swap_remove(rng.below(open.len() as u64) as usize);
            finish(rng, &mut store, &mut operations[at], event);
        }
        event += 1;
    }
    History {
        keys: vec!["k".to_owned()],
        operations,
    }
}

fn finish(rng: &mut Rng, store: &mut String, operation: &mut Operation, event: usize) {
    let stale = rng.below(3) == 0;
    let happened = if stale { rng.below(2) == 0 } else { true };
    let mut end = match &operation.call {
        Call::Read if stale => End::Ok(Some(strange(rng, store).as_str().into())),
        Call::Read => End::Ok(Some(store.as_str().into())),
        Call::Cas(expected, _) if (**expected != **store) != stale => End::Fail,
        _ => End::Ok(None),
    };
    if happened && end != End::Fail {
        let joined = |more: &str, open: char, close: char| match store.as_str() {
            "null" if open == '[' => format!("[{more}]"),
            "null" => more.to_owned(),
            text => format!(
                "{}{}{close}",
                text.trim_end_matches(close),
                more.trim_start_matches(open).trim_end_matches(close)
            ),
        };
        *store = match &operation.call {
            Call::Read => store.clone(),
            Call::Delete => "null".to_owned(),
            Call::Write(value) | Call::Cas(_, value) => value.to_string(),
            Call::Append(text) => joined(text, '"', '"'),
            Call::Add(element) if store.contains(&**element) => store.clone(),
            Call::Add(element) if store == "null" => format!("[{element}]"),
            Call::Add(element) => joined(&format!(",{element}"), '[', ']'),
        };
    }
    if rng.below(5) == 0 {
        end = End::Unknown;
    } else {
        operation.returned = Some(event);
    }
    operation.end = end;
}

/// Something else that a store of this kind could hold.
fn strange(rng: &mut Rng, store: &str) -> String {
    let choice = |rng: &mut Rng, all: &[&str]| all[rng.below(all.len() as u64) as usize].to_owned();
    match store.chars().next() {
        Some('"') => choice(
            rng,
            &["\"a\"", "\"b\"", "\"ab\"", "\"ba\"", "\"aa\"", "null"],
        ),
        Some('[') => choice(rng, &["[0]", "[1]", "[0,1]", "[2,1]", "null"]),
        _ => choice(rng, &["0", "1", "2", "null"]),
    }
}

#[test]
fn on_20000_small_histories_the_judge_agrees_with_every_order_there_is() {
    let cases = std::env::var("CASES").ok().and_then(|n| n.parse().ok());
    let cases: u64 = cases.unwrap_or(20_000);
    let soon = Instant::now() + Duration::from_secs(600);
    for model in MODELS {
        let (mut holds, mut violated) = (0, 0);
        for seed in 0..cases / MODELS.len() as u64 {
            let mut rng = Rng::new(seed);
            let history = history(&mut rng, model);
            let expected = is_linearizable(&history.operations);
            match linearizable(&history, soon) {
                Verdict::Holds(_) => {
                    assert!(expected, "{model:?} {seed}: {history:#?}");
                    holds += 1;
                }
                Verdict::Violated { .. } => {
                    assert!(!expected, "{model:?} {seed}: {history:#?}");
                    let explanation = explain(&history, 0, soon).expect("an explanation");
                    assert!(!explanation.operations.is_empty());
                    violated += 1;
                }
                Verdict::Unknown { .. } => panic!("{model:?} {seed}: unknown"),
            }
        }
        let all = holds + violated;
        assert!(
            10 * holds.min(violated) >= 3 * all,
            "{model:?}: {holds} hold, {violated} do not"
        );
    }
}
