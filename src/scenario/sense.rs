//! Whether a scenario makes sense as a whole: whom it names is there, times do not fall, and the judge can tell its writes
//! apart.

use std::collections::BTreeSet;

use toml::Spanned;

use crate::scenario::crowd;
use crate::scenario::expected::{ConditionTable, TermIs};
use crate::scenario::format::StepTable;
use crate::scenario::script::{Call, Deed, Mistake, Place, Scenario, Step};
use crate::types::{Mode, NodeId};
use crate::wire::data::Consistency;
use crate::wire::faults::Trouble;

/// Roles that mean one node.
pub(super) const ONE: [&str; 4] = ["leader", "old-leader", "follower", "random"];

/// Roles that mean several.
pub(super) const MANY: [&str; 3] = ["minority", "majority", "all"];

/// What is known so far, step by step.
struct Known {
    mode: Mode,
    nodes: usize,
    is_remembered: bool,
    at: u64,
    faults: BTreeSet<String>,
    written: BTreeSet<(String, String)>,
}

pub(super) fn check(
    text: &str,
    scenario: &Scenario,
    tables: &[Spanned<StepTable>],
) -> Result<(), Mistake> {
    let mut known = Known {
        mode: scenario.setup.mode,
        nodes: scenario.setup.nodes,
        is_remembered: false,
        at: 0,
        faults: BTreeSet::new(),
        written: BTreeSet::new(),
    };
    for (step, table) in scenario.steps.iter().zip(tables) {
        let from = table.span().start;
        let place = Place { text, from };
        let wrong = |(key, what): (&'static str, String)| place.mistake(key, what);
        known.take(step).map_err(wrong)?;
    }
    Ok(())
}

type Wrong = (&'static str, String);

/// Whether it is the same node wherever it is named.
fn is_one(node: &str) -> bool {
    node != "random" && !MANY.contains(&node)
}

impl Known {
    fn take(&mut self, step: &Step) -> Result<(), Wrong> {
        if let Some(at) = step.at {
            if at < self.at {
                return Err((
                    "at",
                    "an earlier step is later: expected times in order".to_owned(),
                ));
            }
            self.at = at;
        }
        if let Some(after) = &step.after {
            self.condition("after", after)?;
        }
        self.is_remembered |= step.remember;
        let is_trouble = matches!(step.deed, Deed::Trouble(_));
        if step.lasts.is_some() && !is_trouble && !matches!(step.deed, Deed::Always(_)) {
            return Err(("for", "only faults and always last".to_owned()));
        }
        if let Some(name) = &step.name {
            if !is_trouble {
                return Err(("name", "only a fault has a name".to_owned()));
            }
            if !self.faults.insert(name.clone()) {
                return Err(("name", format!("an earlier fault is called {name} already")));
            }
        }
        self.deed(&step.deed)
    }

    fn deed(&mut self, deed: &Deed) -> Result<(), Wrong> {
        match deed {
            Deed::Nothing => Ok(()),
            Deed::Trouble(trouble) => self.trouble(trouble),
            Deed::Resume(nodes) => self.all("resume", nodes),
            Deed::Heal(Some(name)) if !self.faults.contains(name) => {
                let named: Vec<&str> = self.faults.iter().map(String::as_str).collect();
                let expected = match named.as_slice() {
                    [] => "no fault before it has a name".to_owned(),
                    named => format!("expected one of {}", named.join(", ")),
                };
                Err(("heal", format!("no fault is called {name}: {expected}")))
            }
            Deed::Heal(_) => Ok(()),
            Deed::Kill(nodes, _) => self.all("kill", nodes),
            Deed::Revive(nodes, _) => self.all("revive", nodes),
            Deed::Add => {
                self.members("add")?;
                self.nodes += 1;
                Ok(())
            }
            Deed::Remove(node) => {
                self.members("remove")?;
                self.one("remove", node)
            }
            Deed::Transfer(node) => {
                self.members("transfer")?;
                self.one("transfer", node)
            }
            Deed::Ask(asking) => {
                let (key, written) = match &asking.call {
                    Call::Read(_) => ("get", None),
                    Call::Put(value) => ("put", Some(value)),
                    Call::Cas(_, value) => ("cas", Some(value)),
                    Call::Delete => ("delete", None),
                };
                self.one(key, &asking.node)?;
                if matches!(asking.call, Call::Read(Consistency::Linearizable))
                    && !self.mode.is_linearizable()
                    && asking.expect.is_empty()
                {
                    let what = format!(
                        "{} promises no linearizable reads: expect = \"refused\"",
                        self.mode
                    );
                    return Err((key, what));
                }
                let Some(value) = written else { return Ok(()) };
                let write = (asking.key.as_str().to_owned(), value.as_str().to_owned());
                match self.written.insert(write) {
                    true => Ok(()),
                    false => Err((
                        key,
                        format!(
                            "{} was to hold {} before: expected another value, so that the judge can tell writes apart",
                            asking.key.as_str(),
                            value.as_str()
                        ),
                    )),
                }
            }
            Deed::Eventually(condition) => self.condition("eventually", condition),
            Deed::Always(condition) => self.condition("always", condition),
        }
    }

    fn members(&self, key: &'static str) -> Result<(), Wrong> {
        match self.mode.is_linearizable() {
            true => Ok(()),
            false => Err((
                key,
                format!(
                    "{} has no such thing: expected raft with quorum or sync",
                    self.mode
                ),
            )),
        }
    }

    fn trouble(&self, trouble: &Trouble) -> Result<(), Wrong> {
        match trouble {
            Trouble::Links {
                from, to, fault, ..
            } => {
                let key = if fault.cut { "cut" } else { "link" };
                self.all(key, from)?;
                self.all(key, to)?;
                match (from.as_slice(), to.as_slice()) {
                    ([one], [other]) if one == other && is_one(one) => Err((
                        key,
                        format!("there is no link from {one} to itself: expected two nodes"),
                    )),
                    ([], _) | (_, []) => {
                        Err((key, "an end is empty: expected a node or role".to_owned()))
                    }
                    _ => Ok(()),
                }
            }
            Trouble::Partition { groups, .. } => {
                groups
                    .iter()
                    .try_for_each(|group| self.all("partition", group))?;
                crowd::check(groups, self.nodes).map_err(|what| ("partition", what))
            }
            Trouble::Bridge { node: Some(node) } => self.one("partition", node),
            Trouble::Ring if self.nodes < 4 => {
                Err(("partition", "a ring needs at least four nodes".to_owned()))
            }
            Trouble::Split { .. } if self.nodes < 3 => {
                Err(("partition", "chance splits three nodes or more".to_owned()))
            }
            Trouble::Split { .. } | Trouble::Bridge { .. } | Trouble::Ring => Ok(()),
            Trouble::Isolate { nodes, .. } => self.all("isolate", nodes),
            Trouble::Client { nodes, .. } => self.all("client", nodes),
            Trouble::Pause { nodes } => self.all("pause", nodes),
            Trouble::Skew { nodes, .. } | Trouble::Jump { nodes, .. } => self.all("skew", nodes),
            Trouble::SlowDisk { nodes, .. }
            | Trouble::FullDisk { nodes }
            | Trouble::FailSync { nodes }
            | Trouble::CorruptTail { nodes } => self.all("disk", nodes),
        }
    }

    fn all(&self, key: &'static str, nodes: &[String]) -> Result<(), Wrong> {
        nodes.iter().try_for_each(|node| match node.as_str() {
            "minority" if self.nodes < 3 => Err((
                key,
                format!(
                    "a minority of {} is nobody: expected three nodes or more",
                    self.nodes
                ),
            )),
            node if MANY.contains(&node) => Ok(()),
            node => self.one(key, node),
        })
    }

    fn one(&self, key: &'static str, node: &str) -> Result<(), Wrong> {
        if node == "old-leader" && !self.is_remembered {
            return Err((
                key,
                "nobody is the old-leader yet: expected remember = true in an earlier step"
                    .to_owned(),
            ));
        }
        let is_there = |id: NodeId| id.number().is_some_and(|n| (1..=self.nodes).contains(&n));
        let is_node = NodeId::new(node).is_ok_and(is_there);
        if ONE.contains(&node) || is_node {
            return Ok(());
        }
        if MANY.contains(&node) {
            return Err((key, format!("{node} are several: expected one node")));
        }
        Err((
            key,
            format!(
                "no node is called {node}: expected node-1 to node-{}, or {}, {}",
                self.nodes,
                ONE.join(", "),
                MANY.join(", ")
            ),
        ))
    }

    fn condition(&self, key: &'static str, condition: &ConditionTable) -> Result<(), Wrong> {
        let wrong = |what: &str| Err((key, what.to_owned()));
        if *condition == ConditionTable::default() {
            return wrong("it says nothing: expected leaders, leads, term, up, equal, lost, key …");
        }
        let lists = [&condition.leads, &condition.not_leading, &condition.node];
        for names in lists.into_iter().flatten() {
            self.all(key, &names.0)?;
        }
        if matches!(condition.term, Some(TermIs::Same | TermIs::Higher)) && !self.is_remembered {
            return wrong("no term was remembered: expected remember = true in an earlier step");
        }
        let says = condition.value.is_some() || condition.absent;
        match (condition.key.is_some(), says, condition.node.is_some()) {
            (true, false, _) => wrong("a key needs a value, or absent = true"),
            (false, true, _) | (false, _, true) => {
                wrong("expected a key beside node, value and absent")
            }
            (true, true, _) if condition.value.is_some() && condition.absent => {
                wrong("expected a value, or absent = true, not both")
            }
            _ => Ok(()),
        }
    }
}
