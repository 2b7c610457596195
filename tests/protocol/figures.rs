//! Figures of the Raft paper.

use std::time::Duration;

use cluster::event::Event;
use cluster::protocol::message::AppendOutcome;
use cluster::protocol::{Ballot, Entry, Message, Record};
use cluster::store::Command;
use cluster::types::{Election, EntryId, Index, Leadership, Mode, NodeId, Replication, Term};
use cluster::value::{Key, Value};

use crate::world::{Envelope, World};

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

/// A follower's log, its leader's, how many of the leader's entries are before an append and how many in it; then up to where
/// it is stored, if it is, and the log behind it.
type Case = (
    &'static [Term],
    &'static [Term],
    usize,
    usize,
    Option<Index>,
    &'static [Term],
);

/// What a follower whose log has these terms does with an append of the leader of term 3, whose log has those: `prev` and
/// `entries` say how many of them are before it, and in it.
fn appended(
    own: &[Term],
    leaders: &[Term],
    prev: usize,
    entries: usize,
) -> (AppendOutcome, Vec<Term>) {
    let mut world = World::new(3, |config| config.mode = Mode::RAFT);
    let (two, three) = (NodeId::nth(2), NodeId::nth(3));
    let ballot = Record::Ballot(Ballot {
        term: 2,
        vote: None,
    });
    let member = world.members.get_mut(&two).expect("node-2");
    member.disk.keep(&[ballot, Record::Append(log(own))]);
    world.start(&two, false);
    let all = log(leaders);
    world.holding = true;
    world.deliver(Envelope {
        from: three.clone(),
        to: two.clone(),
        message: Message::Append {
            claim: Leadership {
                term: 3,
                leader: three,
            },
            round: 1,
            prev: prev.checked_sub(1).map(|at| all[at].id.clone()),
            entries: all[prev..prev + entries].to_vec(),
            commit: None,
        },
    });
    let answer = world
        .wire
        .iter()
        .find_map(|envelope| match &envelope.message {
            Message::AppendAck { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
    let (_, node) = world.alive().next().expect("node-2");
    let terms = node.log().iter().map(|entry| entry.id.term).collect();
    (answer.expect("an answer"), terms)
}

#[test]
fn an_append_is_taken_only_behind_what_it_follows_and_cuts_off_only_what_contradicts_it() {
    use AppendOutcome::{Mismatch, Stored};
    // (own, the leader's, how many before it, how many in it): what is answered, and the log then (§3.5).
    let cases: [Case; 9] = [
        (&[1, 1, 2], &[1, 1, 2, 3], 3, 1, Some(4), &[1, 1, 2, 3]),
        // The entry before it has another term, or is not there.
        (&[1, 1, 2], &[1, 1, 3, 3], 3, 1, None, &[1, 1, 2]),
        (&[1, 1, 2], &[1, 1, 3, 3], 3, 0, None, &[1, 1, 2]),
        (&[1, 1], &[1, 1, 2, 3], 3, 1, None, &[1, 1]),
        (&[], &[1, 1], 1, 1, None, &[]),
        // What contradicts it goes, with all behind it.
        (&[1, 1, 2, 2], &[1, 1, 3], 2, 1, Some(3), &[1, 1, 3]),
        (&[2, 2], &[1, 3], 0, 2, Some(2), &[1, 3]),
        // A late or repeated one cuts nothing off.
        (&[1, 1, 2], &[1, 1, 2], 0, 2, Some(2), &[1, 1, 2]),
        (&[1, 1, 2], &[1, 1, 2], 2, 0, Some(2), &[1, 1, 2]),
    ];
    for (own, leaders, prev, entries, stored, left) in cases {
        let (outcome, terms) = appended(own, leaders, prev, entries);
        match (&outcome, stored) {
            (Stored(upto), Some(index)) => assert_eq!(*upto, index, "{own:?} {leaders:?}"),
            (Mismatch { .. }, None) => {}
            _ => panic!("{own:?} {leaders:?} {prev} {entries}: {outcome:?}"),
        }
        assert_eq!(terms, left, "{own:?} {leaders:?} {prev} {entries}");
    }
}

/// What node-2, whose own disk ends with an entry of that term and leader and says so of its vote, answers when node-3, or
/// whoever asks, bids for a term under bully.
fn bid(own: Ballot, last: Option<(Term, usize)>, from: usize, term: Term) -> bool {
    let mut world = World::new(3, |config| {
        config.mode = Mode {
            election: Election::Bully,
            replication: Replication::Quorum,
        }
    });
    let (two, from) = (NodeId::nth(2), NodeId::nth(from));
    let member = world.members.get_mut(&two).expect("node-2");
    member.disk.keep(&[Record::Ballot(own)]);
    if let Some((term, leader)) = last {
        let mut entries = log(&[term]);
        entries[0].id.leader = NodeId::nth(leader);
        member.disk.keep(&[Record::Append(entries)]);
    }
    world.start(&two, false);
    world.holding = true;
    world.wire.clear();
    world.deliver(Envelope {
        from,
        to: two,
        message: Message::Vote {
            term,
            last: None,
            transfer: false,
        },
    });
    let answer = world
        .wire
        .iter()
        .find_map(|envelope| match &envelope.message {
            Message::VoteAck { granted, .. } => Some(*granted),
            _ => None,
        });
    answer.expect("an answer")
}

#[test]
fn a_bully_has_one_vote_a_term_and_none_for_who_led_it_already() {
    let none = Ballot {
        term: 3,
        vote: None,
    };
    let voted = |id| Ballot {
        term: 3,
        vote: Some(NodeId::nth(id)),
    };
    // The vote, the last entry's term and leader, who bids for which term, and whether it gets the vote.
    type Case = (Ballot, Option<(Term, usize)>, usize, Term, bool);
    let cases: [Case; 9] = [
        (none.clone(), None, 3, 4, true),
        // A term that is known already, with the vote free, given to the same, or to another.
        (none.clone(), None, 3, 3, true),
        (voted(3), None, 3, 3, true),
        (voted(1), None, 3, 3, false),
        // Its own name, or a lower one: no bully.
        (none.clone(), None, 2, 4, false),
        (none.clone(), None, 1, 4, false),
        // It wrote in this term: it has led it, and lost its disk since.
        (none.clone(), Some((3, 3)), 3, 3, false),
        (none.clone(), Some((3, 1)), 3, 3, true),
        (none, Some((2, 3)), 3, 3, true),
    ];
    for (own, last, from, term, granted) in cases {
        let told = format!("{own:?} {last:?} node-{from} for {term}");
        assert_eq!(bid(own, last, from, term), granted, "{told}");
    }
}
