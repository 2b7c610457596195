//! What must come before what, where each client's own order is kept: found without searching, wherever it is known from
//! which operation a value came.
//!
//! Who saw a value comes behind what made it, with nothing between that changes it. So what changes it and comes before
//! the observation comes before the making, too; and what comes behind the making, comes behind the observation. This is
//! drawn until nothing new follows (Gibbons and Korach 1997 call what is known a read map; even with it the question is
//! hard in the worst case). What follows is true of every order that explains the history: if something would have to come
//! before itself, there is none.

use crate::check::budget::Budget;
use crate::check::graph::{Graph, Node};
use crate::check::memory::Map;
use crate::check::origins::{Maker, Origin, Origins};
use crate::check::plan::{Place, Plan};
use crate::check::problem::{Growth, Problem};
use crate::check::values::State;

/// For each operation of each client: what must have come before it, beyond what comes before the client's own last one.
pub(super) type Needs = Vec<Vec<Vec<Place>>>;

/// What must come before what.
pub(super) struct Order {
    pub(super) needs: Needs,
    /// All that is known, unless that would be too much.
    pub(super) graph: Option<Graph>,
}

/// How many counts the clocks may have in all: some hundred megabytes.
const CLOCKS: usize = 32 << 20;

struct Precedence<'a> {
    plan: &'a Plan,
    graph: Graph,
    /// For each key: the node of each of its operations.
    nodes: Vec<Vec<Node>>,
    /// For each key and each client that changes it: what does, in its order.
    changes: Vec<Vec<Vec<Node>>>,
    sights: Vec<Sight>,
}

/// An observation of which it is known what made what it saw.
struct Sight {
    node: Node,
    key: usize,
    base: Option<Node>,
    /// What made it, with the base.
    makers: Vec<Node>,
}

/// What must come before what; `None` if nothing can be put in order. What may have happened, and without which something
/// cannot have been seen, surely happened from now on.
pub(super) fn precedence(plan: &mut Plan, budget: Budget) -> Option<Order> {
    let seen = origination(plan)?;
    let lengths: Vec<usize> = plan.clients.iter().map(Vec::len).collect();
    let count: usize = lengths.iter().sum();
    if count.saturating_mul(lengths.len()) > CLOCKS {
        return Some(Order {
            needs: least(plan),
            graph: None,
        });
    }
    let mut precedence = Precedence::new(plan, Graph::new(&lengths));
    precedence.see(&seen);
    precedence.see_sets(budget);
    precedence.follow(budget);
    (!precedence.graph.is_torn).then(|| Order {
        needs: precedence.needs(),
        graph: Some(precedence.graph),
    })
}

/// What is known without looking at values.
fn least(plan: &Plan) -> Needs {
    let none = |steps: &Vec<_>| vec![Vec::new(); steps.len()];
    let mut needs: Needs = plan.clients.iter().map(none).collect();
    for (client, begin) in plan.begins.iter().enumerate() {
        needs[client]
            .iter_mut()
            .take(1)
            .for_each(|needs| needs.extend(*begin));
    }
    needs
}

/// Who saw something, as numbers among a key's operations, and what it came from.
struct Seen {
    key: usize,
    observer: usize,
    base: Option<usize>,
    grown: Vec<usize>,
}

/// Where what was seen came from; `None` if something was seen that nothing can have made.
fn origination(plan: &mut Plan) -> Option<Vec<Seen>> {
    let mut seen = Vec::new();
    for key in 0..plan.keys.len() {
        if !plan.keys[key].has_sets {
            seen.extend(origins(plan, key)?);
        }
    }
    Some(seen)
}

fn origins(plan: &mut Plan, key: usize) -> Option<Vec<Seen>> {
    let origins = Origins::new(&plan.keys[key]);
    let problem = &plan.keys[key];
    let mut met: Map<State, Origin> = Map::default();
    let mut open: Vec<Maker> = (0..problem.sure.len()).map(Maker::Sure).collect();
    let mut promoted: Map<usize, usize> = Map::default();
    let mut found = Vec::new();
    while let Some(observer) = open.pop() {
        let effect = match observer {
            Maker::Sure(at) => problem.sure[at].effect,
            Maker::Perhaps(group) => problem.perhaps[group].effect,
        };
        let Some(value) = effect.sees() else {
            continue;
        };
        match met.entry(value).or_insert_with(|| origins.of(value)) {
            Origin::Nothing => return None,
            Origin::Several => {}
            Origin::Only { base, grown } => {
                for maker in base.iter().chain(grown.iter()) {
                    if let Maker::Perhaps(group) = maker
                        && !promoted.contains_key(group)
                    {
                        promoted.insert(*group, problem.sure.len() + promoted.len());
                        open.push(*maker);
                    }
                }
                found.push((observer, *base, grown.clone()));
            }
        }
    }
    let mut groups: Vec<(usize, usize)> =
        promoted.iter().map(|(group, at)| (*at, *group)).collect();
    groups.sort_unstable();
    for (_, group) in groups {
        plan.promote(key, group)?;
    }
    let number = |maker: &Maker| match maker {
        Maker::Sure(at) => *at,
        Maker::Perhaps(group) => promoted[group],
    };
    let seen = found.iter().map(|(observer, base, grown)| Seen {
        key,
        observer: number(observer),
        base: base.as_ref().map(number),
        grown: grown.iter().map(number).collect(),
    });
    Some(seen.collect())
}

impl<'a> Precedence<'a> {
    fn new(plan: &'a Plan, graph: Graph) -> Precedence<'a> {
        let of_key = |problem: &Problem| vec![0; problem.sure.len()];
        let mut precedence = Precedence {
            plan,
            graph,
            nodes: plan.keys.iter().map(of_key).collect(),
            changes: vec![Vec::new(); plan.keys.len()],
            sights: Vec::new(),
        };
        let mut firsts = Vec::new();
        let mut node = 0;
        for steps in &plan.clients {
            firsts.push(node);
            let mut changes: Map<usize, Vec<Node>> = Map::default();
            for step in steps {
                precedence.nodes[step.key][step.at] = node;
                if !plan.keys[step.key].sure[step.at].effect.is_observation() {
                    changes.entry(step.key).or_default().push(node);
                }
                node += 1;
            }
            for (key, changes) in changes {
                precedence.changes[key].push(changes);
            }
        }
        for (client, begin) in plan.begins.iter().enumerate() {
            if let Some(place) = begin
                && let Some(last) = place.count.checked_sub(1)
            {
                let last = firsts[place.client] + last;
                precedence.graph.put_before(last, firsts[client]);
            }
        }
        precedence
    }

    /// Who saw a value comes behind those that made it, in their order.
    fn see(&mut self, seen: &[Seen]) {
        for seen in seen {
            let nodes = &self.nodes[seen.key];
            let node = nodes[seen.observer];
            let makers = seen.base.iter().chain(seen.grown.iter());
            let makers: Vec<Node> = makers.map(|at| nodes[*at]).collect();
            let behind = makers.iter().skip(1).chain([&node]);
            for (a, b) in makers.iter().zip(behind) {
                self.graph.put_before(*a, *b);
            }
            self.sights.push(Sight {
                node,
                key: seen.key,
                base: seen.base.map(|at| nodes[at]),
                makers,
            });
        }
    }

    /// Of sets: who saw an element comes behind what added it, who did not comes before all that did.
    fn see_sets(&mut self, budget: Budget) {
        for (key, problem) in self.plan.keys.iter().enumerate() {
            if problem.growth != Growth::Adds {
                continue;
            }
            let mut adders: Map<u32, Vec<Option<Node>>> = Map::default();
            for (at, sure) in problem.sure.iter().enumerate() {
                if let Some(argument) = sure.effect.adds() {
                    let node = self.nodes[key][at];
                    adders.entry(argument).or_default().push(Some(node));
                }
            }
            for perhaps in &problem.perhaps {
                if let Some(argument) = perhaps.effect.adds() {
                    adders.entry(argument).or_default().push(None);
                }
            }
            for (at, sure) in problem.sure.iter().enumerate() {
                let Some(seen) = sure.effect.sees().filter(|v| problem.values.is_set(*v)) else {
                    continue;
                };
                let node = self.nodes[key][at];
                for (argument, adders) in &adders {
                    match (problem.values.has(seen, *argument), &adders[..]) {
                        (true, [Some(adder)]) => drop(self.graph.put_before(*adder, node)),
                        (true, _) => {}
                        (false, adders) => adders.iter().flatten().for_each(|adder| {
                            self.graph.put_before(node, *adder);
                        }),
                    }
                    if self.graph.is_torn || budget.is_late() {
                        return;
                    }
                }
            }
        }
    }

    /// Draws what follows, until nothing new does.
    fn follow(&mut self, budget: Budget) {
        let sights = std::mem::take(&mut self.sights);
        let mut is_new = true;
        while is_new && !self.graph.is_torn && !budget.is_late() {
            is_new = false;
            for sight in &sights {
                for chain in &self.changes[sight.key] {
                    is_new |= before(&mut self.graph, sight, chain);
                    is_new |= behind(&mut self.graph, sight, chain);
                }
                if self.graph.is_torn {
                    return;
                }
            }
        }
    }

    fn needs(&self) -> Needs {
        let clients = self.plan.clients.len();
        let mut needs = least(self.plan);
        let mut node = 0;
        for (client, needs) in needs.iter_mut().enumerate() {
            for (at, needs) in needs.iter_mut().enumerate() {
                for other in (0..clients).filter(|other| *other != client) {
                    let known = match at {
                        0 => 0,
                        _ => self.graph.count_before(node - 1, other),
                    };
                    let count = self.graph.count_before(node, other);
                    if count > known {
                        needs.push(Place {
                            client: other,
                            count,
                        });
                    }
                }
                node += 1;
            }
        }
        needs
    }
}

/// What changed the key before the observation did so before what made the value.
fn before(graph: &mut Graph, sight: &Sight, chain: &[Node]) -> bool {
    let end = chain.partition_point(|change| graph.is_before(*change, sight.node));
    let strangers = chain[..end].iter().rev();
    let mut strangers = strangers.filter(|change| !sight.makers.contains(change));
    match (strangers.next(), sight.base) {
        (None, _) => false,
        (Some(change), Some(base)) => graph.put_before(*change, base),
        // It grew from nothing, and yet something was there.
        (Some(_), None) => {
            graph.is_torn = true;
            true
        }
    }
}

/// What changed the key behind what made the value did so behind the observation.
fn behind(graph: &mut Graph, sight: &Sight, chain: &[Node]) -> bool {
    let begin = match sight.base {
        Some(base) => chain.partition_point(|change| !graph.is_before(base, *change)),
        None => 0,
    };
    let is_stranger = |change: &&Node| **change != sight.node && !sight.makers.contains(change);
    let mut strangers = chain[begin..].iter().filter(is_stranger);
    match strangers.next() {
        Some(change) => graph.put_before(sight.node, *change),
        None => false,
    }
}
