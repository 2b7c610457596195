//! Long histories, one operation after the other: what is easy is decided at once, and what is not when the time is over.

use std::time::{Duration, Instant};

use cluster::check::{History, Verdict, linearizable};

/// `("write", "1")`: asked, and answered unless it is unknown.
#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn event(&mut self, process: usize, kind: &str, f: &str, value: &str) {
        self.0.push(format!(
            r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"k","value":{value}}}"#
        ));
    }

    fn both(&mut self, f: &str, value: &str) {
        self.event(0, "invoke", f, value);
        self.event(0, "ok", f, value);
    }

    fn history(&self) -> History {
        History::from_json_lines(&self.0.join("\n")).expect("a history")
    }
}

fn is_linearizable(lines: &Lines) -> bool {
    let history = lines.history();
    let soon = Instant::now() + Duration::from_secs(60);
    matches!(linearizable(&history, soon), Verdict::Holds(_))
}

#[test]
fn a_single_append_does_not_make_long_histories_hard() {
    let mut lines = Lines::default();
    lines.both("append", r#""a""#);
    for n in 0..40_000 {
        let value = format!(r#""{n} is written""#);
        lines.both("write", &value);
        lines.both("read", &value);
    }
    assert!(is_linearizable(&lines));
}

#[test]
fn sets_and_texts_may_grow_for_long() {
    let (mut sets, mut texts) = (Lines::default(), Lines::default());
    let (mut set, mut text) = (Vec::new(), String::new());
    for n in 0..1_500 {
        sets.both("add", &n.to_string());
        set.push(n.to_string());
        sets.both("read", &format!("[{}]", set.join(",")));
        texts.both("append", &format!(r#""<{n}>""#));
        text += &format!("<{n}>");
        texts.both("read", &format!(r#""{text}""#));
    }
    assert!(is_linearizable(&sets) && is_linearizable(&texts));
    // An element, or a piece, that nobody sees any more.
    sets.both("read", "[7]");
    texts.both("read", r#""<0>""#);
    assert!(!is_linearizable(&sets) && !is_linearizable(&texts));
}

#[test]
fn the_time_is_kept_whatever_may_have_happened() {
    let mut lines = Lines::default();
    for n in 0..2_000 {
        lines.event(10 + n, "invoke", "append", &format!(r#""<{n}>""#));
    }
    for n in 0..4_000 {
        let value = format!(r#""{n}""#);
        lines.both("write", &value);
        let seen = format!(r#""{n}<{}><{}>""#, n % 2_000, (n + 1) % 2_000);
        lines.both("read", &seen);
    }
    let history = lines.history();
    let began = Instant::now();
    let verdict = linearizable(&history, began + Duration::from_secs(2));
    assert!(!matches!(verdict, Verdict::Holds(_)));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
}
