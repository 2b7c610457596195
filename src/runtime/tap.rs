//! A tap on the one door: whoever listens is told everything that a node was given, and what it said to each. Since a
//! node is its inputs, a recording of them is the node: fresh ones that are stepped through it do the same again.
//!
//! Nobody listens unless a Rust test asks for it, in [`Options`](crate::runtime::Options); that costs a branch a step.

use std::fmt;
use std::sync::Arc;

use crate::protocol::{Action, Input, Node, Recovered};
use crate::types::{Config, NodeId, Time};

/// What is heard of a node.
#[derive(Debug, Clone)]
pub enum Tapped {
    /// A life begins.
    Born(Box<Birth>),
    /// It was stepped.
    Stepped(Box<Step>),
}

/// All that [`Node::new`] is given.
#[derive(Debug, Clone)]
pub struct Birth {
    /// What the node is told.
    pub config: Config,
    /// What was found on its disk.
    pub recovered: Recovered,
    /// What decides its draws.
    pub seed: u64,
}

/// One [`Node::step`].
#[derive(Debug, Clone)]
pub struct Step {
    /// When, on the node's clock.
    pub now: Time,
    /// What happened to it.
    pub input: Input,
    /// What it wants done.
    pub actions: Vec<Action>,
    /// When it is due after that: in there are the draws that no action shows.
    pub due: Option<Time>,
}

impl Birth {
    /// The node as it was born.
    pub fn node(&self) -> Node {
        Node::new(self.config.clone(), self.recovered.clone(), self.seed)
    }
}

type Listen = dyn Fn(&NodeId, Tapped) + Send + Sync;

/// Who listens. A node's task waits meanwhile, so what is told of one node is told in order, its lives included.
#[derive(Clone)]
pub struct Tap(Arc<Listen>);

impl Tap {
    /// Has `listen` told everything.
    pub fn new(listen: impl Fn(&NodeId, Tapped) + Send + Sync + 'static) -> Tap {
        Tap(Arc::new(listen))
    }

    pub(super) fn born(&self, config: &Config, recovered: &Recovered, seed: u64) {
        let birth = Birth {
            config: config.clone(),
            recovered: recovered.clone(),
            seed,
        };
        (self.0)(&config.id, Tapped::Born(birth.into()));
    }

    /// Steps `node`, and tells of it.
    pub(super) fn step(&self, node: &mut Node, now: Time, input: Input) -> Vec<Action> {
        let actions = node.step(now, input.clone());
        let step = Step {
            now,
            input,
            actions: actions.clone(),
            due: node.next_deadline(),
        };
        (self.0)(&node.config().id, Tapped::Stepped(step.into()));
        actions
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}
