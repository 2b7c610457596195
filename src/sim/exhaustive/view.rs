//! What of a node the invariants look at: its log, what it committed, its store.

use crate::protocol::Node;
use crate::protocol::fingerprint::Sketch;
use crate::sim::exhaustive::cause::Rules;
use crate::sim::exhaustive::invariant::{Broken, Invariant};
use crate::sim::exhaustive::seat::Seat;
use crate::sim::exhaustive::table::Sketched;
use crate::types::{Election, EntryId, Index, Mode, NodeId, Term};

/// A log as it was, whoever holds it. What is compacted is known by its identity only.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// The identities of all entries, from index 1 on.
    pub(super) ids: Vec<EntryId>,
    /// What each does, as a number; 0 for those that are compacted.
    commands: Vec<u128>,
    /// Entries up to here are committed, as far as the node knows.
    pub(super) commit: Index,
    applied: Index,
    store: u128,
}

impl View {
    pub(super) fn of(seat: &Seat, rules: &Rules) -> View {
        let node: Node = seat.would_be(rules);
        let log = node.log();
        let print = |take: &dyn Fn(&mut Sketch<'_>)| {
            let mut sketch = Sketch::new(&[]);
            take(&mut sketch);
            sketch.finish()
        };
        let command = |index| {
            let entry = log.entry(index);
            entry.map_or(0, |entry| print(&|sketch| sketch.command(&entry.command)))
        };
        let indexes = 1..=log.last_index();
        View {
            ids: indexes
                .clone()
                .filter_map(|index| log.id_at(index))
                .collect(),
            commands: indexes.map(command).collect(),
            commit: node.commit_index(),
            applied: node.applied_index(),
            store: print(&|sketch| sketch.store(node.store())),
        }
    }

    /// The identity at `index`.
    pub(super) fn at(&self, index: Index) -> Option<&EntryId> {
        self.ids.get((index as usize).checked_sub(1)?)
    }

    /// What it knows to be committed, as a number.
    pub(super) fn committed(&self) -> u128 {
        let mut sketch = Sketch::new(&[]);
        for id in self.ids.iter().take(self.commit as usize) {
            sketch.entry_id(id);
        }
        sketch.finish()
    }

    /// Whether it begins with all of `other`.
    pub(super) fn continues(&self, other: &View) -> bool {
        self.ids.starts_with(&other.ids)
    }

    /// How two logs that must match do not.
    pub(super) fn mismatch(&self, other: &View, mode: Mode) -> Option<Broken> {
        let by_claim = mode.election == Election::LowestId;
        let same = |a: &EntryId, b: &EntryId| match by_claim {
            true => a == b,
            false => a.term == b.term,
        };
        let shared = self.ids.len().min(other.ids.len());
        let last = (0..shared)
            .rev()
            .find(|at| same(&self.ids[*at], &other.ids[*at]))?;
        let differs = |at: &usize| {
            let (a, b) = (self.commands[*at], other.commands[*at]);
            self.ids[*at] != other.ids[*at] || (a != b && a != 0 && b != 0)
        };
        let at = (0..=last).find(differs)?;
        let why = format!(
            "two logs have entry {:?} in common, and yet at index {} one holds {:?} and the other {:?}{}",
            self.ids[last],
            at + 1,
            self.ids[at],
            other.ids[at],
            if self.ids[at] == other.ids[at] {
                ", which does something else"
            } else {
                ""
            },
        );
        Some(Broken::new(Invariant::LogMatching, why))
    }

    /// How two stores that must be equal are not.
    pub(super) fn divergence(&self, other: &View) -> Option<Broken> {
        let applied = self.applied;
        let differ = applied == other.applied && self.store != other.store;
        differ.then(|| {
            let why =
                format!("two nodes applied everything up to {applied}, and their stores differ");
            Broken::new(Invariant::StateMachineSafety, why)
        })
    }
}

impl Sketched for View {
    fn sketch(&self, sketch: &mut Sketch<'_>) {
        sketch.number(self.ids.len() as u64);
        for (id, command) in self.ids.iter().zip(&self.commands) {
            sketch.entry_id(id);
            sketch.number(*command as u64);
            sketch.number((*command >> 64) as u64);
        }
        sketch.number(self.commit);
        sketch.number(self.applied);
        sketch.number(self.store as u64);
        sketch.number((self.store >> 64) as u64);
    }
}

/// What happened on the way to a state, as far as an invariant asks for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// Who led which term.
    leaders: Vec<(Term, usize)>,
    /// What was committed, from index 1 on, and in which term.
    committed: Vec<(EntryId, Term)>,
}

impl Past {
    /// `at` leads `term` from now on, with the log `view`.
    pub(super) fn lead(
        &mut self,
        at: usize,
        term: Term,
        view: &View,
        checked: &[Invariant],
    ) -> Result<(), Broken> {
        let leader = NodeId::nth(at + 1);
        if checked.contains(&Invariant::ElectionSafety) {
            let other = self.leaders.iter().find(|(led, _)| *led == term);
            if let Some((_, other)) = other {
                let other = NodeId::nth(other + 1);
                let why = match other == leader {
                    true => format!("{leader} led term {term} twice"),
                    false => format!("{other} and {leader} both led term {term}"),
                };
                return Err(Broken::new(Invariant::ElectionSafety, why));
            }
            self.leaders.push((term, at));
            self.leaders.sort_unstable();
        }
        match checked.contains(&Invariant::LeaderCompleteness) {
            true => self.complete(at, term, view),
            false => Ok(()),
        }
    }

    /// Whether the leader of `term` has what was committed in earlier ones.
    pub(super) fn complete(&self, at: usize, term: Term, view: &View) -> Result<(), Broken> {
        let earlier = self
            .committed
            .iter()
            .filter(|(_, committed)| *committed < term);
        let mut missing = earlier.filter(|(id, _)| view.at(id.index) != Some(id));
        match missing.next() {
            Some((id, committed)) => {
                let leader = NodeId::nth(at + 1);
                let why = format!(
                    "{leader} leads term {term} without entry {id:?}, which was committed in term {committed}"
                );
                Err(Broken::new(Invariant::LeaderCompleteness, why))
            }
            None => Ok(()),
        }
    }

    /// A node that has seen `term` holds everything in `view` up to its commit index for committed.
    pub(super) fn commit(&mut self, at: usize, term: Term, view: &View) -> Result<(), Broken> {
        for (known, id) in (0..).zip(view.ids.iter().take(view.commit as usize)) {
            match self.committed.get(known) {
                None => self.committed.push((id.clone(), term)),
                Some((other, _)) if other == id => {}
                Some((other, _)) => {
                    let node = NodeId::nth(at + 1);
                    let why = format!("{node} commits {id:?}, and {other:?} was committed there");
                    return Err(Broken::new(Invariant::StateMachineSafety, why));
                }
            }
        }
        Ok(())
    }
}

impl Sketched for Past {
    fn sketch(&self, sketch: &mut Sketch<'_>) {
        // A second mark, so that no past looks like a node or a message.
        sketch.number(u64::MAX);
        let mut leaders: Vec<(Term, u64)> = self
            .leaders
            .iter()
            .map(|(term, at)| (*term, u64::from(sketch.names()[*at])))
            .collect();
        leaders.sort_unstable();
        sketch.number(leaders.len() as u64);
        for (term, leader) in leaders {
            sketch.number(term);
            sketch.number(leader);
        }
        sketch.number(self.committed.len() as u64);
        for (id, term) in &self.committed {
            sketch.entry_id(id);
            sketch.number(*term);
        }
    }
}
