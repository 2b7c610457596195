//! What the docs of a mode admit is found, and told in a few events.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cluster::sim::{Expect, SHORT, Shrunk, draw, run, shrink};
use cluster::views::story::{Tone, story, tell};

use crate::support::{mode, moments_of, options};

/// Finds it within 200 seeds, and shrinks it to at most twelve events, none of which can go.
fn is_found(name: &str, expect: Expect, invariant: &str) {
    let options = options(mode(name), 8, expect);
    let fails = |seed: &u64| {
        let plan = Arc::new(draw(&options, *seed));
        run(&plan, None)
            .violation
            .is_some_and(|violation| violation.invariant == invariant)
    };
    let seed = (0..200).find(fails);
    let seed = seed.unwrap_or_else(|| panic!("{name}: {invariant} was kept in 200 seeds"));
    let plan = Arc::new(draw(&options, seed));
    let shrunk = shrink(&plan, SHORT, &AtomicBool::new(false)).expect("it fails");
    assert_eq!(shrunk.violation.invariant, invariant, "{name}");
    assert!(
        shrunk.events() <= 12,
        "{name}, seed {seed}: {} events",
        shrunk.events()
    );
    let again = run(&shrunk.plan, None).violation;
    assert_eq!(
        again.as_ref(),
        Some(&shrunk.violation),
        "{name}: what is shrunk is a run of its own"
    );
    for at in 0..shrunk.plan.steps.len() {
        let mut less = (*shrunk.plan).clone();
        less.steps.remove(at);
        let found = run(&Arc::new(less), None).violation;
        let still = found.is_some_and(|violation| violation.invariant == invariant);
        assert!(!still, "{name}, seed {seed}: step {at} can go");
    }
    is_told(&shrunk);
}

/// Its story ends with what is broken, names the key and a node that it is about, and is the same each time.
fn is_told(shrunk: &Shrunk) {
    let (plan, violation) = (&shrunk.plan, &shrunk.violation);
    let moments = moments_of(plan);
    let told = tell(plan, &moments);
    assert_eq!(told, tell(plan, &moments_of(plan)));
    let broken: Vec<&str> = told
        .iter()
        .filter(|sentence| sentence.tone == Tone::Broken)
        .map(|sentence| sentence.text.as_str())
        .collect();
    let whole = story(plan, &moments).join("\n");
    let [what, why] = broken[..] else {
        panic!("{} sentences tell what is broken:\n{whole}", broken.len());
    };
    assert!(what.contains(violation.invariant), "{whole}");
    assert!(why.contains("does not promise that"), "{whole}");
    let key = violation.what.split([' ', ':']).find(|word| {
        let number = word.strip_prefix('k');
        number.is_some_and(|number| number.parse::<u16>().is_ok())
    });
    if let Some(key) = key {
        assert!(what.contains(key), "{key} is not named:\n{whole}");
        let of_it = told.iter().filter(|sentence| sentence.text.contains(key));
        let mut of_it = of_it.map(|sentence| sentence.text.as_str());
        assert!(
            of_it.any(|text| text.contains(" acknowledges it: ") || text.contains(" acknowledges k")),
            "nobody acknowledges {key}:\n{whole}"
        );
    }
    // What clients saw is told of clients, all else of nodes.
    let is_seen = matches!(
        violation.invariant,
        "linearizability" | "sequential consistency"
    );
    let whose = if is_seen { "client " } else { "node-" };
    assert!(what.contains(whose), "{whose} is not named:\n{whole}");
    // Whatever happens again and again is told once.
    assert!(told.len() <= 48, "{} sentences:\n{whole}", told.len());
    assert!(told.is_sorted_by_key(|sentence| sentence.at));
}

#[test]
fn lowest_id_async_loses_what_it_acknowledged() {
    is_found(
        "lowest-id + async",
        Expect::NoLostAcks,
        "nothing acknowledged is missing",
    );
}

#[test]
fn lowest_id_async_reads_what_is_old() {
    is_found("lowest-id + async", Expect::Linearizable, "linearizability");
}

#[test]
fn lowest_id_async_reads_what_no_order_explains_even_if_time_does_not_count() {
    let invariant = "sequential consistency";
    is_found("lowest-id + async", Expect::Sequential, invariant);
}

#[test]
fn lowest_id_has_two_leaders() {
    is_found("lowest-id + async", Expect::OneLeader, "one leader");
}

#[test]
fn lowest_id_quorum_loses_what_a_majority_held() {
    is_found(
        "lowest-id + quorum",
        Expect::NoLostAcks,
        "nothing acknowledged is missing",
    );
}

#[test]
fn bully_loses_what_it_acknowledged() {
    is_found(
        "bully + async",
        Expect::NoLostAcks,
        "nothing acknowledged is missing",
    );
    is_found(
        "bully + quorum",
        Expect::NoLostAcks,
        "nothing acknowledged is missing",
    );
}

#[test]
fn raft_async_loses_what_it_acknowledged() {
    is_found(
        "raft + async",
        Expect::NoLostAcks,
        "nothing acknowledged is missing",
    );
}

#[test]
fn sync_stops_for_one_dead_node() {
    is_found("raft + sync", Expect::Available, "availability");
}
