//! A follower's half of replication: entries that continue its log, snapshots that replace it, and the chapter's whole
//! maps.
//!
//! What was applied is never undone in place: a follower whose tail conflicts with its leader's history says so and is
//! sent a snapshot (the reason is `loss`'s: what goes must be named).

use std::sync::Arc;

use crate::event::Event;
use crate::protocol::door::{Action, Record, Snapshot};
use crate::protocol::log::{Entry, Log, Run, extend_history, is_history_of};
use crate::protocol::loss::loss;
use crate::protocol::message::{AppendOutcome, Message, SnapshotProgress};
use crate::protocol::node::Node;
use crate::store::{Command, Item, Store};
use crate::types::{EntryId, Index, Leadership, NodeId, Time};
use crate::value::{Key, Value};

/// A piece of a snapshot, as [`Message::InstallSnapshot`] carries it.
pub(super) struct Piece {
    pub(super) last: Option<EntryId>,
    pub(super) history: Arc<Vec<Run>>,
    pub(super) after: Option<u64>,
    pub(super) items: Vec<Item>,
    pub(super) done: bool,
}

/// A snapshot on its way: what has arrived of it.
#[derive(Debug)]
pub(super) struct Incoming {
    snapshot: Snapshot,
    /// The place of the last item that arrived.
    upto: Option<u64>,
}

impl Node {
    pub(super) fn on_heartbeat(&mut self, now: Time, from: NodeId, claim: Leadership, round: u64) {
        self.obey(now, &claim);
        let (known, boot, last) = (self.known(), self.boot, self.log.last());
        self.send(
            from,
            Message::HeartbeatAck {
                known,
                boot,
                round,
                last,
            },
        );
    }

    pub(super) fn on_append(
        &mut self,
        now: Time,
        from: NodeId,
        claim: Leadership,
        round: u64,
        prev: Option<EntryId>,
        entries: Vec<Entry>,
    ) {
        let outcome = match self.obey(now, &claim) {
            true => self.append(&claim.leader, prev, entries),
            false => AppendOutcome::Stale,
        };
        let (known, boot) = (self.known(), self.boot);
        self.send(
            from,
            Message::AppendAck {
                known,
                boot,
                round,
                outcome,
            },
        );
    }

    fn append(
        &mut self,
        leader: &NodeId,
        prev: Option<EntryId>,
        entries: Vec<Entry>,
    ) -> AppendOutcome {
        if !self.log.contains(prev.as_ref()) {
            return AppendOutcome::Mismatch(self.log.last());
        }
        let upto = prev.map_or(0, |prev| prev.index) + entries.len() as Index;
        // A late or repeated append holds entries that are here already; they are skipped, never cut off.
        let fresh: Vec<Entry> = entries
            .into_iter()
            .skip_while(|entry| self.log.id_at(entry.id.index).as_ref() == Some(&entry.id))
            .collect();
        match fresh.first() {
            None => return AppendOutcome::Stored(upto),
            Some(first) if first.id.index != self.log.last_index() + 1 => {
                return AppendOutcome::Mismatch(self.log.last());
            }
            Some(_) => {}
        }
        let replicated = Event::Replicated {
            entries: fresh.len() as u64,
            from: leader.clone(),
        };
        self.extend(fresh);
        self.report(replicated);
        AppendOutcome::Stored(upto)
    }

    pub(super) fn on_snapshot_piece(
        &mut self,
        now: Time,
        from: NodeId,
        claim: Leadership,
        round: u64,
        piece: Piece,
    ) {
        let last = piece.last.clone();
        let progress = match self.obey(now, &claim) {
            true => self.take_piece(&claim, piece),
            false => SnapshotProgress::Stale,
        };
        let (known, boot) = (self.known(), self.boot);
        self.send(
            from,
            Message::SnapshotAck {
                known,
                boot,
                round,
                last,
                progress,
            },
        );
    }

    fn take_piece(&mut self, claim: &Leadership, piece: Piece) -> SnapshotProgress {
        if self.is_beyond(claim, piece.last.as_ref()) {
            return SnapshotProgress::Installed;
        }
        if piece.after.is_none() {
            if !is_history_of(&piece.history, piece.last.as_ref()) {
                return SnapshotProgress::Upto(None);
            }
            let (last, history) = (piece.last.clone(), piece.history);
            let snapshot = Snapshot {
                last,
                history,
                store: Store::default(),
            };
            self.incoming = Some(Incoming {
                snapshot,
                upto: None,
            });
        }
        let Some(incoming) = self
            .incoming
            .as_mut()
            .filter(|i| i.snapshot.last == piece.last)
        else {
            return SnapshotProgress::Upto(None);
        };
        if incoming.upto != piece.after {
            return SnapshotProgress::Upto(incoming.upto);
        }
        for item in piece.items {
            let place = item.place;
            if !incoming.snapshot.store.restore(item) {
                self.incoming = None;
                return SnapshotProgress::Upto(None);
            }
            incoming.upto = Some(place);
        }
        if !piece.done {
            return SnapshotProgress::Upto(incoming.upto);
        }
        if let Some(incoming) = self.incoming.take() {
            self.install(incoming.snapshot, &claim.leader);
        }
        SnapshotProgress::Installed
    }

    /// Whether a snapshot as of `last` is behind this log, in the leader's own history: then it is late, and installing
    /// it would go back. A log whose end is not the leader's own may well hold `last` and yet have to give up its tail.
    fn is_beyond(&self, claim: &Leadership, last: Option<&EntryId>) -> bool {
        let end = self.log.last();
        let led_here = end
            .as_ref()
            .is_some_and(|end| (end.term, &end.leader) == (claim.term, &claim.leader));
        end.as_ref() == last || (led_here && self.log.contains(last))
    }

    fn install(&mut self, snapshot: Snapshot, leader: &NodeId) {
        let lost = loss(&self.log, &self.store, &snapshot, leader);
        self.log = Log::behind(&snapshot);
        self.store = snapshot.store.clone();
        self.out.push(Action::Persist(Record::Install(snapshot)));
        let (keys, index) = (self.store.len() as u64, self.log.last_index());
        self.report(Event::Snapshot {
            from: leader.clone(),
            keys,
            index,
        });
        if lost.count > 0 {
            self.report(Event::Lost(lost));
        }
    }

    /// Takes over a chapter leader's map, key by key; keys it lacks stay. The log is then a snapshot with an identity
    /// that no other log has, so that whoever of ours leads next sends the others one. A map that says nothing new
    /// changes nothing.
    pub(super) fn merge(&mut self, claim: &Leadership, data: &[(Key, Value)]) {
        let is_new = |(key, value): &&(Key, Value)| {
            self.store
                .get(key.as_str())
                .is_none_or(|slot| slot.value != *value)
        };
        let news: Vec<&(Key, Value)> = data.iter().filter(is_new).collect();
        if news.is_empty() {
            return;
        }
        let id = EntryId {
            index: self.log.last_index() + 1,
            term: claim.term,
            leader: claim.leader.clone(),
            boot: self.rng.boot(),
        };
        let mut snapshot = self.snapshot();
        extend_history(&mut snapshot.history, &id);
        for (key, value) in news {
            let command = Command::Put {
                key: key.clone(),
                value: value.clone(),
            };
            snapshot.store.apply(&id, &command);
        }
        snapshot.last = Some(id);
        self.log = Log::behind(&snapshot);
        self.store = snapshot.store.clone();
        self.out.push(Action::Persist(Record::Install(snapshot)));
        self.report(Event::Merged {
            from: claim.leader.clone(),
            keys: data.len() as u64,
        });
    }
}
