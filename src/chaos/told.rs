//! Whether a cluster that lost a write has told so, or need not.

use std::collections::{BTreeMap, BTreeSet};

use crate::chaos::recording::{Asked, Recording};
use crate::check::history::Call;
use crate::types::{Boot, EntryId, Index, Leadership, NodeId, Term};

/// What the cluster reported, and what excuses its silence.
pub(super) struct Told<'a> {
    end: Option<&'a EntryId>,
    /// It counted more than it named: any key may be among those.
    is_any: bool,
    keys: BTreeSet<&'a str>,
    names: &'a [String],
    firsts: BTreeMap<Origin<'a>, Index>,
    /// By key.
    deletes: Vec<Deletes<'a>>,
}

/// The deletes of one key, and when each came back: if nobody knows, never.
#[derive(Default)]
struct Deletes<'a> {
    /// Those whose entry is known, in the order of their places.
    placed: Vec<(&'a EntryId, usize)>,
    /// When the last of the others came back.
    last_unplaced: usize,
    /// When the last of all came back.
    last: usize,
}

/// A leadership, by one life of one leader.
type Origin<'a> = (Term, &'a NodeId, Boot);

fn origin(entry: &EntryId) -> Origin<'_> {
    (entry.term, &entry.leader, entry.boot)
}

/// The claim by which an entry was written.
pub(super) fn claim(entry: &EntryId) -> Leadership {
    Leadership {
        term: entry.term,
        leader: entry.leader.clone(),
    }
}

impl<'a> Told<'a> {
    pub(super) fn of(recording: &'a Recording) -> Told<'a> {
        let reported = &recording.end.reported;
        let mut deletes: Vec<Deletes> = Vec::new();
        deletes.resize_with(recording.keys.len(), Deletes::default);
        let is_delete = |asked: &&Asked| asked.call == Call::Delete && !asked.is_void;
        for delete in recording.asked.iter().filter(is_delete) {
            deletes[delete.key].add(delete);
        }
        for of_key in &mut deletes {
            of_key.placed.sort_unstable();
        }
        Told {
            end: recording.end.last_entry.as_ref(),
            is_any: recording.end.reported_count > reported.len() as u64,
            keys: reported.iter().map(|(key, _)| key.as_str()).collect(),
            names: &recording.keys,
            firsts: firsts(&recording.asked),
            deletes,
        }
    }

    /// Whether the cluster reported that the key of a write lost something; or may have, among those it only counted; or
    /// need not, since the key was deleted in the same history.
    pub(super) fn is_told(&self, write: &Asked) -> bool {
        write.call == Call::Delete
            || self.is_any
            || self.keys.contains(self.names[write.key].as_str())
            || self.is_hidden(write)
    }

    /// Whether a later delete hides that it is gone.
    fn is_hidden(&self, write: &Asked) -> bool {
        let deletes = &self.deletes[write.key];
        let Some(entry) = &write.entry else {
            return deletes.last > write.invoked;
        };
        let later = deletes
            .placed
            .partition_point(|(delete, _)| delete.index <= entry.index);
        let hides = |(delete, returned): &(&EntryId, usize)| {
            *returned > write.invoked && self.may_follow(entry, delete)
        };
        deletes.last_unplaced > write.invoked || deletes.placed[later..].iter().any(hides)
    }

    /// Whether a write that is gone can have been in one log with a later delete.
    fn may_follow(&self, write: &EntryId, delete: &EntryId) -> bool {
        // What the leader of the last entry acknowledged is in the log of the end, in which the write is not.
        let is_kept = |end: &EntryId| end.same_origin(delete) && delete.index <= end.index;
        // Whoever leads adds to its log: what it began with lies before the first that it acknowledged.
        let first = self.firsts.get(&origin(delete)).copied();
        let is_before = first.is_none_or(|first| write.index < first);
        delete.index > write.index
            && !self.end.is_some_and(is_kept)
            && (write.same_origin(delete) || is_before)
            && claim(delete) >= claim(write)
    }
}

impl<'a> Deletes<'a> {
    fn add(&mut self, delete: &'a Asked) {
        let returned = delete.returned.unwrap_or(usize::MAX);
        match &delete.entry {
            Some(entry) => self.placed.push((entry, returned)),
            None => self.last_unplaced = returned.max(self.last_unplaced),
        }
        self.last = returned.max(self.last);
    }
}

/// The first place at which each leadership acknowledged something.
fn firsts(asked: &[Asked]) -> BTreeMap<Origin<'_>, Index> {
    let mut firsts = BTreeMap::new();
    let acknowledged = asked.iter().filter(|asked| asked.is_acknowledged());
    for entry in acknowledged.filter_map(|asked| asked.entry.as_ref()) {
        let first = firsts.entry(origin(entry)).or_insert(entry.index);
        *first = entry.index.min(*first);
    }
    firsts
}
