//! What a leader learns from answers: where each follower's log ends, what a majority holds, and that it still leads.

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::duties::Duty;
use crate::protocol::message::{AppendOutcome, Message, MessageKind, SnapshotProgress};
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::{Needs, Progress};
use crate::types::{Boot, Election, EntryId, Index, NodeId, Time, index_of};

impl Node {
    /// Takes an answer from somebody who obeys just this leadership.
    pub(super) fn on_answer(&mut self, now: Time, from: &NodeId, message: Message) {
        let (Message::HeartbeatAck { boot, round, .. }
        | Message::AppendAck { boot, round, .. }
        | Message::SnapshotAck { boot, round, .. }) = &message
        else {
            return;
        };
        if !self.heard_from(now, from, *boot, *round) {
            return;
        }
        match message {
            Message::HeartbeatAck {
                round,
                last,
                applied,
                recovering,
                ..
            } => {
                self.on_heartbeat_ack(now, from, round, last, applied);
                self.on_recovering(from, recovering);
            }
            Message::AppendAck { round, outcome, .. } => self.on_append_ack(from, round, outcome),
            Message::SnapshotAck {
                round,
                last,
                progress,
                ..
            } => self.on_snapshot_ack(from, round, last, progress),
            _ => {}
        }
        self.advance_commit();
        self.confirm_copies();
        self.acknowledge();
        self.confirm_reads(now);
        self.confirm_recovery();
        self.promote(now);
        self.hand_over(from);
        self.tell_if_new(now);
        self.send_missing(now, from);
    }

    /// Notes that it lives; whether it is its present life that speaks.
    fn heard_from(&mut self, now: Time, from: &NodeId, boot: Boot, round: u64) -> bool {
        let mut is_present = false;
        self.with_progress(from, |progress| {
            is_present = progress.meet(boot);
            if is_present {
                (progress.heard, progress.excused) = (Some(now), false);
                progress.answered = progress.answered.max(round);
            }
        });
        is_present
    }

    fn on_heartbeat_ack(
        &mut self,
        now: Time,
        from: &NodeId,
        round: u64,
        last: Option<EntryId>,
        applied: Option<EntryId>,
    ) {
        let shared = self.log.contains(last.as_ref());
        let index = index_of(last.as_ref());
        let reachable = shared && index >= self.log.compacted_index();
        // A tail that is not the leader's, behind a part that is: what was not applied can be overwritten.
        let repairable = self.repairable(applied);
        let patience = self.config.heartbeat;
        // Without votes by log another leader may have taken from it meanwhile what this one gave it.
        let may_forget = self.config.mode.election != Election::Raft;
        let snapshot = (!shared || !reachable).then(|| Box::new(self.snapshot()));
        self.with_progress(from, |progress| {
            // An answer is overdue: the message is lost, or its receiver was. Doubled messages do no harm.
            let overdue = progress
                .in_flight
                .front()
                .is_some_and(|(_, sent)| now - *sent >= patience);
            if overdue {
                progress.forget_flights();
            }
            if may_forget && round >= progress.answered {
                let held = if shared { index } else { 0 };
                progress.forget_behind(held);
            }
            match &mut progress.needs {
                // What was matched stays matched; the answer may be older than what is known.
                Needs::Entries(sent) if shared => {
                    progress.matched = index.max(progress.matched);
                    *sent = (*sent).max(progress.matched);
                }
                _ if reachable => {
                    progress.matched = index.max(progress.matched);
                    progress.needs = Needs::Entries(index);
                }
                // A transfer goes on, whatever the follower still holds meanwhile.
                Needs::Snapshot(..) => {}
                _ if round <= progress.outdated => {}
                Needs::Entries(_) if !progress.in_flight.is_empty() => {}
                Needs::Unknown | Needs::Entries(_) | Needs::Maps(_) => {
                    progress.in_flight.clear();
                    progress.needs = match (repairable, snapshot) {
                        (Some(from), _) => Needs::Entries(from),
                        (None, Some(snapshot)) => Needs::Snapshot(snapshot, None),
                        (None, None) => Needs::Unknown,
                    };
                }
            }
        });
    }

    /// The index that a follower which applied everything up to `applied` can be continued from, if the leader's log
    /// holds that and what follows.
    fn repairable(&self, applied: Option<EntryId>) -> Option<Index> {
        let commits = self.config.mode.commits();
        let index = index_of(applied.as_ref());
        let kept = index >= self.log.compacted_index();
        (commits && kept && self.log.contains(applied.as_ref())).then_some(index)
    }

    fn on_append_ack(&mut self, from: &NodeId, round: u64, outcome: AppendOutcome) {
        let last_index = self.log.last_index();
        let (reachable, repairable) = match &outcome {
            AppendOutcome::Mismatch { last, applied } => (
                self.log.contains(last.as_ref()),
                self.repairable(applied.clone()),
            ),
            AppendOutcome::Stored(_) | AppendOutcome::Stale => (false, None),
        };
        let is_mismatch = matches!(outcome, AppendOutcome::Mismatch { .. });
        let is_needed = is_mismatch && !reachable && repairable.is_none();
        let snapshot = is_needed.then(|| Box::new(self.snapshot()));
        self.with_progress(from, |progress| {
            let expected = progress.expects(round);
            match (outcome, &mut progress.needs) {
                (AppendOutcome::Stored(upto), Needs::Entries(sent)) => {
                    progress.matched = upto.min(last_index).max(progress.matched);
                    *sent = (*sent).max(progress.matched);
                }
                (AppendOutcome::Mismatch { last, .. }, Needs::Entries(_)) if expected => {
                    progress.in_flight.clear();
                    progress.needs = match (repairable, snapshot) {
                        (_, Some(snapshot)) => Needs::Snapshot(snapshot, None),
                        (Some(index), None) if !reachable => Needs::Entries(index),
                        _ => Needs::Entries(index_of(last.as_ref()).max(progress.matched)),
                    };
                }
                // A late answer, or one to a claim that is no longer believed: the next heartbeat tells.
                (AppendOutcome::Stored(_) | AppendOutcome::Mismatch { .. }, _) => {}
                (AppendOutcome::Stale, _) => {}
            }
        });
    }

    fn on_snapshot_ack(
        &mut self,
        from: &NodeId,
        round: u64,
        last: Option<EntryId>,
        outcome: SnapshotProgress,
    ) {
        self.with_progress(from, |progress| {
            let expected = progress.expects(round);
            let Needs::Snapshot(snapshot, upto) = &mut progress.needs else {
                return;
            };
            if snapshot.last != last {
                return;
            }
            match outcome {
                SnapshotProgress::Installed => {
                    let index = index_of(last.as_ref());
                    progress.outdated = round;
                    progress.matched = index.max(progress.matched);
                    progress.needs = Needs::Entries(index);
                }
                SnapshotProgress::Upto(place) if expected => *upto = place,
                SnapshotProgress::Upto(_) | SnapshotProgress::Stale => {}
            }
        });
    }

    /// A peer that answers a heartbeat with no more than success speaks the chapter's protocol.
    pub(super) fn on_bare_ack(&mut self, now: Time, from: &NodeId, to: MessageKind) {
        let understood = matches!(to, MessageKind::Heartbeat | MessageKind::WholeMap);
        if !understood || self.config.mode.election != Election::LowestId {
            return;
        }
        self.with_progress(from, |progress| {
            (progress.heard, progress.excused) = (Some(now), false);
            if to == MessageKind::WholeMap || !matches!(progress.needs, Needs::Maps(_)) {
                progress.in_flight.clear();
            }
            if !matches!(progress.needs, Needs::Maps(_)) {
                progress.needs = Needs::Maps(None);
            }
        });
        self.send_missing(now, from);
    }

    /// Commits what a majority holds: counted only for entries of this leadership, which take all before them along
    /// (Raft §5.4.2: an older term's entry never commits by counting). A leader that is being removed does not count
    /// itself (§4.2.2).
    pub(super) fn advance_commit(&mut self) {
        let Part::Leader(leading) = &self.part else {
            return;
        };
        if self.commit >= self.log.last_index() {
            return;
        }
        let own = &self.config.id;
        let held = |id: &NodeId| match id == own {
            true => self.log.last_index(),
            false => {
                let intact = leading.followers.get(id).filter(|p| p.intact);
                intact.map_or(0, Progress::held)
            }
        };
        let (voters, majority) = self.quorum();
        let ahead = voters.map(held).filter(|index| *index > self.commit);
        let mut ahead: Vec<Index> = ahead.collect();
        ahead.sort_unstable_by(|a, b| b.cmp(a));
        let Some(index) = ahead.get(majority - 1).copied() else {
            return;
        };
        let is_own = index >= leading.began || is_planted(Bug::OldTermCommits);
        if self.config.mode.commits() && is_own {
            self.commit_upto(index);
        }
    }

    /// Whose copies count, and how many of them are a majority.
    fn quorum(&self) -> (impl Iterator<Item = &NodeId>, usize) {
        let members = match is_planted(Bug::QuorumOfOldMembers) {
            true => &self.config.members,
            false => &self.members,
        };
        let learners = members.learners.iter();
        let learners = learners.filter(|_| is_planted(Bug::LearnerCounts));
        let is_removed = is_planted(Bug::RemovedLeaderCounts) && !members.votes(&self.config.id);
        let removed = is_removed.then_some(&self.config.id);
        let counted = members.voters.iter().chain(learners).chain(removed);
        (counted, members.majority())
    }

    fn tell_if_new(&mut self, now: Time) {
        let Part::Leader(leading) = &self.part else {
            return;
        };
        let commit = self.commit;
        if self.config.mode.commits()
            && leading
                .followers
                .iter()
                .any(|(_, p)| p.told < commit && p.tell_at.is_none())
        {
            self.tell(now);
        }
    }

    /// The last index that every voter has.
    pub(super) fn match_of_all(&self) -> Index {
        let Part::Leader(leading) = &self.part else {
            return 0;
        };
        let others = self
            .members
            .voters
            .iter()
            .filter(|id| **id != self.config.id);
        let matches = others.map(|id| leading.followers.get(id).map_or(0, |p| p.matched));
        matches.min().unwrap_or(Index::MAX)
    }

    /// Whether a majority of the voters answered a message numbered above `round`: then this leader led when that message
    /// left.
    pub(super) fn is_confirmed(&self, round: u64) -> bool {
        let Part::Leader(leading) = &self.part else {
            return false;
        };
        let answered = |id: &&NodeId| {
            let follower = leading.followers.get(id);
            **id == self.config.id || follower.is_some_and(|p| p.intact && p.answered > round)
        };
        self.members.voters.iter().filter(answered).count() >= self.members.majority()
    }

    /// A leader that heard no majority for an election timeout leads no more (§6.2): its clients are told at once, and
    /// nobody takes it for the leader it may not be.
    pub(super) fn check_quorum(&mut self, now: Time) {
        let timeout = self.config.election_timeout;
        let own = self.config.id.clone();
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        leading
            .duties
            .insert((now + timeout, Duty::CheckQuorum, own.clone()));
        let lately = |id: &&NodeId| {
            let intact = leading.followers.get(id).filter(|p| p.intact);
            let heard = intact.and_then(|p| p.heard);
            **id == own || heard.is_some_and(|at| now - at <= timeout)
        };
        let heard = self.members.voters.iter().filter(lately).count();
        if heard < self.members.majority() {
            let (term, of) = (self.term, self.members.voters.len());
            self.report(Event::NoQuorum { term, heard, of });
            self.follow_nobody(now);
        }
    }
}
