//! The cluster on which a plan is played, as chaos sees it from outside: where its nodes are, and what they report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::chaos::recording::Happened;
use crate::chaos::words;
use crate::client::control::{ControlClient, ControlError};
use crate::event::Event;
use crate::sim::plan::{Micros, Who};
use crate::types::{Leadership, NodeId, Role};
use crate::wire::control::{ClusterStatus, EventRecord, NodeAddress, NodeState};

/// How long to wait before asking again for a stream of events that broke.
const AGAIN: Duration = Duration::from_millis(200);

/// When a run began, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: Instant,
    wall: SystemTime,
}

impl Clock {
    fn start() -> Clock {
        Clock {
            began: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// The time since then.
    pub(crate) fn now(&self) -> Micros {
        self.began.elapsed().as_micros() as Micros
    }

    /// Sleeps until then, if it is not yet.
    pub(crate) async fn until(&self, at: Micros) {
        tokio::time::sleep_until((self.began + Duration::from_micros(at)).into()).await;
    }

    /// When something happened at `micros` since 1970; `None`: before the run.
    pub(super) fn at(&self, micros: u64) -> Option<Micros> {
        let began = self.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        micros.checked_sub(began.as_micros() as u64)
    }

    /// When an event says it happened: as good as its milliseconds. Without a readable time, now.
    fn of(&self, record: &EventRecord) -> Micros {
        let at = humantime::parse_rfc3339(&record.time).ok();
        at.map_or_else(
            || self.now(),
            |at| at.duration_since(self.wall).unwrap_or_default().as_micros() as Micros,
        )
    }
}

/// What the events tell of the cluster just now.
#[derive(Debug, Default)]
struct Known {
    nodes: Vec<NodeAddress>,
    /// Who claims to lead.
    claims: BTreeMap<NodeId, Leadership>,
    /// Who is dead, or stands still.
    away: BTreeSet<NodeId>,
    /// Whose disk was lost, and who has not caught up since.
    lost_disks: BTreeSet<NodeId>,
    /// Whose disk is being destroyed: no event has said so yet.
    losing: BTreeSet<NodeId>,
    /// Whether who lost its disk says when it has caught up; elsewhere it counts as well once it is started.
    is_linearizable: bool,
    happened: Vec<Happened>,
    /// The last event that was seen.
    seq: u64,
}

/// A cluster and what is known of it.
pub(crate) struct Stage {
    pub(crate) control: ControlClient,
    pub(crate) clock: Clock,
    /// The nodes there were when it was opened: a plan's places are theirs.
    cast: Vec<NodeId>,
    known: Mutex<Known>,
}

impl Stage {
    /// The cluster behind `control`; time begins now.
    pub(crate) async fn open(
        control: ControlClient,
        is_linearizable: bool,
    ) -> Result<Stage, ControlError> {
        let status = control.status().await?;
        Ok(Stage {
            control,
            clock: Clock::start(),
            cast: status.nodes.iter().map(|row| row.id.clone()).collect(),
            known: Mutex::new(Known::of(&status, is_linearizable)),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Whoever held it panicked between two whole changes.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The nodes there were when it was opened.
    pub(super) fn cast(&self) -> &[NodeId] {
        &self.cast
    }

    /// The nodes there are.
    pub(crate) fn nodes(&self) -> Vec<NodeAddress> {
        self.known().nodes.clone()
    }

    /// The node at a place; places beyond the last begin anew.
    pub(crate) fn node(&self, place: usize) -> Option<NodeAddress> {
        let known = self.known();
        let at = place.checked_rem(known.nodes.len())?;
        Some(known.nodes[at].clone())
    }

    /// Where a node is in the list, if it is.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        let known = self.known();
        known.nodes.iter().position(|node| node.id.as_str() == id)
    }

    /// Who leads, as far as is known: the greatest claim of those that are there.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        self.known().leader()
    }

    /// Who is meant, if there is such a node just now.
    pub(crate) fn whom(&self, who: Who) -> Option<NodeId> {
        let known = self.known();
        let leader = known.leader();
        match who {
            Who::Node(place) => {
                let id = words::at(place, &self.cast);
                known.nodes.iter().any(|node| node.id == id).then_some(id)
            }
            Who::Leader => leader,
            Who::Follower(nth) => {
                let ids = known.nodes.iter().map(|node| &node.id);
                let is_other = |id: &&NodeId| Some(*id) != leader.as_ref();
                let others: Vec<&NodeId> = ids
                    .filter(is_other)
                    .filter(|id| !known.away.contains(*id))
                    .collect();
                let at = usize::from(nth).checked_rem(others.len())?;
                Some(others[at].clone())
            }
        }
    }

    /// A node stands still, or goes on: no event says so.
    pub(crate) fn stands_still(&self, id: &NodeId, still: bool) {
        let mut known = self.known();
        match still {
            true => known.away.insert(id.clone()),
            false => known.away.remove(id),
        };
    }

    /// Takes leave to destroy a node's disk, if one more can be lost: beyond a minority nothing is promised, and one at a
    /// time is enough. It counts from now on, not only when an event says so.
    pub(super) fn may_lose_disk(&self, id: &NodeId) -> bool {
        self.known().may_lose_disk(id)
    }

    /// The disk was not destroyed.
    pub(super) fn keeps_disk(&self, id: &NodeId) {
        self.known().losing.remove(id);
    }

    /// A node was added.
    pub(crate) fn joins(&self, node: NodeAddress) {
        let mut known = self.known();
        if known.nodes.iter().all(|other| other.id != node.id) {
            known.nodes.push(node);
        }
    }

    /// What has happened so far.
    pub(crate) fn happened(&self) -> Vec<Happened> {
        self.known().happened.clone()
    }

    /// The last event that was seen.
    pub(crate) fn last_event(&self) -> u64 {
        self.known().seq
    }

    /// Takes in what the cluster reports, until `stop`.
    pub(crate) async fn follow(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.read_events() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(AGAIN) => {}
            }
        }
    }

    async fn read_events(&self) {
        let from = self.known().seq;
        let Ok(mut events) = self.control.events(from, true).await else {
            return;
        };
        while let Some(record) = events.next().await {
            let at = self.clock.of(&record);
            self.known().take(record, at);
        }
    }
}

impl Known {
    fn of(status: &ClusterStatus, is_linearizable: bool) -> Known {
        let address = |row: &crate::wire::control::NodeRow| NodeAddress {
            id: row.id.clone(),
            url: row.url.clone(),
        };
        let claim = |row: &crate::wire::control::NodeRow| {
            let answer = row.answer.as_ref()?;
            let (term, leader) = (answer.term, row.id.clone());
            (answer.role == Role::Leader).then(|| (leader.clone(), Leadership { term, leader }))
        };
        let is_away = |row: &&crate::wire::control::NodeRow| row.state != NodeState::Up;
        let away = status.nodes.iter().filter(is_away);
        Known {
            nodes: status.nodes.iter().map(address).collect(),
            claims: status.nodes.iter().filter_map(claim).collect(),
            away: away.map(|row| row.id.clone()).collect(),
            losing: BTreeSet::new(),
            lost_disks: BTreeSet::new(),
            is_linearizable,
            happened: Vec::new(),
            seq: status.last_event,
        }
    }

    fn may_lose_disk(&mut self, id: &NodeId) -> bool {
        let may = self.nodes.len() >= 3 && self.lost_disks.is_empty() && self.losing.is_empty();
        may && self.losing.insert(id.clone())
    }

    fn leader(&self) -> Option<NodeId> {
        let claims = self.claims.values();
        let here = claims.filter(|claim| !self.away.contains(&claim.leader));
        here.max().map(|claim| claim.leader.clone())
    }

    fn take(&mut self, record: EventRecord, at: Micros) {
        self.seq = record.seq;
        if let Some(node) = &record.node {
            match &record.event {
                Event::Leader { term } => {
                    let (term, leader) = (*term, node.clone());
                    self.claims
                        .insert(leader.clone(), Leadership { term, leader });
                }
                Event::SteppedDown { .. } | Event::NoQuorum { .. } | Event::Following { .. } => {
                    self.claims.remove(node);
                }
                Event::Killed => {
                    self.claims.remove(node);
                    self.away.insert(node.clone());
                }
                Event::DiskFailed { .. } => {
                    self.claims.remove(node);
                    self.away.insert(node.clone());
                }
                Event::Wiped => {
                    self.losing.remove(node);
                    self.lost_disks.insert(node.clone());
                }
                Event::Restored { .. } => {
                    self.lost_disks.remove(node);
                }
                Event::Revived => {
                    self.away.remove(node);
                    if !self.is_linearizable {
                        self.lost_disks.remove(node);
                    }
                }
                Event::Removed => self.nodes.retain(|other| other.id != *node),
                _ => {}
            }
        }
        self.happened.push(Happened {
            at,
            node: record.node,
            event: record.event,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happens(known: &mut Known, node: usize, event: Event) {
        let record = EventRecord {
            seq: known.seq + 1,
            time: String::new(),
            node: Some(NodeId::nth(node)),
            event,
        };
        known.take(record, 0);
    }

    #[test]
    fn a_second_disk_is_not_destroyed_before_the_first_has_caught_up_however_late_the_events_are() {
        let address = |n| NodeAddress {
            id: NodeId::nth(n),
            url: String::new(),
        };
        let mut known = Known {
            nodes: (1..=3).map(address).collect(),
            ..Known::default()
        };
        let (first, second) = (NodeId::nth(1), NodeId::nth(2));
        assert!(known.may_lose_disk(&first));
        assert!(!known.may_lose_disk(&second));
        happens(&mut known, 1, Event::Killed);
        happens(&mut known, 1, Event::Wiped);
        assert!(!known.may_lose_disk(&second));
        happens(&mut known, 1, Event::Revived);
        assert!(known.may_lose_disk(&second));
    }
}
