//! Histories: which leadership wrote which part of a log.
//!
//! A history is a list of [`Run`]s: where one leadership's entries begin. It is a few dozen bytes a leadership however
//! long the log was, outlives compaction and travels with snapshots, so a node can always say which entries it shares
//! with another: equal identity means equal prefix.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::types::{Boot, EntryId, Index, NodeId, Term};

/// How many runs a history keeps. A log that shares none of a leader's last four thousand leaderships takes a snapshot.
const MAX_RUNS: usize = 4096;

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
    pub(super) fn starting(id: &EntryId) -> Run {
        Run {
            first: id.index,
            term: id.term,
            leader: id.leader.clone(),
            boot: id.boot,
        }
    }

    pub(super) fn id(&self, index: Index) -> EntryId {
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
/// is `last`'s. What comes from the network, or from a disk, is checked by this before anything believes it.
pub fn is_history_of(history: &[Run], last: Option<&EntryId>) -> bool {
    let ascending = history.windows(2).all(|pair| pair[0].first < pair[1].first);
    let sound = history.iter().all(|run| run.id(run.first).is_sound());
    let ends = match (history.last(), last) {
        (None, None) => true,
        (Some(run), Some(last)) => run.first <= last.index && run.id(last.index) == *last,
        (None, Some(_)) | (Some(_), None) => false,
    };
    ascending && sound && ends && history.len() <= MAX_RUNS
}

/// Adds the run that `id` starts, and forgets the oldest beyond a few thousand.
pub fn extend_history(history: &mut Arc<Vec<Run>>, id: &EntryId) {
    let runs = Arc::make_mut(history);
    if runs.len() == MAX_RUNS {
        runs.remove(0);
    }
    runs.push(Run::starting(id));
}

/// The identity of the entry at `index` of a log with this history, as far as it reaches.
pub fn id_in(history: &[Run], last: Index, index: Index) -> Option<EntryId> {
    if index == 0 || index > last {
        return None;
    }
    run_at(history, index).map(|run| run.id(index))
}

/// Whether `id` is an entry of a log with this history, as far as it reaches.
pub fn is_in(history: &[Run], last: Index, id: &EntryId) -> bool {
    let is_of = |run: &Run| (run.term, &run.leader, run.boot) == (id.term, &id.leader, id.boot);
    (1..=last).contains(&id.index) && run_at(history, id.index).is_some_and(is_of)
}

/// Who wrote the entry at `index`: mostly the last of them.
fn run_at(history: &[Run], index: Index) -> Option<&Run> {
    let newest = history.last().filter(|run| run.first <= index);
    newest.or_else(|| {
        let run = history.partition_point(|run| run.first <= index);
        history.get(run.checked_sub(1)?)
    })
}

/// The history of the part of a log that ends at `index`.
pub fn history_upto(history: &Arc<Vec<Run>>, index: Index) -> Arc<Vec<Run>> {
    let kept = history.partition_point(|run| run.first <= index);
    match kept == history.len() {
        true => history.clone(),
        false => Arc::new(history[..kept].to_vec()),
    }
}
