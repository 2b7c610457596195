//! Rules that a node keeps or breaks by itself, whatever becomes of it: what it votes for, what earns its patience, what it
//! commits, how it changes members. Breaking one seldom shows at once, and sometimes only costs time; so each is held
//! against every node where it is to be kept (Ongaro's dissertation, §3.4, §3.6, §4.1, §4.2.2 and §9.6).

use crate::protocol::{Action, Entry, Input, Message, Node};
use crate::sim::ledger::named;
use crate::sim::plan::{Kind, Place};
use crate::sim::world::{World, place_of};
use crate::store::Command;
use crate::types::{Election, EntryId, Index, NodeId, Replication, Time};

/// After how many election timeouts without a fault, but deaths and returns, a leader is expected to stay one.
const CALM: u64 = 4;

/// A node as it was before it was asked for a vote.
#[derive(Debug)]
pub(super) struct Asked {
    /// Where the log of whoever asks ends.
    last: Option<EntryId>,
    /// Until when it would have waited for a leader.
    waits_until: Option<Time>,
}

impl Asked {
    /// What is to be remembered of `node` before it takes `input`, if that asks for a vote by log.
    pub(super) fn of(node: &Node, input: &Input) -> Option<Asked> {
        let Input::Message { message, .. } = input else {
            return None;
        };
        let (Message::PreVote { last, .. } | Message::Vote { last, .. }) = message else {
            return None;
        };
        let by_log = node.config().mode.election == Election::Raft;
        by_log.then(|| Asked {
            last: last.clone(),
            waits_until: node.waits_until(),
        })
    }

    /// What `node` did wrong in answering with `actions`, if anything.
    pub(super) fn judge(
        &self,
        node: &Node,
        actions: &[Action],
    ) -> Option<(&'static str, &'static str)> {
        let answer = actions.iter().find_map(|action| match action {
            Action::Send {
                message: Message::VoteAck { pre, granted, .. },
                ..
            } => Some((*pre, *granted)),
            _ => None,
        });
        let (is_pre, is_granted) = answer?;
        let place = |id: Option<&EntryId>| id.map(|id| (id.term, id.index));
        if is_granted && place(self.last.as_ref()) < place(node.log().last().as_ref()) {
            return Some((
                "election restriction",
                "votes for a log that lacks what it has",
            ));
        }
        let gives = is_granted && !is_pre;
        let was_patient = self.waits_until.is_some() && node.waits_until().is_some();
        if was_patient && !gives && node.waits_until() > self.waits_until {
            let what = "waits longer for a leader, having given no vote";
            return Some(("only leaders and votes earn patience", what));
        }
        None
    }
}

impl World {
    /// A leader has more committed: a majority of the voters has it, and counted an entry of its own term (§3.6.2).
    pub(super) fn watch_commit(&mut self, place: Place, before: Index) {
        let Some(node) = &self.seat(place).node else {
            return;
        };
        let commit = node.commit_index();
        if !node.leads() || commit <= before || !self.watch.is_linearizable {
            return;
        }
        let Some(entry) = node.log().id_at(commit) else {
            return;
        };
        if entry.term != node.term() {
            let what = format!(
                "{} leads term {} and commits {entry:?} by counting",
                named(place),
                node.term()
            );
            return self.fail(
                "only entries of its own term are committed by counting",
                what,
            );
        }
        if !self.watch.has_lost_disks && !self.is_held(place, node, &entry) {
            let what = format!(
                "{} commits {entry:?}, which no majority holds",
                named(place)
            );
            self.fail("committed means held by a majority", what);
        }
    }

    /// Whether a majority of the voters holds an entry: of those as of that entry, or of any later ones that the leader's
    /// log names, since they may have been in force when it counted.
    fn is_held(&self, leader: Place, node: &Node, entry: &EntryId) -> bool {
        let holds = |id: &&NodeId| {
            let Some(place) = place_of(id) else {
                return false;
            };
            // What the leader is just writing is on its disk before anybody is told.
            place == leader || self.seat(place).disk.holds(entry)
        };
        let log = node.log();
        let first = log.members_upto(entry.index);
        let first = first.unwrap_or(&node.config().members);
        let later = (entry.index + 1..=log.members_at()).filter_map(|at| log.entry(at));
        let later = later.filter_map(|entry| match &entry.command {
            Command::Members(members) => Some(members),
            _ => None,
        });
        std::iter::once(first)
            .chain(later)
            .any(|members| members.voters.iter().filter(holds).count() > members.voters.len() / 2)
    }

    /// A write is acknowledged: as many hold it as the mode promises.
    pub(super) fn watch_done(&mut self, place: Place, entry: &EntryId) {
        let Some(node) = &self.seat(place).node else {
            return;
        };
        // Where what is committed can be undone, another leader may have done that to some of a majority meanwhile.
        let is_sync = self.plan.mode.replication == Replication::Sync;
        if !self.watch.is_linearizable && (!node.leads() || !is_sync) {
            return;
        }
        let voters = &node.members().voters;
        let holds = |place: &Place| {
            let seat = self.seats.get(*place as usize);
            seat.is_some_and(|seat| seat.disk.holds(entry))
        };
        // It may have been committed just before the members changed, with the help of one who is none any more.
        let before = node.log().members_at().saturating_sub(1);
        let before = node.log().members_upto(before);
        let former = before.map_or(&node.config().members.voters, |before| &before.voters);
        let former = former.iter().filter(|id| !voters.contains(id));
        let held = voters.iter().chain(former).filter_map(place_of);
        let held = held.filter(holds).count();
        let needed = match self.plan.mode.replication {
            Replication::Async => usize::from(holds(&place)).max(1).min(held.max(1)),
            Replication::Quorum => node.members().majority(),
            Replication::Sync => voters.len(),
        };
        // It may have been committed by the members before the last change.
        let fewest = self.watch.fewest_voters;
        let needed = match self.watch.has_changed_members {
            true => needed.min(fewest / 2 + 1),
            false => needed,
        };
        if held < needed && !self.watch.has_lost_disks {
            let what = format!("{entry:?} is acknowledged and {held} disks hold it, not {needed}");
            self.fail("acknowledged as promised", what);
        }
    }

    /// A leader names other members: no earlier change is open, and an entry of its own is committed (§4.1, and Ongaro on
    /// raft-dev, 2015).
    pub(super) fn watch_change(&mut self, place: Place, entry: &Entry) {
        let Some(node) = &self.seat(place).node else {
            return;
        };
        let commit = node.commit_index();
        let own = node.log().id_at(commit).map(|id| id.term);
        let shadow = &self.watch.nodes[place as usize].shadow;
        let mut open = (commit + 1..entry.id.index).filter_map(|at| shadow.at(at));
        let broken = if own != Some(node.term()) {
            Some("has committed nothing in its term")
        } else if open.any(|key| self.watch.ledger.names_members(&key)) {
            Some("has an earlier change that is not committed")
        } else {
            None
        };
        if let Some(why) = broken {
            let what = format!(
                "{} changes members by {:?}, and {why}",
                named(place),
                entry.id
            );
            self.fail("one change of members at a time", what);
        }
    }

    /// The members in force are those that the log names last, committed or not (§4.1).
    pub(super) fn watch_members(&mut self, place: Place) {
        let Some(node) = &self.seat(place).node else {
            return;
        };
        let log = node.log();
        let named_last = log.members_upto(log.last_index());
        if named_last.is_some_and(|members| members != node.members()) {
            let what = format!(
                "{} goes by members that its log does not name",
                named(place)
            );
            self.fail("the last members in the log are in force", what);
        }
    }

    /// A node begins to lead: not while another does whom all can hear (§4.2.3, §9.6; in lowest-id the chapter's rule that
    /// who comes back follows).
    pub(super) fn watch_stability(&mut self, place: Place) {
        let mode = self.plan.mode;
        let guards = self.plan.safeguards;
        let is_promised = match mode.election {
            Election::LowestId => true,
            Election::Raft => guards.pre_vote && guards.check_quorum && !self.changes_members(),
            Election::Bully => false,
        };
        let span = 1000 * CALM * self.plan.scale.election_timeout;
        let Some(then) = self.now.checked_sub(span).filter(|_| is_promised) else {
            return;
        };
        if self.troubled_until > then {
            return;
        }
        let leads = |other: &Place| {
            let since = self.watch.nodes[*other as usize].leads_since;
            *other != place
                && self.seat(*other).is_well()
                && since.is_some_and(|since| since < then)
        };
        if let Some(leader) = self.places().find(leads) {
            let what = format!(
                "{} begins to lead, and {} has been leading all along, unhindered",
                named(place),
                named(leader)
            );
            self.fail("a leader that is heard stays", what);
        }
    }

    fn changes_members(&self) -> bool {
        let kinds = &self.plan.kinds;
        kinds.iter().any(|(kind, _)| *kind == Kind::Membership)
    }
}
