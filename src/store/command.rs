//! What clients ask of the store, as the log holds it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::types::{EntryId, Members};
use crate::value::{Key, Value};

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 128;

/// What an entry of the log does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Sets `key` to `value`.
    Put {
        /// What to set.
        key: Key,
        /// What to set it to.
        value: Value,
        /// On what terms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proviso: Option<Arc<Proviso>>,
    },
    /// Removes `key`; a missing key is left missing.
    Delete {
        /// What to remove.
        key: Key,
        /// On what terms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proviso: Option<Arc<Proviso>>,
    },
    /// Nothing: a leader's first entry, by which it learns what is committed (Raft §8).
    Noop,
    /// These are the members from here on.
    Members(Members),
}

/// The terms of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proviso {
    /// What must hold of the key, when the entry is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The client's name for this write: of several with the same one, the first is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// What must hold of a key before it is written. A version is the entry that last wrote the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// There is no such key.
    Absent,
    /// There is such a key.
    Present,
    /// Its version is one of these.
    Is(Vec<EntryId>),
    /// It has none of these versions; a missing key has none.
    IsNot(Vec<EntryId>),
}

impl Condition {
    /// Whether it holds of a key with this version.
    pub fn holds(&self, version: Option<&EntryId>) -> bool {
        match self {
            Condition::Absent => version.is_none(),
            Condition::Present => version.is_some(),
            Condition::Is(those) => version.is_some_and(|version| those.contains(version)),
            Condition::IsNot(those) => !version.is_some_and(|version| those.contains(version)),
        }
    }
}

/// A client's name for one write, 1 to [`MAX_TOKEN`] bytes.
#[derive(Debug, Clone, Eq, PartialOrd, Ord, Serialize)]
pub struct Token(Arc<str>);

impl PartialEq for Token {
    /// Most are clones of one: then nothing is read.
    fn eq(&self, other: &Token) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Token {
    /// The token `text`, unless it is empty or too long.
    pub fn new(text: &str) -> Option<Token> {
        (1..=MAX_TOKEN)
            .contains(&text.len())
            .then(|| Token(text.into()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Token, D::Error> {
        let text = String::deserialize(deserializer)?;
        Token::new(&text).ok_or_else(|| serde::de::Error::custom("not a token"))
    }
}

impl Command {
    /// A put without terms.
    pub fn put(key: Key, value: Value) -> Command {
        Command::Put {
            key,
            value,
            proviso: None,
        }
    }

    /// A delete without terms.
    pub fn delete(key: Key) -> Command {
        Command::Delete { key, proviso: None }
    }

    /// The terms, if there are any.
    pub fn proviso(&self) -> Option<&Proviso> {
        match self {
            Command::Put { proviso, .. } | Command::Delete { proviso, .. } => proviso.as_deref(),
            Command::Noop | Command::Members(_) => None,
        }
    }

    /// Roughly what it occupies, in bytes, for budgets.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 64;
        let content = match self {
            Command::Put { key, value, .. } => key.as_str().len() + value.as_str().len(),
            Command::Delete { key, .. } => key.as_str().len(),
            Command::Noop => 0,
            Command::Members(members) => members.iter().map(|id| id.as_str().len() + 4).sum(),
        };
        OVERHEAD + content + self.proviso().map_or(0, |_| OVERHEAD)
    }

    /// A number that two different requests hardly share (FNV-1a), the same for ever: it lives on disks. The condition is no
    /// part of it: who repeats a write under its name is given the first answer, whatever it would ask for by now.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        match self {
            Command::Put { key, value, .. } => {
                hash.add(b"put");
                hash.add(key.as_str().as_bytes());
                hash.add(value.as_str().as_bytes());
            }
            Command::Delete { key, .. } => {
                hash.add(b"delete");
                hash.add(key.as_str().as_bytes());
            }
            Command::Noop | Command::Members(_) => {}
        }
        hash.0
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The key has the value now.
    Put,
    /// The key is gone.
    Deleted,
    /// There was no such key to delete.
    NoSuchKey,
    /// The condition did not hold: the key's version is this.
    Unmet(Option<EntryId>),
    /// The token named another write before.
    Mistaken,
    /// There was nothing to do.
    Nothing,
}

/// What became of a command, and by which entry: an earlier one, if this was its repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What became of it.
    pub outcome: Outcome,
    /// By which entry.
    pub by: EntryId,
}

/// Fowler, Noll and Vo's hash, FNV-1a.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds a part and its end, so that no two lists of parts run together.
    fn add(&mut self, part: &[u8]) {
        for byte in part.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
