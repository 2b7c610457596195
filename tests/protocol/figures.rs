//! Figures of the Raft paper.

use std::time::Duration;

use cluster::event::Event;
use cluster::protocol::{Ballot, Entry, Record};
use cluster::store::Command;
use cluster::types::{EntryId, Index, Mode, NodeId, Term};
use cluster::value::{Key, Value};

use crate::world::World;

/// A log of which the terms are given: what a leader of a term wrote at an index is the same wherever it is.
fn log(terms: &[Term]) -> Vec<Entry> {
    let entry = |(at, term): (usize, &Term)| {
        let index = at as Index + 1;
        let key = Key::new(&format!("k{index}"));
        Entry {
            id: EntryId {
                index,
                term: *term,
                leader: NodeId::nth(*term as usize),
                boot: 1,
            },
            command: Command::put(key, Value::string(&term.to_string())),
        }
    };
    terms.iter().enumerate().map(entry).collect()
}

#[test]
fn figure_7_every_divergent_log_converges_on_the_leaders() {
    let mut world = World::new(7, |config| config.mode = Mode::RAFT);
    let logs: [&[Term]; 7] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
        // (a) and (b) lack entries, (c) and (d) have more, (e) and (f) both.
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    for (member, terms) in world.members.values_mut().zip(logs) {
        // All have heard of term 7, in which (d) wrote.
        let (term, vote) = (7, None);
        let ballot = Ballot { term, vote };
        member
            .disk
            .keep(&[Record::Ballot(ballot), Record::Append(log(terms))]);
    }
    world.start_all();
    world.advance(Duration::from_secs(2));
    let (_, leader) = world.alive().next().expect("node-1");
    let wanted = leader.status(world.now);
    assert_eq!(
        wanted.leader,
        Some(NodeId::nth(1)),
        "it stands first, and five of seven may vote for it"
    );
    assert_eq!(
        wanted.last.as_ref().map(|id| id.index),
        Some(11),
        "its ten entries, and one of its own term"
    );
    assert_eq!(wanted.commit, 11);
    for (id, node) in world.alive() {
        let status = node.status(world.now);
        assert_eq!((&status.last, status.commit), (&wanted.last, 11), "{id}");
        assert_eq!(node.store(), leader.store(), "{id}");
    }
    let discarded = |entries: u64| {
        let is = |(_, event): &&(NodeId, Event)| matches!(event, Event::Discarded { entries: n, .. } if *n == entries);
        world.events.iter().filter(is).count()
    };
    // What was never committed is taken back, not lost: (c) 1, (d) 2, (e) 2 … those of term 4, and (f) all of 2 and 3.
    assert!(
        discarded(1) + discarded(2) + discarded(3) + discarded(8) >= 4,
        "{:?}",
        world.events
    );
    let lost = |(_, event): &(NodeId, Event)| matches!(event, Event::Lost(_));
    assert!(!world.events.iter().any(lost));
}
