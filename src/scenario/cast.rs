//! Who is meant: roles become nodes when a step is taken.

use crate::rng::Rng;
use crate::scenario::ground::{State, View};
use crate::types::{NodeId, Term};
use crate::wire::faults::{Trouble, Who};

/// Roles that somebody fills who is not meant otherwise.
const OPEN: [&str; 4] = ["follower", "random", "minority", "majority"];

/// What roles depend on besides what is seen.
pub(super) struct Cast {
    /// Who led, and in which term, when that was remembered.
    pub(super) remembered: Option<(NodeId, Term)>,
    pub(super) rng: Rng,
}

impl Cast {
    /// The node that is meant.
    pub(super) fn one(&mut self, who: &str, view: &View) -> Result<NodeId, String> {
        let nodes = self.meant(who, view, &[])?;
        nodes
            .into_iter()
            .next()
            .ok_or_else(|| format!("there is no {who} just now"))
    }

    /// The nodes that are meant.
    pub(super) fn all(&mut self, names: &[Who], view: &View) -> Result<Vec<NodeId>, String> {
        self.beside(None, names, view)
    }

    /// The same; chance draws nobody who stands at the `other` end.
    fn beside(
        &mut self,
        other: Option<NodeId>,
        names: &[Who],
        view: &View,
    ) -> Result<Vec<NodeId>, String> {
        let mut nodes: Vec<NodeId> = Vec::new();
        for name in names {
            let taken: Vec<NodeId> = nodes.iter().chain(&other).cloned().collect();
            let more = self.meant(name, view, &taken)?;
            nodes.extend(more);
        }
        nodes.sort();
        nodes.dedup();
        Ok(nodes)
    }

    fn meant(&mut self, who: &str, view: &View, taken: &[NodeId]) -> Result<Vec<NodeId>, String> {
        let nobody = || format!("there is no {who} just now: {}", view.told());
        let leader = view.leader().map(|seen| seen.id.clone());
        let total = view.nodes.len();
        let up = view.nodes.iter().filter(|seen| seen.state == State::Up);
        let up: Vec<NodeId> = up.map(|seen| seen.id.clone()).collect();
        let free: Vec<NodeId> = up.into_iter().filter(|id| !taken.contains(id)).collect();
        Ok(match who {
            "leader" => vec![leader.ok_or_else(nobody)?],
            "old-leader" => {
                let remembered = self.remembered.as_ref();
                vec![remembered.map(|(id, _)| id.clone()).ok_or_else(nobody)?]
            }
            "follower" => {
                let others = free.into_iter().filter(|id| Some(id) != leader.as_ref());
                vec![others.min().ok_or_else(nobody)?]
            }
            "random" => self.drawn(free, 1).ok_or_else(nobody)?,
            "minority" => {
                let count = total.saturating_sub(1) / 2;
                self.drawn(free, count).ok_or_else(nobody)?
            }
            "majority" => self.drawn(free, total / 2 + 1).ok_or_else(nobody)?,
            "all" => view.nodes.iter().map(|seen| seen.id.clone()).collect(),
            name => {
                let found = view.nodes.iter().find(|seen| seen.id.as_str() == name);
                let unknown = || format!("there is no {name} any more");
                vec![found.map(|seen| seen.id.clone()).ok_or_else(unknown)?]
            }
        })
    }

    /// So many by chance; `None` if that is nobody, or there are fewer.
    fn drawn(&mut self, mut from: Vec<NodeId>, count: usize) -> Option<Vec<NodeId>> {
        if count == 0 || from.len() < count {
            return None;
        }
        let mut drawn = Vec::new();
        while drawn.len() < count {
            let at = self.rng.below(from.len() as u64) as usize;
            drawn.push(from.swap_remove(at));
        }
        Some(drawn)
    }

    /// The groups of a partition. No node is in two: whoever is named is in its group before chance fills the others.
    fn groups(&mut self, groups: &[Vec<Who>], view: &View) -> Result<Vec<Vec<Who>>, String> {
        let mut cast: Vec<Vec<NodeId>> = vec![Vec::new(); groups.len()];
        for is_open in [false, true] {
            for (at, group) in groups.iter().enumerate() {
                for who in group
                    .iter()
                    .filter(|who| is_open == OPEN.contains(&who.as_str()))
                {
                    let meant = self.meant(who, view, &cast.concat())?;
                    cast[at].extend(meant);
                }
            }
        }
        for group in &mut cast {
            group.sort();
            group.dedup();
        }
        let all = cast.concat();
        let is_twice = |id: &&NodeId| all.iter().filter(|other| other == id).count() > 1;
        if let Some(id) = all.iter().find(is_twice) {
            return Err(format!("{id} would be in two groups: {}", view.told()));
        }
        let names = |group: Vec<NodeId>| group.iter().map(NodeId::to_string).collect();
        Ok(cast.into_iter().map(names).collect())
    }

    /// The same fault, with names in place of roles and of chance.
    pub(super) fn trouble(&mut self, trouble: &Trouble, view: &View) -> Result<Trouble, String> {
        let mut trouble = trouble.clone();
        match &mut trouble {
            Trouble::Links { from, to, .. } => {
                let ends = self.all(from, view)?;
                let other = <[NodeId; 1]>::try_from(ends.clone()).ok();
                let others = self.beside(other.map(|[one]| one), to, view)?;
                let names = |nodes: Vec<NodeId>| nodes.iter().map(NodeId::to_string).collect();
                (*from, *to) = (names(ends), names(others));
            }
            Trouble::Partition { groups, .. } => {
                *groups = self.groups(groups, view)?;
            }
            Trouble::Split { one_way } => {
                let one_way = *one_way;
                // The rest is the other half.
                let groups = vec![self.names(&["minority".to_owned()], view)?];
                trouble = Trouble::Partition { groups, one_way };
            }
            Trouble::Bridge { node } => {
                let who = node.clone().unwrap_or_else(|| "random".to_owned());
                *node = Some(self.one(&who, view)?.to_string());
            }
            other => {
                if let Some(nodes) = other.nodes_mut() {
                    *nodes = self.names(nodes, view)?;
                }
            }
        }
        Ok(trouble)
    }

    fn names(&mut self, names: &[Who], view: &View) -> Result<Vec<Who>, String> {
        let nodes = self.all(names, view)?;
        Ok(nodes.iter().map(NodeId::to_string).collect())
    }
}
