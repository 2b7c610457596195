//! `cluster check`, as people and scripts use it.

use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;

fn file(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/check/histories").join(name);
    path.to_string_lossy().into_owned()
}

fn check(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.arg("check").args(arguments);
    command
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_good_history_is_0_and_a_bad_one_1_with_the_operations_that_show_it() {
    let (good, bad) = (file("etcd_002.jsonl"), file("kv_c10-bad.jsonl"));
    check(&[&good]).assert().code(0);
    let judged = check(&[&bad]).assert().code(1);
    let text = said(&judged.get_output().stdout);
    assert!(
        text.contains("not linearizable") && text.contains("fit into no order"),
        "{text}"
    );
    assert!(text.contains('├') && text.contains("client"), "{text}");
    let judged = check(&["--json", &bad]).assert().code(1);
    let report: Value = serde_json::from_slice(&judged.get_output().stdout).expect("JSON");
    assert_eq!(report["verdict"], "not linearizable");
    let operations = report["explanation"]["operations"].as_array();
    assert!(operations.is_some_and(|operations| operations.len() > 1));
}

#[test]
fn a_stale_read_is_explained_by_the_writes_around_it() {
    let history = [
        r#"{"process":1,"type":"invoke","f":"write","key":"x","value":1}"#,
        r#"{"process":1,"type":"ok","f":"write","key":"x","value":1}"#,
        r#"{"process":1,"type":"invoke","f":"write","key":"x","value":2}"#,
        r#"{"process":3,"type":"invoke","f":"write","key":"x","value":9}"#,
        r#"{"process":1,"type":"ok","f":"write","key":"x","value":2}"#,
        r#"{"process":2,"type":"invoke","f":"read","key":"x","value":null}"#,
        r#"{"process":2,"type":"ok","f":"read","key":"x","value":1}"#,
    ];
    let judged = check(&["-"]).write_stdin(history.join("\n")).assert();
    let text = said(&judged.code(1).get_output().stdout);
    // The third client's write, of which nothing is known, has nothing to do with it.
    assert!(text.contains("these 3 operations of key x"), "{text}");
    for shown in ["write 1", "write 2", "read → 1"] {
        assert!(text.contains(shown), "{text}");
    }
    // The same read is fine while the second write is still under way.
    let [a, b, c, d, end, read, seen] = history;
    let late = [a, b, c, d, read, seen, end];
    check(&["-"]).write_stdin(late.join("\n")).assert().code(0);
}

#[test]
fn what_cannot_be_read_is_2_and_named_with_its_line() {
    let broken = r#"{"process":1,"type":"invoke","f":"jump"}"#;
    let refused = check(&["-"]).write_stdin(broken).assert().code(2);
    let text = said(&refused.get_output().stderr);
    assert!(text.contains("line 1") && text.contains("jump"), "{text}");
    check(&["nowhere.jsonl"]).assert().code(2);
    check(&[]).assert().code(2);
    // A model refuses what it has no word for.
    let cas = file("etcd_002.jsonl");
    let refused = check(&["--model", "register", &cas]).assert().code(2);
    let text = said(&refused.get_output().stderr);
    assert!(
        text.contains("the model register has not; expected read, write"),
        "{text}"
    );
    check(&["--model", "cas", &cas]).assert().code(0);
}

#[test]
fn of_several_histories_all_are_judged_and_the_worst_counts() {
    let (good, bad) = (file("kv_c01-ok.jsonl"), file("kv_c01-bad.jsonl"));
    check(&[&good, &bad]).assert().code(1);
    check(&[&bad, &good]).assert().code(1);
    let judged = check(&[&good, "nowhere", &bad]).assert().code(2);
    let text = said(&judged.get_output().stdout);
    assert!(
        text.contains("kv_c01-ok.jsonl: linearizable") && text.contains("kv_c01-bad.jsonl: not"),
        "{text}"
    );
}

#[test]
fn weaker_properties_are_judged_each_by_itself() {
    // A client reads its own write, and another one does not see it yet: not linearizable, and yet not all is lost.
    let history = [
        r#"{"process":1,"type":"invoke","f":"write","key":"x","value":1}"#,
        r#"{"process":1,"type":"ok","f":"write","key":"x","value":1}"#,
        r#"{"process":2,"type":"invoke","f":"read","key":"x","value":null}"#,
        r#"{"process":2,"type":"ok","f":"read","key":"x","value":null}"#,
        r#"{"process":2,"type":"invoke","f":"read","key":"x","value":null}"#,
        r#"{"process":2,"type":"ok","f":"read","key":"x","value":1}"#,
    ];
    let judge = |property: &str, history: &[&str], code: i32| {
        let judged = check(&["-", "--property", property])
            .write_stdin(history.join("\n"))
            .assert()
            .code(code);
        said(&judged.get_output().stdout)
    };
    judge("linearizable", &history, 1);
    for property in [
        "read-your-writes",
        "monotonic-reads",
        "eventual",
        "no-lost-acks",
    ] {
        let text = judge(property, &history, 0);
        assert!(text.contains(&format!("{property} holds")), "{text}");
    }
    // Without the last read it is gone in the end; without any nobody can tell.
    let text = judge("no-lost-acks", &history[..4], 1);
    assert!(text.contains("client 1, key x: write 1"), "{text}");
    let text = judge("eventual", &history[..2], 4);
    assert!(text.contains("nobody reads"), "{text}");
}

#[test]
fn what_a_history_says_does_not_move_the_readers_cursor() {
    let strange = r#"{"process":1,"type":"\u001b[2J","f":"read"}"#;
    let judged = check(&["-"]).write_stdin(strange).assert().code(2);
    let text = said(&judged.get_output().stderr);
    assert!(
        text.contains("\\u{1b}[2J") && !text.contains('\u{1b}'),
        "{text}"
    );
    let history = [
        r#"{"process":"\u001b[2J","type":"invoke","f":"read","key":"\u001b[1m"}"#,
        r#"{"process":"\u001b[2J","type":"ok","f":"read","key":"\u001b[1m","value":1}"#,
        r#"{"process":"\u001b[2J","type":"invoke","f":"read","key":"\u001b[1m"}"#,
        r#"{"process":"\u001b[2J","type":"ok","f":"read","key":"\u001b[1m","value":null}"#,
    ];
    let unsure = ["--budget", "1ns"];
    let weaker = ["--property", "monotonic-reads"];
    for (arguments, exit) in [(&[][..], 1), (&unsure, 1), (&weaker, 1)] {
        let all = [&["-"], arguments].concat();
        let judged = check(&all).write_stdin(history.join("\n")).assert();
        let text = said(&judged.code(exit).get_output().stdout);
        assert!(text.contains("not") && !text.contains('\u{1b}'), "{text}");
    }
}

/// Each of two clients writes a key, and then reads of the other's that nothing is there yet.
const CROSSED: [&str; 8] = [
    r#"{"process":1,"type":"invoke","f":"write","key":"x","value":1}"#,
    r#"{"process":2,"type":"invoke","f":"write","key":"y","value":1}"#,
    r#"{"process":1,"type":"ok","f":"write","key":"x","value":1}"#,
    r#"{"process":2,"type":"ok","f":"write","key":"y","value":1}"#,
    r#"{"process":1,"type":"invoke","f":"read","key":"y","value":null}"#,
    r#"{"process":2,"type":"invoke","f":"read","key":"x","value":null}"#,
    r#"{"process":1,"type":"ok","f":"read","key":"y","value":null}"#,
    r#"{"process":2,"type":"ok","f":"read","key":"x","value":null}"#,
];

#[test]
fn sequential_consistency_is_of_the_whole_and_not_of_each_key() {
    let sequential = ["-", "--property", "sequential"];
    let judged = check(&sequential).write_stdin(CROSSED.join("\n")).assert();
    let text = said(&judged.code(1).get_output().stdout);
    assert!(text.contains("-: not sequentially consistent"), "{text}");
    assert!(
        text.contains("these 4 operations fit into no order"),
        "{text}"
    );
    let steps = "  client 1    #1  x: write 1\n              #3  y: read → null\n";
    assert!(text.contains(steps), "{text}");
    // Each key alone is fine; and so is the whole once one of them reads what was written.
    for key in ["x", "y"] {
        let of_key = |line: &&&str| line.contains(&format!("\"key\":\"{key}\""));
        let alone: Vec<&str> = CROSSED.iter().filter(of_key).copied().collect();
        check(&sequential)
            .write_stdin(alone.join("\n"))
            .assert()
            .code(0);
    }
    let seen = CROSSED[7].replace("null", "1");
    let fine = [&CROSSED[..7], &[&seen]].concat();
    check(&sequential)
        .write_stdin(fine.join("\n"))
        .assert()
        .code(0);
}

#[test]
fn in_json_every_property_says_the_same_things() {
    for property in ["linearizable", "sequential"] {
        let arguments = ["-", "--json", "--property", property];
        let judged = check(&arguments).write_stdin(CROSSED.join("\n")).assert();
        let report: Value =
            serde_json::from_slice(&judged.code(1).get_output().stdout).expect("JSON");
        assert_eq!(report["property"], property);
        assert_eq!(report["holds"], false);
        assert_eq!(
            (&report["operations"], &report["keys"]),
            (&4.into(), &2.into())
        );
        let shown = &report["explanation"]["operations"];
        assert_eq!(shown[0]["process"], "1");
        assert_eq!(shown[0]["what"], "write 1");
        assert_eq!(report["explanation"]["smallest"], true);
    }
    let arguments = ["-", "--json", "--property", "eventual"];
    let judged = check(&arguments)
        .write_stdin(CROSSED[..4].join("\n"))
        .assert();
    let report: Value = serde_json::from_slice(&judged.code(4).get_output().stdout).expect("JSON");
    assert_eq!(
        (&report["verdict"], &report["holds"]),
        (&"unknown".into(), &Value::Null)
    );
    assert!(
        report["why"]
            .as_str()
            .is_some_and(|why| why.contains("nobody reads"))
    );
}

#[test]
fn when_the_time_is_over_it_says_that_it_does_not_know() {
    let (large, bad) = (file("kv_c50-ok.jsonl"), file("kv_c01-bad.jsonl"));
    let judged = check(&[&large, "--budget", "1ns"]).assert().code(4);
    let text = said(&judged.get_output().stdout);
    assert!(
        text.contains("unknown") && text.contains("--budget"),
        "{text}"
    );
    check(&[&large, &bad, "--budget", "1ns"]).assert().code(1);
    check(&[&large, "nowhere", "--budget", "1ns"])
        .assert()
        .code(2);
}

#[test]
fn a_value_that_nobody_wrote_needs_no_search() {
    // So many writes at once have more orders than there is time for.
    let writes = |kind: &str| {
        let event = |n: usize| {
            format!(r#"{{"process":{n},"type":"{kind}","f":"write","key":"x","value":{n}}}"#)
        };
        let read = |n: usize| {
            let seen = if kind == "ok" {
                (n * 7 % 60).to_string()
            } else {
                "null".to_owned()
            };
            format!(
                r#"{{"process":{},"type":"{kind}","f":"read","key":"x","value":{seen}}}"#,
                100 + n
            )
        };
        (0..60)
            .map(event)
            .chain((0..40).map(read))
            .collect::<Vec<String>>()
    };
    let read = |kind: &str, seen: &str| {
        format!(r#"{{"process":99,"type":"{kind}","f":"read","key":"x","value":{seen}}}"#)
    };
    let last = vec![read("invoke", "null"), read("ok", "777")];
    let history = [writes("invoke"), writes("ok"), last].concat();
    let judged = check(&["-", "--budget", "20s"])
        .write_stdin(history.join("\n"))
        .assert();
    let text = said(&judged.code(1).get_output().stdout);
    assert!(
        text.contains("this operation of key x cannot have happened"),
        "{text}"
    );
}

#[test]
fn line_ends_marks_and_nothing_at_all_are_read() {
    let text = CROSSED.join("\r\n\r\n");
    check(&["-"])
        .write_stdin(format!("\u{feff}{text}\r\n"))
        .assert()
        .code(1);
    let judged = check(&["-"]).write_stdin("").assert().code(0);
    assert!(said(&judged.get_output().stderr).contains("no operation"));
    let refused = check(&["-"]).write_stdin(&b"\n\xff\n"[..]).assert().code(2);
    assert!(said(&refused.get_output().stderr).contains("line 2: it is no text"));
}
