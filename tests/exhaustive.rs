//! The exhaustive search: what it proves of the protocol in small bounds, that it finds what is wrong, and that what it leaves
//! out is nothing.

use std::ops::ControlFlow;

use cluster::sim::exhaustive::{Bounds, End, Explored, Flaw, Invariant, explore};
use cluster::types::{Election, Mode, Replication};

fn search(bounds: &Bounds) -> Explored {
    assert_eq!(bounds.problem(), None);
    explore(bounds, &mut |_| ControlFlow::Continue(()))
}

fn mode(election: Election, replication: Replication) -> Mode {
    Mode {
        election,
        replication,
    }
}

/// Three nodes of raft, of which so much may happen.
fn raft(timeouts: u32, crashes: u32, writes: u32) -> Bounds {
    Bounds {
        timeouts,
        crashes,
        writes,
        ..Bounds::default()
    }
}

/// No violation, and nothing left out.
fn proved(bounds: &Bounds) -> Explored {
    let found = search(bounds);
    assert_eq!(found.violation, None, "{bounds:?}");
    assert_eq!(found.end, End::Exhausted, "{bounds:?}");
    found
}

#[test]
fn raft_keeps_its_promises_whatever_happens_in_two_elections() {
    let found = proved(&raft(2, 0, 0));
    assert!(found.buried && found.states > 5_000, "{found:?}");
}

#[test]
fn raft_keeps_its_promises_whatever_happens_to_a_write_and_a_node_that_crashes() {
    let found = proved(&raft(1, 1, 1));
    assert!(found.states > 10_000, "{found:?}");
}

#[test]
fn two_nodes_of_raft_keep_their_promises_through_heartbeats_crashes_and_doubled_messages() {
    proved(&Bounds {
        nodes: 2,
        heartbeats: 1,
        duplicates: Some(1),
        ..raft(1, 1, 1)
    });
}

#[test]
fn raft_without_its_safeguards_is_as_safe() {
    let mut bounds = raft(2, 0, 0);
    bounds.safeguards.pre_vote = false;
    bounds.safeguards.check_quorum = false;
    proved(&bounds);
}

#[test]
fn states_that_differ_only_in_who_is_who_count_as_one_and_stand_for_all_of_them() {
    let reduced = proved(&raft(1, 1, 0));
    let full = proved(&Bounds {
        symmetry: false,
        ..raft(1, 1, 0)
    });
    assert_eq!(reduced.represented, full.states);
    assert_eq!(full.represented, full.states);
    assert_eq!(reduced.depth, full.depth);
    assert!(reduced.states * 5 < full.states, "{reduced:?} {full:?}");
}

#[test]
fn leaving_dead_letters_on_the_wire_brings_the_nodes_nowhere_else() {
    let buried = proved(&raft(1, 0, 1));
    let kept = proved(&Bounds {
        bury: false,
        ..raft(1, 0, 1)
    });
    assert!(buried.buried && !kept.buried);
    assert_eq!(buried.configurations, kept.configurations);
    assert!(buried.states * 10 < kept.states, "{buried:?} {kept:?}");
}

#[test]
fn taking_messages_off_the_wire_brings_the_nodes_nowhere_that_leaving_them_there_does_not() {
    let bounds = raft(1, 1, 0);
    let without = proved(&bounds);
    let lossy = proved(&Bounds {
        losses: 2,
        ..bounds
    });
    assert_eq!(without.configurations, lossy.configurations);
    assert!(lossy.states > without.states);
}

#[test]
fn messages_that_arrive_any_number_of_times_do_no_harm() {
    let bounds = Bounds {
        nodes: 2,
        duplicates: None,
        ..raft(2, 0, 1)
    };
    let often = proved(&bounds);
    let once = proved(&Bounds {
        duplicates: Some(0),
        ..bounds
    });
    assert!(often.configurations >= once.configurations);
}

#[test]
fn a_vote_that_is_forgotten_on_a_crash_elects_two_leaders_by_the_shortest_way_there_is() {
    let bounds = Bounds {
        flaw: Some(Flaw::ForgetsVote),
        invariants: vec![Invariant::ElectionSafety],
        ..raft(2, 1, 0)
    };
    let found = search(&bounds);
    let violation = found.violation.expect("two leaders");
    assert_eq!(violation.invariant, Invariant::ElectionSafety);
    assert!(
        violation.why.contains("both led term 1"),
        "{}",
        violation.why
    );
    let steps = violation.steps;
    assert_eq!(steps.len(), 11, "{steps:#?}");
    let crashes = steps.iter().filter(|step| step.contains("crashes")).count();
    let leaders = steps
        .iter()
        .filter(|step| step.contains("leads term 1"))
        .count();
    assert_eq!((crashes, leaders), (1, 2), "{steps:#?}");
    let shorter = search(&Bounds {
        depth: Some(steps.len() as u32 - 1),
        ..bounds.clone()
    });
    assert_eq!((shorter.violation, shorter.end), (None, End::Depth));
    let intact = search(&Bounds {
        flaw: None,
        depth: Some(steps.len() as u32),
        ..bounds
    });
    assert_eq!(intact.violation, None);
}

#[test]
fn an_entry_that_is_acknowledged_before_it_is_synced_makes_a_leader_that_lacks_what_was_committed()
{
    let found = search(&Bounds {
        flaw: Some(Flaw::ForgetsEntry),
        invariants: vec![Invariant::LeaderCompleteness],
        ..raft(2, 1, 0)
    });
    let violation = found.violation.expect("a committed entry is lost");
    assert_eq!(violation.invariant, Invariant::LeaderCompleteness);
    assert!(
        violation.why.contains("leads term 2 without entry 1@1"),
        "{}",
        violation.why
    );
}

#[test]
fn two_lowest_ids_lead_one_term_where_nobody_promised_otherwise() {
    let lowest_id = Bounds::of(mode(Election::LowestId, Replication::Quorum));
    let bounds = Bounds {
        timeouts: 3,
        crashes: 0,
        writes: 0,
        ..lowest_id
    };
    proved(&bounds);
    let found = search(&Bounds {
        invariants: Invariant::ALL.to_vec(),
        ..bounds
    });
    let violation = found.violation.expect("two leaders");
    assert_eq!(violation.invariant, Invariant::ElectionSafety);
    assert_eq!(violation.why, "node-1 and node-2 both led term 1");
    assert_eq!(
        violation.steps,
        [
            "node-1 hears nothing for an election timeout: it leads term 1 and sends node-2 and node-3 heartbeat of term 1",
            "node-2 hears nothing for an election timeout: it sends node-1 question whether it lives",
            "node-2 hears nothing for an election timeout: it leads term 1 and sends node-1 and node-3 heartbeat of term 1",
        ]
    );
}

#[test]
fn every_other_pair_keeps_the_promises_it_makes() {
    for election in [Election::LowestId, Election::Bully, Election::Raft] {
        for replication in [Replication::Async, Replication::Quorum, Replication::Sync] {
            proved(&Bounds {
                nodes: 2,
                ..Bounds::of(mode(election, replication))
            });
        }
    }
}

#[test]
fn a_search_ends_where_it_is_told_to_and_says_that_it_is_not_done() {
    let bounds = raft(2, 1, 1);
    let shallow = search(&Bounds {
        depth: Some(3),
        ..bounds.clone()
    });
    assert_eq!((shallow.depth, shallow.end), (3, End::Depth));
    let small = search(&Bounds {
        most_states: 500,
        ..bounds.clone()
    });
    assert!(small.states >= 500 && small.end == End::Full);
    let stopped = explore(&bounds, &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.end, End::Stopped);
}

#[test]
fn the_same_search_finds_the_same() {
    let bounds = raft(1, 1, 0);
    assert_eq!(search(&bounds), search(&bounds));
}
