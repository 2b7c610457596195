//! Sets: in what order a reader writes their elements says nothing, and an empty one is as good as absent.

use std::time::{Duration, Instant};

use cluster::check::{Held, History, Property, Verdict, holds, linearizable};

/// `"add 1"`, `"delete"`, `"read [1,2]"`: each by a client of its own, and over before the next begins.
fn history(steps: &[&str]) -> History {
    let mut lines = Vec::new();
    for (process, step) in steps.iter().enumerate() {
        let (f, value) = step.split_once(' ').unwrap_or((step, "null"));
        for kind in ["invoke", "ok"] {
            lines.push(format!(
                r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"k","value":{value}}}"#
            ));
        }
    }
    History::from_json_lines(&lines.join("\n")).expect("a history")
}

fn is_linearizable(steps: &[&str]) -> bool {
    let soon = Instant::now() + Duration::from_secs(60);
    matches!(linearizable(&history(steps), soon), Verdict::Holds(_))
}

#[test]
fn the_order_of_a_sets_elements_says_nothing() {
    assert!(is_linearizable(&["add 1", "add 2", "read [2,1]"]));
    assert!(is_linearizable(&[
        "add 1",
        "delete",
        "add 2",
        "add 1",
        "read [2,1]"
    ]));
    assert!(is_linearizable(&["write [3,1]", "add 2", "read [1,3,2]"]));
    assert!(!is_linearizable(&[
        "add 1",
        "delete",
        "add 2",
        "read [2,1]"
    ]));
    // Without an `add`, an array is an array.
    assert!(!is_linearizable(&["write [1,2]", "read [2,1]"]));
}

#[test]
fn an_empty_set_is_as_good_as_none() {
    assert!(is_linearizable(&["read []", "read null"]));
    assert!(is_linearizable(&["add 1", "delete", "read []"]));
    assert!(!is_linearizable(&["add 1", "read []"]));
    assert!(!is_linearizable(&["write 1", "read []"]));
}

#[test]
fn who_reads_the_same_set_in_the_end_reads_the_same() {
    let soon = Instant::now() + Duration::from_secs(60);
    let eventual = |steps: &[&str]| holds(&history(steps), Property::Eventual, soon);
    assert_eq!(
        eventual(&["add 1", "add 2", "read [1,2]", "read [2,1]"]),
        Held::Yes
    );
    assert_eq!(eventual(&["read []", "read null"]), Held::Yes);
    let differ = eventual(&["add 1", "add 2", "read [1,2]", "read [2]"]);
    assert!(matches!(differ, Held::No { .. }));
    let arrays = eventual(&["write [1,2]", "read [1,2]", "read [2,1]"]);
    assert!(matches!(arrays, Held::No { .. }));
}
