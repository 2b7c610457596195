//! Stories, word for word: `told/CLAIM.txt` is what is said of the run of the test of that name. `UPDATE_STORIES=1 cargo
//! test` writes them anew, to be read before they are committed.

use std::path::Path;

use cluster::sim::plan::{Harm, Plan, Reading, Step, Who};
use cluster::sim::{Expect, What};
use cluster::types::Mode;
use cluster::views::story::{Tone, story, tell};

use crate::plans::{BULLY_QUORUM, HEALED, LOWEST_ASYNC, With, drawn, lost, modes, play, quiet};

/// Compares what is told of a plan with the file of that name.
fn is_told(name: &str, plan: &Plan) {
    let told = story(plan, &play(plan)).join("\n") + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/story/told/{name}.txt"));
    if std::env::var_os("UPDATE_STORIES").is_some() {
        std::fs::write(&file, &told).expect("a writable story");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(told, expected, "{name} is told differently:\n{told}");
}

/// A leader that is cut off acknowledges a write, and dies with it.
fn a_lost_write() -> Plan {
    let plan = quiet(LOWEST_ASYNC, 3, 900)
        .isolate(100, 1, 0)
        .put(120, 0, 0)
        .kill(150, 2, 0)
        .lift(800, 1)
        .lift(850, 2);
    Plan {
        expect: Expect::NoLostAcks,
        finale: HEALED,
        ..plan
    }
}

#[test]
fn the_story_of_a_lost_write_names_who_held_it() {
    is_told(
        "the_story_of_a_lost_write_names_who_held_it",
        &a_lost_write(),
    );
}

#[test]
fn a_read_that_misses_a_write_is_told_when_that_was_acknowledged() {
    let plan = quiet(LOWEST_ASYNC, 3, 900)
        .isolate(100, 1, 0)
        .put(120, 0, 0)
        .read(700, 1, 0, Reading::Local(2))
        .read(800, 1, 0, Reading::Leader);
    let plan = Plan {
        expect: Expect::Linearizable,
        ..plan
    };
    is_told(
        "a_read_that_misses_a_write_is_told_when_that_was_acknowledged",
        &plan,
    );
}

#[test]
fn a_raft_leader_that_is_deposed_gives_up_what_nobody_was_promised() {
    let plan = quiet(Mode::RAFT, 3, 2000)
        .put(50, 0, 0)
        .isolate(100, 1, 0)
        .put(120, 0, 0)
        .put(1000, 1, 1)
        .lift(1500, 1);
    is_told(
        "a_raft_leader_that_is_deposed_gives_up_what_nobody_was_promised",
        &plan,
    );
}

#[test]
fn the_highest_id_takes_over_once_it_has_what_a_majority_held() {
    let plan = quiet(BULLY_QUORUM, 3, 1800)
        .isolate(100, 1, 2)
        .put(800, 0, 0)
        .lift(1000, 1);
    let plan = Plan {
        expect: Expect::NoLostAcks,
        finale: HEALED,
        ..plan
    };
    is_told(
        "the_highest_id_takes_over_once_it_has_what_a_majority_held",
        &plan,
    );
}

#[test]
fn a_disk_that_is_lost_is_told_with_what_nobody_else_has() {
    let crash = Harm::Crash {
        who: Who::Node(0),
        power: true,
        writing: false,
        damaged: true,
    };
    let plan = quiet(LOWEST_ASYNC, 5, 1500)
        .isolate(100, 1, 0)
        .put(120, 0, 0)
        .with(
            150,
            Step::Fault {
                number: 2,
                harm: crash,
            },
        )
        .lift(800, 1)
        .lift(900, 2)
        .read(1400, 1, 0, Reading::Leader);
    let plan = Plan {
        expect: Expect::Linearizable,
        ..plan
    };
    is_told(
        "a_disk_that_is_lost_is_told_with_what_nobody_else_has",
        &plan,
    );
}

#[test]
fn what_happens_again_and_again_is_told_once() {
    let plan = quiet(Mode::RAFT, 3, 6000)
        .put(50, 0, 0)
        .kill(100, 1, 1)
        .kill(110, 2, 2)
        .put(200, 1, 0);
    is_told("what_happens_again_and_again_is_told_once", &plan);
    let standing = play(&plan)
        .iter()
        .filter(|moment| matches!(moment.what, What::Reported(_)))
        .count();
    assert!(standing > 10, "it stands but {standing} times");
}

#[test]
fn a_network_that_splits_has_two_leaders_and_both_are_named() {
    let split = Harm::Partition(vec![vec![0, 1]]);
    let plan = quiet(LOWEST_ASYNC, 5, 2000)
        .with(
            100,
            Step::Fault {
                number: 1,
                harm: split,
            },
        )
        .put(150, 0, 0);
    let plan = Plan {
        expect: Expect::OneLeader,
        ..plan
    };
    is_told(
        "a_network_that_splits_has_two_leaders_and_both_are_named",
        &plan,
    );
}

#[test]
fn a_single_message_that_is_lost_is_told_with_what_it_carried() {
    let plan = quiet(Mode::RAFT, 3, 300).put(100, 0, 0);
    let moments = play(&plan);
    let carries = |moment: &cluster::sim::Moment| match &moment.what {
        What::Sent {
            to: 2,
            nth,
            message,
            ..
        } => format!("{message:?}").contains("Put").then_some(*nth),
        _ => None,
    };
    let nth = moments
        .iter()
        .find_map(carries)
        .expect("a copy is sent to node-3");
    let plan = Plan {
        fates: Some(vec![lost(0, 2, nth)]),
        ..plan
    };
    is_told(
        "a_single_message_that_is_lost_is_told_with_what_it_carried",
        &plan,
    );
}

#[test]
fn a_member_that_is_removed_is_told_to_be_ended() {
    let plan = quiet(Mode::RAFT, 5, 1000).put(50, 0, 0).remove(200, 0);
    is_told("a_member_that_is_removed_is_told_to_be_ended", &plan);
}

#[test]
fn every_run_can_be_told_in_order_and_ends_with_what_is_broken() {
    let mut broken = 0;
    for (mode, seed) in modes().flat_map(|mode| [0, 1].map(|seed| (mode, seed))) {
        let plan = Plan {
            expect: Expect::NoLostAcks,
            ..drawn(mode, seed, 8)
        };
        let moments = play(&plan);
        let told = tell(&plan, &moments);
        assert!(
            told.is_sorted_by_key(|sentence| sentence.at),
            "{mode}, seed {seed}"
        );
        assert_eq!(told[0].tone, Tone::Setting);
        assert!(
            told.iter()
                .all(|sentence| moments[sentence.moment].at == sentence.at)
        );
        let is_broken = moments
            .iter()
            .any(|moment| matches!(moment.what, What::Violated { .. }));
        let last = told.last().expect("a sentence");
        assert_eq!(
            last.tone == Tone::Broken,
            is_broken,
            "{mode}, seed {seed}: {}",
            last.text
        );
        broken += usize::from(is_broken);
    }
    assert!(broken > 3, "only {broken} of these break anything");
}
