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
