//! A leader's half of replication: what it knows of each follower, what it sends next, and when.
//!
//! Heartbeats are staggered over the interval, one a follower, and their answers tell where each log ends. From there a
//! follower is sent what it lacks: entries behind the last match, or, where those are compacted or its log has another
//! history, a snapshot piece by piece. One append or piece is in flight to a follower at a time; under load entries
//! gather for [`Config::append_pause`](crate::types::Config) meanwhile, so a thousand writes cost a few messages.
//!
//! A loss needs no timer of its own: the next heartbeat's answer shows what is missing, and it is sent again.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::door::Snapshot;
use crate::protocol::message::{
    AppendOutcome, MAX_APPEND_BYTES, Message, MessageKind, SnapshotProgress,
};
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::{Duty, Needs, Progress};
use crate::store::Item;
use crate::types::{Boot, EntryId, Leadership, NodeId, Time};

impl Node {
    /// The claim this node makes while it leads.
    fn claim(&self) -> Leadership {
        Leadership {
            term: self.term,
            leader: self.config.id.clone(),
        }
    }

    pub(super) fn perform_duties(&mut self, now: Time) {
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
                        progress.scheduled = false;
                    }
                    self.send_missing(now, &to);
                }
            }
        }
    }

    fn heartbeat(&mut self, now: Time, due: Time, to: NodeId) {
        let claim = self.claim();
        let interval = self.config.heartbeat;
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let round = leading.next_round();
        let next = match round <= leading.followers.len() as u64 {
            // After the first round, which all get at once, they are spread over the interval.
            true => now + spread(interval, round, leading.followers.len()),
            // A late heartbeat does not make the next ones late, unless it is very late.
            false => (due + interval).max(now + interval / 2),
        };
        leading.duties.insert((next, Duty::Heartbeat, to.clone()));
        self.send(to, Message::Heartbeat { claim, round });
    }

    /// Sends everyone who is up to date what is new.
    pub(super) fn replicate(&mut self, now: Time) {
        let Part::Leader(leading) = &self.part else {
            return;
        };
        let idle = leading
            .followers
            .iter()
            .filter(|(_, p)| p.in_flight.is_none() && !p.scheduled);
        let idle: Vec<NodeId> = idle.map(|(id, _)| id.clone()).collect();
        for follower in idle {
            self.send_missing(now, &follower);
        }
    }

    /// Sends `to` the next thing it lacks, unless something is in flight; later, if it is too early.
    fn send_missing(&mut self, now: Time, to: &NodeId) {
        let last = self.log.last_index();
        let pause = self.config.append_pause;
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        let Some(progress) = leading.followers.get_mut(to) else {
            return;
        };
        let lacks = match &progress.needs {
            Needs::Unknown => false,
            Needs::Entries(matched) => *matched < last,
            Needs::Snapshot(..) => true,
            Needs::Maps(sent) => sent.unwrap_or(0) < last,
        };
        if !lacks || progress.in_flight.is_some() || progress.scheduled {
            return;
        }
        if now < progress.send_after {
            progress.scheduled = true;
            leading
                .duties
                .insert((progress.send_after, Duty::Send, to.clone()));
            return;
        }
        let round = leading.next_round();
        if let Some(message) = self.next_message(to, round) {
            self.with_progress(to, |progress| {
                progress.in_flight = Some((round, now));
                progress.send_after = now + pause;
            });
            self.send(to.clone(), message);
        }
    }

    fn next_message(&mut self, to: &NodeId, round: u64) -> Option<Message> {
        let (claim, last) = (self.claim(), self.log.last_index());
        let whole = self.snapshot();
        let Part::Leader(leading) = &mut self.part else {
            return None;
        };
        let needs = &mut leading.followers.get_mut(to)?.needs;
        if let Needs::Entries(matched) = *needs {
            let prev = self.log.id_at(matched);
            let reachable = matched == 0 || prev.is_some();
            match self.log.entries_behind(matched).filter(|_| reachable) {
                Some(entries) => {
                    return Some(Message::Append {
                        claim,
                        round,
                        prev,
                        entries,
                    });
                }
                None => *needs = Needs::Snapshot(whole, None),
            }
        }
        match needs {
            Needs::Unknown | Needs::Entries(_) => None,
            Needs::Snapshot(snapshot, upto) => Some(piece(claim, round, snapshot, *upto)),
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

    pub(super) fn on_heartbeat_ack(
        &mut self,
        now: Time,
        from: &NodeId,
        boot: Boot,
        round: u64,
        last: Option<EntryId>,
    ) {
        let shared = self.log.contains(last.as_ref());
        let index = last.map_or(0, |last| last.index);
        let reachable = shared && index >= self.log.compacted_index();
        let patience = self.config.heartbeat;
        let snapshot = self.snapshot();
        self.with_progress(from, |progress| {
            progress.meet(boot);
            // An answer is overdue: the message is lost, or its receiver was. Doubled messages do no harm.
            progress
                .in_flight
                .take_if(|(_, sent)| now - *sent >= patience);
            match &mut progress.needs {
                // What was matched stays matched; the answer may be older than what is known.
                Needs::Entries(matched) if shared => *matched = index.max(*matched),
                _ if reachable => progress.needs = Needs::Entries(index),
                // A transfer goes on, whatever the follower still holds meanwhile.
                Needs::Snapshot(..) => {}
                _ if round <= progress.outdated => {}
                Needs::Unknown | Needs::Entries(_) | Needs::Maps(_) => {
                    progress.needs = Needs::Snapshot(snapshot, None);
                }
            }
        });
        self.send_missing(now, from);
    }

    pub(super) fn on_append_ack(
        &mut self,
        now: Time,
        from: &NodeId,
        boot: Boot,
        round: u64,
        outcome: AppendOutcome,
    ) {
        let last = self.log.last_index();
        let reachable = match &outcome {
            AppendOutcome::Mismatch(end) => self.log.contains(end.as_ref()),
            AppendOutcome::Stored(_) | AppendOutcome::Stale => false,
        };
        let snapshot = self.snapshot();
        self.with_progress(from, |progress| {
            progress.meet(boot);
            let expected = progress.answered(round);
            match (outcome, &mut progress.needs) {
                (AppendOutcome::Stored(upto), Needs::Entries(matched)) => {
                    *matched = upto.min(last).max(*matched);
                }
                (AppendOutcome::Mismatch(end), needs @ Needs::Entries(_)) if expected => {
                    *needs = match reachable {
                        true => Needs::Entries(end.map_or(0, |end| end.index)),
                        false => Needs::Snapshot(snapshot, None),
                    };
                }
                // A late answer, or one to a claim that is no longer believed: the next heartbeat tells.
                (AppendOutcome::Stored(_) | AppendOutcome::Mismatch(_), _) => {}
                (AppendOutcome::Stale, _) => {}
            }
        });
        self.send_missing(now, from);
    }

    pub(super) fn on_snapshot_ack(
        &mut self,
        now: Time,
        from: &NodeId,
        boot: Boot,
        round: u64,
        last: Option<EntryId>,
        outcome: SnapshotProgress,
    ) {
        self.with_progress(from, |progress| {
            progress.meet(boot);
            let expected = progress.answered(round);
            let Needs::Snapshot(snapshot, upto) = &mut progress.needs else {
                return;
            };
            if snapshot.last != last {
                return;
            }
            match outcome {
                SnapshotProgress::Installed => {
                    progress.outdated = round;
                    progress.needs = Needs::Entries(last.map_or(0, |last| last.index));
                }
                SnapshotProgress::Upto(place) if expected => *upto = place,
                SnapshotProgress::Upto(_) | SnapshotProgress::Stale => {}
            }
        });
        self.send_missing(now, from);
    }

    /// A peer that answers a heartbeat with no more than success speaks the chapter's protocol.
    pub(super) fn on_bare_ack(&mut self, now: Time, from: &NodeId, to: MessageKind) {
        self.with_progress(from, |progress| {
            if to == MessageKind::WholeMap || !matches!(progress.needs, Needs::Maps(_)) {
                progress.in_flight = None;
            }
            if !matches!(progress.needs, Needs::Maps(_)) {
                progress.needs = Needs::Maps(None);
            }
        });
        self.send_missing(now, from);
    }

    /// A refused append or piece is surely gone. Whoever revives shows where it stands by answering a heartbeat.
    pub(super) fn refused_replication(&mut self, peer: &NodeId, message: MessageKind) {
        let replicates = matches!(
            message,
            MessageKind::Append | MessageKind::InstallSnapshot | MessageKind::WholeMap
        );
        if replicates {
            self.with_progress(peer, |progress| {
                progress.in_flight = None;
                progress.needs = Needs::Unknown;
            });
        }
    }

    fn with_progress(&mut self, follower: &NodeId, change: impl FnOnce(&mut Progress)) {
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

fn piece(claim: Leadership, round: u64, snapshot: &Snapshot, after: Option<u64>) -> Message {
    let mut budget = MAX_APPEND_BYTES;
    let mut items: Vec<Item> = Vec::new();
    let mut rest = snapshot.store.items_after(after);
    let mut done = true;
    for item in rest.by_ref() {
        let size = item.key.as_str().len() + item.value.as_str().len();
        if size > budget && !items.is_empty() {
            done = false;
            break;
        }
        budget = budget.saturating_sub(size);
        items.push(item);
    }
    let history = match after {
        None => snapshot.history.clone(),
        Some(_) => Default::default(),
    };
    Message::InstallSnapshot {
        claim,
        round,
        last: snapshot.last.clone(),
        history,
        after,
        items,
        done,
    }
}
