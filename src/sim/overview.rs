//! All that is checked in passing, looked at as a whole; and what is held against it when a node applies entries.

use crate::protocol::Node;
use crate::sim::expect::Expect;
use crate::sim::invariants::Watch;
use crate::sim::ledger::{EntryKey, named};
use crate::sim::plan::Place;
use crate::sim::world::World;
use crate::types::Index;

/// Every so many events everything is looked at.
const ALL: u64 = 1000;

impl World {
    /// Something happened: now and then everything is looked at.
    pub(super) fn look_over(&mut self) {
        self.watch.looked += 1;
        if self.watch.looked.is_multiple_of(ALL) {
            self.look_at_all(false);
        }
        if self.watch.expect == Expect::OneLeader && self.watch.looked.is_multiple_of(16) {
            self.look_for_two_leaders();
        }
    }

    /// All that is checked in passing, as a whole.
    pub(super) fn look_at_all(&mut self, is_last: bool) {
        let mut broken = None;
        // Stores are long: each time one is compared, in turn; in the end all are.
        let looks = self.watch.looked / ALL;
        for (place, seat) in self.seats.iter().enumerate() {
            let has_turn = is_last || looks % 16 == place as u64;
            let place = place as Place;
            let Some(node) = &seat.node else {
                continue;
            };
            if !self.watch.nodes[place as usize].shadow.is(node.log()) {
                let what = format!("{}: its log is not what its disk was told", named(place));
                broken = Some(("log matching", what));
            }
            if has_turn && let Some(what) = self.watch.state_machine(place, node) {
                broken = Some(("state-machine safety", what));
            }
        }
        if let Some((invariant, what)) = broken {
            self.fail(invariant, what);
        }
        for place in self.places() {
            self.watch_members(place);
        }
    }

    fn look_for_two_leaders(&mut self) {
        let patience = 2 * self.plan.scale.election_timeout * 1000;
        let leading: Vec<Place> = self
            .places()
            .filter(|place| {
                let since = self.watch.nodes[*place as usize].leads_since;
                let seat = self.seat(*place);
                let leads = seat.is_well() && seat.node.as_ref().is_some_and(Node::leads);
                leads && since.is_some_and(|since| self.now - since > patience)
            })
            .collect();
        if let [a, b, ..] = leading[..] {
            let what = format!("{} and {} both lead, for long", named(a), named(b));
            self.fail("one leader", what);
        }
    }
}

impl Watch {
    /// What a node applied since it was last looked at is what everybody applies there.
    pub(super) fn progress(&mut self, place: Place, node: &Node) -> Option<(&'static str, String)> {
        let seen = &mut self.nodes[place as usize];
        let (applied, commit) = (node.applied_index(), node.commit_index());
        if self.is_linearizable && commit < seen.commit {
            let what = format!("{}: {commit} after {}", named(place), seen.commit);
            return Some(("commit never goes back", what));
        }
        seen.commit = commit;
        if node.epoch() != seen.epoch {
            (seen.epoch, seen.applied) = (node.epoch(), applied);
            return self
                .state_machine(place, node)
                .map(|what| ("state-machine safety", what));
        }
        let from = seen.applied;
        seen.applied = applied;
        for index in from + 1..=applied {
            let Some(key) = node.log().id_at(index).as_ref().map(EntryKey::of) else {
                continue;
            };
            self.ledger.apply(key);
            if !self.is_linearizable {
                continue;
            }
            if self.committed.len() as Index == index - 1 {
                self.committed.push((key, node.term()));
            }
            match self.committed.get(index as usize - 1) {
                Some((other, _)) if *other != key => {
                    let what = format!(
                        "{} applies {:?}, others {:?}",
                        named(place),
                        key.id(),
                        other.id()
                    );
                    return Some(("state-machine safety", what));
                }
                _ => {}
            }
        }
        None
    }

    /// What no disk holds was never committed. Only a single voter counts itself in the very turn in which it writes, and
    /// whoever waits for that hears nothing before it is written.
    pub(super) fn take_back(&mut self, key: EntryKey) {
        let at = key.index as usize - 1;
        if self.committed.get(at).is_some_and(|(one, _)| *one == key) {
            self.committed.truncate(at);
        }
    }

    /// A node's store is what its log makes.
    pub(super) fn state_machine(&self, place: Place, node: &Node) -> Option<String> {
        let last = node.applied_id().as_ref().map(EntryKey::of);
        if self.is_linearizable
            && let Some(key) = last
            && let Some((other, _)) = self.committed.get(key.index as usize - 1)
            && *other != key
        {
            return Some(format!(
                "{} has applied {:?}, others {:?}",
                named(place),
                key.id(),
                other.id()
            ));
        }
        match self.ledger.store(last) {
            Some(store) if store != *node.store() => Some(format!(
                "{}: its store is not what its log makes",
                named(place)
            )),
            _ => None,
        }
    }
}

/// How many entries that are applied a node may keep.
pub(super) fn most_kept(node: &Node) -> usize {
    let window = match node.config().snapshot_every {
        Some(every) => 2 * every,
        None => {
            let window = node.config().log_window.max(node.store().len());
            window + window / 4
        }
    };
    // What comes behind a snapshot that is under way is kept meanwhile.
    window + node.store().items()
}
