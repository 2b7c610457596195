//! The log: the entries behind the compacted part, the history that every entry's identity can be looked up in, and the
//! members that it names.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::history::{Run, extend_history, history_upto, id_in, is_in};
use crate::protocol::record::{Recovered, Snapshot};
use crate::store::Command;
use crate::types::{EntryId, Index, Members, index_of};

/// A command with its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its identity.
    pub id: EntryId,
    /// What it does.
    pub command: Command,
}

/// A node's log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub(super) history: Arc<Vec<Run>>,
    /// The entry before the first that is kept; `None` if nothing was compacted.
    pub(super) compacted: Option<EntryId>,
    pub(super) entries: VecDeque<Entry>,
    pub(super) bytes: usize,
    /// What kept entries say of the members, in order …
    pub(super) members: Vec<(Index, Members)>,
    /// … and what those before them said last.
    pub(super) members_before: Option<Members>,
}

impl Log {
    /// The log that a disk holds.
    pub fn recover(recovered: &Recovered) -> Log {
        let mut log = Log {
            history: recovered.snapshot.history.clone(),
            compacted: recovered.compacted.clone(),
            members_before: recovered.snapshot.members.clone(),
            ..Log::default()
        };
        let known = index_of(recovered.snapshot.last.as_ref());
        for entry in &recovered.entries {
            match entry.id.index <= known {
                // The snapshot's history and members include it.
                true => log.keep(entry.clone()),
                false => log.push(entry.clone()),
            }
        }
        log
    }

    /// A log of which everything up to `snapshot.last` is compacted.
    pub fn behind(snapshot: &Snapshot) -> Log {
        Log {
            history: snapshot.history.clone(),
            compacted: snapshot.last.clone(),
            members_before: snapshot.members.clone(),
            ..Log::default()
        }
    }

    /// The last entry.
    pub fn last(&self) -> Option<EntryId> {
        self.entries
            .back()
            .map(|entry| entry.id.clone())
            .or_else(|| self.compacted.clone())
    }

    /// The last entry's index; 0 if there never was one.
    pub fn last_index(&self) -> Index {
        self.compacted_index() + self.entries.len() as Index
    }

    /// The entry before the first that is kept.
    pub fn compacted(&self) -> Option<&EntryId> {
        self.compacted.as_ref()
    }

    /// Its index; 0 if nothing was compacted.
    pub fn compacted_index(&self) -> Index {
        index_of(self.compacted.as_ref())
    }

    /// How many entries are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no entry is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries that are kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// What the kept entries occupy, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The runs that led here.
    pub fn history(&self) -> &Arc<Vec<Run>> {
        &self.history
    }

    /// The identity of the entry at `index`, compacted or not, as far as the history reaches.
    pub fn id_at(&self, index: Index) -> Option<EntryId> {
        id_in(&self.history, self.last_index(), index)
    }

    /// The entry at `index`, if it is kept.
    pub fn entry(&self, index: Index) -> Option<&Entry> {
        let at = index.checked_sub(self.compacted_index() + 1)?;
        self.entries.get(at as usize)
    }

    /// The history up to `index`.
    pub fn history_upto(&self, index: Index) -> Arc<Vec<Run>> {
        history_upto(&self.history, index)
    }

    /// What the log up to `index`, which is not compacted, says of the members.
    pub fn members_upto(&self, index: Index) -> Option<&Members> {
        let named = self.members.iter().rev().find(|(at, _)| *at <= index);
        named
            .map(|(_, members)| members)
            .or(self.members_before.as_ref())
    }

    /// Whether `id` is part of this log, compacted or not. "Before everything" is part of every log.
    pub fn contains(&self, id: Option<&EntryId>) -> bool {
        id.is_none_or(|id| is_in(&self.history, self.last_index(), id))
    }

    /// The index of the last kept entry that names members; 0 if none does.
    pub fn members_at(&self) -> Index {
        self.members.last().map_or(0, |(at, _)| *at)
    }

    /// Adds an entry, which must be the next.
    pub fn push(&mut self, entry: Entry) {
        debug_assert_eq!(entry.id.index, self.last_index() + 1);
        let starts_run = self
            .history
            .last()
            .is_none_or(|run| run.id(entry.id.index) != entry.id);
        if starts_run {
            extend_history(&mut self.history, &entry.id);
        }
        if let Command::Members(members) = &entry.command {
            self.members.push((entry.id.index, members.clone()));
        }
        self.keep(entry);
    }

    /// Takes back everything behind `index`, which is kept; returns how many entries went.
    pub fn truncate(&mut self, index: Index) -> u64 {
        let mut gone = 0;
        while self.last_index() > index
            && let Some(entry) = self.entries.pop_back()
        {
            self.bytes -= entry.command.size();
            gone += 1;
        }
        self.history = self.history_upto(self.last_index());
        let last = self.last_index();
        self.members.retain(|(at, _)| *at <= last);
        gone
    }

    fn keep(&mut self, entry: Entry) {
        self.bytes += entry.command.size();
        self.entries.push_back(entry);
    }

    /// The entries behind `index`, at most `bytes` of them unless there is only one. `None` if some of them are compacted.
    pub fn entries_behind(&self, index: Index, bytes: usize) -> Option<Vec<Entry>> {
        let from = index.checked_sub(self.compacted_index())? as usize;
        let mut budget = bytes;
        let mut chosen = Vec::new();
        for entry in self.entries.iter().skip(from) {
            let size = entry.command.size();
            if size > budget && !chosen.is_empty() {
                break;
            }
            budget = budget.saturating_sub(size);
            chosen.push(entry.clone());
        }
        Some(chosen)
    }

    /// All entries behind `index`.
    pub fn tail(&self, index: Index) -> Vec<Entry> {
        let from = index.saturating_sub(self.compacted_index()) as usize;
        self.entries.iter().skip(from).cloned().collect()
    }

    /// Lets go of the oldest entries, none behind `upto`, until at most `entries` and `bytes` are kept. Returns the last
    /// one let go.
    pub fn compact(&mut self, entries: usize, bytes: usize, upto: Index) -> Option<EntryId> {
        let mut gone = None;
        while (self.entries.len() > entries || self.bytes > bytes) && self.compacted_index() < upto
        {
            let entry = self.entries.pop_front()?;
            self.bytes -= entry.command.size();
            self.compacted = Some(entry.id.clone());
            gone = Some(entry.id);
        }
        let before = self.compacted_index();
        let old = self.members.partition_point(|(at, _)| *at <= before);
        if let Some((_, members)) = self.members.drain(..old).next_back() {
            self.members_before = Some(members);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;
    use crate::protocol::history::{divergence, is_history_of};
    use crate::types::{NodeId, Term};
    use crate::value::{Key, Value};

    fn id(index: Index, term: Term) -> EntryId {
        EntryId {
            index,
            term,
            leader: NodeId::nth(1),
            boot: 7,
        }
    }

    fn log(terms: &[Term]) -> Log {
        let mut log = Log::default();
        for (at, term) in terms.iter().enumerate() {
            let command = Command::put(Key::new("k"), Value::string("v"));
            log.push(Entry {
                id: id(at as Index + 1, *term),
                command,
            });
        }
        log
    }

    /// Entries of these sizes, roughly.
    fn sized(sizes: &[usize]) -> Log {
        let mut log = Log::default();
        for (at, size) in sizes.iter().enumerate() {
            let value = Value::string(&"x".repeat(*size));
            log.push(Entry {
                id: id(at as Index + 1, 1),
                command: Command::put(Key::new("k"), value),
            });
        }
        log
    }

    fn shared(a: &Log, b: &Log) -> Index {
        divergence(a.history(), a.last_index(), b.history(), b.last_index())
    }

    #[test]
    fn an_entry_keeps_its_identity_after_compaction() {
        let mut log = log(&[1, 1, 2, 5, 5]);
        assert_eq!(log.compact(1, usize::MAX, 9), Some(id(4, 5)));
        assert_eq!((log.len(), log.last_index()), (1, 5));
        assert!(log.contains(Some(&id(2, 1))));
        assert!(!log.contains(Some(&id(3, 1))));
        assert!(!log.contains(Some(&id(6, 5))));
        assert!(log.contains(None));
        assert_eq!(log.entries_behind(3, MIB), None);
        assert_eq!(
            log.entries_behind(4, MIB).map(|entries| entries.len()),
            Some(1)
        );
    }

    #[test]
    fn what_is_taken_back_takes_its_members_and_its_history_along() {
        let mut log = log(&[1, 1]);
        let members = |k| Members::new((1..=k).map(NodeId::nth).collect());
        for (index, k) in [(3, 2), (4, 3)] {
            log.push(Entry {
                id: id(index, 2),
                command: Command::Members(members(k)),
            });
        }
        assert_eq!(log.members_upto(4), Some(&members(3)));
        assert_eq!(log.truncate(3), 1);
        assert_eq!(log.members_upto(3), Some(&members(2)));
        assert_eq!(log.compact(0, 0, 3), Some(id(3, 2)));
        assert_eq!(log.members_upto(3), Some(&members(2)));
        log.push(Entry {
            id: id(4, 5),
            command: Command::Noop,
        });
        assert_eq!(log.truncate(3), 1);
        assert_eq!((log.history().len(), log.last()), (2, Some(id(3, 2))));
    }

    #[test]
    fn nothing_that_is_not_applied_is_compacted() {
        let mut log = log(&[1; 9]);
        assert_eq!(log.compact(1, usize::MAX, 4), Some(id(4, 1)));
        assert_eq!(log.len(), 5);
    }

    #[test]
    fn two_histories_diverge_behind_their_last_common_entry() {
        let long = log(&[1, 1, 2, 2, 2]);
        assert_eq!(shared(&long, &log(&[1, 1, 2, 3])), 3);
        assert_eq!(shared(&long, &log(&[1, 1])), 2);
        assert_eq!(shared(&long, &log(&[1, 1, 1])), 2);
        assert_eq!(shared(&long, &log(&[])), 0);
        assert_eq!(shared(&long, &long), 5);
        assert_eq!(shared(&long, &log(&[4])), 0);
    }

    #[test]
    fn an_append_holds_at_most_its_budget_unless_one_entry_alone_is_larger() {
        let log = sized(&[700_000, 700_000, 3_000_000, 10]);
        let lengths: Vec<usize> = (0..4)
            .map(|index| log.entries_behind(index, MIB).unwrap().len())
            .collect();
        assert_eq!(lengths, [1, 1, 1, 1]);
        // What fits to the byte goes with it.
        let log = sized(&[100, 100, 100]);
        let sent = |bytes| log.entries_behind(0, bytes).map(|entries| entries.len());
        let two = log.bytes() / 3 * 2;
        assert_eq!((sent(two), sent(two - 1)), (Some(2), Some(1)));
    }

    #[test]
    fn a_log_counts_its_bytes_and_lets_go_only_of_what_is_too_much() {
        let mut log = sized(&[100; 5]);
        let one = log.bytes() / 5;
        assert_eq!(log.truncate(4), 1);
        assert_eq!(log.bytes(), 4 * one);
        assert_eq!(log.compact(4, 4 * one, 4), None);
        assert_eq!(log.compact(4, 4 * one - 1, 4), Some(id(1, 1)));
        assert_eq!(log.compact(2, 4 * one, 4), Some(id(2, 1)));
        assert_eq!((log.bytes(), log.len()), (2 * one, 2));
    }

    #[test]
    fn a_log_that_begins_behind_a_snapshot_knows_what_came_before_it() {
        let mut whole = log(&[1, 1, 2]);
        let members = Members::new(vec![NodeId::nth(1)]);
        whole.push(Entry {
            id: id(4, 2),
            command: Command::Members(members.clone()),
        });
        let snapshot = Snapshot {
            last: Some(id(4, 2)),
            history: whole.history_upto(4),
            members: Some(members.clone()),
            ..Snapshot::default()
        };
        let recovered = Recovered {
            snapshot: snapshot.clone(),
            compacted: Some(id(4, 2)),
            ..Recovered::default()
        };
        for mut log in [Log::behind(&snapshot), Log::recover(&recovered)] {
            assert!(log.contains(Some(&id(2, 1))) && log.contains(Some(&id(4, 2))));
            assert!(!log.contains(Some(&id(3, 1))));
            log.push(Entry {
                id: id(5, 3),
                command: Command::Noop,
            });
            assert_eq!(log.members_upto(5), Some(&members));
        }
    }

    #[test]
    fn a_forged_history_is_not_believed() {
        let honest = log(&[1, 2, 2]);
        assert!(is_history_of(honest.history(), honest.last().as_ref()));
        assert!(is_history_of(&[], None));
        assert!(!is_history_of(&[], Some(&id(1, 1))));
        assert!(!is_history_of(honest.history(), Some(&id(3, 9))));
        let mut unsound = honest.history().to_vec();
        unsound[0].term = u64::MAX;
        assert!(!is_history_of(&unsound, honest.last().as_ref()));
        let backwards: Vec<Run> = honest.history().iter().rev().cloned().collect();
        assert!(!is_history_of(&backwards, Some(&id(3, 1))));
    }
}
