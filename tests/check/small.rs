//! Small histories that were judged wrong once.

use std::time::{Duration, Instant};

use cluster::check::{History, Verdict, linearizable};

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
