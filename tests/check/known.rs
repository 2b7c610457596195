//! The 57 histories, and what is said of those that are not linearizable.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use cluster::check::{History, Verdict, explain, linearizable};

use crate::brute::is_linearizable_with_free;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn histories() -> Vec<(String, History, bool)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/histories");
    let expected = std::fs::read_to_string(folder.join("expected.tsv")).expect("the verdicts");
    let read = |line: &str| {
        let (name, verdict) = line.split_once('\t').expect("NAME<tab>VERDICT");
        let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl")));
        let history = History::from_json_lines(&text.expect("a history"));
        (
            name.to_owned(),
            history.expect(name),
            verdict.trim() == "true",
        )
    };
    expected.lines().map(read).collect()
}

#[test]
fn the_57_known_verdicts_are_right() {
    let histories = histories();
    assert_eq!(histories.len(), 57);
    for (name, history, expected) in &histories {
        match linearizable(history, soon()) {
            Verdict::Holds(orders) => {
                assert!(expected, "{name}");
                let all: HashSet<usize> = orders.iter().flatten().copied().collect();
                let ordered: usize = orders.iter().map(Vec::len).sum();
                assert_eq!(all.len(), ordered, "{name}: each operation once");
            }
            Verdict::Violated { .. } => assert!(!expected, "{name}"),
            Verdict::Unknown { keys } => panic!("{name}: unknown for keys {keys:?}"),
        }
    }
}

#[test]
fn what_explains_a_violation_is_one_and_without_any_of_its_operations_it_is_none() {
    for (name, history, expected) in histories() {
        let Verdict::Violated { key, .. } = linearizable(&history, soon()) else {
            assert!(expected);
            continue;
        };
        let explanation = explain(&history, key, soon()).expect("an explanation");
        let those = &explanation.operations;
        assert!(
            (1..=20).contains(&those.len()),
            "{name}: {} operations",
            those.len()
        );
        let all = &explanation.history.operations;
        let split = |kept: &[usize]| {
            let (mut inside, mut outside) = (Vec::new(), Vec::new());
            for (number, operation) in all.iter().enumerate() {
                match kept.contains(&number) {
                    true => inside.push(operation.clone()),
                    false => outside.push(operation.clone()),
                }
            }
            (inside, outside)
        };
        let (inside, outside) = split(those);
        assert!(!is_linearizable_with_free(&inside, &[]), "{name}: alone");
        assert!(
            !is_linearizable_with_free(&inside, &outside),
            "{name}: whatever the others did"
        );
        for left_out in those {
            let rest: Vec<usize> = those.iter().copied().filter(|n| n != left_out).collect();
            let (inside, outside) = split(&rest);
            assert!(
                is_linearizable_with_free(&inside, &outside),
                "{name}: without {left_out}"
            );
        }
    }
}

#[test]
fn the_same_histories_written_as_jepsen_does_are_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/histories");
    for name in ["etcd_000", "etcd_042", "kv_c10-ok"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl")));
        let text = text.expect("a history");
        let edn = |line: &str| {
            let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let word = |field: &str| event[field].as_str().expect("a word").to_owned();
            let value = match &event["value"] {
                serde_json::Value::Null => "nil".to_owned(),
                value => value.to_string(),
            };
            format!(
                "{{:process {}, :type :{}, :f :{}, :key {}, :value {value}, :time {}}}",
                event["process"],
                word("type"),
                word("f"),
                event["key"],
                event["time"]
            )
        };
        let written: Vec<String> = text.lines().map(edn).collect();
        let expected = History::from_json_lines(&text).expect("a history");
        assert_eq!(History::read(&written.join("\n")), Ok(expected), "{name}");
    }
}
