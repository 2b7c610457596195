//! A leader hands over (Ongaro's dissertation, §3.10): it takes no more writes, waits until the other has all it has, and
//! tells it to stand at once. If that comes to nothing within an election timeout, it goes on leading.

use crate::planted::{Bug, is_planted};
use crate::protocol::door::{Refusal, Reply, RequestId};
use crate::protocol::message::Message;
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::Leading;
use crate::types::{Election, Leadership, NodeId, Time};

/// A leadership that is to go to another.
#[derive(Debug, Clone)]
pub(super) struct HandingOver {
    pub(super) request: RequestId,
    to: NodeId,
    pub(super) deadline: Time,
    told: bool,
}

fn denied(reason: String) -> Reply {
    let refusal = Refusal::Denied;
    Reply::Refused { refusal, reason }
}

impl Leading {
    /// Who is to lead next, while that is under way.
    pub(super) fn hands_over_to(&self) -> Option<&NodeId> {
        self.handing_over.as_ref().map(|over| &over.to)
    }
}

impl Node {
    pub(super) fn transfer(&mut self, now: Time, request: RequestId, to: Option<NodeId>) {
        if self.config.mode.election != Election::Raft {
            return self.reply(request, Reply::Unsupported);
        }
        let Part::Leader(leading) = &self.part else {
            return self.not_leader(request);
        };
        if leading.handing_over.is_some() {
            let refusal = Refusal::NotYet;
            let reason = "the leadership is being handed over already".to_owned();
            return self.reply(request, Reply::Refused { refusal, reason });
        }
        if to.as_ref() == Some(&self.config.id) {
            return self.reply(request, Reply::Changed);
        }
        let to = match self.successor(now, to) {
            Ok(to) => to,
            Err(reason) => return self.reply(request, denied(reason)),
        };
        let deadline = now + self.config.election_timeout;
        if let Part::Leader(leading) = &mut self.part {
            leading.handing_over = Some(HandingOver {
                request,
                to: to.clone(),
                deadline,
                told: false,
            });
        }
        self.hand_over(&to);
    }

    /// The voter that is wanted, if it answers; otherwise, of those that do, the one that has most.
    fn successor(&self, now: Time, wanted: Option<NodeId>) -> Result<NodeId, String> {
        let Part::Leader(leading) = &self.part else {
            return Err("this node leads no more".to_owned());
        };
        let timeout = self.config.election_timeout;
        let answers = |id: &NodeId| {
            let intact = leading.followers.get(id).filter(|p| p.intact);
            let heard = intact.and_then(|p| p.heard);
            heard.is_some_and(|at| now - at < timeout)
        };
        let matched = |id: &NodeId| leading.followers.get(id).map_or(0, |p| p.matched);
        match wanted {
            Some(id) if !self.members.votes(&id) => Err(format!("{id} is no voter")),
            Some(id) if !answers(&id) => Err(format!("{id} does not answer its leader")),
            Some(id) => Ok(id),
            None => {
                let others = self.members.voters.iter().filter(|id| answers(id));
                let best = others.max_by_key(|id| matched(id)).cloned();
                best.ok_or_else(|| "no other voter answers".to_owned())
            }
        }
    }

    /// Tells the successor, once it has everything.
    pub(super) fn hand_over(&mut self, from: &NodeId) {
        let last = self.log.last_index();
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        if let Some(over) = &mut leading.handing_over
            && over.to == *from
            && !over.told
            && (leading.followers.get(from).map_or(0, |p| p.matched) >= last
                || is_planted(Bug::TransferWithoutCatchUp))
        {
            over.told = true;
            let claim = self.claim();
            self.send(from.clone(), Message::TimeoutNow { claim });
        }
    }

    pub(super) fn give_up_transfer(&mut self, now: Time) {
        let timeout = self.config.election_timeout;
        if let Part::Leader(leading) = &mut self.part
            && let Some(over) = leading.handing_over.take_if(|over| over.deadline <= now)
        {
            let reason = format!("{} did not take over within {timeout:?}", over.to);
            self.reply(over.request, denied(reason));
        }
    }

    /// The leader hands over to this node: it stands at once, without asking whether it could win.
    pub(super) fn on_timeout_now(&mut self, now: Time, claim: &Leadership) {
        let may_stand = self.members.votes(&self.config.id) && !self.recovering;
        if self.config.mode.election == Election::Raft && self.obey(now, claim) && may_stand {
            self.ask_for_votes(now, true);
        }
    }
}
