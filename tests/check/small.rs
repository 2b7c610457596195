//! Small histories that were judged wrong once.

use std::time::{Duration, Instant};

use cluster::check::{Budget, History, Verdict, explain, linearizable, linearizable_key};

use crate::brute::is_linearizable;

/// `"1 invoke append \"a\""`: an event a line, of one key.
fn judged(events: &[&str]) -> bool {
    let line = |event: &&str| {
        let [process, kind, f, value] = event.splitn(4, ' ').collect::<Vec<&str>>()[..] else {
            panic!("{event}");
        };
        format!(r#"{{"process":{process},"type":"{kind}","f":"{f}","value":{value}}}"#)
    };
    let lines: Vec<String> = events.iter().map(line).collect();
    let history = History::from_json_lines(&lines.join("\n")).expect("a history");
    let soon = Instant::now() + Duration::from_secs(60);
    let holds = matches!(linearizable(&history, soon), Verdict::Holds(_));
    assert_eq!(holds, is_linearizable(&history.operations));
    holds
}

#[test]
fn an_exchange_that_may_have_happened_can_make_what_a_text_grows_from() {
    // write "x", cas "x" to "a", append "a": none was answered, and the read shows all three.
    assert!(judged(&[
        r#"0 invoke cas ["x","a"]"#,
        r#"0 info cas ["x","a"]"#,
        r#"1 invoke read null"#,
        r#"2 invoke write "x""#,
        r#"3 invoke append "a""#,
        r#"1 ok read "aa""#,
    ]));
}

/// A key of which nobody finds out soon, and behind it one that is clearly wrong.
fn hard_and_easy() -> History {
    let mut lines = Vec::new();
    let mut event = |process: usize, kind: &str, f: &str, key: &str, value: String| {
        lines.push(format!(
            r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"{key}","value":{value}}}"#
        ));
    };
    // Forty exchanges in a ring, all at once, and then one read that none of their orders explains.
    let ring = |n: usize| format!("[{},{}]", n % 5, (n + 1) % 5);
    for kind in ["invoke", "ok"] {
        (0..40).for_each(|n| event(n, kind, "cas", "hard", ring(n)));
        event(50, kind, "write", "hard", "0".to_owned());
    }
    for (kind, seen) in [("invoke", "null"), ("ok", "3")] {
        event(60, kind, "read", "hard", seen.to_owned());
    }
    for (f, value) in [("write", "1"), ("read", "2")] {
        for kind in ["invoke", "ok"] {
            event(70, kind, f, "easy", value.to_owned());
        }
    }
    History::from_json_lines(&lines.join("\n")).expect("a history")
}

#[test]
fn a_hard_key_leaves_time_for_the_others() {
    let history = hard_and_easy();
    let within = |milliseconds| Instant::now() + Duration::from_millis(milliseconds);
    let alone = linearizable_key(&history, 0, within(500));
    assert_eq!(alone, Verdict::Unknown { keys: vec![0] }, "it is hard");
    let verdict = linearizable(&history, within(2_000));
    assert!(matches!(verdict, Verdict::Violated { key: 1, .. }));
}

#[test]
fn an_explanation_takes_no_more_steps_than_it_is_given() {
    let history = hard_and_easy();
    assert_eq!(explain(&history, 0, Budget::steps(10_000)), None);
    let easy = explain(&history, 1, Budget::steps(10_000)).expect("an explanation");
    assert!(easy.is_smallest);
}
