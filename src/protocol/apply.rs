//! The log's way into the store: entries are added, committed, applied, and in the end compacted.
//!
//! With `async` an entry is applied as soon as it is in the log. Elsewhere it is applied once it is *committed*: once a
//! leader knows that a majority holds it, and an entry of its own leadership with it (Raft §5.4.2 and figure 8). What is
//! not applied can be taken back entry by entry; what is applied cannot.

use std::sync::Arc;

use crate::planted::{Bug, is_planted};
use crate::protocol::door::Action;
use crate::protocol::log::{Entry, Log};
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::Needs;
use crate::protocol::record::{Record, Snapshot};
use crate::store::Command;
use crate::types::{Election, EntryId, Index, index_of};

/// The least a log keeps for followers that were away, in bytes of entries.
const LOG_BYTES: usize = 16 << 20;

impl Node {
    /// The identity of this node's next own entry.
    pub(super) fn next_id(&self) -> EntryId {
        EntryId {
            index: self.log.last_index() + 1,
            term: self.term,
            leader: self.config.id.clone(),
            boot: self.boot,
        }
    }

    /// Puts entries into the log, from the first one's index on, and on the disk.
    pub(super) fn extend(&mut self, entries: Vec<Entry>) {
        let Some(first) = entries.first() else {
            return;
        };
        let truncates = first.id.index <= self.log.last_index();
        if truncates {
            self.log.truncate(first.id.index - 1);
        }
        let names_members = entries
            .iter()
            .any(|entry| matches!(entry.command, Command::Members(_)));
        self.out
            .push(Action::Persist(Record::Append(entries.clone())));
        for entry in entries {
            self.log.push(entry);
        }
        let undoes_members = truncates && !is_planted(Bug::TruncatedMembersStay);
        if undoes_members || names_members {
            self.take_members();
        }
        if !self.config.mode.commits() {
            self.apply_upto(self.log.last_index());
        }
        self.compact();
    }

    /// The members that the log names last are in force, committed or not; taken back, those before them are again
    /// (§4.1).
    pub(super) fn take_members(&mut self) {
        let named = self.log.members_upto(self.log.last_index());
        let members = match named {
            Some(members) => Arc::new(members.clone()),
            // The first change ever was taken back.
            None => self.config.members.clone(),
        };
        if members != self.members {
            self.members = members;
            self.lead_members();
        }
    }

    /// Entries up to `index` are committed.
    pub(super) fn commit_upto(&mut self, index: Index) {
        if index > self.commit {
            self.apply_upto(index);
            let (index, firm) = (self.commit, self.config.mode.election != Election::Raft);
            self.out
                .push(Action::Persist(Record::Commit { index, firm }));
            self.compact();
        }
    }

    /// A leader said that `commit` is committed; the log is the leader's up to `verified`. Whoever holds the entry
    /// `commit` itself holds everything before it as well: equal identity means equal prefix.
    pub(super) fn learn_commit(&mut self, commit: Option<&EntryId>, verified: Index) {
        let Some(commit) = commit.filter(|_| self.config.mode.commits()) else {
            return;
        };
        match self.log.contains(Some(commit)) {
            true => self.commit_upto(commit.index),
            false if is_planted(Bug::CommitBeyondMatch) => self.commit_upto(commit.index),
            false => self.commit_upto(commit.index.min(verified)),
        }
        self.answer_reads();
    }

    /// Puts entries up to `index` into the store.
    pub(super) fn apply_upto(&mut self, index: Index) {
        while self.applied < index
            && let Some(entry) = self.log.entry(self.applied + 1)
        {
            let applied = self.store.apply(&entry.id, self.command_of(entry));
            self.applied += 1;
            if let Part::Leader(leading) = &mut self.part {
                leading.applied(self.applied, applied);
            }
        }
        self.commit = self.commit.max(self.applied);
    }

    /// What `entry` does on this node.
    fn command_of<'a>(&self, entry: &'a Entry) -> &'a Command {
        let leads = matches!(self.part, Part::Leader(_));
        match &entry.command {
            Command::Delete { .. } if is_planted(Bug::DeleteNotReplicated) && !leads => {
                &Command::Noop
            }
            command => command,
        }
    }

    /// Keeps memory bounded by live data. A quarter above its window the log shrinks to it: often enough that no single
    /// turn is long, and seldom enough that snapshots, after which a store copies what it touches, cost little.
    fn compact(&mut self) {
        let (window, step) = match self.config.snapshot_every {
            Some(every) => (every, every),
            None => {
                let window = self.config.log_window.max(self.store.len());
                (window, window / 4)
            }
        };
        let bytes = LOG_BYTES.max(self.store.bytes());
        let is_long = self.log.len() > window + step;
        let is_large = self.log.bytes() > bytes + bytes / 4;
        let is_patient = !is_large && self.log.len() <= window + step + self.store.items();
        let awaited = self.snapshot_under_way().filter(|_| is_patient);
        let upto = match is_planted(Bug::CompactsUnapplied) {
            true => self.log.last_index(),
            false => awaited.map_or(self.applied, |awaited| awaited.min(self.applied)),
        };
        // What is not applied stays; unless enough can go, every entry would try again.
        let can_go = upto.saturating_sub(self.log.compacted_index()) as usize;
        let is_due = is_large || (is_long && can_go >= step.max(1));
        if !is_due {
            return;
        }
        if let Some(compacted) = self.log.compact(window, bytes, upto) {
            let snapshot = Box::new(self.snapshot());
            let tail = self.log.tail(self.applied);
            self.snapshot_at = self.applied;
            self.out.push(Action::Persist(Record::Compact {
                snapshot,
                compacted,
                tail,
            }));
        }
    }

    /// As of when a follower is being sent a snapshot: what comes behind it is what the follower needs next, and if that
    /// were gone by then it would need another snapshot, and so on for ever. While it is under way as many entries are
    /// kept as it has items, so that memory is bounded by live data still.
    fn snapshot_under_way(&self) -> Option<Index> {
        let Part::Leader(leading) = &self.part else {
            return None;
        };
        let followers = leading.followers.iter();
        let places = followers.filter_map(|(_, progress)| match &progress.needs {
            Needs::Snapshot(snapshot, _) => Some(index_of(snapshot.last.as_ref())),
            _ => None,
        });
        places.min()
    }

    /// The store, as of the last entry applied. Costs nothing.
    pub(super) fn snapshot(&self) -> Snapshot {
        let members = match is_planted(Bug::SnapshotKeepsOldMembers) {
            true => self.log.members_upto(self.log.compacted_index()),
            false => self.log.members_upto(self.applied),
        };
        Snapshot {
            last: self.applied_id(),
            history: self.log.history_upto(self.applied),
            members: members
                .filter(|_| !is_planted(Bug::SnapshotForgetsMembers))
                .cloned(),
            store: self.store.clone(),
        }
    }

    /// Replaces log and store by `snapshot`, on the disk too.
    pub(super) fn replace(&mut self, snapshot: Snapshot) {
        self.log = Log::behind(&snapshot);
        self.store = snapshot.store.clone();
        let index = self.log.last_index();
        (self.applied, self.commit, self.snapshot_at) = (index, index, index);
        self.epoch += 1;
        self.members = match &snapshot.members {
            Some(members) => Arc::new(members.clone()),
            None => self.config.members.clone(),
        };
        self.out
            .push(Action::Persist(Record::Install(Box::new(snapshot))));
    }
}
