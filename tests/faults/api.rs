//! The control API, as other tools use it.

use crate::support::{Up, curl};
use crate::tale::in_force;
use serde_json::Value;

/// A request to the control server, with the token or without.
pub fn call(up: &Up, method: &str, path: &str, body: &str, with_token: bool) -> (u16, Value) {
    let state = up.state();
    let url = state["control"].as_str().expect("a URL").to_owned();
    let authorization = match with_token {
        true => format!(
            "Authorization: Bearer {}",
            state["token"].as_str().expect("a token")
        ),
        false => String::new(),
    };
    let url = format!("{url}{path}");
    let said = curl(&[
        "-X",
        method,
        "-H",
        &authorization,
        "-d",
        body,
        "-w",
        "\n%{http_code}",
        &url,
    ]);
    let (body, status) = said.rsplit_once('\n').expect("a status");
    let status = status.parse().expect("a number");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn other_tools_set_list_and_undo_faults() {
    let up = Up::start(&[]);
    let order = r#"{"kind":"links","from":["leader"],"to":["follower"],"delayMs":2.5,"loss":0.5,"forMs":60000,"by":"a tool","seed":7}"#;
    assert_eq!(call(&up, "POST", "/api/faults", order, false).0, 401);
    let (status, set) = call(&up, "POST", "/api/faults", order, true);
    assert_eq!(status, 200, "{set}");
    let (status, listed) = call(&up, "GET", "/api/faults", "", false);
    assert_eq!((status, &listed["faults"]), (200, &set["set"]));
    let fault = &listed["faults"][0];
    assert_eq!(fault["name"], "loss-1");
    assert_eq!(fault["by"], "a tool");
    assert_eq!(fault["from"][0], "node-1");
    assert_eq!(
        (&fault["delayMs"], &fault["loss"]),
        (&2.5.into(), &0.5.into())
    );
    assert_eq!(fault["links"].as_array().map(Vec::len), Some(2));
    assert!(fault["until"].is_string() && fault["undo"] == "cluster heal loss-1");
    assert_eq!(up.json(&["status", "--json"])["faults"], listed["faults"]);
    let (status, healed) = call(&up, "POST", "/api/heal", r#"{"names":["loss-1"]}"#, true);
    assert_eq!(
        (status, &healed["undone"][0]["name"]),
        (200, &"loss-1".into())
    );
    let (_, listed) = call(&up, "GET", "/api/faults", "", false);
    assert_eq!(listed["faults"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_is_no_order_is_refused_in_words() {
    let up = Up::start(&[]);
    for (path, body, status, said) in [
        ("/api/faults", "{", 400, "this is no order"),
        (
            "/api/faults",
            r#"{"kind":"gossip"}"#,
            400,
            "unknown variant",
        ),
        (
            "/api/faults",
            r#"{"kind":"pause","nodes":["node-9"]}"#,
            404,
            "no node is called",
        ),
        (
            "/api/faults",
            r#"{"kind":"pause","nodes":["a b"]}"#,
            404,
            "no node is called",
        ),
        (
            "/api/faults",
            r#"{"kind":"pause","nodes":[]}"#,
            400,
            "no node is named",
        ),
        (
            "/api/faults",
            r#"{"kind":"ring","forMs":0}"#,
            400,
            "lasts no time",
        ),
        (
            "/api/faults",
            r#"{"kind":"skew","nodes":["node-1"],"ratePpm":1}"#,
            400,
            "rate",
        ),
        (
            "/api/faults",
            r#"{"kind":"links","from":["node-1"],"to":["node-2"],"loss":500}"#,
            400,
            "between 0 and 100",
        ),
        (
            "/api/heal",
            r#"{"names":["x-1"]}"#,
            404,
            "no fault in force",
        ),
        ("/api/heal", r#"{"name":"x-1"}"#, 400, "this is no order"),
    ] {
        let (found, answer) = call(&up, "POST", path, body, true);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            found == status && message.contains(said),
            "{body}: {found} {answer}"
        );
    }
    // Without a body: everything.
    assert_eq!(call(&up, "POST", "/api/heal", "", true).0, 200);
}

#[test]
fn a_node_is_paused_and_resumed_as_it_is_killed_and_revived() {
    let up = Up::start(&[]);
    for (what, changed, state) in [
        ("pause", true, "paused"),
        ("pause", false, "paused"),
        ("resume", true, "up"),
        ("resume", false, "up"),
    ] {
        let path = format!("/api/nodes/node-2/{what}");
        let (status, answer) = call(&up, "POST", &path, "", true);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(
            (&answer["changed"], &answer["state"]),
            (&changed.into(), &state.into())
        );
    }
    assert_eq!(
        call(&up, "POST", "/api/nodes/node-9/pause", "", true).0,
        404
    );
}

#[test]
fn an_order_that_makes_no_sense_is_refused_and_nothing_is_set() {
    let up = Up::start(&[]);
    for (order, why) in [
        (r#"{"kind":"ring","forMs":0}"#, "no time"),
        (
            r#"{"kind":"ring","for":5000}"#,
            "ring has no \\\"for\\\", only kind, forMs",
        ),
        (
            r#"{"kind":"isolate","nodes":["node-1"],"forMs":300000000000000}"#,
            "a day at most",
        ),
        (
            r#"{"kind":"links","from":["all"],"to":["all"],"burst":0.5}"#,
            "say loss",
        ),
    ] {
        let (status, refused) = call(&up, "POST", "/api/faults", order, true);
        assert_eq!(status, 400, "{order}: {refused}");
        assert!(refused.to_string().contains(why), "{order}: {refused}");
    }
    let (_, listed) = call(&up, "GET", "/api/faults", "", false);
    assert_eq!(listed["faults"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_a_kind_of_fault_does_not_know_is_no_wish_to_be_passed_over() {
    let up = Up::start(&[]);
    for (order, why) in [
        (
            r#"{"kind":"isolate","nodes":["node-2"],"oneWay":true}"#,
            "isolate has no \"oneWay\"",
        ),
        (
            r#"{"kind":"pause","nodes":["node-2"],"loss":5}"#,
            "pause has no \"loss\"",
        ),
        (
            r#"{"kind":"client","nodes":["node-2"],"burst":50}"#,
            "say loss, too",
        ),
    ] {
        let (status, said) = call(&up, "POST", "/api/faults", order, true);
        assert_eq!(status, 400, "{said}");
        assert!(
            said.to_string().contains(&why.replace('"', "\\\"")),
            "{said}"
        );
    }
    assert!(in_force(&up).is_empty());
}

#[test]
fn of_two_who_heal_parts_of_one_fault_at_once_the_second_takes_it_out_of_the_book() {
    let up = Up::start(&[]);
    for _ in 0..10 {
        up.says(&["isolate", "node-1"]);
        std::thread::scope(|scope| {
            for other in ["node-2", "node-3"] {
                let order = format!(r#"{{"between":["node-1","{other}"]}}"#);
                let up = &up;
                scope.spawn(move || {
                    assert_eq!(call(up, "POST", "/api/heal", &order, true).0, 200);
                });
            }
        });
        assert!(in_force(&up).is_empty(), "{:?}", in_force(&up));
    }
}
