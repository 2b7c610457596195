//! What a node says of itself.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::node::{Node, Part};
use crate::protocol::progress::{Needs, Progress};
use crate::types::{Boot, EntryId, Index, Members, Mode, NodeId, Role, Term, Time};

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Its id.
    pub id: NodeId,
    /// What it is.
    pub role: Role,
    /// The highest term it has seen.
    pub term: Term,
    /// Whom it voted for in that term.
    pub vote: Option<NodeId>,
    /// The leader it obeys; itself if it leads.
    pub leader: Option<NodeId>,
    /// How long ago it heard that leader; zero if it leads; `None` if it knows none.
    pub heard_ago: Option<Duration>,
    /// The rules it plays by.
    pub mode: Mode,
    /// How many keys it holds.
    pub keys: usize,
    /// Where its log ends.
    pub last: Option<EntryId>,
    /// Entries up to here are committed, as far as it knows; with `async` all are.
    pub commit: Index,
    /// The last index applied to the store.
    pub applied: Index,
    /// The first index still in the log is the one behind this.
    pub compacted: Index,
    /// The last index that its last snapshot held; 0 if it took none.
    pub snapshot: Index,
    /// The life of its disk.
    pub boot: Boot,
    /// The members it knows.
    pub members: Arc<Members>,
    /// Whether its disk was lost and it must not vote yet.
    pub recovering: bool,
    /// What it knows of its followers, if it leads.
    pub followers: Vec<FollowerStatus>,
}

/// What a leader knows of a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerStatus {
    /// Its id.
    pub id: NodeId,
    /// It has everything up to here on its disk; `None`: not known.
    pub matched: Option<Index>,
    /// How many entries it lacks, as far as is known.
    pub missing: Option<u64>,
    /// Whether it is being sent a snapshot.
    pub snapshot: bool,
}

impl Node {
    /// What the node says of itself.
    pub fn status(&self, now: Time) -> Status {
        let leads = matches!(self.part, Part::Leader(_));
        Status {
            id: self.config.id.clone(),
            role: self.role(),
            term: self.term,
            vote: self.vote.clone(),
            leader: self.leader.clone(),
            heard_ago: self
                .heard_ago(now)
                .filter(|_| leads || self.leader.is_some()),
            mode: self.config.mode,
            keys: self.store.len(),
            last: self.log.last(),
            commit: self.commit,
            applied: self.applied,
            compacted: self.log.compacted_index(),
            snapshot: self.snapshot_at,
            boot: self.boot,
            members: self.members.clone(),
            recovering: self.recovering,
            followers: self.followers(),
        }
    }

    fn followers(&self) -> Vec<FollowerStatus> {
        let Part::Leader(leading) = &self.part else {
            return Vec::new();
        };
        // A thousand followers' progress in each status of a large cluster would cost more than it tells.
        const LISTED: usize = 100;
        let last = self.log.last_index();
        let status = |(id, progress): (&NodeId, &Progress)| {
            let matched = progress.known_match();
            FollowerStatus {
                id: id.clone(),
                matched,
                missing: matched.map(|matched| last.saturating_sub(matched)),
                snapshot: matches!(progress.needs, Needs::Snapshot(..)),
            }
        };
        leading.followers.iter().take(LISTED).map(status).collect()
    }

    /// What it is.
    pub fn role(&self) -> Role {
        match self.part {
            Part::Waiting | Part::Follower { .. } => Role::Follower,
            Part::Standing(_) => Role::Candidate,
            Part::Leader(_) => Role::Leader,
        }
    }

    /// The highest term it has seen.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Whom it voted for in that term.
    pub fn vote(&self) -> Option<&NodeId> {
        self.vote.as_ref()
    }

    /// The leader it obeys; itself if it leads.
    pub fn leader(&self) -> Option<&NodeId> {
        self.leader.as_ref()
    }

    /// Whether it leads.
    pub fn leads(&self) -> bool {
        matches!(self.part, Part::Leader(_))
    }

    /// Until when it waits for a leader before it stands; `None`: it leads, stands already, or has not started.
    pub fn waits_until(&self) -> Option<Time> {
        match self.part {
            Part::Follower { deadline, .. } => Some(deadline),
            Part::Waiting | Part::Standing(_) | Part::Leader(_) => None,
        }
    }

    /// Entries up to here are committed, as far as it knows.
    pub fn commit_index(&self) -> Index {
        self.commit
    }

    /// Entries up to here are in the store.
    pub fn applied_index(&self) -> Index {
        self.applied
    }

    /// Whether its disk was lost and it must not vote yet.
    pub fn is_recovering(&self) -> bool {
        self.recovering
    }

    /// The identity of the last entry applied.
    pub fn applied_id(&self) -> Option<EntryId> {
        self.log.id_at(self.applied)
    }

    /// Entries applied since the store stood at `index` and was replaced `epoch` times; `None` if that cannot be said any
    /// more, and the store itself must be looked at.
    pub fn applied_since(
        &self,
        epoch: u64,
        index: Index,
    ) -> Option<impl Iterator<Item = &crate::protocol::Entry>> {
        let kept = index >= self.log.compacted_index();
        let comparable = epoch == self.epoch && kept && index <= self.applied;
        comparable.then(|| (index + 1..=self.applied).filter_map(|at| self.log.entry(at)))
    }

    /// How often the store was replaced as a whole.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}
