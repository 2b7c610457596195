//! Members come and go one at a time (Ongaro's dissertation, §4.1–4.2), so that the majorities before and after a change
//! always share a node.
//!
//! A new member is a *learner* first: it is sent everything and counts for nothing, so a slow one blocks nobody. Once it
//! has caught up, a second change makes it a voter. Members are an entry of the log, in force as soon as it is there; if
//! it is taken back, so are they. No change begins before the leader has committed an entry of its own term: without
//! that rule two leaders could each complete a change that the other does not know (Ongaro on raft-dev, 2015), with
//! majorities that share nobody.

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::door::{MemberChange, Refusal, Reply, RequestId};
use crate::protocol::log::Entry;
use crate::protocol::node::{Node, Part};
use crate::store::Command;
use crate::types::{Index, Members, NodeId, Time};

/// How long a new member may take to catch up.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A learner this close behind is made a voter; the rest comes while that is committed.
const CLOSE: u64 = 1000;

/// A change under way.
#[derive(Debug, Clone)]
pub(super) struct Changing {
    pub(super) request: Option<RequestId>,
    /// The entry that must be committed.
    index: Index,
    /// The learner that is to vote next.
    learner: Option<NodeId>,
    pub(super) deadline: Time,
}

impl Node {
    pub(super) fn change_members(&mut self, now: Time, request: RequestId, change: MemberChange) {
        if !self.config.mode.is_linearizable() {
            return self.reply(request, Reply::Unsupported);
        }
        let Part::Leader(leading) = &self.part else {
            return self.not_leader(request);
        };
        let pending = leading.changing.is_some() || self.log.members_at() > self.commit;
        let pending = pending && !is_planted(Bug::TwoChangesAtOnce);
        let is_early = self.commit < leading.began && !is_planted(Bug::MembersBeforeOwnCommit);
        let refusal = if is_early {
            let reason = "the leader has not committed anything in its term yet: try again";
            Some((Refusal::NotYet, reason.to_owned()))
        } else if pending {
            let reason = "another change of members is under way: try again when it is done";
            Some((Refusal::NotYet, reason.to_owned()))
        } else {
            self.objection(now, &change)
        };
        if let Some((refusal, reason)) = refusal {
            return self.reply(request, Reply::Refused { refusal, reason });
        }
        let (members, learner) = match change {
            MemberChange::Add(id) => (self.members.with_learner(&id), Some(id)),
            MemberChange::Remove(id) => (self.members.without(&id), None),
        };
        let index = self.propose_members(members);
        if let Part::Leader(leading) = &mut self.part {
            leading.changing = Some(Changing {
                request: Some(request),
                index,
                learner,
                deadline: now + PATIENCE,
            });
        }
        self.hurry(now);
        self.advance_commit();
        self.promote(now);
    }

    /// The voters of `members` from whom nothing was heard lately, if without them there is no majority.
    fn missing_majority(&self, now: Time, members: &Members) -> Option<Vec<NodeId>> {
        let Part::Leader(leading) = &self.part else {
            return None;
        };
        let timeout = self.config.election_timeout;
        let is_heard = |id: &&NodeId| {
            let follower = leading.followers.get(id).filter(|p| p.intact);
            let heard = follower.and_then(|p| p.heard);
            **id == self.config.id || heard.is_some_and(|at| now - at <= timeout)
        };
        let (heard, silent): (Vec<&NodeId>, Vec<&NodeId>) =
            members.voters.iter().partition(is_heard);
        (heard.len() < members.majority()).then(|| silent.into_iter().cloned().collect())
    }

    fn objection(&self, now: Time, change: &MemberChange) -> Option<(Refusal, String)> {
        let members = &self.members;
        match change {
            MemberChange::Add(id) if members.votes(id) => {
                Some((Refusal::Settled, format!("{id} is a member already")))
            }
            MemberChange::Remove(id) if !members.contains(id) => {
                Some((Refusal::Settled, format!("{id} is no member")))
            }
            MemberChange::Remove(id) if members.votes(id) && members.voters.len() == 1 => {
                Some((Refusal::Denied, format!("{id} is the last voter")))
            }
            MemberChange::Add(_) => None,
            MemberChange::Remove(id) => {
                let silent = self.missing_majority(now, &members.without(id))?;
                let names: Vec<&str> = silent.iter().map(NodeId::as_str).collect();
                let reason = format!(
                    "without {id} those that answer would be no majority, and nothing could be written: revive {} first",
                    names.join(", ")
                );
                Some((Refusal::Denied, reason))
            }
        }
    }

    fn propose_members(&mut self, members: Members) -> Index {
        let id = self.next_id();
        let index = id.index;
        let command = Command::Members(members);
        self.extend(vec![Entry { id, command }]);
        index
    }

    pub(super) fn is_voter(&self) -> bool {
        self.members.votes(&self.config.id)
    }

    /// Whether it was a voter until an entry that may not be committed yet. It stands as if it were one, though its own vote
    /// does not count: perhaps it alone holds that entry, and then nobody else would be voted for (§4.2.2).
    pub(super) fn is_being_removed(&self) -> bool {
        let named = self.log.members_at();
        let before = named.checked_sub(1).filter(|_| named > self.commit);
        before.is_some_and(|before| {
            let before = self.log.members_upto(before);
            before
                .unwrap_or(&self.config.members)
                .votes(&self.config.id)
        }) && !self.is_voter()
    }

    /// A leader serves the members in force.
    pub(super) fn lead_members(&mut self) {
        if let Part::Leader(leading) = &mut self.part {
            // New ones are due at once, whatever the time is.
            leading.follow(Time::ZERO, &self.members, &self.config.id);
        }
    }

    /// Goes on with a change: a learner that has caught up is made a voter; what is committed is answered.
    pub(super) fn promote(&mut self, now: Time) {
        let (commit, last) = (self.commit, self.log.last_index());
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        if leading.changing.is_none() {
            return self.leave_if_removed(now);
        }
        let Some(changing) = leading.changing.as_mut().filter(|c| c.index <= commit) else {
            return;
        };
        let Some(learner) = changing.learner.clone() else {
            return self.complete_change(now);
        };
        let progress = leading.followers.get(&learner);
        let is_close = progress.is_some_and(|p| {
            p.known_match()
                .is_some_and(|matched| matched + CLOSE >= last)
        });
        if is_close {
            let index = self.propose_members(self.members.with_voter(&learner));
            if let Part::Leader(leading) = &mut self.part
                && let Some(changing) = &mut leading.changing
            {
                (changing.index, changing.learner) = (index, None);
            }
            self.hurry(now);
            self.advance_commit();
        }
    }

    fn complete_change(&mut self, now: Time) {
        let members = self.members.clone();
        self.report(Event::MembersChanged {
            voters: members.voters.clone(),
        });
        if let Part::Leader(leading) = &mut self.part
            && let Some(request) = leading
                .changing
                .take()
                .and_then(|changing| changing.request)
        {
            self.reply(request, Reply::Changed);
        }
        self.leave_if_removed(now);
    }

    /// A leader that is no member any more has done its last duty once that is committed and the others know (§4.2.2).
    fn leave_if_removed(&mut self, now: Time) {
        if self.is_voter() || self.log.members_at() > self.commit {
            return;
        }
        self.confirm();
        let (term, leader) = (self.term, None);
        self.report(Event::SteppedDown { term, leader });
        self.follow_nobody(now);
    }

    pub(super) fn give_up_changes(&mut self, now: Time) {
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        if let Some(changing) = leading.changing.take_if(|c| c.deadline <= now)
            && let Some(request) = changing.request
        {
            let reason = match changing.learner {
                Some(id) => {
                    format!("{id} did not catch up within {PATIENCE:?}: it stays a learner")
                }
                None => format!("not committed within {PATIENCE:?}"),
            };
            self.reply(request, Reply::GivenUp { reason });
        }
        self.give_up_transfer(now);
    }
}
