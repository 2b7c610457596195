//! Who is meant: names and roles become nodes, at the moment when a fault is set.

use std::collections::BTreeSet;

use crate::engine::{Engine, EngineError};
use crate::rng::Rng;
use crate::runtime::cluster::Cluster;
use crate::runtime::troubles::shuffled;
use crate::types::NodeId;
use crate::wire::faults::{Meant, Trouble, Who};

/// Finds out who is meant, in one order: whoever is named once is not drawn again.
pub(super) struct Resolver<'a> {
    /// All nodes.
    all: Vec<NodeId>,
    /// Those that live, and move.
    well: Vec<NodeId>,
    leader: Option<NodeId>,
    taken: BTreeSet<NodeId>,
    rng: &'a mut Rng,
    roles: Vec<Meant>,
}

impl Resolver<'_> {
    /// Takes those that need no chance, so that no role draws them.
    fn reserve(&mut self, names: &[Who]) -> Result<(), EngineError> {
        for name in names {
            match name.as_str() {
                "leader" => drop(self.taken.insert(self.leader()?)),
                "follower" | "random" | "minority" | "majority" | "all" => {}
                name => drop(self.taken.insert(self.named(name)?)),
            }
        }
        Ok(())
    }

    fn leader(&self) -> Result<NodeId, EngineError> {
        let nobody = || EngineError::Refused("nobody leads just now".to_owned());
        self.leader.clone().ok_or_else(nobody)
    }

    fn named(&self, name: &str) -> Result<NodeId, EngineError> {
        let found = self.all.iter().find(|id| id.as_str() == name);
        found
            .cloned()
            .ok_or_else(|| EngineError::UnknownNode(name.to_owned()))
    }

    /// The nodes that `names` mean, each once.
    fn nodes(&mut self, names: &[Who]) -> Result<Vec<NodeId>, EngineError> {
        let mut nodes: Vec<NodeId> = Vec::new();
        for name in names {
            for id in self.meant(name)? {
                if !nodes.contains(&id) {
                    nodes.push(id);
                }
            }
        }
        nodes.sort();
        Ok(nodes)
    }

    fn meant(&mut self, name: &str) -> Result<Vec<NodeId>, EngineError> {
        let n = self.all.len();
        let meant = match name {
            "all" => self.all.clone(),
            "leader" => vec![self.leader()?],
            "follower" => {
                let leader = self.leader.clone();
                self.drawn(name, 1, |id| Some(id) != leader.as_ref())?
            }
            "random" => self.drawn(name, 1, |_| true)?,
            "minority" => self.drawn(name, (n - 1) / 2, |_| true)?,
            "majority" => self.drawn(name, n / 2 + 1, |_| true)?,
            name => return Ok(vec![self.named(name)?]),
        };
        let role = name.to_owned();
        let nodes = meant.clone();
        self.roles.push(Meant { role, nodes });
        Ok(meant)
    }

    fn drawn(
        &mut self,
        role: &str,
        count: usize,
        fits: impl Fn(&NodeId) -> bool,
    ) -> Result<Vec<NodeId>, EngineError> {
        let free = self
            .well
            .iter()
            .filter(|id| !self.taken.contains(id) && fits(id));
        let mut drawn = shuffled(free.cloned().collect(), self.rng);
        if count == 0 || drawn.len() < count {
            return Err(EngineError::Refused(format!(
                "no {role} is to be had: of {} nodes {} are up, and {} of these are free for it",
                self.all.len(),
                self.well.len(),
                drawn.len()
            )));
        }
        drawn.truncate(count);
        drawn.sort();
        self.taken.extend(drawn.iter().cloned());
        Ok(drawn)
    }

    fn groups(&mut self, groups: &[Vec<Who>]) -> Result<Vec<Vec<NodeId>>, EngineError> {
        for group in groups {
            self.reserve(group)?;
        }
        let mut resolved: Vec<Vec<NodeId>> = Vec::new();
        for group in groups {
            let nodes = self.nodes(group)?;
            if let Some(twice) = nodes.iter().find(|id| resolved.concat().contains(id)) {
                return Err(EngineError::Senseless(format!(
                    "{twice} cannot be in two groups"
                )));
            }
            resolved.extend(Some(nodes).filter(|nodes| !nodes.is_empty()));
        }
        // Those that are not named form one more group, whoever that is by then.
        let is_one = resolved.concat().len() == self.all.len() && resolved.len() < 2;
        match is_one || resolved.is_empty() {
            true => Err(EngineError::Senseless(
                "one group of all nodes is no partition: leave some out, or name more groups"
                    .to_owned(),
            )),
            false => Ok(resolved),
        }
    }

    fn trouble(&mut self, trouble: Trouble) -> Result<Trouble, EngineError> {
        Ok(match trouble {
            Trouble::Links {
                from,
                to,
                fault,
                only,
                one_way,
            } => {
                self.reserve(&from)?;
                self.reserve(&to)?;
                Trouble::Links {
                    from: self.names(&from)?,
                    to: self.names(&to)?,
                    fault,
                    only,
                    one_way,
                }
            }
            Trouble::Partition { groups, one_way } => {
                let groups = self.groups(&groups)?;
                let groups = groups.iter().map(|group| texts(group)).collect();
                Trouble::Partition { groups, one_way }
            }
            Trouble::Split { one_way } => {
                let mut all = shuffled(self.all.clone(), self.rng);
                all.truncate((all.len() - 1) / 2);
                all.sort();
                if all.is_empty() {
                    return Err(EngineError::Senseless(
                        "two nodes or fewer have no smaller half: name the groups".to_owned(),
                    ));
                }
                let groups = vec![texts(&all)];
                Trouble::Partition { groups, one_way }
            }
            Trouble::Bridge { node } => {
                let who = node.unwrap_or_else(|| "random".to_owned());
                let nodes = self.nodes(&[who])?;
                match nodes.as_slice() {
                    [node] if self.all.len() > 2 => Trouble::Bridge {
                        node: Some(node.to_string()),
                    },
                    _ => {
                        return Err(EngineError::Senseless(
                            "a bridge is one node between two halves: it takes three nodes"
                                .to_owned(),
                        ));
                    }
                }
            }
            mut other => {
                if let Some(nodes) = other.nodes_mut() {
                    *nodes = self.some(nodes)?;
                }
                other
            }
        })
    }

    fn names(&mut self, names: &[Who]) -> Result<Vec<Who>, EngineError> {
        Ok(texts(&self.nodes(names)?))
    }

    /// At least one node.
    fn some(&mut self, names: &[Who]) -> Result<Vec<Who>, EngineError> {
        self.reserve(names)?;
        let nodes = self.names(names)?;
        match nodes.is_empty() {
            true => Err(EngineError::Senseless("no node is named".to_owned())),
            false => Ok(nodes),
        }
    }
}

fn texts(nodes: &[NodeId]) -> Vec<Who> {
    nodes.iter().map(NodeId::to_string).collect()
}

impl Cluster {
    async fn resolver<'a>(&self, rng: &'a mut Rng) -> Resolver<'a> {
        let wanted = self.wanted();
        let is_well = |id: &NodeId| {
            let alive = wanted.iter().any(|one| one.id == *id && one.alive);
            alive && !self.is_paused(id)
        };
        let all: Vec<NodeId> = wanted.iter().map(|one| one.id.clone()).collect();
        Resolver {
            well: all.iter().filter(|id| is_well(id)).cloned().collect(),
            leader: self.leader().await.map(|(id, _)| id),
            taken: BTreeSet::new(),
            roles: Vec::new(),
            all,
            rng,
        }
    }

    /// The same trouble with nodes in place of roles, and whom these turned out to mean.
    pub(super) async fn resolve(
        &self,
        trouble: Trouble,
        rng: &mut Rng,
    ) -> Result<(Trouble, Vec<Meant>), EngineError> {
        let mut resolver = self.resolver(rng).await;
        let trouble = resolver.trouble(trouble)?;
        Ok((trouble, resolver.roles))
    }

    /// The one node that `name` means.
    pub(super) async fn one(&self, name: &str) -> Result<NodeId, EngineError> {
        let seed = self.seeds().draw();
        let mut rng = Rng::new(seed);
        let mut resolver = self.resolver(&mut rng).await;
        match resolver.meant(name)?.as_slice() {
            [one] => Ok(one.clone()),
            _ => Err(EngineError::Senseless(format!("{name} is not one node"))),
        }
    }
}
