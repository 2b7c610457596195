//! Few operations that show what is wrong, for people: of all keys, the one of which it takes the fewest.
//!
//! A value that was written is unlike any other, but what is not there looks the same after any delete: to show that a key
//! cannot be gone takes every delete that there was. So it is first tried without: deletes count as if nobody knew of them,
//! and reads that found nothing as if they had not been. What cannot be put in order even so cannot be with them.

use std::time::{Duration, Instant};

use crate::check::history::{Call, End, Operation};
use crate::check::{Explanation, History, Verdict, explain, linearizable_key};

/// So few can be taken in at a glance.
const FEW: usize = 12;

/// How long one key may take.
const SLICE: Duration = Duration::from_secs(3);

/// Why `history` is not linearizable, of which `key` shows it, until `deadline` or not long after.
pub(super) fn shortest(history: &History, key: usize, deadline: Instant) -> Option<Explanation> {
    let others = (0..history.keys.len()).filter(|other| *other != key);
    let mut best: Option<Explanation> = None;
    for key in [key].into_iter().chain(others) {
        let late = Instant::now() + SLICE > deadline;
        if late
            || best
                .as_ref()
                .is_some_and(|best| best.operations.len() <= FEW)
        {
            break;
        }
        let weaker = without_deletes(history, key);
        keep_shorter(&mut best, of_key(&weaker, key));
    }
    if best.as_ref().is_none_or(|best| best.operations.len() > FEW) {
        keep_shorter(&mut best, explain(history, key, deadline));
    }
    best
}

fn of_key(history: &History, key: usize) -> Option<Explanation> {
    let until = Instant::now() + SLICE;
    match linearizable_key(history, key, until) {
        Verdict::Violated { .. } => explain(history, key, until),
        Verdict::Holds(_) | Verdict::Unknown { .. } => None,
    }
}

fn keep_shorter(best: &mut Option<Explanation>, found: Option<Explanation>) {
    let Some(found) = found else { return };
    let is_shorter = |best: &Explanation| found.operations.len() < best.operations.len();
    if best.as_ref().is_none_or(is_shorter) {
        *best = Some(found);
    }
}

/// One key's operations, of which some are weakened so that whatever there is, it is not due to what is absent.
fn without_deletes(history: &History, key: usize) -> History {
    let of_key = history.operations.iter().filter(|o| o.key == key);
    History {
        keys: history.keys.clone(),
        operations: of_key.filter_map(weaker).collect(),
    }
}

fn weaker(operation: &Operation) -> Option<Operation> {
    let mut weaker = operation.clone();
    let is_null = |text: &str| text == "null";
    match (&operation.call, &operation.end) {
        (Call::Delete, End::Fail) => return None,
        (Call::Delete, _) => (weaker.end, weaker.returned) = (End::Unknown, None),
        (Call::Read, End::Ok(Some(seen))) if is_null(seen) => return None,
        (Call::Cas(old, _), End::Fail) if is_null(old) => return None,
        // That it was absent before is left out; that it was written is not.
        (Call::Cas(old, new), _) if is_null(old) => weaker.call = Call::Write(new.clone()),
        _ => {}
    }
    Some(weaker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// `"1 write 5"`: client 1 writes 5, and is answered before the next begins.
    fn history(steps: &[String]) -> History {
        let mut lines = String::new();
        for step in steps {
            let words: Vec<&str> = step.split(' ').collect();
            let (process, f, value) = (words[0], words[1], words[2]);
            for kind in ["invoke", "ok"] {
                let _ = writeln!(
                    lines,
                    r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"k","value":{value}}}"#
                );
            }
        }
        History::from_json_lines(&lines).expect("a history")
    }

    #[test]
    fn many_deletes_do_not_make_a_long_explanation() {
        let mut steps: Vec<String> = Vec::new();
        for n in 0..40 {
            steps.push(format!("1 write {n}"));
            steps.push("2 delete null".to_owned());
        }
        // Gone, though nothing deletes it; later also stale.
        steps.extend(
            ["1 write 100", "2 read null", "1 write 101", "1 write 102"].map(str::to_owned),
        );
        steps.push("2 read 101".to_owned());
        let history = history(&steps);
        let soon = Instant::now() + Duration::from_secs(60);
        let plain = explain(&history, 0, soon).expect("it is not linearizable");
        assert!(plain.operations.len() > FEW);
        let short = shortest(&history, 0, soon).expect("it is not linearizable");
        assert_eq!(short.operations.len(), 3);
    }

    #[test]
    fn what_only_deletes_show_is_shown_by_deletes() {
        let steps = ["1 write 1", "1 delete null", "2 read 1"].map(str::to_owned);
        let soon = Instant::now() + Duration::from_secs(60);
        let short = shortest(&history(&steps), 0, soon).expect("it is not linearizable");
        assert_eq!(short.operations.len(), 3);
    }
}
