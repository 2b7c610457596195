//! The words everything else is written in: who ([`NodeId`]), when ([`Time`], [`Term`]), where in the log ([`Index`],
//! [`EntryId`]), and under which rules ([`Mode`], [`Config`]).

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

/// A period with at most one rightful leader. It only ever grows. Always below [`TERM_LIMIT`].
pub type Term = u64;

/// A place in the log; the first entry has index 1, so 0 means "before everything".
pub type Index = u64;

/// The life of a disk: a number drawn anew whenever a node starts with an empty one (below 2^53, so that JSON readers
/// which know only doubles keep it exactly).
pub type Boot = u64;

/// Terms on the wire are integers below 2^53, the largest a JavaScript reader keeps exactly.
pub const TERM_LIMIT: Term = 1 << 53;

/// How far beyond its own term a node believes a stranger. No cluster holds a million elections while a node is away,
/// but one forged message could otherwise run every term to its maximum.
pub const TERM_JUMP: Term = 1_000_000;

/// A node's name, `node-1`, ordered as a person would: `node-2` before `node-10`, ties by bytes.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
pub struct NodeId(Arc<str>);

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
            true => Ok(NodeId(name.into())),
            false => Err(InvalidNodeId(name.chars().take(40).collect())),
        }
    }

    /// The k-th node of a cluster that `up` boots: `node-k`.
    pub fn nth(k: usize) -> NodeId {
        NodeId(format!("node-{k}").into())
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A peer known by its URL only, as in the chapter's `PEERS`, whose real id is yet to be learned from an answer.
    pub fn is_address(&self) -> bool {
        self.0.contains("://")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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

impl Ord for NodeId {
    fn cmp(&self, other: &NodeId) -> Ordering {
        natural(self.0.as_bytes(), other.0.as_bytes()).then_with(|| self.0.cmp(&other.0))
    }
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

/// A moment on a node's own clock: time since some beginning that all moments of one run share. The protocol never
/// reads a clock; whoever drives it says what time it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Time(Duration);

impl Time {
    /// The beginning.
    pub const ZERO: Time = Time(Duration::ZERO);

    /// The moment `since` after the beginning.
    pub fn after(since: Duration) -> Time {
        Time(since)
    }

    /// Time since the beginning.
    pub fn elapsed(self) -> Duration {
        self.0
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, later: Duration) -> Time {
        Time(self.0.saturating_add(later))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;

    /// How long after `earlier` this is; zero if it is not.
    fn sub(self, earlier: Time) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

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

/// What a node is just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes writes and sends them on.
    Leader,
    /// Obeys a leader, or waits for one.
    Follower,
    /// Is finding out whether it should lead.
    Candidate,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Candidate => "candidate",
        })
    }
}

/// How a leader is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Election {
    /// The lowest live id leads; no votes, no majority (the chapter's way).
    #[default]
    LowestId,
}

/// When a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// Once the leader has applied it (the chapter's way).
    #[default]
    Async,
}

/// An election and a replication mode. Nodes of different modes refuse each other's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mode {
    /// How a leader is found.
    pub election: Election,
    /// When a write is answered.
    pub replication: Replication,
}

impl Mode {
    /// What this pair promises, and what it does not, in one sentence for `status` and the first lines of `up`.
    pub fn promise(self) -> &'static str {
        match (self.election, self.replication) {
            (Election::LowestId, Replication::Async) => {
                "writes are acknowledged before they are copied: a leader's death can lose them, and a partition can have two leaders"
            }
        }
    }
}

impl fmt::Display for Mode {
    /// `lowest-id + async`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let election = match self.election {
            Election::LowestId => "lowest-id",
        };
        let replication = match self.replication {
            Replication::Async => "async",
        };
        f.pad(&format!("{election} + {replication}"))
    }
}

/// Everything a node must be told before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own name.
    pub id: NodeId,
    /// All configured nodes, itself included; a peer known only by URL stands under that URL until it is identified.
    pub members: Vec<NodeId>,
    /// The rules.
    pub mode: Mode,
    /// How often a leader shows each follower that it lives.
    pub heartbeat: Duration,
    /// How long a follower waits for a leader before it stands. Above `heartbeat`.
    pub election_timeout: Duration,
    /// Under load, how long entries gather before the next append to a follower leaves; the first leaves at once.
    pub append_pause: Duration,
    /// How many entries stay in the log, behind the last one, for followers that were away; at least the number of
    /// live keys stays, so that memory is bounded by live data and yet a snapshot can be followed by entries.
    pub log_window: usize,
}

impl Config {
    /// The default heartbeat of a cluster of `nodes`: 50 ms, growing to 1 ms a node, so that a leader's heartbeats
    /// cost the same share of a core however many it sends.
    pub fn default_heartbeat(nodes: usize) -> Duration {
        Duration::from_millis(nodes.max(50) as u64)
    }

    /// The default election timeout: six heartbeats, so that a few lost ones depose nobody.
    pub fn default_election_timeout(heartbeat: Duration) -> Duration {
        heartbeat * 6
    }

    /// A node of the default mode and timing.
    pub fn new(id: NodeId, members: Vec<NodeId>) -> Config {
        let heartbeat = Config::default_heartbeat(members.len());
        Config {
            id,
            members,
            mode: Mode::default(),
            heartbeat,
            election_timeout: Config::default_election_timeout(heartbeat),
            append_pause: Duration::from_millis(2),
            log_window: 10_000,
        }
    }
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
    fn within_a_term_the_lower_id_has_the_greater_claim() {
        let claim = |term, k| Leadership {
            term,
            leader: NodeId::nth(k),
        };
        assert!(claim(2, 1) > claim(2, 2));
        assert!(claim(3, 9) > claim(2, 1));
    }

    #[test]
    fn ids_with_spaces_commas_or_nothing_in_them_are_refused() {
        for bad in ["", "a b", "a,b", "a\nb", &"x".repeat(129)] {
            assert!(NodeId::new(bad).is_err(), "{bad:?}");
        }
    }
}
