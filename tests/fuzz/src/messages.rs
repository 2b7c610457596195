//! What strangers say to a node: messages of every kind, drawn so that many fit what the node knows and what it asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use cluster::protocol::message::{AppendOutcome, Known, SnapshotProgress};
use cluster::protocol::{Entry, Message, MessageKind, Node, Run};
use cluster::store::Piece;
use cluster::types::{EntryId, Index, Leadership, NodeId, Term, Time, index_of};

use super::draw::Draw;
use super::make::{self, some};

/// What a stranger may have seen.
pub struct Scene<'a> {
    pub node: &'a Node,
    pub now: Time,
    /// What the node sent lately, and to whom.
    pub sent: &'a VecDeque<(NodeId, Message)>,
}

impl Scene<'_> {
    /// Somebody says something.
    pub fn message(&self, draw: &mut Draw) -> (NodeId, Message) {
        if !self.sent.is_empty() && draw.byte() < 128 {
            let (to, message) = &self.sent[draw.below(self.sent.len())];
            if let Some(answer) = self.answer(draw, message) {
                return (to.clone(), answer);
            }
        }
        let message = self.any(draw);
        let from = match (&message, draw.byte() < 230) {
            (
                Message::Heartbeat { claim, .. }
                | Message::Append { claim, .. }
                | Message::InstallSnapshot { claim, .. }
                | Message::BareHeartbeat { claim }
                | Message::WholeMap { claim, .. },
                true,
            ) => claim.leader.clone(),
            _ => make::node(draw),
        };
        (from, message)
    }

    fn term(&self, draw: &mut Draw) -> Term {
        let own = self.node.status(self.now).term;
        match draw.byte() {
            0..=119 => own,
            120..=199 => own + 1,
            200..=219 => own.saturating_sub(1),
            220..=239 => own + draw.number() % 2_000_000,
            240.. => draw.number(),
        }
    }

    fn claim(&self, draw: &mut Draw) -> Leadership {
        let status = self.node.status(self.now);
        let leader = match (status.leader, draw.byte() < 128) {
            (Some(leader), true) if leader != status.id => leader,
            _ => make::node(draw),
        };
        let term = self.term(draw);
        Leadership { term, leader }
    }

    fn known(&self, draw: &mut Draw) -> Known {
        let status = self.node.status(self.now);
        let leader = match draw.byte() {
            0..=159 => Some(status.id),
            160..=199 => None,
            200.. => Some(make::node(draw)),
        };
        let term = self.term(draw);
        Known { term, leader }
    }

    /// An entry's name: of the node's own log, or close to one, or any.
    fn place(&self, draw: &mut Draw) -> Option<EntryId> {
        let log = self.node.log();
        match draw.byte() {
            0..=15 => None,
            16..=119 => log.last(),
            120..=199 => log.id_at(draw.number() % (log.last_index() + 1)),
            200..=239 => {
                let mut id = log.last().unwrap_or_else(|| make::id(draw));
                match draw.byte() % 4 {
                    0 => id.index = id.index.saturating_add(1),
                    1 => id.term = self.term(draw),
                    2 => id.boot = make::boot(draw),
                    _ => id.leader = make::node(draw),
                }
                Some(id)
            }
            240.. => Some(make::id(draw)),
        }
    }

    fn any(&self, draw: &mut Draw) -> Message {
        match draw.byte() % 20 {
            0 | 1 => self.heartbeat(draw),
            2..=5 => self.append(draw),
            6..=8 => self.piece(draw),
            9 => Message::Probe {
                term: self.term(draw),
            },
            10 => Message::PreVote {
                term: self.term(draw),
                last: self.place(draw),
            },
            11 | 12 => Message::Vote {
                term: self.term(draw),
                last: self.place(draw),
                transfer: draw.chance(),
            },
            13 => Message::TimeoutNow {
                claim: self.claim(draw),
            },
            14 => Message::ReadIndex { id: draw.number() },
            15 => self.read_at(draw, None),
            16 => self.restored(draw),
            17 => Message::BareHeartbeat {
                claim: self.claim(draw),
            },
            18 => self.whole_map(draw),
            _ => self.any_answer(draw),
        }
    }

    fn heartbeat(&self, draw: &mut Draw) -> Message {
        Message::Heartbeat {
            claim: self.claim(draw),
            round: draw.number(),
            commit: self.place(draw),
        }
    }

    fn append(&self, draw: &mut Draw) -> Message {
        let (claim, prev) = (self.claim(draw), self.place(draw));
        let boot = make::boot(draw);
        let mut entries = make::entries(draw, index_of(prev.as_ref()));
        if draw.byte() < 200 {
            entries.iter_mut().for_each(|Entry { id, .. }| {
                (id.term, id.leader, id.boot) = (claim.term, claim.leader.clone(), boot);
            });
        }
        Message::Append {
            claim,
            round: draw.number(),
            prev,
            entries,
            commit: self.place(draw),
        }
    }

    /// A piece of a snapshot, whose history mostly leads to its name.
    fn piece(&self, draw: &mut Draw) -> Message {
        let claim = self.claim(draw);
        let last = self.place(draw);
        let history = match draw.byte() {
            0..=219 => self.history_to(last.as_ref()),
            220.. => make::several(draw, 5, make::run),
        };
        Message::InstallSnapshot {
            claim,
            round: draw.number(),
            boot: make::boot(draw),
            last,
            history: Arc::new(history),
            members: some(draw, make::members).map(Box::new),
            after: some(draw, |draw| draw.number()),
            items: pieces(draw),
            done: draw.chance(),
        }
    }

    fn history_to(&self, last: Option<&EntryId>) -> Vec<Run> {
        let Some(last) = last else {
            return Vec::new();
        };
        let mut history = self.node.log().history_upto(last.index).to_vec();
        let leads_there =
            |run: &Run| (run.term, &run.leader, run.boot) == (last.term, &last.leader, last.boot);
        if !history.last().is_some_and(leads_there) {
            history.retain(|run| run.first < last.index);
            history.push(Run {
                first: last.index,
                term: last.term,
                leader: last.leader.clone(),
                boot: last.boot,
            });
        }
        history
    }

    fn read_at(&self, draw: &mut Draw, id: Option<u64>) -> Message {
        Message::ReadAt {
            claim: self.claim(draw),
            id: id.unwrap_or_else(|| draw.number()),
            commit: self.place(draw),
        }
    }

    fn restored(&self, draw: &mut Draw) -> Message {
        Message::Restored {
            boot: make::boot(draw),
            claim: self.claim(draw),
            commit: self.place(draw),
        }
    }

    fn whole_map(&self, draw: &mut Draw) -> Message {
        let data = make::several(draw, 4, |draw| (make::key(draw), make::value(draw)));
        Message::WholeMap {
            claim: self.claim(draw),
            data: Arc::new(data),
        }
    }

    /// An answer to what the node sent, if that is answered.
    fn answer(&self, draw: &mut Draw, message: &Message) -> Option<Message> {
        Some(match message {
            Message::Heartbeat { round, .. } => self.heartbeat_ack(draw, *round),
            Message::Append {
                round,
                prev,
                entries,
                ..
            } => {
                let upto = index_of(prev.as_ref()) + entries.len() as Index;
                self.append_ack(draw, *round, upto)
            }
            Message::InstallSnapshot {
                round, last, items, ..
            } => {
                let upto = items.last().map(Piece::place);
                self.snapshot_ack(draw, *round, (last.clone(), upto))
            }
            Message::Probe { .. } => self.probe_ack(draw),
            Message::PreVote { term, .. } => self.vote_ack(draw, *term, true),
            Message::Vote { term, .. } => self.vote_ack(draw, *term, false),
            Message::ReadIndex { id } => self.read_at(draw, Some(*id)),
            Message::WholeMap { .. } => Message::BareAck {
                to: MessageKind::WholeMap,
            },
            _ => return None,
        })
    }

    fn any_answer(&self, draw: &mut Draw) -> Message {
        let round = draw.number();
        match draw.byte() % 7 {
            0 => self.heartbeat_ack(draw, round),
            1 => self.append_ack(draw, round, round),
            2 => {
                let named = (self.place(draw), Some(round));
                self.snapshot_ack(draw, round, named)
            }
            3 => self.probe_ack(draw),
            4 => {
                let (term, pre) = (self.term(draw), draw.chance());
                self.vote_ack(draw, term, pre)
            }
            5 => Message::BareAck {
                to: MessageKind::Heartbeat,
            },
            _ => Message::BareAck {
                to: *draw.pick(&[
                    MessageKind::WholeMap,
                    MessageKind::Append,
                    MessageKind::Probe,
                ]),
            },
        }
    }

    fn heartbeat_ack(&self, draw: &mut Draw, round: u64) -> Message {
        Message::HeartbeatAck {
            known: self.known(draw),
            boot: make::boot(draw),
            round,
            last: self.place(draw),
            applied: self.place(draw),
            recovering: draw.byte() >= 200,
        }
    }

    fn append_ack(&self, draw: &mut Draw, round: u64, upto: Index) -> Message {
        let outcome = match draw.byte() {
            0..=159 => AppendOutcome::Stored(upto),
            160..=179 => AppendOutcome::Stored(draw.number()),
            180..=229 => AppendOutcome::Mismatch {
                last: self.place(draw),
                applied: self.place(draw),
            },
            230.. => AppendOutcome::Stale,
        };
        Message::AppendAck {
            known: self.known(draw),
            boot: make::boot(draw),
            round,
            outcome,
        }
    }

    fn snapshot_ack(
        &self,
        draw: &mut Draw,
        round: u64,
        (last, upto): (Option<EntryId>, Option<u64>),
    ) -> Message {
        let progress = match draw.byte() {
            0..=99 => SnapshotProgress::Installed,
            100..=179 => SnapshotProgress::Upto(upto),
            180..=229 => SnapshotProgress::Upto(some(draw, |draw| draw.number())),
            230.. => SnapshotProgress::Stale,
        };
        Message::SnapshotAck {
            known: self.known(draw),
            boot: make::boot(draw),
            round,
            last,
            progress,
        }
    }

    fn probe_ack(&self, draw: &mut Draw) -> Message {
        Message::ProbeAck {
            known: self.known(draw),
            heard_ago: some(draw, ago),
            contends: draw.chance(),
        }
    }

    fn vote_ack(&self, draw: &mut Draw, term: Term, pre: bool) -> Message {
        Message::VoteAck {
            known: self.known(draw),
            term,
            pre,
            granted: draw.byte() < 180,
            heard_ago: some(draw, ago),
        }
    }
}

fn ago(draw: &mut Draw) -> Duration {
    Duration::from_millis(draw.number())
}

/// Pieces in ascending order of their places; now and then not.
fn pieces(draw: &mut Draw) -> Vec<Piece> {
    let mut pieces = make::several(draw, 4, make::piece);
    if draw.byte() < 230 {
        pieces.sort_by_key(Piece::place);
        pieces.dedup_by_key(|piece| piece.place());
    }
    pieces
}
