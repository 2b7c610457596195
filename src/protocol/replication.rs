//! A leader's half of replication: what it sends next, and when.
//!
//! Heartbeats are staggered over the interval, one a follower, and their answers tell where each log ends. From there a
//! follower is sent what it lacks: entries behind the last match, or, where those are compacted or its log has another
//! history, a snapshot piece by piece. With `async` one append is in flight to a follower at a time, and under load
//! entries gather for [`Config::append_pause`](crate::types::Config) meanwhile, so a thousand writes cost a few
//! messages. Where clients wait for copies nothing pauses: up to [`WINDOW`] appends are in flight, each with all that
//! was written since the one before.
//!
//! A loss needs no timer of its own: the next heartbeat's answer shows what is missing, and it is sent again.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::duties::Duty;
use crate::protocol::message::{Message, MessageKind};
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::{Needs, Progress};
use crate::protocol::record::Snapshot;
use crate::store::Piece;
use crate::types::{Boot, EntryId, Leadership, NodeId, Time};

/// How many appends to one follower may be without an answer where clients wait for it.
const WINDOW: usize = 2;

impl Node {
    /// The claim this node makes while it leads.
    pub(super) fn claim(&self) -> Leadership {
        Leadership {
            term: self.term,
            leader: self.config.id.clone(),
        }
    }

    /// The last entry committed, for followers to learn; nothing to learn with `async`.
    pub(super) fn committed(&self) -> Option<EntryId> {
        let commits = self.config.mode.commits();
        commits.then(|| self.log.id_at(self.commit)).flatten()
    }

    pub(super) fn perform_duties(&mut self, now: Time) {
        self.give_up_waiting(now);
        self.give_up_reads(now);
        self.give_up_changes(now);
        while let Part::Leader(leading) = &mut self.part
            && leading
                .duties
                .first()
                .is_some_and(|(due, _, _)| *due <= now)
        {
            let Some((due, duty, to)) = leading.duties.pop_first() else {
                return;
            };
            match duty {
                Duty::Heartbeat => self.heartbeat(now, due, to),
                Duty::Send => {
                    if let Some(progress) = leading.followers.get_mut(&to) {
                        progress.scheduled = None;
                    }
                    self.send_missing(now, &to);
                }
                Duty::Confirm => self.confirm(),
                Duty::CheckQuorum => self.check_quorum(now),
            }
        }
    }

    fn heartbeat(&mut self, now: Time, due: Time, to: NodeId) {
        let interval = self.config.heartbeat;
        let together = !self.config.safeguards.random_timeout;
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let round = leading.next_round();
        let next = match round <= leading.followers.len() as u64 {
            // Fixed timeouts are to expire together, as the paper has it, to show what becomes of the votes.
            _ if together => due.max(now) + interval,
            // After the first round, which all get at once, they are spread over the interval.
            true => now + spread(interval, round, leading.followers.len()),
            // A late heartbeat does not make the next ones late, unless it is very late.
            false => (due + interval).max(now + interval / 2),
        };
        leading.duties.insert((next, Duty::Heartbeat, to.clone()));
        self.send_heartbeat(to, round);
    }

    pub(super) fn send_heartbeat(&mut self, to: NodeId, round: u64) {
        let (claim, commit) = (self.claim(), self.committed());
        let heartbeat = Message::Heartbeat {
            claim,
            round,
            commit,
        };
        self.send(to, heartbeat);
    }

    /// There is something new: everyone who is up to date is sent it, at the end of this turn.
    pub(super) fn hurry(&mut self, now: Time) {
        let window = self.window();
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let has_room = |(_, p): &(&NodeId, &Progress)| {
            p.in_flight.len() < window && p.scheduled.is_none_or(|due| due > now)
        };
        let idle = leading.followers.iter().filter(has_room);
        let idle: Vec<(NodeId, Time)> = idle
            .map(|(id, p)| (id.clone(), p.send_after.max(now)))
            .collect();
        for (follower, due) in idle {
            leading.schedule(&follower, due);
        }
    }

    /// Followers hear what was committed with the next append, or soon.
    pub(super) fn tell(&mut self, now: Time) {
        let due = now + self.config.append_pause;
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let untold = leading
            .followers
            .iter_mut()
            .filter(|(_, p)| p.tell_at.is_none());
        let untold: Vec<NodeId> = untold
            .map(|(id, progress)| {
                progress.tell_at = Some(due);
                id.clone()
            })
            .collect();
        for follower in untold {
            leading.schedule(&follower, due);
        }
    }

    fn window(&self) -> usize {
        if self.config.mode.commits() {
            WINDOW
        } else {
            1
        }
    }

    /// Sends `to` the next thing it lacks, unless enough is in flight; later, if it is too early.
    pub(super) fn send_missing(&mut self, now: Time, to: &NodeId) {
        let (last, commit, window) = (self.log.last_index(), self.commit, self.window());
        let is_empty = self.store.is_empty();
        let pause = match self.config.mode.commits() {
            true => Duration::ZERO,
            false => self.config.append_pause,
        };
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let Some(progress) = leading.followers.get_mut(to) else {
            return;
        };
        let untold = progress.told < commit && progress.tell_at.is_some_and(|at| at <= now);
        let (lacks, room) = match &progress.needs {
            Needs::Unknown => (false, 0),
            Needs::Entries(sent) => (*sent < last || untold, window),
            Needs::Snapshot(..) => (true, 1),
            // Maps carry no deletes: an empty one says nothing.
            Needs::Maps(sent) => (sent.unwrap_or(0) < last && !is_empty, 1),
        };
        if !lacks || progress.in_flight.len() >= room {
            // The turn that would have told it came too early.
            if let Some(at) = progress.tell_at.filter(|at| *at > now) {
                leading.schedule(to, at);
            }
            return;
        }
        if now < progress.send_after {
            let due = progress.send_after;
            return leading.schedule(to, due);
        }
        let round = leading.next_round();
        if let Some(message) = self.next_message(to, round) {
            self.with_progress(to, |progress| {
                progress.in_flight.push_back((round, now));
                progress.send_after = now + pause;
            });
            self.send(to.clone(), message);
            // What did not fit goes at once, as far as the window allows.
            self.send_missing(now, to);
        }
    }

    fn next_message(&mut self, to: &NodeId, round: u64) -> Option<Message> {
        let (claim, last, commit) = (self.claim(), self.log.last_index(), self.committed());
        let (bytes, boot) = (self.config.append_bytes, self.boot);
        let snapshot = self.snapshot_for(to);
        let Part::Leader(leading) = &mut self.part else {
            return None;
        };
        let progress = leading.followers.get_mut(to)?;
        if let Needs::Entries(sent) = &mut progress.needs {
            let prev = self.log.id_at(*sent);
            let reachable = *sent == 0 || prev.is_some();
            match self.log.entries_behind(*sent, bytes).filter(|_| reachable) {
                Some(entries) => {
                    *sent += entries.len() as u64;
                    progress.told = self.commit.min(*sent).max(progress.told);
                    progress.tell_at = None;
                    return Some(Message::Append {
                        claim,
                        round,
                        prev,
                        entries,
                        commit,
                    });
                }
                None => progress.needs = Needs::Snapshot(snapshot?, None),
            }
        }
        match &mut progress.needs {
            Needs::Unknown | Needs::Entries(_) => None,
            Needs::Snapshot(snapshot, upto) => {
                Some(piece(claim, (round, boot), snapshot, *upto, bytes))
            }
            Needs::Maps(sent) => {
                *sent = Some(last);
                let data = self
                    .store
                    .iter()
                    .map(|(key, slot)| (key.clone(), slot.value.clone()));
                Some(Message::WholeMap {
                    claim,
                    data: Arc::new(data.collect()),
                })
            }
        }
    }

    /// A snapshot for `to`, if its place in the log is compacted.
    fn snapshot_for(&self, to: &NodeId) -> Option<Box<Snapshot>> {
        let Part::Leader(leading) = &self.part else {
            return None;
        };
        match leading.followers.get(to)?.needs {
            Needs::Entries(sent) if sent < self.log.compacted_index() => {
                Some(Box::new(self.snapshot()))
            }
            _ => None,
        }
    }

    /// A refused append or piece is surely gone. Whoever revives shows where it stands by answering a heartbeat.
    pub(super) fn refused_replication(&mut self, peer: &NodeId, message: MessageKind) {
        let replicates = matches!(
            message,
            MessageKind::Append | MessageKind::InstallSnapshot | MessageKind::WholeMap
        );
        if replicates {
            self.with_progress(peer, |progress| {
                progress.in_flight.clear();
                progress.needs = Needs::Unknown;
            });
        }
    }

    pub(super) fn with_progress(&mut self, follower: &NodeId, change: impl FnOnce(&mut Progress)) {
        if let Part::Leader(leading) = &mut self.part
            && let Some(progress) = leading.followers.get_mut(follower)
        {
            change(progress);
        }
    }
}

/// When, within the interval, the `k`-th of `n` followers has its turn.
fn spread(interval: Duration, k: u64, n: usize) -> Duration {
    interval.mul_f64(k as f64 / n as f64)
}

fn piece(
    claim: Leadership,
    (round, boot): (u64, Boot),
    snapshot: &Snapshot,
    after: Option<u64>,
    bytes: usize,
) -> Message {
    let mut budget = bytes;
    let mut items: Vec<Piece> = Vec::new();
    let mut rest = snapshot.store.pieces_after(after);
    let mut done = true;
    for item in rest.by_ref() {
        let size = item.size();
        if size > budget && !items.is_empty() {
            done = false;
            break;
        }
        budget = budget.saturating_sub(size);
        items.push(item);
    }
    let (history, members) = match after {
        None => (
            snapshot.history.clone(),
            snapshot.members.clone().map(Box::new),
        ),
        Some(_) => Default::default(),
    };
    Message::InstallSnapshot {
        claim,
        round,
        boot,
        last: snapshot.last.clone(),
        history,
        members,
        after,
        items,
        done,
    }
}
