//! Writes that clients named: each is carried out once, however often it arrives, also after a change of leader.
//!
//! The store remembers what became of the last [`REMEMBERED`] of them; that memory is replicated like any key, so every
//! node forgets the same ones. A write that is repeated after it was forgotten is carried out again: who names writes
//! should stop repeating one long before ten thousand others were made.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::store::Outcome;
use crate::store::command::Token;
use crate::types::EntryId;

/// How many named writes are remembered.
pub const REMEMBERED: usize = 10_000;

/// What became of a named write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its place among keys and sessions, in order of their making.
    pub place: u64,
    /// Its name.
    pub token: Token,
    /// What it asked for.
    pub fingerprint: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// By which entry.
    pub by: EntryId,
}

/// Those that are remembered.
#[derive(Debug, Clone, Default)]
pub(super) struct Sessions {
    by_place: OrdMap<u64, Arc<Session>>,
    /// Where each is. Not the session itself: what is copied on write is copied with all its counts of references.
    places: OrdMap<Token, u64>,
}

impl Sessions {
    pub(super) fn find(&self, token: &Token) -> Option<&Session> {
        let place = self.places.get(token)?;
        self.by_place.get(place).map(Arc::as_ref)
    }

    /// Remembers `session`, and forgets the oldest beyond the bound.
    pub(super) fn remember(&mut self, session: Session) {
        self.places.insert(session.token.clone(), session.place);
        self.by_place.insert(session.place, Arc::new(session));
        if self.by_place.len() > REMEMBERED
            && let Some((oldest, _)) = self.by_place.get_min().cloned()
            && let Some(session) = self.by_place.remove(&oldest)
        {
            self.places.remove(&session.token);
        }
    }

    pub(super) fn after(&self, place: u64) -> impl Iterator<Item = &Session> {
        let sessions = self.by_place.range(place..);
        sessions.map(|(_, session)| session.as_ref())
    }

    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }
}

impl PartialEq for Sessions {
    /// The same writes in the same order. Their places differ where a snapshot left gaps behind.
    fn eq(&self, other: &Sessions) -> bool {
        let same = |a: &Session, b: &Session| {
            a.token == b.token
                && a.fingerprint == b.fingerprint
                && a.by == b.by
                && a.outcome == b.outcome
        };
        let (mine, theirs) = (self.by_place.values(), other.by_place.values());
        self.len() == other.len() && mine.zip(theirs).all(|(a, b)| same(a, b))
    }
}
