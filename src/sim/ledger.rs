//! What the world remembers of every entry that was ever written, so that each claim about logs can be checked where it is
//! made, and not by comparing all logs with each other.

use std::collections::{HashMap, VecDeque};
use std::hash::Hasher;

use crate::protocol::history::is_in;
use crate::protocol::log::Log;
use crate::protocol::{Entry, Record, Snapshot};
use crate::sim::plan::Place;
use crate::sim::scatter::Plain;
use crate::store::{Command, Store};
use crate::types::{Boot, EntryId, Index, NodeId, Term, index_of};

/// The identity of an entry, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryKey {
    pub(super) index: Index,
    pub(super) term: Term,
    pub(super) boot: Boot,
    pub(super) leader: u32,
}

impl EntryKey {
    pub(super) fn of(id: &EntryId) -> EntryKey {
        EntryKey {
            index: id.index,
            term: id.term,
            boot: id.boot,
            leader: id.leader.number().unwrap_or(0) as u32,
        }
    }

    pub(super) fn id(&self) -> EntryId {
        EntryId {
            index: self.index,
            term: self.term,
            leader: NodeId::nth(self.leader as usize),
            boot: self.boot,
        }
    }
}

impl std::hash::Hash for EntryKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.index ^ self.term.rotate_left(32) ^ self.boot);
    }
}

pub(super) type Map<V> = HashMap<EntryKey, V, Plain>;

#[derive(Debug)]
struct Known {
    id: EntryId,
    before: Option<EntryKey>,
    command: Command,
}

/// How many entries lie between two stores that are kept to compare with; those between are made anew when needed.
const APART: u64 = 16;

/// How many of them are kept.
const STORES: usize = 500;

/// Every entry ever written, and the store that each makes of what was before it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Map<Known>,
    stores: Map<Store>,
    oldest: VecDeque<EntryKey>,
}

impl Ledger {
    /// An entry is written behind another. Equal identity means equal content and equal prefix (log matching).
    pub(super) fn write(&mut self, before: Option<EntryKey>, entry: &Entry) -> Result<(), String> {
        let key = EntryKey::of(&entry.id);
        let known = self.entries.entry(key).or_insert_with(|| Known {
            id: entry.id.clone(),
            before,
            command: entry.command.clone(),
        });
        if known.before != before {
            return Err(format!(
                "{:?} stands behind {:?} here and behind {:?} there",
                entry.id,
                before.map(|b| b.id()),
                known.before.map(|b| b.id())
            ));
        }
        match known.command == entry.command {
            true => Ok(()),
            false => Err(format!("{:?} says different things in two logs", entry.id)),
        }
    }

    /// Whether an entry names members.
    pub(super) fn names_members(&self, key: &EntryKey) -> bool {
        let known = self.entries.get(key);
        known.is_some_and(|known| matches!(known.command, Command::Members(_)))
    }

    /// An entry that no disk ever held, and nobody was told of.
    pub(super) fn forget(&mut self, key: EntryKey) {
        self.entries.remove(&key);
        self.stores.remove(&key);
    }

    /// Notes what applying an entry makes.
    pub(super) fn apply(&mut self, key: EntryKey) {
        if !key.index.is_multiple_of(APART) || self.stores.contains_key(&key) {
            return;
        }
        let Some(store) = self.store(Some(key)) else {
            return;
        };
        self.stores.insert(key, store);
        self.oldest.push_back(key);
        if self.oldest.len() > STORES
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.stores.remove(&oldest);
        }
    }

    /// The store as of an entry, if what led there is still known.
    pub(super) fn store(&self, key: Option<EntryKey>) -> Option<Store> {
        let mut commands = Vec::new();
        let mut at = key?;
        let mut store = loop {
            if let Some(store) = self.stores.get(&at) {
                break store.clone();
            }
            let Known {
                id,
                before,
                command,
            } = self.entries.get(&at)?;
            commands.push((id, command));
            match before {
                None => break Store::default(),
                Some(_) if commands.len() as u64 > 2 * APART => return None,
                Some(before) => at = *before,
            }
        };
        for (id, command) in commands.into_iter().rev() {
            store.apply(id, command);
        }
        Some(store)
    }
}

/// One node's log as its disk was told of it.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    base: Option<EntryKey>,
    keys: VecDeque<EntryKey>,
}

impl Shadow {
    pub(super) fn of(log: &Log) -> Shadow {
        Shadow {
            base: log.compacted().map(EntryKey::of),
            keys: log.iter().map(|entry| EntryKey::of(&entry.id)).collect(),
        }
    }

    fn base_index(&self) -> Index {
        self.base.map_or(0, |base| base.index)
    }

    pub(super) fn last_index(&self) -> Index {
        self.base_index() + self.keys.len() as Index
    }

    /// The entry at `index`, the last compacted one included.
    pub(super) fn at(&self, index: Index) -> Option<EntryKey> {
        match index.checked_sub(self.base_index() + 1) {
            Some(at) => self.keys.get(at as usize).copied(),
            None => self.base.filter(|base| base.index == index),
        }
    }

    /// Entries from `first` on are gone.
    pub(super) fn cut(&mut self, first: Index) {
        let kept = first.saturating_sub(self.base_index() + 1);
        self.keys.truncate(kept as usize);
    }

    pub(super) fn push(&mut self, key: EntryKey) {
        self.keys.push_back(key);
    }

    /// Follows what `record` does besides adding entries.
    pub(super) fn follow(&mut self, record: &Record) {
        match record {
            Record::Compact { compacted, .. } => {
                while self.base_index() < compacted.index
                    && let Some(key) = self.keys.pop_front()
                {
                    self.base = Some(key);
                }
            }
            Record::Install(snapshot) => {
                *self = Shadow {
                    base: snapshot.last.as_ref().map(EntryKey::of),
                    keys: VecDeque::new(),
                };
            }
            Record::Append(_)
            | Record::Ballot(_)
            | Record::Commit { .. }
            | Record::Recovering(_) => {}
        }
    }

    /// Whether it has entries that `snapshot` says are others.
    pub(super) fn diverges_from(&self, snapshot: &Snapshot) -> bool {
        let last = index_of(snapshot.last.as_ref());
        let common = self.at(self.last_index().min(last));
        common.is_some_and(|key| !is_in(&snapshot.history, last, &key.id()))
    }

    /// Whether it is what the node itself has.
    pub(super) fn is(&self, log: &Log) -> bool {
        self.base == log.compacted().map(EntryKey::of)
            && self.keys.len() == log.len()
            && self
                .keys
                .iter()
                .zip(log.iter())
                .all(|(key, entry)| *key == EntryKey::of(&entry.id))
    }
}

/// A place, for messages.
pub(super) fn named(place: Place) -> NodeId {
    NodeId::nth(usize::from(place) + 1)
}
