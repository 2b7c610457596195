//! What was acknowledged is there: for its own client at once, for all in the end.

use std::time::{Duration, Instant};

use cluster::check::{Held, History, Property, Sequential, holds, sequential};

/// `"1 append \"a\""`: what a client does, each before the next begins.
fn history(steps: &[&str]) -> History {
    let event = |step: &&str| {
        let [process, f, value] = step.splitn(3, ' ').collect::<Vec<&str>>()[..] else {
            panic!("{step}");
        };
        ["invoke", "ok"].map(|kind| {
            format!(r#"{{"process":{process},"type":"{kind}","f":"{f}","value":{value}}}"#)
        })
    };
    let lines: Vec<String> = steps.iter().flat_map(event).collect();
    History::from_json_lines(&lines.join("\n")).expect("a history")
}

fn judge(property: Property, steps: &[&str]) -> &'static str {
    let soon = Instant::now() + Duration::from_secs(60);
    match holds(&history(steps), property, soon) {
        Held::Yes => "yes",
        Held::No { .. } => "no",
        Held::Unknown(_) => "unknown",
    }
}

#[test]
fn what_a_later_reader_sees_is_not_lost() {
    let judge = |steps: &[&str]| judge(Property::NoLostAcks, steps);
    assert_eq!(judge(&["1 write 1", "2 read null", "3 read 1"]), "yes");
    assert_eq!(judge(&["1 write 1", "2 read 1", "3 read null"]), "no");
    let replaced = ["1 write 1", "1 write 2", "2 read null", "3 read 2"];
    assert_eq!(judge(&replaced), "yes");
    let older = ["1 write 1", "1 write 2", "2 read null", "3 read 1"];
    assert_eq!(judge(&older), "no");
    let grown = ["1 add 1", "1 add 2", "2 read [2]", "3 read [1,2]"];
    assert_eq!(judge(&grown), "yes");
}

#[test]
fn a_text_within_another_is_not_that_text() {
    let lost = |steps: &[&str]| judge(Property::NoLostAcks, steps);
    let own = |steps: &[&str]| judge(Property::ReadYourWrites, steps);
    let (a, ba) = (r#"1 append "a""#, r#"1 append "ba""#);
    for judge in [lost, own] {
        assert_eq!(judge(&[a, ba, r#"1 read "ba""#]), "no");
        assert_eq!(judge(&[a, ba, r#"1 read "aba""#]), "yes");
        // Of what is there nobody can tell which text it was.
        let b = r#"1 append "b""#;
        assert_eq!(judge(&[a, b, ba, r#"1 read "ba""#]), "unknown");
        assert_eq!(judge(&[a, b, ba, r#"1 read "b""#]), "no");
        assert_eq!(judge(&[r#"1 append "u""#, "1 read null"]), "no");
        assert_eq!(judge(&[r#"1 append "\"""#, r#"1 read "\"""#]), "yes");
    }
    assert_eq!(lost(&[a, a, r#"2 read "a""#]), "no");
    assert_eq!(lost(&[a, a, r#"2 read "aa""#]), "yes");
    // Who shows it later has the last word.
    assert_eq!(lost(&[a, ba, r#"2 read "ba""#, r#"3 read "aba""#]), "yes");
}

#[test]
fn writes_count_in_the_order_of_time_even_where_one_order_would_do() {
    let own = ["1 write 1", "2 write 2", "2 read 1"];
    let again = ["1 write 1", "2 write 2", "3 read 2", "3 read 1"];
    assert_eq!(judge(Property::ReadYourWrites, &own), "no");
    assert_eq!(judge(Property::MonotonicReads, &again), "no");
    for steps in [&own[..], &again[..]] {
        let soon = Instant::now() + Duration::from_secs(60);
        let found = sequential(&history(steps), soon);
        assert!(matches!(found, Sequential::Holds(_)), "{steps:?}");
    }
    // Whoever asks for them is told so.
    let help = assert_cmd::Command::new(env!("CARGO_BIN_EXE_cluster"))
        .args(["check", "--help"])
        .output()
        .expect("help");
    let told = String::from_utf8_lossy(&help.stdout).into_owned();
    let told = told.split_whitespace().collect::<Vec<&str>>().join(" ");
    let words = "writes count in the order of time";
    assert_eq!(told.matches(words).count(), 2, "{told}");
}
