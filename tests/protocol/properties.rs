//! Any interleaving of messages, deaths, pauses, cuts and revivals ends, after quiet, with one leader and equal stores;
//! and what was acknowledged and is gone was reported lost. The seed is fixed, so a run is as good as the one before.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::event::Event;
use cluster::protocol::log::Log;
use cluster::protocol::{Change, Reply};
use cluster::types::{EntryId, NodeId, Role};
use cluster::value::{Key, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, RngSeed};

use crate::world::World;

const NODES: usize = 4;

#[derive(Debug, Clone)]
enum Op {
    Put(usize, u8),
    Delete(usize, u8),
    Advance(u64),
    Kill(usize),
    Revive(usize),
    Pause(usize),
    Resume(usize),
    Cut(usize, usize),
    Heal,
    Hold,
    Release,
    /// Deliver, drop or double the n-th message on the wire.
    Deliver(usize),
    Drop(usize),
    Double(usize),
}

/// A write that a leader acknowledged.
struct Acknowledged {
    key: Key,
    entry: EntryId,
}

fn any_op(deletes: bool) -> impl Strategy<Value = Op> {
    let node = 1..=NODES;
    let write = (node.clone(), 0..6u8);
    let delete = write.clone().prop_map(move |(n, k)| match deletes {
        true => Op::Delete(n, k),
        false => Op::Put(n, k),
    });
    prop_oneof![
        6 => write.prop_map(|(n, k)| Op::Put(n, k)),
        2 => delete,
        6 => (1..400u64).prop_map(Op::Advance),
        2 => node.clone().prop_map(Op::Kill),
        3 => node.clone().prop_map(Op::Revive),
        1 => node.clone().prop_map(Op::Pause),
        2 => node.clone().prop_map(Op::Resume),
        2 => (node.clone(), node).prop_map(|(a, b)| Op::Cut(a, b)),
        1 => Just(Op::Heal),
        1 => Just(Op::Hold),
        1 => Just(Op::Release),
        2 => (0..20usize).prop_map(Op::Deliver),
        1 => (0..20usize).prop_map(Op::Drop),
        1 => (0..20usize).prop_map(Op::Double),
    ]
}

fn runs(cases: u32) -> Runs {
    Runs {
        cases,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Runs::default()
    }
}

/// Plays `ops` and returns what was acknowledged. Small logs, so that snapshots are taken too.
fn play(world: &mut World, ops: &[Op]) -> Vec<Acknowledged> {
    world.start_all();
    world.advance(Duration::from_millis(60));
    let mut acknowledged = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        match op {
            Op::Put(n, k) => {
                let change = Change::Put(Value::string(&at.to_string()));
                acknowledged.extend(write(world, *n, *k, change));
            }
            Op::Delete(n, k) => drop(write(world, *n, *k, Change::Delete)),
            Op::Advance(ms) => world.advance(Duration::from_millis(*ms)),
            Op::Kill(n) => world.kill(&NodeId::nth(*n)),
            Op::Revive(n) => world.start(&NodeId::nth(*n), false),
            Op::Pause(n) => world.pause(&NodeId::nth(*n)),
            Op::Resume(n) => world.resume(&NodeId::nth(*n)),
            Op::Cut(a, b) => world.faults.cut(&NodeId::nth(*a), &NodeId::nth(*b)),
            Op::Heal => world.faults.heal(),
            Op::Hold => world.holding = true,
            Op::Release => world.holding = false,
            Op::Deliver(n) => {
                if let Some(envelope) = world.wire.remove(*n) {
                    world.deliver(envelope);
                }
            }
            Op::Drop(n) => drop(world.wire.remove(*n)),
            Op::Double(n) => {
                if let Some(envelope) = world.wire.get(*n).cloned() {
                    world.wire.push_back(envelope);
                }
            }
        }
    }
    acknowledged
}

fn write(world: &mut World, n: usize, k: u8, change: Change) -> Option<Acknowledged> {
    let (id, key) = (NodeId::nth(n), format!("k{k}"));
    let request = world.write(&id, &key, change);
    let done = world
        .replies
        .iter()
        .any(|(to, reply)| *to == request && matches!(reply, Reply::Done { .. }));
    let slot = world.members[&id].node.as_ref()?.store().get(&key)?.clone();
    done.then(|| Acknowledged {
        key: Key::new(&key),
        entry: slot.version.as_ref().clone(),
    })
}

/// Heals everything, revives everybody, and waits.
fn quiet(world: &mut World) {
    world.faults.heal();
    world.holding = false;
    for n in 1..=NODES {
        world.resume(&NodeId::nth(n));
        world.start(&NodeId::nth(n), false);
    }
    world.advance(Duration::from_secs(5));
}

/// Whether one node leads, everybody obeys it, and all hold the same.
fn is_agreed(world: &World) -> Result<(), TestCaseError> {
    let statuses: Vec<_> = world
        .alive()
        .map(|(_, node)| node.status(world.now))
        .collect();
    let leaders: Vec<_> = statuses
        .iter()
        .filter(|status| status.role == Role::Leader)
        .collect();
    prop_assert_eq!(leaders.len(), 1, "leaders: {:?}", leaders);
    for status in &statuses {
        prop_assert_eq!(status.leader.as_ref(), Some(&leaders[0].id));
        prop_assert_eq!(&status.last, &leaders[0].last);
    }
    let mut stores = world.alive().map(|(_, node)| node.store());
    let first = stores.next().expect("a node");
    prop_assert!(stores.all(|store| store == first), "stores differ");
    Ok(())
}

fn small_logs() -> World {
    World::new(NODES, |config| config.log_window = 4)
}

fn lost_keys(world: &World) -> BTreeSet<Key> {
    let losses = world.events.iter().filter_map(|(_, event)| match event {
        Event::Lost(loss) => Some(loss),
        _ => None,
    });
    losses
        .flat_map(|loss| loss.writes.iter().map(|write| write.key.clone()))
        .collect()
}

proptest! {
    #![proptest_config(runs(1500))]

    #[test]
    fn after_quiet_there_is_one_leader_and_all_stores_are_equal(ops in vec(any_op(true), 0..80)) {
        let mut world = small_logs();
        play(&mut world, &ops);
        quiet(&mut world);
        is_agreed(&world)?;
    }

    #[test]
    fn an_acknowledged_write_is_there_or_was_reported_lost(ops in vec(any_op(false), 0..80)) {
        let mut world = small_logs();
        let acknowledged = play(&mut world, &ops);
        quiet(&mut world);
        is_agreed(&world)?;
        let final_log = Log::recover(&world.members[&NodeId::nth(1)].disk.found());
        let lost = lost_keys(&world);
        for Acknowledged { key, entry } in &acknowledged {
            let is_there = final_log.contains(Some(entry));
            prop_assert!(is_there || lost.contains(key), "{:?} of {:?} vanished", entry, key);
        }
    }

    #[test]
    fn nothing_is_reported_lost_while_the_leader_lives_and_is_heard(
        ops in vec(prop_oneof![
            4 => (0..6u8).prop_map(|k| Op::Put(1, k)),
            1 => (0..6u8).prop_map(|k| Op::Delete(1, k)),
            2 => (1..400u64).prop_map(Op::Advance),
            2 => (2..=NODES).prop_map(Op::Kill),
            2 => (2..=NODES).prop_map(Op::Revive),
        ], 0..80)
    ) {
        let mut world = small_logs();
        play(&mut world, &ops);
        quiet(&mut world);
        is_agreed(&world)?;
        prop_assert_eq!(lost_keys(&world), BTreeSet::new());
    }

    #[test]
    fn a_disk_holds_exactly_what_its_node_does(ops in vec(any_op(true), 0..80)) {
        let mut world = small_logs();
        play(&mut world, &ops);
        let held: Vec<_> = world.alive().map(|(id, node)| (id.clone(), node.store().clone())).collect();
        for (id, store) in held {
            world.kill(&id);
            world.start(&id, false);
            let revived = world.members[&id].node.as_ref().expect("it was started");
            prop_assert!(*revived.store() == store, "{} holds something else", id);
        }
    }
}
