//! A follower's half of replication: entries that continue its log.
//!
//! What was applied is never undone in place: a follower whose applied part conflicts with its leader's history says so
//! and is sent a snapshot (the reason is `loss`'s: what goes must be named). A tail that was not applied is overwritten.

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::log::Entry;
use crate::protocol::message::{AppendOutcome, Message};
use crate::protocol::node::Node;
use crate::types::{EntryId, Index, Leadership, NodeId, Time, index_of};

/// The round that a refusal answers. Rounds are counted anew by each leadership: an old one's number, in an answer that names
/// the present leader, would confirm questions that were never asked of its sender.
pub(super) const NO_ROUND: u64 = 0;

impl Node {
    pub(super) fn on_heartbeat(
        &mut self,
        now: Time,
        from: NodeId,
        claim: Leadership,
        round: u64,
        commit: Option<EntryId>,
    ) {
        let obeys = self.obey(now, &claim);
        if obeys {
            // It names the entry: whoever has that one has all before it. Nothing is concluded from its index alone.
            self.learn_commit(commit.as_ref(), 0);
        }
        let (known, boot, last) = (self.known(), self.boot, self.log.last());
        let (applied, recovering) = (self.applied_if_separate(), self.recovering);
        let round = if obeys { round } else { NO_ROUND };
        self.send(
            from,
            Message::HeartbeatAck {
                known,
                boot,
                round,
                last,
                applied,
                recovering,
            },
        );
    }

    /// The last entry applied, in modes where that is not always the last one.
    fn applied_if_separate(&self) -> Option<EntryId> {
        let commits = self.config.mode.commits();
        commits.then(|| self.applied_id()).flatten()
    }

    pub(super) fn on_append(
        &mut self,
        now: Time,
        from: NodeId,
        claim: Leadership,
        round: u64,
        (prev, entries, commit): (Option<EntryId>, Vec<Entry>, Option<EntryId>),
    ) {
        let outcome = match self.obey(now, &claim) {
            true => self.append(&claim.leader, prev, entries),
            false => AppendOutcome::Stale,
        };
        if let AppendOutcome::Stored(upto) = outcome {
            self.learn_commit(commit.as_ref(), upto);
        }
        let (known, boot) = (self.known(), self.boot);
        let round = match outcome {
            AppendOutcome::Stale => NO_ROUND,
            _ => round,
        };
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
        let is_unchecked = entries.is_empty() && is_planted(Bug::EmptyAppendUnchecked);
        if !self.log.contains(prev.as_ref()) && !is_unchecked {
            return self.mismatch();
        }
        if index_of(prev.as_ref()) < self.log.compacted_index()
            && is_planted(Bug::PurgedPrevConflicts)
        {
            self.log.truncate(self.applied);
            return self.mismatch();
        }
        let upto = index_of(prev.as_ref()) + entries.len() as Index;
        // A late or repeated append holds entries that are here already; they are skipped, never cut off.
        let is_here = |entry: &Entry| {
            self.log.id_at(entry.id.index).as_ref() == Some(&entry.id)
                && !is_planted(Bug::MatchingEntriesTruncated)
                && !(is_planted(Bug::DuplicateTruncates) && entry.id.index == upto)
        };
        let mut fresh: Vec<Entry> = entries.into_iter().skip_while(is_here).collect();
        if is_planted(Bug::ConflictKeepsTail) {
            fresh.extend(self.log.tail(upto));
        }
        let last = self.log.last_index();
        match fresh.first() {
            None => return AppendOutcome::Stored(upto),
            Some(first) if first.id.index > last + 1 => return self.mismatch(),
            Some(first) if first.id.index <= self.applied => return self.mismatch(),
            Some(first) if first.id.index <= last => {
                let entries = last + 1 - first.id.index;
                let to = leader.clone();
                self.report(Event::Discarded { entries, to });
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

    fn mismatch(&self) -> AppendOutcome {
        AppendOutcome::Mismatch {
            last: self.log.last(),
            applied: self.applied_if_separate(),
        }
    }
}
