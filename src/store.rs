//! The deterministic key-value state machine: the same entries in the same order give the same store, on any node.
//!
//! Keys are listed in the order they were first put; an overwrite keeps a key's place, a delete and a put move it to
//! the end. The maps are persistent (copy on write), so a snapshot is a clone that costs nothing and later writes pay
//! only for the branches they touch.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::types::EntryId;
use crate::value::{Key, Value};

/// A change to the store, as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Sets `key` to `value`.
    Put {
        /// What to set.
        key: Key,
        /// What to set it to.
        value: Value,
    },
    /// Removes `key`; a missing key is left missing.
    Delete {
        /// What to remove.
        key: Key,
    },
}

impl Command {
    /// The key it is about.
    pub fn key(&self) -> &Key {
        match self {
            Command::Put { key, .. } | Command::Delete { key } => key,
        }
    }

    /// Roughly what it occupies, in bytes, for budgets.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 64;
        OVERHEAD
            + match self {
                Command::Put { key, value } => key.as_str().len() + value.as_str().len(),
                Command::Delete { key } => key.as_str().len(),
            }
    }
}

/// A key with everything the store knows of it, as snapshots carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its place in the order of first insertion; items travel in ascending order of it.
    pub place: u64,
    /// The key.
    pub key: Key,
    /// Its value.
    pub value: Value,
    /// The entry that last wrote it.
    pub version: Arc<EntryId>,
}

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
    next_place: u64,
    bytes: usize,
}

impl Store {
    /// Carries out `command`, written by entry `id`. Says whether the key was there before.
    pub fn apply(&mut self, id: &EntryId, command: &Command) -> bool {
        match command {
            Command::Put { key, value } => self.put(key, value.clone(), Arc::new(id.clone())),
            Command::Delete { key } => self.delete(key),
        }
    }

    fn put(&mut self, key: &Key, value: Value, version: Arc<EntryId>) -> bool {
        self.bytes += value.as_str().len();
        if let Some(slot) = self.slots.get_mut(key) {
            self.bytes -= slot.value.as_str().len();
            (slot.value, slot.version) = (value, version);
            return true;
        }
        let place = self.next_place;
        self.insert(Item {
            place,
            key: key.clone(),
            value,
            version,
        });
        false
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

    /// Adds an item of a snapshot. Items must come in ascending order of their places, each key once; one that does
    /// not is refused with `false` and changes nothing.
    pub fn restore(&mut self, item: Item) -> bool {
        let fits = item.place >= self.next_place
            && item.place < u64::MAX
            && !self.slots.contains_key(&item.key);
        if fits {
            self.bytes += item.value.as_str().len();
            self.insert(item);
        }
        fits
    }

    /// What `key` holds.
    pub fn get(&self, key: &str) -> Option<&Slot> {
        self.slots.get(key)
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

    /// The items behind `place` (`None`: all of them), in order.
    pub fn items_after(&self, place: Option<u64>) -> impl Iterator<Item = Item> {
        let from = place.map_or(0, |place| place.saturating_add(1));
        self.order.range(from..).map(|(place, key)| {
            let Slot { value, version, .. } = self.slot(key).clone();
            Item {
                place: *place,
                key: key.clone(),
                value,
                version,
            }
        })
    }

    fn slot(&self, key: &Key) -> &Slot {
        self.slots
            .get(key)
            .expect("order and slots hold the same keys")
    }
}

impl PartialEq for Store {
    /// The same keys, values and versions, in the same order.
    fn eq(&self, other: &Store) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|((k, a), (l, b))| k == l && a.value == b.value && a.version == b.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NodeId;

    fn put(store: &mut Store, index: u64, key: &str, value: &str) {
        store.apply(
            &id(index),
            &Command::Put {
                key: Key::new(key),
                value: Value::string(value),
            },
        );
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
        assert!(store.apply(&id(4), &Command::Delete { key: Key::new("b") }));
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
        store.apply(
            &id(500),
            &Command::Delete {
                key: Key::new("k5"),
            },
        );
        let mut copy = Store::default();
        for item in store.items_after(None) {
            assert!(copy.restore(item));
        }
        assert_eq!((&copy, copy.bytes()), (&store, store.bytes()));
        let item = store.items_after(None).next().unwrap();
        assert!(!copy.restore(item), "an item twice");
    }
}
