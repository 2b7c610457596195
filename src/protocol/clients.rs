//! Clients' writes: taken by a leader, answered when the mode's promise holds, or when nobody can keep it.
//!
//! What `async` answers at once, `quorum` answers when the entry is applied, and `sync` when every voter holds it besides.
//! A write that is in the log and cannot be answered so is *unknown*: it may happen yet. That is said after
//! [`Config::write_timeout`](crate::types::Config), naming who is missing, and at once when the leadership is lost.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::planted::{Bug, is_planted};
use crate::protocol::door::{Change, Reply, RequestId};
use crate::protocol::log::Entry;
use crate::protocol::node::{Node, Part};
use crate::store::{Applied, Command, Outcome, Proviso};
use crate::types::{Index, NodeId, Replication, Time};
use crate::value::Key;

/// How many writes may wait for their acknowledgements, and how many reads for theirs; more are refused.
pub(super) const MOST_WAITING: usize = 100_000;

/// A write in the log whose client waits.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) index: Index,
    pub(super) request: RequestId,
    /// Until then.
    pub(super) deadline: Time,
    /// What it did to the store, once it is applied.
    pub(super) applied: Option<Applied>,
}

impl Node {
    pub(super) fn write(
        &mut self,
        now: Time,
        request: RequestId,
        key: Key,
        change: Change,
        proviso: Option<Arc<Proviso>>,
    ) {
        let Part::Leader(leading) = &self.part else {
            return self.not_leader(request);
        };
        if let Some(to) = leading.hands_over_to() {
            let (role, leader) = (self.role(), Some(to.clone()));
            return self.reply(request, Reply::NotLeader { role, leader });
        }
        if leading.waiting.len() >= MOST_WAITING {
            let reason = "too many writes wait for their acknowledgements already".to_owned();
            return self.reply(request, Reply::Unavailable { reason });
        }
        let command = match change {
            Change::Put(value) => Command::Put {
                key,
                value,
                proviso,
            },
            Change::Delete => Command::Delete { key, proviso },
            Change::Unusable => return self.reply(request, Reply::Unusable),
        };
        // With `async` the store stands at the log's end: what an entry would only find out can be seen there.
        if !self.config.mode.commits()
            && let Some(reply) = self.observe(&command)
        {
            return self.reply(request, reply);
        }
        self.append_for(now, request, command);
        self.acknowledge();
        self.hurry(now);
    }

    /// What `command` would find, if all it does is to find something.
    fn observe(&self, command: &Command) -> Option<Reply> {
        let (Command::Put { key, proviso, .. } | Command::Delete { key, proviso }) = command else {
            return None;
        };
        // A named write leaves its name in the store.
        if proviso
            .as_ref()
            .is_some_and(|proviso| proviso.token.is_some())
        {
            return None;
        }
        let version = self.store.get(key.as_str()).map(|slot| &*slot.version);
        let condition = proviso
            .as_ref()
            .and_then(|proviso| proviso.condition.as_ref());
        match condition {
            Some(condition) if !condition.holds(version) => Some(Reply::Unmet {
                version: version.cloned(),
            }),
            _ if matches!(command, Command::Delete { .. }) && version.is_none() => {
                Some(Reply::NoSuchKey)
            }
            _ => None,
        }
    }

    fn append_for(&mut self, now: Time, request: RequestId, command: Command) {
        let id = self.next_id();
        if let Part::Leader(leading) = &mut self.part {
            leading.waiting.push_back(Waiting {
                index: id.index,
                request,
                deadline: now + self.config.write_timeout,
                applied: None,
            });
        }
        self.extend(vec![Entry { id, command }]);
        self.advance_commit();
    }

    /// Answers every write whose promise holds now.
    pub(super) fn acknowledge(&mut self) {
        let everywhere = match self.config.mode.replication {
            Replication::Sync if is_planted(Bug::SyncAnswersEarly) => Index::MAX,
            Replication::Sync => self.copies_of_all(),
            Replication::Async | Replication::Quorum => Index::MAX,
        };
        let ready = self.applied.min(everywhere);
        while let Part::Leader(leading) = &mut self.part
            && leading.waiting.front().is_some_and(|w| w.index <= ready)
            && let Some(waiting) = leading.waiting.pop_front()
        {
            let reply = match waiting.applied {
                Some(applied) => self.outcome(applied),
                None => Reply::Unknown {
                    reason: "what it did was not seen".to_owned(),
                },
            };
            self.reply(waiting.request, reply);
        }
    }

    fn outcome(&self, applied: Applied) -> Reply {
        let Applied { outcome, by } = applied;
        match outcome {
            Outcome::Put | Outcome::Deleted | Outcome::Nothing => Reply::Done {
                leader: self.config.id.clone(),
                version: by,
            },
            Outcome::NoSuchKey => Reply::NoSuchKey,
            Outcome::Unmet(version) => Reply::Unmet { version },
            Outcome::Mistaken => Reply::Mistaken,
        }
    }

    /// Says of writes that have waited long enough that nobody can know.
    pub(super) fn give_up_waiting(&mut self, now: Time) {
        while let Part::Leader(leading) = &mut self.part
            && leading.waiting.front().is_some_and(|w| w.deadline <= now)
            && let Some(waiting) = leading.waiting.pop_front()
        {
            let missing = leading.missing(&self.members, waiting.index);
            let within = self.config.write_timeout;
            let reason = format!(
                "not acknowledged within {within:?}; missing: {}",
                names(&missing)
            );
            self.reply(waiting.request, Reply::Unknown { reason });
        }
    }

    /// The leadership is over: of what is in the log and not acknowledged, nobody can know.
    pub(super) fn abandon(&mut self, waiting: VecDeque<Waiting>) {
        for waiting in waiting {
            if is_planted(Bug::UnknownCalledFailed) {
                self.not_leader(waiting.request);
                continue;
            }
            let reason = "the leadership was lost before it was acknowledged".to_owned();
            self.reply(waiting.request, Reply::Unknown { reason });
        }
    }

    pub(super) fn not_leader(&mut self, request: RequestId) {
        let (role, leader) = (self.role(), self.leader.clone());
        self.reply(request, Reply::NotLeader { role, leader });
    }
}

/// The first few of `ids`, for a sentence.
fn names(ids: &[NodeId]) -> String {
    const NAMED: usize = 5;
    let named: Vec<&str> = ids.iter().take(NAMED).map(NodeId::as_str).collect();
    match ids.len().saturating_sub(NAMED) {
        0 if ids.is_empty() => "nobody".to_owned(),
        0 => named.join(", "),
        more => format!("{}, and {more} more", named.join(", ")),
    }
}
