//! Sequential consistency: the judge says what trying every order says.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cluster::check::history::{Call, End, Operation};
use cluster::check::{History, Sequential, explain_sequential, sequential};
use cluster::rng::Rng;

use crate::brute::{is_explained_by, is_sequential_with_free};
use crate::generate::{MODELS, Model, Shape, history};
use crate::random::{are_balanced, cases};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Histories of two or three clients and one to three keys, of which many hold and many do not.
fn shape(rng: &mut Rng, model: Model) -> Shape {
    let lags = rng.below(2) == 0;
    Shape {
        model,
        clients: 2 + rng.below(2) as usize,
        keys: 1 + rng.below(3) as usize,
        operations: 6 + rng.below(3) as usize,
        lags,
        odd: if lags { 4 * rng.below(2) as usize } else { 2 },
        unique: rng.below(2) == 0,
    }
}

fn is_order(history: &History, order: &[usize]) -> bool {
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (place, number) in order.iter().enumerate() {
        assert_eq!(places.insert(*number, place), None, "each once");
    }
    let own = |number: usize, operation: &Operation| {
        let later = history.operations[number + 1..].iter().enumerate();
        later
            .filter(|(_, other)| other.process == operation.process)
            .map(|(at, _)| number + 1 + at)
            .collect::<Vec<usize>>()
    };
    for (number, operation) in history.operations.iter().enumerate() {
        let happened = matches!(operation.end, End::Ok(_));
        assert!(
            places.contains_key(&number) || !happened,
            "all that happened"
        );
        let (Some(place), false) = (places.get(&number), operation.is_unknown()) else {
            continue;
        };
        for other in own(number, operation) {
            assert!(places.get(&other).is_none_or(|other| place < other));
        }
    }
    is_explained_by(&history.operations, order)
}

/// The few operations alone are not sequentially consistent, whatever the others did; without any one of them they are.
fn is_explained(history: &History, operations: &[usize], order: &[usize]) {
    let explanation = explain_sequential(history, operations, order, soon());
    let those = &explanation.operations;
    assert!(explanation.is_smallest && !those.is_empty());
    let holds = |kept: &[usize]| {
        let all = history.operations.iter().enumerate();
        let (inside, outside): (Vec<_>, Vec<_>) = all.partition(|(n, _)| kept.contains(n));
        let operations = |these: Vec<(usize, &Operation)>| {
            these
                .into_iter()
                .map(|(_, o)| o.clone())
                .collect::<Vec<Operation>>()
        };
        is_sequential_with_free(&operations(inside), &operations(outside))
    };
    assert!(!holds(those), "{history:#?} {those:?}");
    for left_out in those {
        let rest: Vec<usize> = those.iter().copied().filter(|n| n != left_out).collect();
        assert!(holds(&rest), "{history:#?} {those:?} without {left_out}");
    }
}

fn of_key(history: &History, key: usize) -> Vec<Operation> {
    let all = history.operations.iter();
    all.filter(|o| o.key == key).cloned().collect()
}

fn is_linearizable(history: &History) -> bool {
    let mut keys = 0..history.keys.len();
    keys.all(|key| crate::brute::is_linearizable(&of_key(history, key)))
}

fn is_sequential_by_key(history: &History) -> bool {
    let mut keys = 0..history.keys.len();
    keys.all(|key| is_sequential_with_free(&of_key(history, key), &[]))
}

#[test]
fn on_thousands_of_small_histories_the_judge_agrees_with_every_order_that_keeps_each_clients_own() {
    for model in MODELS {
        let (mut holds, mut violated) = (0, 0);
        for seed in 0..cases(3_000) {
            let mut rng = Rng::new(seed);
            let shape = shape(&mut rng, model);
            let history = history(&mut rng, shape);
            let expected = is_sequential_with_free(&history.operations, &[]);
            match sequential(&history, soon()) {
                Sequential::Holds(order) => {
                    assert!(expected, "{model:?} {seed}: {history:#?}");
                    assert!(
                        is_order(&history, &order),
                        "{model:?} {seed}: {history:#?} {order:?}"
                    );
                    holds += 1;
                }
                Sequential::Violated { operations, order } => {
                    assert!(!expected, "{model:?} {seed}: {history:#?}");
                    if seed % 10 == 0 {
                        is_explained(&history, &operations, &order);
                    }
                    violated += 1;
                }
                Sequential::Unknown => panic!("{model:?} {seed}: unknown"),
            }
        }
        are_balanced(holds, violated);
    }
}

/// Each client writes a key of its own and reads those of the others, one after the other; what they see is anything that
/// is ever written there.
fn crossed(rng: &mut Rng) -> History {
    let clients = 2 + rng.below(2) as usize;
    let mut operations = Vec::new();
    for step in 0..4 {
        for client in 0..clients {
            let other = (client + 1 + rng.below(clients as u64 - 1) as usize) % clients;
            let is_write = step % 2 == rng.below(2);
            let seen = match rng.below(3) {
                0 => "null".to_owned(),
                _ => format!("{other}{}", rng.below(4)),
            };
            let (key, call, end) = match is_write {
                true => {
                    let value = format!("{client}{step}").as_str().into();
                    (client, Call::Write(value), End::Ok(None))
                }
                false => (other, Call::Read, End::Ok(Some(seen.as_str().into()))),
            };
            operations.push(Operation {
                process: client.to_string(),
                key,
                call,
                end,
                invoked: operations.len(),
                returned: Some(operations.len() + clients - 1),
                invoked_at: None,
                returned_at: None,
            });
        }
    }
    History {
        keys: (0..clients).map(|key| key.to_string()).collect(),
        operations,
    }
}

#[test]
fn where_neither_time_nor_a_single_key_tells_the_judge_agrees_too() {
    let (mut holds, mut violated) = (0, 0);
    for seed in 0.. {
        let history = crossed(&mut Rng::new(seed));
        if is_linearizable(&history) || !is_sequential_by_key(&history) {
            continue;
        }
        let expected = is_sequential_with_free(&history.operations, &[]);
        match sequential(&history, soon()) {
            Sequential::Holds(order) => {
                assert!(
                    expected && is_order(&history, &order),
                    "{seed}: {history:#?}"
                );
                holds += 1;
            }
            Sequential::Violated { operations, order } => {
                assert!(!expected, "{seed}: {history:#?}");
                is_explained(&history, &operations, &order);
                violated += 1;
            }
            Sequential::Unknown => panic!("{seed}: unknown"),
        }
        if holds + violated == cases(3_000) {
            break;
        }
    }
    are_balanced(holds, violated);
}
