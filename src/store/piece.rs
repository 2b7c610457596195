//! Pieces of a store, as snapshots carry it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::store::Session;
use crate::types::EntryId;
use crate::value::{Key, Value};

/// A piece of a store, as snapshots carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// A key.
    Key(Item),
    /// A named write.
    Session(Session),
}

impl Piece {
    /// Its place; pieces travel in ascending order of it.
    pub fn place(&self) -> u64 {
        match self {
            Piece::Key(item) => item.place,
            Piece::Session(session) => session.place,
        }
    }

    /// The entry that made it what it is.
    pub fn version(&self) -> &EntryId {
        match self {
            Piece::Key(item) => &item.version,
            Piece::Session(session) => &session.by,
        }
    }

    /// Roughly what it occupies, in bytes, for budgets.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 64;
        OVERHEAD
            + match self {
                Piece::Key(item) => item.key.as_str().len() + item.value.as_str().len(),
                Piece::Session(session) => session.token.as_str().len(),
            }
    }
}

/// A key with everything the store knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its place in the order of first insertion.
    pub place: u64,
    /// The key.
    pub key: Key,
    /// Its value.
    pub value: Value,
    /// The entry that last wrote it.
    pub version: Arc<EntryId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Command, Proviso, Store, Token};
    use crate::types::NodeId;

    fn id(index: u64) -> EntryId {
        EntryId {
            index,
            term: 1,
            leader: NodeId::nth(1),
            boot: 7,
        }
    }

    fn put(store: &mut Store, index: u64, key: &str) {
        let command = Command::put(Key::new(key), Value::string("v"));
        store.apply(&id(index), &command);
    }

    #[test]
    fn a_store_restored_without_its_latest_keys_goes_on_as_the_same_store() {
        let mut store = Store::default();
        put(&mut store, 1, "a");
        put(&mut store, 2, "gone");
        store.apply(&id(3), &Command::delete(Key::new("gone")));
        let mut copy = Store::default();
        assert!(store.pieces_after(None).all(|piece| copy.restore(piece)));
        let (condition, token) = (None, Token::new("t"));
        let command = Command::Put {
            key: Key::new("a"),
            value: Value::string("v"),
            proviso: Some(Arc::new(Proviso { condition, token })),
        };
        store.apply(&id(4), &command);
        copy.apply(&id(4), &command);
        assert_eq!(store, copy);
    }

    #[test]
    fn a_piece_at_the_end_of_all_places_or_of_no_entry_is_refused() {
        let item = |place, index| {
            Piece::Key(Item {
                place,
                key: Key::new("k"),
                value: Value::string("v"),
                version: Arc::new(id(index)),
            })
        };
        let mut store = Store::default();
        for forged in [item(u64::MAX - 1, 1), item(1 << 53, 1), item(1, 0)] {
            assert!(!store.restore(forged));
        }
        assert!(store.restore(item((1 << 53) - 1, 1)));
        put(&mut store, 2, "next");
        let keys: Vec<&str> = store.keys().map(Key::as_str).collect();
        assert_eq!(keys, ["k", "next"]);
    }
}
