//! The deterministic key-value state machine: the same entries in the same order give the same store, on any node.
//!
//! Keys are listed in the order they were first put; an overwrite keeps a key's place, a delete and a put move it to
//! the end. The maps are persistent (copy on write), so a snapshot is a clone that costs nothing and later writes pay
//! only for the branches they touch.

pub mod command;
mod piece;
pub mod sessions;
mod sight;

use std::sync::Arc;

use imbl::OrdMap;

use crate::planted::{Bug, is_planted};
use crate::types::EntryId;
use crate::value::{Key, Value};
pub use command::{Applied, Command, Condition, Outcome, Proviso, Token};
pub use piece::{Item, Piece};
pub use sessions::Session;
use sessions::Sessions;
pub use sight::Sight;

/// Places that others name are below it: from there on, no store counts up to the end of all numbers.
const PLACE_LIMIT: u64 = 1 << 53;

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The value last put.
    pub value: Value,
    /// The entry that put it.
    pub version: Arc<EntryId>,
    place: u64,
}

/// The store. Cloning it is O(1).
#[derive(Debug, Clone, Default)]
pub struct Store {
    slots: OrdMap<Key, Slot>,
    order: OrdMap<u64, Key>,
    sessions: Sessions,
    next_place: u64,
    bytes: usize,
}

impl Store {
    /// Carries out `command`, written by entry `id`, on its terms.
    pub fn apply(&mut self, id: &EntryId, command: &Command) -> Applied {
        let proviso = command.proviso();
        let token = proviso.and_then(|proviso| proviso.token.as_ref());
        let done = token.and_then(|token| self.sessions.find(token));
        if let Some(session) = done.filter(|_| !is_planted(Bug::NamedWriteTwice)) {
            let outcome = match session.fingerprint == command.fingerprint() {
                true => session.outcome.clone(),
                false => Outcome::Mistaken,
            };
            let by = session.by.clone();
            return Applied { outcome, by };
        }
        let outcome = self.carry_out(id, command);
        if let Some(token) = token {
            let place = self.next_place;
            self.next_place += 1;
            self.sessions.remember(Session {
                place,
                token: token.clone(),
                fingerprint: command.fingerprint(),
                outcome: outcome.clone(),
                by: id.clone(),
            });
        }
        let by = id.clone();
        Applied { outcome, by }
    }

    fn carry_out(&mut self, id: &EntryId, command: &Command) -> Outcome {
        if let Some(unmet) = self.unmet(command) {
            return unmet;
        }
        match command {
            Command::Put { key, value, .. } => {
                self.put(key, value.clone(), Arc::new(id.clone()));
                Outcome::Put
            }
            Command::Delete { key, .. } => match self.delete(key) {
                true => Outcome::Deleted,
                false => Outcome::NoSuchKey,
            },
            Command::Noop | Command::Members(_) => Outcome::Nothing,
        }
    }

    fn unmet(&self, command: &Command) -> Option<Outcome> {
        let condition = command.proviso()?.condition.as_ref()?;
        let (Command::Put { key, .. } | Command::Delete { key, .. }) = command else {
            return None;
        };
        let version = self.slots.get(key).map(|slot| slot.version.as_ref());
        (!condition.holds(version)).then(|| Outcome::Unmet(version.cloned()))
    }

    fn put(&mut self, key: &Key, value: Value, version: Arc<EntryId>) {
        self.bytes += value.as_str().len();
        if let Some(slot) = self.slots.get_mut(key) {
            self.bytes -= slot.value.as_str().len();
            (slot.value, slot.version) = (value, version);
            return;
        }
        let place = self.next_place;
        self.insert(Item {
            place,
            key: key.clone(),
            value,
            version,
        });
    }

    fn delete(&mut self, key: &Key) -> bool {
        let Some(slot) = self.slots.remove(key) else {
            return false;
        };
        self.order.remove(&slot.place);
        self.bytes -= slot.value.as_str().len() + key.as_str().len();
        true
    }

    fn insert(&mut self, item: Item) {
        let Item {
            place,
            key,
            value,
            version,
        } = item;
        self.bytes += key.as_str().len();
        self.next_place = place + 1;
        self.order.insert(place, key.clone());
        self.slots.insert(
            key,
            Slot {
                value,
                version,
                place,
            },
        );
    }

    /// Adds a piece of a snapshot. Pieces must come in ascending order of their places, each key and token once; one
    /// that does not is refused with `false` and changes nothing.
    pub fn restore(&mut self, piece: Piece) -> bool {
        let is_next = (self.next_place..PLACE_LIMIT).contains(&piece.place());
        if !is_next || !piece.version().is_sound() {
            return false;
        }
        match piece {
            Piece::Key(mut item) => {
                if self.slots.contains_key(&item.key) {
                    return false;
                }
                if is_planted(Bug::VersionRestarts) {
                    Arc::make_mut(&mut item.version).index = 1;
                }
                self.bytes += item.value.as_str().len();
                self.insert(item);
            }
            Piece::Session(session) => {
                if self.sessions.find(&session.token).is_some() {
                    return false;
                }
                self.next_place = session.place + 1;
                self.sessions.remember(session);
            }
        }
        true
    }

    /// What `key` holds.
    pub fn get(&self, key: &str) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// What readers see now.
    pub fn sight(&self) -> Sight {
        Sight(self.slots.clone())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The keys in order of first insertion.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.order.values()
    }

    /// Keys and what they hold, in order of first insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Slot)> {
        self.order.values().map(|key| (key, self.slot(key)))
    }

    /// The pieces behind `place` (`None`: all of them), in order.
    pub fn pieces_after(&self, place: Option<u64>) -> impl Iterator<Item = Piece> {
        let from = place.map_or(0, |place| place.saturating_add(1));
        let sessions = self.sessions.after(from).cloned();
        let mut sessions = sessions
            .filter(|_| !is_planted(Bug::SnapshotForgetsSessions))
            .peekable();
        let mut keys = self.order.range(from..).peekable();
        std::iter::from_fn(move || {
            let session = sessions.peek().map(|session| session.place);
            let key = keys.peek().map(|(place, _)| **place);
            match (session, key) {
                (Some(session), Some(key)) if session < key => sessions.next().map(Piece::Session),
                (Some(_), None) => sessions.next().map(Piece::Session),
                _ => keys.next().map(|(place, key)| self.piece(*place, key)),
            }
        })
    }

    fn piece(&self, place: u64, key: &Key) -> Piece {
        let Slot { value, version, .. } = self.slot(key).clone();
        Piece::Key(Item {
            place,
            key: key.clone(),
            value,
            version,
        })
    }

    /// How many named writes are remembered.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many items a snapshot of it has: its keys, and the writes it can tell from their repetition.
    pub fn items(&self) -> usize {
        self.len() + self.sessions()
    }

    fn slot(&self, key: &Key) -> &Slot {
        self.slots
            .get(key)
            .expect("order and slots hold the same keys")
    }
}

impl PartialEq for Store {
    /// The same keys, values and versions, in the same order, and the same named writes.
    fn eq(&self, other: &Store) -> bool {
        let same = |((k, a), (l, b)): ((&Key, &Slot), (&Key, &Slot))| {
            k == l && a.value == b.value && a.version == b.version
        };
        self.len() == other.len()
            && self.slots.iter().zip(&other.slots).all(same)
            && self.order.values().eq(other.order.values())
            && self.sessions == other.sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NodeId;

    fn put(store: &mut Store, index: u64, key: &str, value: &str) {
        store.apply(
            &id(index),
            &Command::put(Key::new(key), Value::string(value)),
        );
    }

    fn put_on(store: &mut Store, index: u64, value: &str, proviso: Proviso) -> Outcome {
        let command = Command::Put {
            key: Key::new("k"),
            value: Value::string(value),
            proviso: Some(Arc::new(proviso)),
        };
        store.apply(&id(index), &command).outcome
    }

    fn id(index: u64) -> EntryId {
        EntryId {
            index,
            term: 1,
            leader: NodeId::nth(1),
            boot: 7,
        }
    }

    fn keys(store: &Store) -> Vec<&str> {
        store.keys().map(Key::as_str).collect()
    }

    #[test]
    fn an_overwrite_keeps_a_keys_place_and_delete_then_put_moves_it_to_the_end() {
        let mut store = Store::default();
        put(&mut store, 1, "b", "1");
        put(&mut store, 2, "a", "2");
        put(&mut store, 3, "b", "3");
        assert_eq!(keys(&store), ["b", "a"]);
        let gone = store.apply(&id(4), &Command::delete(Key::new("b")));
        assert_eq!(gone.outcome, Outcome::Deleted);
        put(&mut store, 5, "b", "5");
        assert_eq!(keys(&store), ["a", "b"]);
        assert_eq!(store.bytes(), 2 + 2 * r#""5""#.len());
    }

    #[test]
    fn a_store_restored_from_its_items_is_the_same_store() {
        let mut store = Store::default();
        for index in 1..500 {
            put(
                &mut store,
                index,
                &format!("k{}", index % 97),
                &format!("v{index}"),
            );
        }
        store.apply(&id(500), &Command::delete(Key::new("k5")));
        let proviso = Proviso {
            condition: None,
            token: Token::new("t"),
        };
        put_on(&mut store, 501, "v", proviso);
        put(&mut store, 502, "last", "v");
        let mut copy = Store::default();
        for piece in store.pieces_after(None) {
            assert!(copy.restore(piece));
        }
        assert_eq!((&copy, copy.bytes()), (&store, store.bytes()));
        assert_eq!(copy.sessions(), 1);
        let piece = store.pieces_after(None).next().unwrap();
        assert!(!copy.restore(piece), "a piece twice");
    }

    #[test]
    fn a_condition_is_judged_when_the_write_is_carried_out() {
        let on = |condition| Proviso {
            condition: Some(condition),
            token: None,
        };
        let mut store = Store::default();
        let unmet = put_on(&mut store, 1, "a", on(Condition::Present));
        assert_eq!(unmet, Outcome::Unmet(None));
        assert_eq!(
            put_on(&mut store, 2, "a", on(Condition::Absent)),
            Outcome::Put
        );
        let unmet = put_on(&mut store, 3, "b", on(Condition::Absent));
        assert_eq!(unmet, Outcome::Unmet(Some(id(2))));
        assert_eq!(
            put_on(&mut store, 4, "b", on(Condition::Is(vec![id(2)]))),
            Outcome::Put
        );
        let unmet = put_on(&mut store, 5, "c", on(Condition::Is(vec![id(2)])));
        assert_eq!(unmet, Outcome::Unmet(Some(id(4))));
    }

    #[test]
    fn a_named_write_is_carried_out_once_until_it_is_forgotten() {
        let named = |name: &str| Proviso {
            condition: None,
            token: Token::new(name),
        };
        let mut store = Store::default();
        assert_eq!(put_on(&mut store, 1, "a", named("t")), Outcome::Put);
        put(&mut store, 2, "k", "b");
        assert_eq!(put_on(&mut store, 3, "a", named("t")), Outcome::Put);
        let value = store.get("k").map(|slot| slot.value.clone());
        assert_eq!(value, Some(Value::string("b")), "it was carried out again");
        assert_eq!(put_on(&mut store, 4, "c", named("t")), Outcome::Mistaken);
        for n in 0..sessions::REMEMBERED as u64 {
            put_on(&mut store, 10 + n, "x", named(&format!("t{n}")));
        }
        assert_eq!(store.sessions(), sessions::REMEMBERED);
        put_on(&mut store, 99_999, "again", named("t"));
        let value = store.get("k").map(|slot| slot.value.clone());
        assert_eq!(value, Some(Value::string("again")));
    }
}
