//! Members come, go, and hand over, while the cluster runs: the launcher makes and removes nodes, the leader decides.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::engine::{Engine, EngineError};
use crate::event::Event;
use crate::protocol::{MemberChange, Refusal, Reply};
use crate::runtime::boot::reserve_nth;
use crate::runtime::cluster::Cluster;
use crate::runtime::slot::{Slot, State, now};
use crate::storage::meta;
use crate::types::{NodeId, Role, Term};
use crate::wire::control::NodeAddress;

/// How long a change may take, elections meanwhile included.
const PATIENCE: Duration = Duration::from_secs(90);

/// For how many election timeouts a leader is waited for.
const LEADERLESS: u32 = 10;

/// Why nothing is done where nobody could.
const NOBODY: &str = "nobody leads";

/// How long to wait before asking again.
const GLANCE: Duration = Duration::from_millis(20);

/// Why a change of members is not known to be made.
struct Undone {
    reason: String,
    /// It may have been, or be yet.
    is_unknown: bool,
}

impl Undone {
    fn refused(reason: &str) -> Undone {
        Undone {
            reason: reason.to_owned(),
            is_unknown: false,
        }
    }

    fn unknown(reason: &str) -> Undone {
        Undone {
            is_unknown: true,
            ..Undone::refused(reason)
        }
    }

    fn for_want_of_a_leader(mut self) -> Undone {
        if self.reason != NOBODY {
            self.reason = format!("{}; {NOBODY}", self.reason);
        }
        if !self.is_unknown {
            self.reason += ": see cluster status";
        }
        self
    }
}

impl From<Undone> for EngineError {
    fn from(undone: Undone) -> EngineError {
        EngineError::Refused(undone.reason)
    }
}

fn cannot_make(id: &NodeId, error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    EngineError::System {
        node: id.clone(),
        what: "cannot be made",
        source: std::io::Error::other(error),
    }
}

impl Cluster {
    /// The node that leads, if one believes so; of several, the one in the highest term.
    pub(super) async fn leader(&self) -> Option<(NodeId, Arc<Slot>)> {
        let mut best: Option<(Term, NodeId, Arc<Slot>)> = None;
        for (id, slot) in self.slots() {
            // Whoever stands still leads nobody just now.
            if self.is_paused(&id) {
                continue;
            }
            let Some((role, term)) = stance(&slot).await else {
                continue;
            };
            if role == Role::Leader && best.as_ref().is_none_or(|(known, ..)| *known < term) {
                best = Some((term, id, slot.clone()));
            }
        }
        best.map(|(_, id, slot)| (id, slot))
    }

    fn check_members_can_change(&self) -> Result<(), EngineError> {
        match self.mode().is_linearizable() {
            true => Ok(()),
            false => Err(EngineError::Unsupported(format!(
                "{} does not change its members: only --raft does, where a majority agrees on them in the log",
                self.mode()
            ))),
        }
    }

    /// Has the leader carry out `change`, whoever that is meanwhile. An answer that was lost may have been a yes: whoever
    /// says that there is nothing to do must be the leader indeed.
    async fn change_members(&self, change: MemberChange) -> Result<(), Undone> {
        let deadline = Instant::now() + PATIENCE;
        let mut last = Undone::refused(NOBODY);
        let mut leaderless = Instant::now();
        let patience = LEADERLESS * self.options().election_timeout;
        while Instant::now() < deadline {
            if let Some((id, slot)) = self.leader().await {
                let since = stance(&slot).await;
                let asked = match &*slot.state.lock().await {
                    State::Running(node) => Some(node.change_members(change.clone())),
                    State::Killed(..) | State::Gone => None,
                };
                let Some(asked) = asked else { continue };
                // A leader that stands still, or hears nobody, may never answer.
                let Ok(reply) = timeout_at(deadline, asked).await else {
                    return Err(Undone::unknown(&format!("{id} did not answer in time")));
                };
                leaderless = Instant::now();
                match reply {
                    Reply::Changed => return Ok(()),
                    Reply::Refused {
                        refusal: Refusal::Settled,
                        reason,
                    } => match self.leads_still(&slot, since, deadline).await {
                        Some(true) => return Ok(()),
                        Some(false) => {}
                        None => {
                            last.reason = format!(
                                "{reason}, says {id}, but no majority confirms that it leads: see cluster status"
                            );
                            return Err(last);
                        }
                    },
                    Reply::Refused {
                        refusal: Refusal::Denied,
                        reason,
                    } => {
                        // Another may have made it before.
                        let is_unknown = last.is_unknown;
                        return Err(Undone { reason, is_unknown });
                    }
                    Reply::Refused { reason, .. } | Reply::Unavailable { reason } => {
                        last.reason = reason;
                    }
                    Reply::GivenUp { reason } => return Err(Undone::unknown(&reason)),
                    Reply::Unknown { reason } => last = Undone::unknown(&reason),
                    _ => {}
                }
            }
            if leaderless.elapsed() > patience {
                return Err(last.for_want_of_a_leader());
            }
            sleep(GLANCE).await;
        }
        Err(last)
    }

    /// Whether a leader has led all the while: one that was deposed and does not know it knows the members of yesterday.
    /// `None`: nobody confirms it.
    async fn leads_still(
        &self,
        slot: &Slot,
        since: Option<(Role, Term)>,
        end: Instant,
    ) -> Option<bool> {
        let confirmed = match &*slot.state.lock().await {
            State::Running(node) => node.confirm(),
            State::Killed(..) | State::Gone => return Some(false),
        };
        let end = end.min(Instant::now() + LEADERLESS * self.options().election_timeout);
        let reply = timeout_at(end, confirmed).await.ok();
        let now = stance(slot).await;
        let leads = now == since && now.is_some_and(|(role, _)| role == Role::Leader);
        match (leads, reply) {
            (true, Some(Reply::Readable)) => Some(true),
            (true, _) => None,
            (false, _) => Some(false),
        }
    }

    /// Makes a node, and a member of it. Returns once it votes. Where nobody knows whether it is a member it stays up: a
    /// member that never comes would count towards every majority.
    pub(super) async fn add_node(&self) -> Result<NodeAddress, EngineError> {
        self.check_members_can_change()?;
        let _one_at_a_time = self.changes.lock().await;
        let id = self.next_id();
        let slot = self.make_node(&id).await?;
        if let Err(undone) = self.start_node(&id, &slot).await {
            self.retire(&id).await;
            return Err(undone);
        }
        let url = slot.url.clone();
        match self.change_members(MemberChange::Add(id.clone())).await {
            Ok(()) => Ok(NodeAddress { id, url }),
            Err(undone) if undone.is_unknown => Err(EngineError::Unknown(format!(
                "{}; {id} stays up at {url}, and may become a member yet: cluster status shows whether it is one, cluster remove {id} undoes it",
                undone.reason
            ))),
            Err(undone) => {
                self.retire(&id).await;
                Err(undone.into())
            }
        }
    }

    /// The place of one more node.
    async fn make_node(&self, id: &NodeId) -> Result<Arc<Slot>, EngineError> {
        let reserved = reserve_nth(self.options(), id, self.slots().len());
        let (reserved, address) = reserved.map_err(|error| cannot_make(id, error))?;
        let disk = self.new_disk(id, false);
        let disk = disk.map_err(|error| cannot_make(id, error))?;
        let clock = self.world.clock.another();
        let slot = Arc::new(Slot::new(disk, reserved, address, clock));
        // Before it says a word: partitions in force are its too.
        let _alone = self.book.changes.lock().await;
        self.insert(id, slot.clone());
        self.reshape();
        Ok(slot)
    }

    async fn start_node(&self, id: &NodeId, slot: &Slot) -> Result<(), EngineError> {
        let census = self.take_census();
        census.map_err(|error| cannot_make(id, error))?;
        let mut state = slot.state.lock().await;
        let started = self.start(id, slot, &mut state).await;
        started.map_err(|error| cannot_make(id, error))?;
        self.tell_listening(id, slot);
        if let State::Running(node) = &*state {
            node.begin(false).await;
        }
        Ok(())
    }

    /// Makes a node no member, and ends it.
    pub(super) async fn remove_node(&self, id: &NodeId) -> Result<(), EngineError> {
        self.check_members_can_change()?;
        let _one_at_a_time = self.changes.lock().await;
        self.slot(id)?;
        let removed = self.change_members(MemberChange::Remove(id.clone())).await;
        removed.map_err(|undone| match undone.is_unknown {
            true => EngineError::Unknown(format!(
                "{}; {id} may be no member any more: cluster status shows whether it is one, cluster remove {id} tries again",
                undone.reason
            )),
            false => undone.into(),
        })?;
        self.retire(id).await;
        self.report(Some(id.clone()), Event::Removed);
        Ok(())
    }

    /// Ends a node for good: its port is free, and its data set aside.
    async fn retire(&self, id: &NodeId) {
        let Some(slot) = self.forget(id) else {
            return;
        };
        let _hurried = self.hurry(id);
        let state = std::mem::replace(&mut *slot.state.lock().await, State::Gone);
        let disk = match state {
            State::Running(node) => node.kill().await,
            State::Killed(disk, _) => Some(disk),
            State::Gone => None,
        };
        drop(disk);
        // If it cannot be written, the node is met at the next start, and is no member.
        let _ = self.take_census();
        self.set_aside(id);
        let _alone = self.book.changes.lock().await;
        self.forget_node(id);
        self.reshape();
    }

    /// Sets the directory of a node that was removed aside: it is no member when the cluster starts again.
    fn set_aside(&self, id: &NodeId) {
        if let Some(directory) = &self.options().data_dir {
            // If it cannot be renamed it is met at the next start, whose message names it.
            let _ = meta::set_aside(directory, id, &now().replace(':', ""));
        }
    }

    /// Has the leader hand over, and returns the one that leads then.
    pub(super) async fn transfer_to(&self, to: Option<NodeId>) -> Result<NodeId, EngineError> {
        if let Some(id) = &to {
            self.slot(id)?;
        }
        let Some((old, slot)) = self.leader().await else {
            return Err(EngineError::Refused("nobody leads just now".to_owned()));
        };
        let asked = match &*slot.state.lock().await {
            State::Running(node) => Some(node.transfer(to.clone())),
            State::Killed(..) | State::Gone => None,
        };
        let Some(asked) = asked else {
            return Err(EngineError::Refused(format!("{old} leads no more")));
        };
        let patience = (LEADERLESS * self.options().election_timeout).min(PATIENCE);
        let Ok(reply) = timeout(patience, asked).await else {
            return Err(EngineError::Unknown(format!(
                "{old} leads, and has not answered within {}; it may hand over yet: cluster status and cluster faults show what it suffers from, cluster kill {old} makes another lead",
                humantime::format_duration(patience)
            )));
        };
        match reply {
            Reply::Changed => {}
            Reply::Unsupported => {
                return Err(EngineError::Unsupported(format!(
                    "{} has no leader by choice: its ids decide",
                    self.mode()
                )));
            }
            Reply::Refused { reason, .. } | Reply::Unknown { reason } => {
                return Err(EngineError::Refused(reason));
            }
            _ => return Err(EngineError::Refused(format!("{old} leads no more"))),
        }
        let deadline = Instant::now() + 4 * self.options().election_timeout;
        loop {
            match self.leader().await {
                Some((now, _)) if to.as_ref().map_or(now != old, |to| now == *to) => {
                    return Ok(now);
                }
                _ if Instant::now() > deadline => {
                    let reason = "nobody has taken over yet: see cluster status".to_owned();
                    return Err(EngineError::Refused(reason));
                }
                _ => sleep(GLANCE).await,
            }
        }
    }
}

/// What a node is, and in which term, if it runs.
async fn stance(slot: &Slot) -> Option<(Role, Term)> {
    match &*slot.state.lock().await {
        State::Running(node) => Some(
            node.window()
                .look(|view| (view.status.role, view.status.term)),
        ),
        State::Killed(..) | State::Gone => None,
    }
}
