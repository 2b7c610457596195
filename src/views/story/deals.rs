//! Operations: who asked whom for what, what came of it, and how the judge sees that.

use std::collections::BTreeMap;

use crate::check::history::{self, Call, End, History, Text};
use crate::sim::plan::{Place, Reading};
use crate::types::EntryId;
use crate::value::Key;
use crate::views::story::names::{node, nodes};

/// A place in the run: which moment, and when.
pub(super) type When = (usize, u64);

/// An operation, as far as it is known.
#[derive(Debug)]
pub(super) struct Deal {
    pub(super) client: u16,
    pub(super) key: Key,
    pub(super) call: Call,
    pub(super) reading: Option<Reading>,
    pub(super) asked: When,
    /// Whom it asked, in turn.
    pub(super) asked_of: Vec<Place>,
    /// Who answered last, with which entry.
    pub(super) answer: Option<(Place, Option<EntryId>)>,
    /// Who said last, in its words, why it is not done; that somebody else leads only where nothing better is known.
    pub(super) said: Option<(Place, String)>,
    /// What it saw is surely older than what it had to see.
    pub(super) is_stale: bool,
    /// When it was acknowledged, if it was.
    pub(super) acknowledged: Option<u64>,
    pub(super) ended: Option<When>,
    pub(super) end: Option<End>,
    pub(super) beat: usize,
    /// Somebody who looks whether all is well asked it, when all is quiet.
    pub(super) is_probe: bool,
}

/// Somebody's read when all is quiet.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) key: Key,
    pub(super) seen: Text,
    pub(super) when: When,
}

/// All operations.
#[derive(Debug, Default)]
pub(super) struct Operations {
    pub(super) all: BTreeMap<usize, Deal>,
    by_key: BTreeMap<Key, Vec<usize>>,
    pub(super) found: Vec<Found>,
    /// Those acknowledged, in order.
    pub(super) done: Vec<(usize, EntryId)>,
}

impl Operations {
    /// The entries of the writes that were acknowledged.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = &EntryId> {
        self.done.iter().map(|(_, entry)| entry)
    }

    /// They with the numbers of their operations.
    pub(super) fn done(&self) -> &[(usize, EntryId)] {
        &self.done
    }

    pub(super) fn get(&self, number: usize) -> Option<&Deal> {
        self.all.get(&number)
    }

    /// Whether an operation is worth telling.
    pub(super) fn matters(&self, number: usize, culprits: &[usize]) -> bool {
        let is_probe = self.all.get(&number).is_none_or(|deal| deal.is_probe);
        culprits.contains(&number) || !is_probe
    }

    /// How many there are, without those that only look whether all is well.
    pub(super) fn count(&self) -> usize {
        self.all.values().filter(|deal| !deal.is_probe).count()
    }

    pub(super) fn add(&mut self, number: usize, deal: Deal) {
        let same = self.by_key.entry(deal.key.clone()).or_default();
        same.push(number);
        self.all.insert(number, deal);
    }

    /// What an operation asks for.
    pub(super) fn wish(&self, number: usize) -> String {
        self.all.get(&number).map_or(String::new(), Deal::wish)
    }

    /// What clients saw, as the judge is shown it. With it the number of each operation; `None` for who read in the end.
    pub(super) fn history(&self, held: impl Fn(&Deal) -> bool) -> (History, Vec<Option<usize>>) {
        let mut history = History::default();
        let mut numbers = Vec::new();
        // A client that does not know what became of something goes on as another.
        let mut lives: BTreeMap<u16, usize> = BTreeMap::new();
        for (number, deal) in &self.all {
            let life = lives.entry(deal.client).or_default();
            let process = format!("{} in life {life}", deal.client);
            *life += usize::from(deal.end == Some(End::Unknown));
            if !deal.is_void() && held(deal) {
                let key = index_of(&mut history.keys, &deal.key);
                history.operations.push(deal.operation(key, process));
                numbers.push(Some(*number));
            }
        }
        for found in &self.found {
            let key = index_of(&mut history.keys, &found.key);
            history.operations.push(found.operation(key));
            numbers.push(None);
        }
        (history, numbers)
    }

    /// The last write that was acknowledged before `deal` was asked, if what `deal` saw is surely older.
    pub(super) fn missed(&self, deal: &Deal, seen: &str) -> Option<&Deal> {
        let same = self.by_key.get(&deal.key)?.iter();
        let same = same.filter_map(|number| self.all.get(number));
        let is_known = |other: &&Deal| {
            other.acknowledged.is_some() && other.ended.is_some_and(|w| w < deal.asked)
        };
        let last = same
            .clone()
            .filter(is_known)
            .max_by_key(|other| other.ended)?;
        let asked = same.clone().any(|other| other.call == Call::Delete);
        let is_older = match same.clone().find(|other| other.writes() == Some(seen)) {
            Some(write) => write.ended.is_some_and(|ended| ended < last.asked),
            None => seen == "null" && !asked,
        };
        is_older.then_some(last)
    }
}

fn index_of(keys: &mut Vec<String>, key: &Key) -> usize {
    let known = keys.iter().position(|known| known == key.as_str());
    known.unwrap_or_else(|| {
        keys.push(key.as_str().to_owned());
        keys.len() - 1
    })
}

impl Deal {
    /// What it asks for.
    pub(super) fn wish(&self) -> String {
        let key = self.key.as_str();
        match &self.call {
            Call::Read => format!("read {key}"),
            Call::Write(value) | Call::Append(value) | Call::Add(value) => {
                format!("put {key}={value}")
            }
            Call::Delete => format!("delete {key}"),
            Call::Cas(old, new) if &**old == "null" => {
                format!("put {key}={new} if there is no {key}")
            }
            Call::Cas(old, new) => format!("put {key}={new} if it is {old}"),
        }
    }

    /// What it makes of its key.
    pub(super) fn writes(&self) -> Option<&str> {
        match &self.call {
            Call::Write(value) | Call::Cas(_, value) => Some(value),
            Call::Read | Call::Delete | Call::Append(_) | Call::Add(_) => None,
        }
    }

    /// The client asks whom for what.
    pub(super) fn question(&self) -> String {
        let mut whom: Vec<Place> = Vec::new();
        for place in &self.asked_of {
            if !whom.contains(place) {
                whom.push(*place);
            }
        }
        let whom = match whom[..] {
            [] => String::new(),
            [one] => format!(" {}", node(one)),
            [one, two] => format!(" {}, then {},", node(one), node(two)),
            _ => format!(" {} in turn", nodes(&whom)),
        };
        let who = match self.is_probe {
            true => "To see whether all is well, client",
            false => "Client",
        };
        format!("{who} {} asks{whom} to {}", self.client, self.wish())
    }

    /// Whether it is a write, or the strongest read there is.
    pub(super) fn is_strongest(&self, is_linearizable: bool) -> bool {
        match self.reading {
            None | Some(Reading::Linearizable(_)) => true,
            Some(Reading::Leader) => !is_linearizable,
            Some(Reading::Local(_)) => false,
        }
    }

    /// Whether it surely did not happen.
    fn is_void(&self) -> bool {
        self.ended.is_some() && self.end.is_none()
    }

    fn operation(&self, key: usize, process: String) -> history::Operation {
        let end = self.end.clone().unwrap_or(End::Unknown);
        let returned = self.ended.filter(|_| end != End::Unknown);
        // A delete of what is not there sees that.
        let call = match (&self.call, &end) {
            (Call::Delete, End::Ok(Some(_))) => Call::Read,
            (call, _) => call.clone(),
        };
        history::Operation {
            process,
            key,
            call,
            end,
            invoked: self.asked.0,
            returned: returned.map(|(moment, _)| moment),
            invoked_at: Some(self.asked.1),
            returned_at: returned.map(|(_, at)| at),
        }
    }
}

impl Found {
    fn operation(&self, key: usize) -> history::Operation {
        let (moment, at) = self.when;
        history::Operation {
            process: format!("the end at {}", self.place),
            key,
            call: Call::Read,
            end: End::Ok(Some(self.seen.clone())),
            invoked: moment,
            returned: Some(moment),
            invoked_at: Some(at),
            returned_at: Some(at),
        }
    }
}
