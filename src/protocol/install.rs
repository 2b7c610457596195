//! A follower's half of snapshots: pieces that come from a leader, and the chapter's whole maps.

use std::sync::Arc;

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::follower::NO_ROUND;
use crate::protocol::history::{Run, extend_history, is_history_of};
use crate::protocol::loss::loss;
use crate::protocol::message::{Message, SnapshotProgress};
use crate::protocol::node::Node;
use crate::protocol::record::Snapshot;
use crate::store::{Command, Piece, Store};
use crate::types::{Boot, Election, EntryId, Leadership, Members, NodeId, Time, index_of};
use crate::value::{Key, Value};

/// A piece of a snapshot, as [`Message::InstallSnapshot`] carries it.
pub(super) struct SnapshotPiece {
    pub(super) boot: Boot,
    pub(super) last: Option<EntryId>,
    pub(super) history: Arc<Vec<Run>>,
    pub(super) members: Option<Box<Members>>,
    pub(super) after: Option<u64>,
    pub(super) items: Vec<Piece>,
    pub(super) done: bool,
}

/// A snapshot on its way: what has arrived of it.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) snapshot: Snapshot,
    /// The place of the last item that arrived.
    pub(super) upto: Option<u64>,
}

impl Node {
    pub(super) fn on_snapshot_piece(
        &mut self,
        now: Time,
        from: NodeId,
        claim: Leadership,
        round: u64,
        piece: SnapshotPiece,
    ) {
        let last = piece.last.clone();
        let progress = match self.obey(now, &claim) {
            true => self.take_piece(&claim, piece),
            false => SnapshotProgress::Stale,
        };
        let (known, boot) = (self.known(), self.boot);
        let round = match progress {
            SnapshotProgress::Stale => NO_ROUND,
            _ => round,
        };
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

    fn take_piece(&mut self, claim: &Leadership, piece: SnapshotPiece) -> SnapshotProgress {
        let is_late = self.is_beyond(claim, piece.boot, piece.last.as_ref());
        if is_late && !is_planted(Bug::LateSnapshotRewinds) {
            // What the snapshot holds is committed, and here already.
            self.learn_commit(piece.last.as_ref(), 0);
            return SnapshotProgress::Installed;
        }
        if piece.after.is_none() {
            if !is_history_of(&piece.history, piece.last.as_ref()) {
                return SnapshotProgress::Upto(None);
            }
            let snapshot = Snapshot {
                last: piece.last.clone(),
                history: piece.history,
                members: piece.members.map(|members| *members),
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
            let place = item.place();
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

    /// Whether a snapshot as of `last` has nothing new: then it is late, and installing it would go back.
    ///
    /// A log that holds `last` and has not applied more can go on from there. One that has applied more is beyond it if
    /// its end is of this very leadership, of this life of its disk, or if what is applied never conflicts, as in raft with commits; any other may
    /// well hold `last` and yet have to give up its tail. Raft goes by what is held too, and not by the index alone: the
    /// disk may have been used in a mode that promises less before.
    fn is_beyond(&self, claim: &Leadership, boot: Boot, last: Option<&EntryId>) -> bool {
        let (end, index) = (self.log.last(), index_of(last));
        let led_here = end.as_ref().is_some_and(|end| {
            (end.term, &end.leader, end.boot) == (claim.term, &claim.leader, boot)
        });
        let holds = self.log.contains(last);
        let commits = self.config.mode.commits();
        let is_raft = self.config.mode.election == Election::Raft;
        end.as_ref() == last
            || (holds && led_here)
            || (holds && commits && self.applied <= index)
            || (holds && commits && is_raft)
    }

    fn install(&mut self, snapshot: Snapshot, leader: &NodeId) {
        let lost = loss(
            &self.log,
            (&self.store, self.applied),
            &snapshot,
            Some(leader),
        );
        self.replace(snapshot);
        let (keys, index) = (self.store.len() as u64, self.log.last_index());
        self.report(Event::Snapshot {
            from: leader.clone(),
            keys,
            index,
        });
        if lost.count > 0 && !is_planted(Bug::LostUnreported) {
            self.report(Event::Lost(lost));
        }
        self.answer_reads();
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
            let command = Command::put(key.clone(), value.clone());
            snapshot.store.apply(&id, &command);
        }
        snapshot.last = Some(id);
        self.replace(snapshot);
        self.report(Event::Merged {
            from: claim.leader.clone(),
            keys: data.len() as u64,
        });
    }
}
