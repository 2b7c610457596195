//! Faults, and their end, as steps order them.

use crate::engine;
use crate::rng::mix;
use crate::scenario::ground::Ground;
use crate::scenario::player::{InForce, Player, Stop};
use crate::scenario::script::Step;
use crate::sim::plan::{self, Harm, Place};
use crate::types::NodeId;
use crate::wire::faults::{Trouble, Way, Who};

impl<G: Ground> Player<'_, G> {
    /// Sets a fault, under the step's name and for its time.
    pub(super) async fn trouble(&mut self, trouble: &Trouble, step: &Step) -> Result<String, Stop> {
        let view = self.look().await?;
        let trouble = self.cast.trouble(trouble, &view)?;
        let mut said = Vec::new();
        for single in singles(trouble) {
            let (number, from) = (self.notes.recording.struck.len() as u64, self.ground.now());
            let set = self
                .ground
                .set(&single, mix(self.seed ^ mix(number)), step.lasts)
                .await?;
            let harm = harm(&single);
            let struck = self.notes.strikes(harm, &set.what, whom(&single), from);
            said.push(set.what);
            let still = match &single {
                Trouble::Pause { nodes } => nodes.first().cloned(),
                _ => None,
            };
            self.in_force.push(InForce {
                label: step.name.clone(),
                names: set.names,
                ends: step.lasts.map(|lasts| from + lasts),
                struck,
                still,
            });
        }
        Ok(said.join("; "))
    }

    pub(super) async fn undo_what_is_over(&mut self) -> Result<(), Stop> {
        let now = self.ground.now();
        self.undo(|fault| fault.ends.is_some_and(|end| end <= now))
            .await
    }

    async fn undo(&mut self, is_meant: impl Fn(&InForce) -> bool) -> Result<(), Stop> {
        let all = std::mem::take(&mut self.in_force);
        let (over, rest): (Vec<InForce>, _) = all.into_iter().partition(|fault| is_meant(fault));
        self.in_force = rest;
        for fault in over {
            // Where its time is over it has ended by itself, perhaps while something was waited for.
            self.ground.heal(&fault.names).await?;
            let now = self.ground.now();
            let end = fault.ends.map_or(now, |end| end.min(now));
            self.notes.over(fault.struck, end);
        }
        Ok(())
    }

    pub(super) async fn resume(&mut self, nodes: &[Who]) -> Result<String, Stop> {
        let view = self.look().await?;
        let nodes = self.cast.all(nodes, &view)?;
        let names: Vec<String> = nodes.iter().map(NodeId::to_string).collect();
        self.undo(|fault| {
            fault
                .still
                .as_ref()
                .is_some_and(|still| names.contains(still))
        })
        .await?;
        Ok(format!("{} goes on", names.join(", ")))
    }

    pub(super) async fn heal(&mut self, name: Option<&str>) -> Result<String, Stop> {
        match name {
            Some(name) => {
                self.undo(|fault| fault.label.as_deref() == Some(name))
                    .await?;
                Ok(format!("{name} is healed"))
            }
            None => {
                self.heal_everything().await?;
                Ok("everything is healed".to_owned())
            }
        }
    }

    pub(super) async fn heal_everything(&mut self) -> Result<(), Stop> {
        self.ground.heal_all().await?;
        let now = self.ground.now();
        for fault in std::mem::take(&mut self.in_force) {
            self.notes.over(fault.struck, now);
        }
        Ok(())
    }

    pub(super) async fn kill(&mut self, nodes: &[Who], harm: engine::Harm) -> Result<String, Stop> {
        let view = self.look().await?;
        let nodes = self.cast.all(nodes, &view)?;
        let how = match harm {
            engine::Harm::None => "is killed",
            engine::Harm::LoseUnsynced => "loses power",
            engine::Harm::Wipe => "is killed, and its disk destroyed",
            engine::Harm::TearTail => "is killed, and the end of its log torn",
        };
        let mut said = Vec::new();
        for node in nodes {
            self.ground.kill(&node, harm).await?;
            let what = format!("{node} {how}");
            let now = self.ground.now();
            self.notes.strikes(None, &what, vec![node], now);
            said.push(what);
        }
        Ok(said.join("; "))
    }

    pub(super) async fn revive(&mut self, nodes: &[Who], trust: bool) -> Result<String, Stop> {
        let view = self.look().await?;
        let nodes = self.cast.all(nodes, &view)?;
        let mut said = Vec::new();
        for node in nodes {
            self.ground.revive(&node, trust).await?;
            let now = self.ground.now();
            for number in 0..self.notes.recording.struck.len() {
                let is_own = self.notes.recording.struck[number].whom == [node.clone()];
                let is_pending = self.in_force.iter().any(|fault| fault.struck == number);
                if is_own && !is_pending {
                    self.notes.over(number, now);
                }
            }
            said.push(format!("{node} is revived"));
        }
        Ok(said.join("; "))
    }
}

/// The simulator's word for it, where it has one: pages draw nodes by that.
fn harm(trouble: &Trouble) -> Option<Harm> {
    let place = |name: &String| {
        let number = NodeId::new(name).ok()?.number()?;
        Place::try_from(number.checked_sub(1)?).ok()
    };
    Some(match trouble {
        Trouble::Pause { nodes } => Harm::Pause(plan::Who::Node(place(nodes.first()?)?)),
        Trouble::Isolate { nodes, way } => Harm::Isolate {
            who: plan::Who::Node(place(nodes.first()?)?),
            out: *way != Way::In,
            into: *way != Way::Out,
        },
        Trouble::Partition {
            groups,
            one_way: false,
        } => {
            let group = |group: &Vec<String>| group.iter().filter_map(place).collect();
            Harm::Partition(groups.iter().map(group).collect())
        }
        _ => return None,
    })
}

/// Faults of nodes are set for each node alone, so that each can be undone alone.
fn singles(trouble: Trouble) -> Vec<Trouble> {
    match trouble {
        Trouble::Isolate { nodes, way } => {
            let single = |node| Trouble::Isolate {
                nodes: vec![node],
                way,
            };
            nodes.into_iter().map(single).collect()
        }
        Trouble::Pause { nodes } => {
            let single = |node| Trouble::Pause { nodes: vec![node] };
            nodes.into_iter().map(single).collect()
        }
        other => vec![other],
    }
}

/// Whom it is about, if it is about nodes.
fn whom(trouble: &Trouble) -> Vec<NodeId> {
    let nodes = trouble.nodes().unwrap_or_default();
    nodes
        .iter()
        .filter_map(|name| NodeId::new(name).ok())
        .collect()
}
