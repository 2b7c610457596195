//! Clients: each has one operation open at a time, follows hints to the leader, and repeats only what surely did not happen
//! or has a name. What they asked and saw is the history that the judge is shown.

use std::collections::VecDeque;

use crate::check::history::{self, End, Text};
use crate::sim::called::Wish;
use crate::sim::plan::{Call, Operation, Place, Plan, Reading};
use crate::sim::queue::Nanos;
use crate::types::{EntryId, Index};
use crate::value::{Key, Value};

/// How many operations may wait for a client to be free; more are left out.
pub(super) const WAITING: usize = 8;

/// How far apart the names of one client are.
pub(super) const NAMES: usize = 1000;

/// Who asked, and waits for a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    Client {
        client: u16,
        operation: usize,
        tries: u32,
    },
    Operator {
        operation: Operation,
        place: Option<Place>,
    },
    /// Whoever drives the world by hand; the number of the question.
    Hand(usize),
}

/// What a client is answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Value(Option<(Value, EntryId)>),
    Done(EntryId),
    Unmet,
    NoSuchKey,
    Mistaken,
    /// It surely did not happen; who leads, perhaps.
    NotThere(Option<Place>),
    /// It may have happened, or may yet.
    Unknown,
}

/// A request on its way to a node.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) asker: Asker,
    pub(super) want: Want,
}

#[derive(Debug, Clone)]
pub(super) enum Want {
    Local,
    AtLeader,
    Confirmed,
    Write(Wish),
}

/// An operation, as its client knows it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) process: usize,
    pub(super) key: u16,
    pub(super) call: history::Call,
    pub(super) reading: Option<Reading>,
    pub(super) end: End,
    /// It surely did not happen, and nobody saw anything by it.
    pub(super) is_void: bool,
    pub(super) invoked: usize,
    pub(super) returned: Option<usize>,
    pub(super) invoked_at: Nanos,
    pub(super) returned_at: Nanos,
    /// The entry that did it, if it was acknowledged.
    pub(super) entry: Option<EntryId>,
    /// The latest place that its key was known to have when it was asked.
    pub(super) least: Index,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) process: usize,
    pub(super) open: Option<Open>,
    pub(super) waiting: VecDeque<Call>,
    /// Who leads, as far as it knows.
    pub(super) hint: Place,
    /// What it saw last of each key.
    pub(super) seen: Vec<Option<(Text, EntryId)>>,
    pub(super) patience_at: Nanos,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) operation: usize,
    pub(super) call: Call,
    pub(super) tries: u32,
    /// One of the tries may have happened.
    pub(super) may_have: bool,
    pub(super) until: Nanos,
    pub(super) patience: Nanos,
    /// What is asked of the leader.
    pub(super) wish: Wish,
}

pub(super) struct Clients {
    pub(super) all: Vec<Client>,
    pub(super) asked: Vec<Asked>,
    pub(super) keys: Vec<Key>,
    /// The latest acknowledged place of each key.
    pub(super) latest: Vec<Index>,
    pub(super) order: usize,
}

impl Clients {
    /// Those of the plan, and one more for what comes after the faults.
    pub(super) fn new(plan: &Plan) -> Clients {
        let keys = plan.scale.keys;
        let client = |process| Client {
            process,
            open: None,
            waiting: VecDeque::new(),
            hint: 0,
            seen: vec![None; keys],
            patience_at: Nanos::MAX,
        };
        Clients {
            all: (0..=plan.clients).map(client).collect(),
            asked: Vec::new(),
            keys: (0..keys).map(|k| Key::new(&format!("k{k}"))).collect(),
            latest: vec![0; keys],
            order: 0,
        }
    }

    /// The client that asks when the faults are over.
    pub(super) fn last(&self) -> u16 {
        self.all.len() as u16 - 1
    }

    pub(super) fn key(&self, key: u16) -> &Key {
        &self.keys[key as usize]
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(super) fn is_idle(&self) -> bool {
        self.all.iter().all(|client| client.open.is_none())
    }

    /// What `client` asked from operation `number` on.
    fn own(&self, client: u16, number: usize) -> impl Iterator<Item = &Asked> {
        let asked = self.asked.iter().skip(number);
        asked.filter(move |asked| asked.process % NAMES == usize::from(client))
    }

    /// Whether it knows of something that it asked from operation `number` on what became of it.
    pub(super) fn is_done(&self, client: u16, number: usize) -> bool {
        self.own(client, number).any(|asked| asked.returned_at > 0)
    }

    /// Whether a write that it asked for from operation `number` on is done.
    pub(super) fn has_written(&self, client: u16, number: usize) -> bool {
        self.own(client, number).any(|asked| asked.entry.is_some())
    }

    pub(super) fn tick(&mut self) -> usize {
        self.order += 1;
        self.order
    }

    /// Adds what somebody read who is no client.
    pub(super) fn read_by(&mut self, process: usize, key: u16, seen: Text, at: Nanos) {
        let (invoked, returned) = (self.tick(), self.tick());
        self.asked.push(Asked {
            process,
            key,
            call: history::Call::Read,
            reading: Some(Reading::Linearizable(0)),
            end: End::Ok(Some(seen)),
            is_void: false,
            invoked,
            returned: Some(returned),
            invoked_at: at,
            returned_at: at,
            entry: None,
            least: 0,
        });
    }
}

pub(super) fn key_of(call: Call) -> u16 {
    match call {
        Call::Read { key, .. }
        | Call::Put { key, .. }
        | Call::Swap { key, .. }
        | Call::Delete { key } => key,
    }
}

pub(super) fn is_named(call: Call) -> bool {
    match call {
        Call::Put { named, .. } | Call::Swap { named, .. } => named,
        Call::Read { .. } | Call::Delete { .. } => false,
    }
}
