//! The log: the entries behind the compacted part, and the history that every entry's identity can be looked up in.
//!
//! A history is a list of [`Run`]s: where one leadership's entries begin. It is a few dozen bytes a leadership however
//! long the log was, outlives compaction and travels with snapshots, so a node can always say which entries it shares
//! with another: equal identity means equal prefix.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::door::{Recovered, Snapshot};
use crate::protocol::message::MAX_APPEND_BYTES;
use crate::store::Command;
use crate::types::{Boot, EntryId, Index, NodeId, Term, index_of};

/// How many runs a history keeps. A log that shares none of a leader's last four thousand leaderships takes a snapshot.
const MAX_RUNS: usize = 4096;

/// A command with its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its identity.
    pub id: EntryId,
    /// What it does.
    pub command: Command,
}

/// Where the entries of one leadership begin. They end where the next run begins, or with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The index of its first entry.
    pub first: Index,
    /// The term they were written in.
    pub term: Term,
    /// The leader that wrote them.
    pub leader: NodeId,
    /// The life of that leader's disk.
    pub boot: Boot,
}

impl Run {
    fn starting(id: &EntryId) -> Run {
        Run {
            first: id.index,
            term: id.term,
            leader: id.leader.clone(),
            boot: id.boot,
        }
    }

    fn id(&self, index: Index) -> EntryId {
        EntryId {
            index,
            term: self.term,
            leader: self.leader.clone(),
            boot: self.boot,
        }
    }

    fn same_origin(&self, other: &Run) -> bool {
        (self.term, &self.leader, self.boot) == (other.term, &other.leader, other.boot)
    }
}

/// The last entry that two histories share: everything behind it differs. Zero if they share none.
pub fn divergence(mine: &[Run], my_last: Index, theirs: &[Run], their_last: Index) -> Index {
    let ends = |runs: &[Run], last: Index| -> Vec<Index> {
        let nexts = runs.iter().skip(1).map(|next| next.first - 1);
        nexts.chain([last]).collect()
    };
    let (my_ends, their_ends) = (ends(mine, my_last), ends(theirs, their_last));
    for (a, my_end) in mine.iter().zip(&my_ends).rev() {
        let shared = theirs
            .iter()
            .zip(&their_ends)
            .rev()
            .find(|(b, _)| a.same_origin(b));
        if let Some((b, their_end)) = shared {
            let end = (*my_end).min(*their_end);
            if end >= a.first.max(b.first) {
                return end;
            }
        }
    }
    0
}

/// Whether `history` could be that of a log which ends at `last`: its runs begin in ascending order, and the final one
/// is `last`'s. What comes from the network is checked by this before anything believes it.
pub fn is_history_of(history: &[Run], last: Option<&EntryId>) -> bool {
    let ascending = history.windows(2).all(|pair| pair[0].first < pair[1].first);
    let starts = history.first().is_none_or(|run| run.first > 0);
    let ends = match (history.last(), last) {
        (None, None) => true,
        (Some(run), Some(last)) => run.first <= last.index && run.id(last.index) == *last,
        (None, Some(_)) | (Some(_), None) => false,
    };
    ascending && starts && ends && history.len() <= MAX_RUNS
}

/// A node's log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    history: Arc<Vec<Run>>,
    /// The entry before the first that is kept; `None` if nothing was compacted.
    compacted: Option<EntryId>,
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Log {
    /// The log that a disk holds.
    pub fn recover(recovered: &Recovered) -> Log {
        let mut log = Log {
            history: recovered.snapshot.history.clone(),
            compacted: recovered.compacted.clone(),
            ..Log::default()
        };
        let known = index_of(recovered.snapshot.last.as_ref());
        for entry in &recovered.entries {
            match entry.id.index <= known {
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
        if index == 0 || index > self.last_index() {
            return None;
        }
        let run = self
            .history
            .partition_point(|run| run.first <= index)
            .checked_sub(1)?;
        Some(self.history[run].id(index))
    }

    /// Whether `id` is part of this log, compacted or not. "Before everything" is part of every log.
    pub fn contains(&self, id: Option<&EntryId>) -> bool {
        id.is_none_or(|id| self.id_at(id.index).as_ref() == Some(id))
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
        self.keep(entry);
    }

    fn keep(&mut self, entry: Entry) {
        self.bytes += entry.command.size();
        self.entries.push_back(entry);
    }

    /// The entries behind `index`, at most [`MAX_APPEND_BYTES`] unless there is only one. `None` if some of them are
    /// compacted.
    pub fn entries_behind(&self, index: Index) -> Option<Vec<Entry>> {
        let from = index.checked_sub(self.compacted_index())? as usize;
        let mut budget = MAX_APPEND_BYTES;
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

    /// Lets go of the oldest entries until at most `entries` and `bytes` are kept. Returns the last one let go.
    pub fn compact(&mut self, entries: usize, bytes: usize) -> Option<EntryId> {
        let mut gone = None;
        while self.entries.len() > entries || self.bytes > bytes {
            let entry = self.entries.pop_front()?;
            self.bytes -= entry.command.size();
            self.compacted = Some(entry.id.clone());
            gone = Some(entry.id);
        }
        gone
    }
}

/// Adds the run that `id` starts, and forgets the oldest beyond a few thousand.
pub fn extend_history(history: &mut Arc<Vec<Run>>, id: &EntryId) {
    let runs = Arc::make_mut(history);
    if runs.len() == MAX_RUNS {
        runs.remove(0);
    }
    runs.push(Run::starting(id));
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let command = Command::Put {
                key: Key::new("k"),
                value: Value::string("v"),
            };
            log.push(Entry {
                id: id(at as Index + 1, *term),
                command,
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
        assert_eq!(log.compact(1, usize::MAX), Some(id(4, 5)));
        assert_eq!((log.len(), log.last_index()), (1, 5));
        assert!(log.contains(Some(&id(2, 1))));
        assert!(!log.contains(Some(&id(3, 1))));
        assert!(!log.contains(Some(&id(6, 5))));
        assert!(log.contains(None));
        assert_eq!(log.entries_behind(3), None);
        assert_eq!(log.entries_behind(4).map(|entries| entries.len()), Some(1));
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
        let mut log = Log::default();
        for (index, size) in [(1, 700_000), (2, 700_000), (3, 3_000_000), (4, 10)] {
            let command = Command::Put {
                key: Key::new("k"),
                value: Value::string(&"x".repeat(size)),
            };
            log.push(Entry {
                id: id(index, 1),
                command,
            });
        }
        let lengths: Vec<usize> = (0..4)
            .map(|index| log.entries_behind(index).unwrap().len())
            .collect();
        assert_eq!(lengths, [1, 1, 1, 1]);
    }

    #[test]
    fn a_forged_history_is_not_believed() {
        let honest = log(&[1, 2, 2]);
        assert!(is_history_of(honest.history(), honest.last().as_ref()));
        assert!(is_history_of(&[], None));
        assert!(!is_history_of(&[], Some(&id(1, 1))));
        assert!(!is_history_of(honest.history(), Some(&id(3, 9))));
        let backwards: Vec<Run> = honest.history().iter().rev().cloned().collect();
        assert!(!is_history_of(&backwards, Some(&id(3, 1))));
    }
}
