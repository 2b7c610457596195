//! Thousands of small random histories: the judge says what trying every order says.

use std::time::{Duration, Instant};

use cluster::check::{Verdict, explain, linearizable};
use cluster::rng::Rng;

use crate::brute::is_linearizable;
use crate::generate::{MODELS, Shape, history};

/// How many histories of each model.
pub fn cases(usual: u64) -> u64 {
    let asked = std::env::var("CASES").ok().and_then(|n| n.parse().ok());
    asked.unwrap_or(usual)
}

/// At least three in ten of each verdict: who always says the same must not pass.
pub fn are_balanced(holds: u64, violated: u64) {
    let all = holds + violated;
    let is_balanced = 10 * holds.min(violated) >= 3 * all;
    assert!(is_balanced, "{holds} hold, {violated} do not");
}

#[test]
fn on_20000_small_histories_the_judge_agrees_with_every_order_there_is() {
    let soon = Instant::now() + Duration::from_secs(6000);
    for model in MODELS {
        let (mut holds, mut violated) = (0, 0);
        for seed in 0..cases(3_000) {
            let mut rng = Rng::new(seed);
            let shape = Shape {
                model,
                clients: 7,
                keys: 1,
                operations: 4,
                lags: false,
                odd: 3,
                unique: false,
            };
            let history = history(&mut rng, shape);
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
        are_balanced(holds, violated);
    }
}
