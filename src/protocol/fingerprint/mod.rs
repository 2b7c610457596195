//! Nodes and what they say as numbers, so that whoever tries everything that can happen knows what it has seen before.
//!
//! A [`Sketch`] takes in what matters, piece by piece, and ends as 128 bits. It is deterministic and the same for ever:
//! no seed, no address, no order of a hash map enters it. It calls nodes by names of its own choice, so two clusters that
//! differ only in who is who can be seen to be one; what is a set is taken in as a set, whatever those names are.
//!
//! The two halves of a sketch are two chains of a bijective mixer: two sequences of pieces that differ give the same 128 bits
//! with a chance of about 2^-128, as far as such a thing can be said of a function without a secret. Among *n* sketches
//! some two are mistaken for each other with a chance of about n²/2^129: for a thousand million of them, 10^-21.

mod node;

use std::sync::Arc;

use crate::protocol::history::Run;
use crate::protocol::log::{Entry, Log};
use crate::protocol::record::{Recovered, Snapshot};
use crate::rng::mix;
use crate::store::{Command, Piece, Store};
use crate::types::{EntryId, Leadership, Members, NodeId};

/// Takes in what matters and forgets everything else.
#[derive(Debug, Clone)]
pub struct Sketch<'a> {
    low: u64,
    high: u64,
    /// What `node-k` is called here, at k − 1.
    names: &'a [u8],
}

impl<'a> Sketch<'a> {
    /// A sketch of nothing, in which `node-k` is called `names[k - 1]`.
    pub fn new(names: &'a [u8]) -> Sketch<'a> {
        Sketch {
            low: 0x6a09_e667_f3bc_c908,
            high: 0xbb67_ae85_84ca_a73b,
            names,
        }
    }

    /// All that was taken in.
    pub fn finish(&self) -> u128 {
        u128::from(mix(self.high)) << 64 | u128::from(self.low)
    }

    /// A number.
    pub fn number(&mut self, number: u64) {
        self.low = mix(self.low ^ number);
        self.high = mix(self.high.wrapping_add(number)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    }

    /// Yes or no.
    pub fn flag(&mut self, flag: bool) {
        self.number(u64::from(flag));
    }

    /// A text, and its end.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        for part in text.as_bytes().chunks(8) {
            let byte = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
            self.number(part.iter().fold(0, byte));
        }
    }

    /// What may be missing.
    pub fn maybe<T>(&mut self, it: Option<T>, take: impl FnOnce(&mut Self, T)) {
        self.flag(it.is_some());
        if let Some(it) = it {
            take(self, it);
        }
    }

    /// What the nodes are called here.
    pub fn names(&self) -> &[u8] {
        self.names
    }

    /// What `id` is called here.
    pub fn name(&self, id: &NodeId) -> u64 {
        let at = id.number().and_then(|number| number.checked_sub(1));
        let known = at.and_then(|at| self.names.get(at));
        known.map_or_else(
            || {
                let mut unknown = Sketch::new(&[]);
                unknown.text(id.as_str());
                unknown.low | 1 << 63
            },
            |name| u64::from(*name),
        )
    }

    /// A node.
    pub fn id(&mut self, id: &NodeId) {
        self.number(self.name(id));
    }

    /// `node-k`, where `at` is k − 1.
    pub fn nth(&mut self, at: usize) {
        self.number(self.names.get(at).copied().unwrap_or(u8::MAX).into());
    }

    /// Nodes in no order.
    pub fn set<'b>(&mut self, ids: impl Iterator<Item = &'b NodeId>) {
        let mut names: Vec<u64> = ids.map(|id| self.name(id)).collect();
        names.sort_unstable();
        self.number(names.len() as u64);
        for name in names {
            self.number(name);
        }
    }

    /// A claim to lead.
    pub fn claim(&mut self, claim: &Leadership) {
        self.number(claim.term);
        self.id(&claim.leader);
    }

    /// An entry's identity.
    pub fn entry_id(&mut self, id: &EntryId) {
        let EntryId {
            index,
            term,
            leader,
            boot,
        } = id;
        self.number(*index);
        self.number(*term);
        self.id(leader);
        self.number(*boot);
    }

    /// A position in a log.
    pub fn position(&mut self, id: Option<&EntryId>) {
        self.maybe(id, Sketch::entry_id);
    }

    /// An entry and what it does.
    pub fn entry(&mut self, entry: &Entry) {
        self.entry_id(&entry.id);
        self.command(&entry.command);
    }

    /// Entries in order.
    pub fn entries<'b>(&mut self, entries: impl ExactSizeIterator<Item = &'b Entry>) {
        self.number(entries.len() as u64);
        entries.for_each(|entry| self.entry(entry));
    }

    /// What an entry does.
    pub fn command(&mut self, command: &Command) {
        let proviso = match command {
            Command::Put {
                key,
                value,
                proviso,
            } => {
                self.number(1);
                self.text(key.as_str());
                self.text(value.as_str());
                proviso
            }
            Command::Delete { key, proviso } => {
                self.number(2);
                self.text(key.as_str());
                proviso
            }
            Command::Noop => return self.number(3),
            Command::Members(members) => {
                self.number(4);
                return self.members(members);
            }
        };
        // Terms may name entries; who wrote those is not renamed.
        let terms = proviso.as_ref().map(|terms| format!("{terms:?}"));
        self.maybe(terms, |sketch, terms| sketch.text(&terms));
    }

    /// Who belongs to the cluster.
    pub fn members(&mut self, members: &Members) {
        let Members { voters, learners } = members;
        self.set(voters.iter());
        self.set(learners.iter());
    }

    /// A history.
    pub fn history(&mut self, history: &Arc<Vec<Run>>) {
        self.number(history.len() as u64);
        for run in history.iter() {
            let Run {
                first,
                term,
                leader,
                boot,
            } = run;
            self.number(*first);
            self.number(*term);
            self.id(leader);
            self.number(*boot);
        }
    }

    /// A log, with what it remembers of its compacted part.
    pub fn log(&mut self, log: &Log) {
        // How large the entries are, and what they say of the members, is to be read in them.
        let Log {
            history,
            compacted,
            entries,
            bytes: _,
            members: _,
            members_before,
        } = log;
        self.position(compacted.as_ref());
        self.entries(entries.iter());
        self.history(history);
        self.maybe(members_before.as_ref(), Sketch::members);
    }

    /// A store.
    pub fn store(&mut self, store: &Store) {
        self.number(store.len() as u64);
        for piece in store.pieces_after(None) {
            self.piece(&piece);
        }
    }

    /// A piece of a store.
    pub fn piece(&mut self, piece: &Piece) {
        self.number(piece.place());
        match piece {
            Piece::Key(item) => {
                self.text(item.key.as_str());
                self.text(item.value.as_str());
                self.entry_id(&item.version);
            }
            Piece::Session(session) => {
                self.text(session.token.as_str());
                self.number(session.fingerprint);
                self.text(&format!("{:?}", session.outcome));
                self.entry_id(&session.by);
            }
        }
    }

    /// A snapshot.
    pub fn snapshot(&mut self, snapshot: &Snapshot) {
        let Snapshot {
            last,
            history,
            members,
            store,
        } = snapshot;
        self.position(last.as_ref());
        self.history(history);
        self.maybe(members.as_ref(), Sketch::members);
        self.store(store);
    }

    /// What is on a disk.
    pub fn disk(&mut self, found: &Recovered) {
        let Recovered {
            boot,
            ballot,
            recovering,
            snapshot,
            compacted,
            entries,
            commit,
        } = found;
        self.number(*boot);
        self.number(ballot.term);
        self.maybe(ballot.vote.as_ref(), Sketch::id);
        self.flag(*recovering);
        self.snapshot(snapshot);
        self.position(compacted.as_ref());
        self.entries(entries.iter());
        self.number(*commit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u64]) -> u128 {
        let mut sketch = Sketch::new(&[]);
        numbers.iter().for_each(|number| sketch.number(*number));
        sketch.finish()
    }

    #[test]
    fn a_sketch_is_the_same_for_ever() {
        assert_eq!(of(&[1, 2, 3]), 0xef76_8201_0d85_754a_8c07_8753_2652_d85e);
    }

    #[test]
    fn neither_half_of_a_sketch_repeats_itself_over_a_million_short_sequences() {
        let all: Vec<u128> = (0..1_000_000).map(|n| of(&[n % 1000, n / 1000])).collect();
        for half in [0, 64] {
            let mut halves: Vec<u64> = all.iter().map(|all| (all >> half) as u64).collect();
            halves.sort_unstable();
            halves.dedup();
            assert_eq!(halves.len(), all.len());
        }
    }

    #[test]
    fn renaming_the_nodes_and_calling_them_by_their_old_names_changes_nothing() {
        let claim = |k| Leadership {
            term: 4,
            leader: NodeId::nth(k),
        };
        let seen = |names: &[u8], k, voters: [usize; 3]| {
            let mut sketch = Sketch::new(names);
            sketch.claim(&claim(k));
            sketch.set(voters.map(NodeId::nth).iter());
            sketch.finish()
        };
        assert_eq!(
            seen(&[0, 1, 2], 1, [1, 2, 3]),
            seen(&[1, 0, 2], 2, [1, 2, 3])
        );
        assert_ne!(
            seen(&[0, 1, 2], 1, [1, 2, 3]),
            seen(&[0, 1, 2], 2, [1, 2, 3])
        );
    }
}
