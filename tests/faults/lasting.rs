//! How long faults last, what they are called, and who undoes them.

use cluster::engine::Engine;
use cluster::runtime::{Cluster, Options};
use cluster::types::{Config, NodeId};
use cluster::wire::faults::HealOrder;

use crate::support::{Up, await_that};
use crate::tale::{in_force, logged};

#[test]
fn a_fault_ends_by_itself_when_its_time_is_over_though_the_command_is_gone() {
    let up = Up::start(&[]);
    let said = up.says(&["cut", "node-2", "node-3", "--for", "300ms"]);
    assert!(
        said.contains("undo:   cluster heal cut-1; by itself in 300ms"),
        "{said}"
    );
    up.says(&["pause", "node-3", "--for", "300ms"]);
    await_that("all is over", || in_force(&up).is_empty());
    assert!(logged(&up, "✓ cut-1 is undone: its time is over"));
    await_that("it goes on", || up.says(&["status"]).contains("3 of 3 up"));
}

#[test]
fn each_fault_has_a_name_of_its_own_by_which_it_alone_is_undone() {
    let up = Up::start(&[]);
    assert_eq!(up.says(&["faults"]), "no fault is in force");
    assert_eq!(up.says(&["heal"]), "no fault was in force");
    up.says(&["link", "node-1", "node-2", "--delay", "5ms"]);
    up.says(&["link", "node-1", "node-2", "--delay", "5ms"]);
    up.says(&["link", "all", "--loss", "1%", "--for", "1h"]);
    assert_eq!(in_force(&up), ["delay-1", "delay-2", "loss-1"]);
    let table = up.says(&["faults"]);
    for part in [
        "node-1 ↔ node-2: 5ms late",
        "all → all: 1 % lost",
        "cluster link",
        "1h ",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    up.says(&["heal", "delay-1"]);
    assert_eq!(in_force(&up), ["delay-2", "loss-1"]);
    // No name is given twice.
    up.says(&["link", "node-1", "node-2", "--delay", "5ms"]);
    assert_eq!(in_force(&up), ["delay-2", "loss-1", "delay-3"]);
    up.says(&["heal"]);
    assert!(in_force(&up).is_empty());
}

#[test]
fn healing_leaves_the_dead_dead() {
    let up = Up::start(&[]);
    up.says(&["kill", "node-3"]);
    up.says(&["isolate", "node-2"]);
    up.run(&["heal", "--wait"]).assert().success();
    assert!(up.says(&["status"]).contains("2 of 3 up"));
}

#[test]
fn roles_are_resolved_when_the_fault_is_set_and_the_answer_says_who_it_was() {
    let up = Up::start(&["--nodes", "5"]);
    let set = up.json(&["isolate", "minority", "leader", "--json"]);
    let roles = set["set"][0]["roles"].as_array().expect("roles").clone();
    let nodes = |role: &str| {
        let mut roles = roles.iter().filter(|meant| meant["role"] == role);
        roles.next().expect("the role")["nodes"].clone()
    };
    assert_eq!(nodes("leader").to_string(), "[\"node-1\"]");
    let minority = nodes("minority");
    let minority = minority.as_array().expect("nodes");
    assert!(minority.len() == 2 && !minority.contains(&"node-1".into()));
    for (role, count) in [("follower", 1), ("random", 1), ("majority", 3), ("all", 5)] {
        let set = up.json(&["client", role, "--delay", "1ms", "--json"]);
        assert_eq!(set["set"].as_array().map(Vec::len), Some(count), "{role}");
    }
}

#[test]
fn whoever_watches_sees_faults_come_and_go() {
    let up = Up::start(&[]);
    up.says(&["cut", "node-1", "node-2"]);
    up.says(&["heal"]);
    let events = up.says(&["logs", "--json"]);
    for part in [
        r#""event":"fault-set","name":"cut-1","what":"node-1 ↔ node-2: cut""#,
        r#""event":"fault-undone","name":"cut-1""#,
        r#""by":"cluster heal""#,
    ] {
        assert!(events.contains(part), "{part}: {events}");
    }
    await_that("up says so", || up.printed().contains("✓ cut-1 is undone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn healing_everything_heals_what_no_name_stands_for() {
    let config = Config::new(NodeId::nth(1), Vec::new());
    let options = Options {
        name: "nameless".to_owned(),
        nodes: Some(2),
        data_dir: None,
        host: [127, 0, 0, 1].into(),
        port: 0,
        mode: config.mode,
        safeguards: config.safeguards,
        write_timeout: config.write_timeout,
        snapshot_every: None,
        heartbeat: config.heartbeat,
        election_timeout: config.election_timeout,
        max_value: 1 << 20,
        course: false,
        lang: "en".to_owned(),
        tap: None,
    };
    let cluster = Cluster::boot(options).await.expect("a cluster");
    let (one, other) = (NodeId::nth(1), NodeId::nth(2));
    cluster.change_faults(|faults| faults.cut(&one, &other));
    let named = HealOrder {
        names: Some(Vec::new()),
        ..HealOrder::default()
    };
    cluster.heal(named).await.expect("to heal nothing");
    cluster.change_faults(|faults| assert!(faults.is_cut(&one, &other)));
    let healed = cluster.heal(HealOrder::default()).await.expect("to heal");
    assert!(healed.undone.is_empty());
    cluster.change_faults(|faults| assert!(faults.is_empty()));
    cluster.stop().await;
}
