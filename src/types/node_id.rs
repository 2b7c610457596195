//! Who.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A node's name, `node-1`, ordered as a person would: `node-2` before `node-10`, ties by bytes. One pointer wide: every
/// message carries several, and is moved more often than its names are read.
#[derive(Clone)]
pub struct NodeId(Arc<Name>);

struct Name {
    text: Box<str>,
    /// The k of `node-k`, 0 for any other name: most names are compared as numbers, since every message asks for it.
    number: u32,
}

/// A node id that is empty, too long, or holds white space, commas or control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a node id: it needs 1 to 128 characters, without spaces, commas or control characters"
)]
pub struct InvalidNodeId(String);

impl NodeId {
    /// Takes any name of 1 to 128 bytes without white space, commas or control characters.
    pub fn new(name: &str) -> Result<NodeId, InvalidNodeId> {
        let fits = (1..=128).contains(&name.len());
        let clean = !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',');
        match fits && clean {
            true => Ok(NodeId::named(name)),
            false => Err(InvalidNodeId(name.chars().take(40).collect())),
        }
    }

    /// The k-th node of a cluster that `up` boots: `node-k`.
    pub fn nth(k: usize) -> NodeId {
        NodeId::named(&format!("node-{k}"))
    }

    fn named(name: &str) -> NodeId {
        NodeId(Arc::new(Name {
            number: number_of(name),
            text: name.into(),
        }))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The k of `node-k`; `None` for any other name.
    pub fn number(&self) -> Option<usize> {
        (self.0.number != 0).then_some(self.0.number as usize)
    }

    /// A peer known by its URL only, as in the chapter's `PEERS`, whose real id is yet to be learned from an answer.
    pub fn is_address(&self) -> bool {
        self.0.text.contains("://")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.text)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::str::FromStr for NodeId {
    type Err = InvalidNodeId;

    fn from_str(name: &str) -> Result<NodeId, InvalidNodeId> {
        NodeId::new(name)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NodeId, D::Error> {
        let name = String::deserialize(deserializer)?;
        NodeId::new(&name).map_err(serde::de::Error::custom)
    }
}

/// The k of `node-k`, if that is how `name` is written; else 0.
fn number_of(name: &str) -> u32 {
    let digits = name.strip_prefix("node-").unwrap_or_default();
    let is_plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain).unwrap_or(0)
}

impl PartialEq for NodeId {
    #[inline]
    fn eq(&self, other: &NodeId) -> bool {
        let (a, b) = (&*self.0, &*other.0);
        // Most are clones of one: then nothing is read.
        Arc::ptr_eq(&self.0, &other.0)
            || (a.number == b.number && (a.number != 0 || a.text == b.text))
    }
}

impl Eq for NodeId {}

impl Hash for NodeId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0.number {
            0 => self.0.text.hash(state),
            number => number.hash(state),
        }
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.text)
    }
}

impl Ord for NodeId {
    #[inline]
    fn cmp(&self, other: &NodeId) -> Ordering {
        if self.0.number != 0 && other.0.number != 0 {
            return self.0.number.cmp(&other.0.number);
        }
        by_text(&self.0.text, &other.0.text)
    }
}

/// Apart from the numbers, so that these are compared where they stand.
#[cold]
fn by_text(a: &str, b: &str) -> Ordering {
    natural(a.as_bytes(), b.as_bytes()).then_with(|| a.cmp(b))
}

impl PartialOrd for NodeId {
    fn partial_cmp(&self, other: &NodeId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares runs of digits by their number and everything else by its bytes.
fn natural(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while let (Some(x), Some(y)) = (a.first(), b.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n) = (take_digits(&mut a), take_digits(&mut b));
            match m.len().cmp(&n.len()).then_with(|| m.cmp(n)) {
                Ordering::Equal => continue,
                unequal => return unequal,
            }
        }
        match x.cmp(y) {
            Ordering::Equal => (a, b) = (&a[1..], &b[1..]),
            unequal => return unequal,
        }
    }
    a.len().cmp(&b.len())
}

/// Cuts the leading digits off, without leading zeros, so that their length compares before their value.
fn take_digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text
        .iter()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_2_comes_before_node_10() {
        let mut ids: Vec<NodeId> = ["node-10", "node-2", "a", "node-1", "node-01"]
            .iter()
            .map(|n| NodeId::new(n).unwrap())
            .collect();
        ids.sort();
        let names: Vec<&str> = ids.iter().map(NodeId::as_str).collect();
        assert_eq!(names, ["a", "node-01", "node-1", "node-2", "node-10"]);
    }

    #[test]
    fn a_number_is_a_name_however_it_is_written() {
        for k in [1, 2, 2048, 100_000] {
            let text = format!("node-{k}");
            let id = NodeId::new(&text).unwrap();
            assert_eq!((id.as_str(), id.number()), (text.as_str(), Some(k)));
            assert_eq!(id, NodeId::nth(k));
        }
        for other in ["node-0", "node-01", "node-", "node-x", "node-99999999999"] {
            assert_eq!(NodeId::new(other).unwrap().number(), None, "{other}");
        }
    }

    #[test]
    fn ids_with_spaces_commas_or_nothing_in_them_are_refused() {
        for bad in ["", "a b", "a,b", "a\nb", &"x".repeat(129)] {
            assert!(NodeId::new(bad).is_err(), "{bad:?}");
        }
    }
}
