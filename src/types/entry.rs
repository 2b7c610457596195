//! Where in the log, and by whose claim.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::types::{Boot, Index, NodeId, TERM_LIMIT, Term};

/// A leader's claim. Claims are ordered by term and, within a term, by the *lower* id, so that even elections without
/// votes, where two leaders can share a term, have one order; on meeting, the lesser claim steps down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leadership {
    /// The term led.
    pub term: Term,
    /// Who leads it.
    pub leader: NodeId,
}

impl Ord for Leadership {
    fn cmp(&self, other: &Leadership) -> Ordering {
        self.term
            .cmp(&other.term)
            .then_with(|| other.leader.cmp(&self.leader))
    }
}

impl PartialOrd for Leadership {
    fn partial_cmp(&self, other: &Leadership) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What makes a log entry this one and no other. Equal identity means that everything before is equal too.
///
/// Raft's (index, term) is not enough here: without votes two leaders can share a term, and a leader whose disk was
/// wiped could lead the same term again; hence the leader and its [`Boot`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryId {
    /// Its place in the log.
    pub index: Index,
    /// The term it was written in.
    pub term: Term,
    /// The leader that wrote it.
    pub leader: NodeId,
    /// The life of that leader's disk.
    pub boot: Boot,
}

impl EntryId {
    /// Whether both were written in one leadership by one life of one leader.
    pub fn same_origin(&self, other: &EntryId) -> bool {
        (self.term, &self.leader, self.boot) == (other.term, &other.leader, other.boot)
    }

    /// Whether it can be an entry's: the first has index 1, and all numbers are below [`TERM_LIMIT`], so that they can be
    /// counted on from, and readers that know only doubles keep them exactly.
    pub fn is_sound(&self) -> bool {
        self.index > 0
            && [self.index, self.term, self.boot]
                .iter()
                .all(|n| *n < TERM_LIMIT)
    }

    /// It as the version of a key, for an `ETag`: `7.2.1a2b3c.node-1`. What may not stand in a header is written as
    /// `%` and two hexadecimal digits.
    pub fn tag(&self) -> String {
        let mut tag = format!("{}.{}.{:x}.", self.index, self.term, self.boot);
        for byte in self.leader.as_str().bytes() {
            match byte {
                b'!'..=b'~' if byte != b'"' && byte != b'%' => tag.push(char::from(byte)),
                _ => tag.push_str(&format!("%{byte:02x}")),
            }
        }
        tag
    }

    /// The version whose tag this is, to the letter (RFC 9110, §8.8.3.2), if it is any's.
    pub fn from_tag(tag: &str) -> Option<EntryId> {
        let mut parts = tag.splitn(4, '.');
        let index = parts.next()?.parse().ok()?;
        let term = parts.next()?.parse().ok()?;
        let boot = u64::from_str_radix(parts.next()?, 16).ok()?;
        let mut name = Vec::new();
        let mut rest = parts.next()?.as_bytes();
        while let Some((byte, tail)) = rest.split_first() {
            rest = tail;
            if *byte != b'%' {
                name.push(*byte);
                continue;
            }
            let (code, tail) = rest.split_at_checked(2)?;
            let code = std::str::from_utf8(code).ok()?;
            name.push(u8::from_str_radix(code, 16).ok()?);
            rest = tail;
        }
        let leader = NodeId::new(std::str::from_utf8(&name).ok()?).ok()?;
        let id = EntryId {
            index,
            term,
            leader,
            boot,
        };
        (id.tag() == tag).then_some(id)
    }
}

impl fmt::Debug for EntryId {
    /// `7@2:node-1`: entry 7, written by node-1 in term 2. The boot is left out: it is noise to a reader.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.index, self.term, self.leader)
    }
}

/// The index of a position that may be "before everything".
pub fn index_of(id: Option<&EntryId>) -> Index {
    id.map_or(0, |id| id.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_back_from_its_tag_whatever_its_leader_is_called() {
        for name in ["node-1", "a.b", "é\"%"] {
            let id = EntryId {
                index: 7,
                term: 2,
                leader: NodeId::new(name).unwrap(),
                boot: 0xabc,
            };
            assert!(id.tag().is_ascii() && !id.tag().contains('"'));
            assert_eq!(EntryId::from_tag(&id.tag()), Some(id));
        }
        let none = ["", "1", "1.2.3", "x.2.3.node-1", "1.2.3.", "1.2.3.a%2"];
        let written_otherwise = ["+1.2.3.a", "01.2.3.a", "1.2.A.a", "1.2.3.%61", "1.2.3.%+1"];
        for bad in none.into_iter().chain(written_otherwise) {
            assert_eq!(EntryId::from_tag(bad), None, "{bad}");
        }
    }

    #[test]
    fn within_a_term_the_lower_id_has_the_greater_claim() {
        let claim = |term, k| Leadership {
            term,
            leader: NodeId::nth(k),
        };
        assert!(claim(2, 1) > claim(2, 2));
        assert!(claim(3, 9) > claim(2, 1));
    }
}
