//! What a leader knows of its followers, and what it has to do when.

use std::collections::VecDeque;

use crate::planted::{Bug, is_planted};
use crate::protocol::clients::Waiting;
use crate::protocol::copies::Copies;
use crate::protocol::duties::{Duties, Duty};
use crate::protocol::membership::Changing;
use crate::protocol::peers::Peers;
use crate::protocol::reads::Reads;
use crate::protocol::record::Snapshot;
use crate::protocol::transfer::HandingOver;
use crate::store::Applied;
use crate::types::{Boot, Index, Members, NodeId, Time, sooner};

/// What a leader keeps while it leads.
#[derive(Debug, Clone)]
pub(super) struct Leading {
    /// Numbers its messages.
    pub(super) round: u64,
    /// The index of the first entry of this leadership.
    pub(super) began: Index,
    pub(super) followers: Peers<Progress>,
    pub(super) duties: Duties,
    /// Writes whose clients wait, in order of their entries.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) reads: Reads,
    pub(super) copies: Copies,
    pub(super) changing: Option<Changing>,
    pub(super) handing_over: Option<HandingOver>,
}

/// What a leader knows of a follower.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    pub(super) boot: Option<Boot>,
    /// Earlier lives of its disk: what still comes of them is no news.
    pub(super) former: Vec<Boot>,
    pub(super) needs: Needs,
    /// It has everything up to here on its disk.
    pub(super) matched: Index,
    /// The messages without an answer yet, and when they left.
    pub(super) in_flight: VecDeque<(u64, Time)>,
    /// Not before then does the next append or piece leave.
    pub(super) send_after: Time,
    /// When a `Duty::Send` is due, if one is among the duties.
    pub(super) scheduled: Option<Time>,
    /// Answers to heartbeats up to this round may describe the log from before a snapshot was installed.
    pub(super) outdated: u64,
    /// It was told that entries up to here are committed.
    pub(super) told: Index,
    /// When it is told of what was committed since, if nothing else is sent before.
    pub(super) tell_at: Option<Time>,
    /// The latest message it answered, and when the answer came.
    pub(super) answered: u64,
    pub(super) heard: Option<Time>,
    /// It was last taken for heard though it was not, because the leader had stood still.
    pub(super) excused: bool,
    /// It said that it remembers all it ever promised. Only then does what it says count towards a majority.
    pub(super) intact: bool,
    /// It lost its disk, and has caught up: the round from which on a majority must confirm this leader.
    pub(super) recovering: Option<u64>,
}

/// How a follower is brought up to date.
#[derive(Debug, Clone)]
pub(super) enum Needs {
    /// Not known before it answers.
    Unknown,
    /// Everything up to this index was sent: the entries behind.
    Entries(Index),
    /// A snapshot, of which it has everything up to a place.
    Snapshot(Box<Snapshot>, Option<u64>),
    /// It speaks the chapter's protocol: the whole map, whenever the log has grown beyond this index.
    Maps(Option<Index>),
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress {
            boot: None,
            former: Vec::new(),
            needs: Needs::Unknown,
            matched: 0,
            in_flight: VecDeque::new(),
            send_after: Time::ZERO,
            scheduled: None,
            outdated: 0,
            told: 0,
            tell_at: None,
            answered: 0,
            heard: None,
            excused: false,
            intact: false,
            recovering: None,
        }
    }

    /// Forgets everything if the follower's disk is another than it was. Whether what it says is of its present life.
    pub(super) fn meet(&mut self, boot: Boot) -> bool {
        if self.former.contains(&boot) {
            return false;
        }
        if let Some(known) = self.boot.filter(|known| *known != boot) {
            let mut former = std::mem::take(&mut self.former);
            former.push(known);
            *self = Progress {
                scheduled: self.scheduled,
                former,
                ..Progress::new()
            };
        }
        self.boot = Some(boot);
        true
    }

    /// Takes the answer to `round`; whether it is one waited for.
    pub(super) fn expects(&mut self, round: u64) -> bool {
        let at = self.in_flight.iter().position(|(sent, _)| *sent == round);
        at.is_some_and(|at| self.in_flight.remove(at).is_some())
    }

    /// Nothing that is on its way will come back: what was not matched is to be sent again.
    pub(super) fn forget_flights(&mut self) {
        self.in_flight.clear();
        if let Needs::Entries(sent) = &mut self.needs {
            *sent = (*sent).min(self.matched);
        }
    }

    /// It says that it holds no more than this.
    pub(super) fn forget_behind(&mut self, held: Index) {
        if held < self.matched {
            self.matched = held;
            if let Needs::Entries(sent) = &mut self.needs
                && self.in_flight.is_empty()
            {
                *sent = held;
            }
        }
    }

    /// What counts towards a majority: what it said it has.
    pub(super) fn held(&self) -> Index {
        match self.needs {
            Needs::Entries(sent) if is_planted(Bug::SentCountsAsStored) => sent,
            _ => self.matched,
        }
    }

    /// Where its log is known to match, if it is.
    pub(super) fn known_match(&self) -> Option<Index> {
        matches!(self.needs, Needs::Entries(_)).then_some(self.matched)
    }
}

impl Leading {
    /// Leads `followers`: everyone is sent a heartbeat at once. The first entry of this leadership will be `began`.
    pub(super) fn new(now: Time, began: Index, followers: impl Iterator<Item = NodeId>) -> Leading {
        let followers: Peers<Progress> = followers.map(|id| (id, Progress::new())).collect();
        let duties = followers
            .iter()
            .map(|(id, _)| (now, Duty::Heartbeat, id.clone()))
            .collect();
        Leading {
            round: 0,
            began,
            followers,
            duties,
            waiting: VecDeque::new(),
            reads: Reads::default(),
            copies: Copies::default(),
            changing: None,
            handing_over: None,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        let duty = self.duties.first().map(|(due, _, _)| *due);
        let write = self.waiting.front().map(|waiting| waiting.deadline);
        let transfer = self.handing_over.as_ref().map(|to| to.deadline);
        let change = self.changing.as_ref().map(|changing| changing.deadline);
        let clients = sooner(write, self.reads.deadline());
        sooner(sooner(duty, clients), sooner(transfer, change))
    }

    /// The write at `index`, if a client waits for it, did this.
    pub(super) fn applied(&mut self, index: Index, applied: Applied) {
        let at = self.waiting.partition_point(|w| w.index < index);
        if let Some(waiting) = self.waiting.get_mut(at).filter(|w| w.index == index) {
            waiting.applied = Some(applied);
        }
    }

    /// The voters that are not known to have `index`, or whose word does not count.
    pub(super) fn missing(&self, members: &Members, index: Index) -> Vec<NodeId> {
        let lacks = |id: &&NodeId| {
            let progress = self.followers.get(id);
            progress.is_some_and(|progress| progress.matched < index || !progress.intact)
        };
        members.voters.iter().filter(lacks).cloned().collect()
    }

    /// Makes the followers those of `members` besides `own`; new ones are sent a heartbeat at once.
    pub(super) fn follow(&mut self, now: Time, members: &Members, own: &NodeId) {
        self.followers.retain(|id| members.contains(id));
        let followers = &self.followers;
        self.duties
            .retain(|(_, _, id)| id == own || followers.contains(id));
        for id in members.iter().filter(|id| *id != own) {
            if !self.followers.contains(id) {
                self.followers.insert(id.clone(), Progress::new());
                self.duties.insert((now, Duty::Heartbeat, id.clone()));
            }
        }
    }

    /// The leader itself stood still: that it heard nobody meanwhile proves nothing. Whoever is silent ever since was
    /// excused once: else a leader that hears nobody, and is slow each time, would lead for ever and let nobody else.
    pub(super) fn excuse_silence(&mut self, now: Time) {
        for (_, progress) in self.followers.iter_mut() {
            if !std::mem::replace(&mut progress.excused, true) {
                progress.heard = Some(now);
            }
        }
    }

    /// A follower known by address has an id now.
    pub(super) fn rename(&mut self, address: &NodeId, id: &NodeId, own: &NodeId) {
        let Some(progress) = self.followers.remove(address) else {
            return;
        };
        let known = id == own || self.followers.contains(id);
        for (due, duty, to) in std::mem::take(&mut self.duties) {
            if to != *address {
                self.duties.insert((due, duty, to));
            } else if !known {
                self.duties.insert((due, duty, id.clone()));
            }
        }
        if !known {
            self.followers.insert(id.clone(), progress);
        }
    }

    pub(super) fn next_round(&mut self) -> u64 {
        self.round += 1;
        self.round
    }

    /// Has `to` be sent something at `due`, or earlier if that was planned.
    pub(super) fn schedule(&mut self, to: &NodeId, due: Time) {
        let Some(progress) = self.followers.get_mut(to) else {
            return;
        };
        match progress.scheduled {
            Some(planned) if planned <= due => return,
            Some(planned) => self.duties.remove(&(planned, Duty::Send, to.clone())),
            None => {}
        }
        progress.scheduled = Some(due);
        self.duties.insert((due, Duty::Send, to.clone()));
    }
}
