//! Links that carry nothing: what is written on one side does not reach the other.

use crate::support::Up;
use crate::tale::{await_held, holds, in_force, leader, status_of};

/// Writes at node-1, which leads: those named get it, and then the others still have not.
fn reaches_only(up: &Up, key: &str, those: &[usize], not: &[usize]) {
    up.says(&["put", key, "1", "--to", "node-1"]);
    for n in those {
        await_held(up, *n, key);
    }
    // Whoever hears node-1 has it by now, and a second one, sent after it, is there as well.
    let second = format!("{key}-again");
    up.says(&["put", &second, "1", "--to", "node-1"]);
    for n in those {
        await_held(up, *n, &second);
    }
    for n in not {
        assert!(!holds(up, *n, key), "node-{n} holds {key}");
    }
}

#[test]
fn a_partition_has_two_leaders_in_lowest_id_and_one_loses_its_writes() {
    let up = Up::start(&[]);
    let said = up.says(&["partition", "node-1", "/", "node-2,node-3", "--wait"]);
    assert!(
        said.starts_with("partition-1: node-1 / node-2, node-3:")
            && said.ends_with("node-1 leads term 1, node-2 leads term 2"),
        "{said}"
    );
    up.says(&["put", "here", "1", "--to", "node-1"]);
    up.says(&["put", "there", "2", "--to", "node-2"]);
    let shown = up.says(&["status", "--links"]);
    assert!(
        shown.contains("⚡ partition-1") && shown.contains('✗'),
        "{shown}"
    );
    let healed = up.says(&["heal", "--wait"]);
    assert!(healed.ends_with("node-2 leads term 2"), "{healed}");
    let shown = up.says(&["status"]);
    assert!(
        shown.contains("✗ lost: 1 acknowledged write: here"),
        "{shown}"
    );
    assert!(!shown.contains('⚡'), "{shown}");
}

#[test]
fn a_partition_may_have_any_number_of_groups_and_the_unnamed_form_one_more() {
    let up = Up::start(&["--nodes", "5"]);
    up.says(&["partition", "node-1,node-4", "/", "node-3"]);
    reaches_only(&up, "k", &[4], &[2, 3, 5]);
    let list = up.json(&["faults", "--json"]);
    let groups = &list["faults"][0]["groups"];
    let expected = r#"[["node-1","node-4"],["node-3"],["node-2","node-5"]]"#;
    assert_eq!(groups.to_string(), expected);
}

#[test]
fn in_raft_the_minority_cannot_write_and_the_majority_can() {
    let up = Up::start(&["--raft"]);
    let said = up.says(&["partition", "--isolate-leader", "--wait"]);
    assert!(said.contains("leader means node-"), "{said}");
    let old = said.split("isolate-1: node-").nth(1).expect("whom");
    let old: usize = old[..1].parse().expect("a number");
    assert_ne!(leader(&up), old);
    up.says(&["put", "k", "new"]);
    assert!(!holds(&up, old, "k"));
    // It is cut off from its peers, and clients still reach it.
    assert_ne!(status_of(&up, old)["role"], "leader");
    up.run(&["heal", "--wait"]).assert().success();
    await_held(&up, old, "k");
}

#[test]
fn a_one_way_partition_loses_only_what_the_first_group_says() {
    let up = Up::start(&["--replication", "sync", "--write-timeout", "500ms"]);
    // What node-2 answers is lost, what it hears is not: it has the value, and nobody knows.
    up.says(&["partition", "node-2", "/", "node-1,node-3", "--one-way"]);
    let put = up
        .run(&["put", "k", "1", "--to", "node-1"])
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&put.get_output().stderr).into_owned();
    assert!(said.contains("missing: node-2"), "{said}");
    await_held(&up, 2, "k");
}

#[test]
fn a_random_partition_splits_off_the_smaller_half() {
    let up = Up::start(&["--nodes", "5"]);
    let set = up.json(&["partition", "--random", "--json"]);
    let groups = set["set"][0]["groups"].as_array().expect("groups").clone();
    let sizes: Vec<usize> = groups
        .iter()
        .map(|group| group.as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sizes, [2, 3]);
    let side = |n: usize| {
        let name = format!("node-{n}");
        groups
            .iter()
            .position(|group| group.to_string().contains(&name))
    };
    let near: Vec<usize> = (2..=5).filter(|n| side(*n) == side(1)).collect();
    let far: Vec<usize> = (2..=5).filter(|n| side(*n) != side(1)).collect();
    reaches_only(&up, "k", &near, &far);
}

#[test]
fn two_halves_meet_in_a_bridge() {
    let up = Up::start(&["--nodes", "5"]);
    up.says(&["partition", "--bridge", "node-3"]);
    reaches_only(&up, "k", &[2, 3], &[4, 5]);
    up.run(&["heal", "--wait"]).assert().success();
}

#[test]
fn in_a_ring_each_reaches_only_its_neighbours() {
    let up = Up::start(&["--nodes", "5"]);
    up.says(&["partition", "--ring"]);
    reaches_only(&up, "k", &[2, 5], &[3, 4]);
    up.run(&["heal", "--wait"]).assert().success();
}

#[test]
fn an_isolated_node_hears_nobody_not_even_another_isolated_one() {
    let up = Up::start(&["--nodes", "4"]);
    up.says(&["isolate", "node-3", "node-4"]);
    reaches_only(&up, "k", &[2], &[3, 4]);
    let matrix = up.says(&["status", "--links"]);
    let row = |n: usize| {
        let name = format!(" node-{n} ");
        let mut rows = matrix.lines().rev().filter(|line| line.starts_with(&name));
        rows.next().expect("a row").matches('✗').count()
    };
    assert_eq!([row(1), row(2), row(3), row(4)], [2, 2, 3, 3], "{matrix}");
}

#[test]
fn a_deaf_leader_steps_down_in_raft_though_all_hear_it() {
    let up = Up::start(&["--raft"]);
    let old = leader(&up);
    let said = up.says(&["isolate", "leader", "--deaf", "--wait"]);
    assert!(said.contains("deaf"), "{said}");
    assert_ne!(status_of(&up, old)["role"], "leader");
    let log = up.says(&["logs"]);
    assert!(log.contains("it hears 1 of 3 voters, no majority"), "{log}");
}

#[test]
fn a_mute_leader_is_replaced_and_hears_of_it() {
    let up = Up::start(&["--raft"]);
    let old = leader(&up);
    up.says(&["isolate", "leader", "--mute", "--wait"]);
    let new = leader(&up);
    assert_ne!(new, old);
    // What it hears is not lost: it obeys, though nobody hears it answer.
    assert_eq!(status_of(&up, old)["leaderId"], format!("node-{new}"));
}

#[test]
fn a_cut_link_carries_nothing_and_the_others_all() {
    let up = Up::start(&[]);
    up.says(&["cut", "node-1", "node-2"]);
    reaches_only(&up, "k", &[3], &[2]);
    up.says(&["cut", "node-1", "node-3", "--one-way"]);
    assert_eq!(in_force(&up), ["cut-1", "cut-2"]);
    // By two names both are healed, whichever way was cut; the other is not.
    let said = up.says(&["heal", "node-2", "node-1"]);
    assert!(said.starts_with("cut-1 is undone"), "{said}");
    assert_eq!(in_force(&up), ["cut-2"]);
    await_held(&up, 2, "k");
}

#[test]
fn of_a_partition_one_link_can_be_healed_alone() {
    let up = Up::start(&[]);
    up.says(&["partition", "node-1"]);
    let said = up.says(&["heal", "node-1", "node-3"]);
    assert!(said.contains("partition-1 is eased"), "{said}");
    reaches_only(&up, "k", &[3], &[2]);
    assert_eq!(in_force(&up), ["partition-1"]);
}

#[test]
fn names_without_a_slash_are_one_group_and_the_answer_says_how_to_part_them() {
    let up = Up::start(&[]);
    let said = up.says(&["partition", "node-2", "node-3"]);
    assert!(
        said.starts_with("partition-1: node-2, node-3 / node-1:"),
        "{said}"
    );
    let note = "node-2 and node-3 are one group, against the rest; to part them from each other: \
                cluster partition node-2 / node-3";
    assert!(said.contains(note), "{said}");
    let said = up.says(&["partition", "node-2", "/", "node-3"]);
    assert!(!said.contains("one group"), "{said}");
}

/// A raft of `nodes` that node-1 leads.
fn led_by_node_1(nodes: &str) -> Up {
    let up = Up::start(&["--raft", "--nodes", nodes]);
    up.says(&["transfer", "node-1"]);
    up
}

/// Whether a link of the only fault in force is cut.
fn is_cut(up: &Up, from: usize, to: usize) -> bool {
    let list = up.json(&["faults", "--json"]);
    let links = list["faults"][0]["links"].as_array().expect("links");
    links
        .iter()
        .any(|link| link["from"] == format!("node-{from}") && link["to"] == format!("node-{to}"))
}

#[test]
fn a_node_that_joins_during_a_partition_is_on_the_side_of_those_that_are_not_named() {
    for command in [&["partition", "node-3"][..], &["isolate", "node-3"]] {
        let up = led_by_node_1("3");
        up.says(command);
        up.says(&["add"]);
        let shown = up.says(&["faults"]);
        assert!(
            is_cut(&up, 3, 4) && is_cut(&up, 4, 3) && !is_cut(&up, 4, 1),
            "{shown}"
        );
        // What the newcomer says as leader does not reach the other side.
        up.says(&["transfer", "node-4"]);
        up.says(&["put", "k", "1"]);
        await_held(&up, 2, "k");
        assert!(!holds(&up, 3, "k"));
        assert_ne!(status_of(&up, 3)["leaderId"], "node-4");
        up.run(&["heal", "--wait"]).assert().success();
        await_held(&up, 3, "k");
    }
}

#[test]
fn the_groups_of_a_partition_show_who_joined_and_of_one_link_that_was_healed_it_stays_so() {
    let up = led_by_node_1("3");
    up.says(&["partition", "node-3"]);
    up.says(&["heal", "node-2", "node-3"]);
    up.says(&["add"]);
    let list = up.json(&["faults", "--json"]);
    let groups = list["faults"][0]["groups"].to_string();
    assert_eq!(groups, r#"[["node-3"],["node-1","node-2","node-4"]]"#);
    let what = list["faults"][0]["what"].as_str().expect("words");
    assert_eq!(
        what,
        "node-3 / node-1, node-2, node-4: they do not hear each other, but not between node-2 and node-3"
    );
    assert!(!is_cut(&up, 2, 3) && is_cut(&up, 4, 3));
    // Who goes takes what was said of it along: nobody is cut off any more.
    up.says(&["remove", "node-3"]);
    assert!(in_force(&up).is_empty());
}

#[test]
fn a_node_that_joins_has_its_place_in_a_bridge_and_in_a_ring() {
    let up = led_by_node_1("5");
    up.says(&["transfer", "node-3"]);
    up.says(&["partition", "--bridge", "node-3"]);
    up.says(&["add"]);
    assert!(is_cut(&up, 6, 1) && is_cut(&up, 2, 6) && is_cut(&up, 1, 5));
    assert!(!is_cut(&up, 6, 3) && !is_cut(&up, 6, 4) && !is_cut(&up, 5, 6));
    up.run(&["heal", "--wait"]).assert().success();
    let up = led_by_node_1("4");
    up.says(&["partition", "--ring"]);
    up.says(&["add"]);
    // The newcomer stands between the last and the first, who hear each other as before.
    assert!(!is_cut(&up, 5, 4) && !is_cut(&up, 5, 1) && !is_cut(&up, 1, 4));
    assert!(is_cut(&up, 5, 2) && is_cut(&up, 3, 5));
}

#[test]
fn a_cut_to_a_node_that_goes_is_gone_with_it() {
    let up = led_by_node_1("3");
    up.says(&["add"]);
    up.says(&["cut", "node-2", "node-4"]);
    up.says(&["link", "node-1", "node-2", "--delay", "1ms"]);
    assert_eq!(in_force(&up), ["cut-1", "delay-1"]);
    up.says(&["remove", "node-4"]);
    assert_eq!(in_force(&up), ["delay-1"]);
}
