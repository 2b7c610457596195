//! Faults of nodes themselves: they stand still, their clocks run wrong, their disks fail, their clients do not reach
//! them. Each node's is a fault by itself.

use std::sync::Arc;

use crate::engine::{Engine, EngineError, Harm};
use crate::faults::Fault;
use crate::rng::mix;
use crate::runtime::cluster::Cluster;
use crate::runtime::slot::{Slot, State};
use crate::runtime::troubles::{Entry, Ordered};
use crate::types::NodeId;
use crate::wire::faults::{FaultInForce, Link, Trouble};

/// The true speed of a clock, in millionths.
const TRUE: u32 = 1_000_000;

/// How wrong a clock may run: a thousand times too slow or too fast.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=1_000_000_000;

fn senseless(why: &str) -> EngineError {
    EngineError::Senseless(why.to_owned())
}

fn dead(id: &NodeId) -> EngineError {
    EngineError::Refused(format!(
        "{id} is dead: there is nothing to be done to it (cluster revive {id})"
    ))
}

/// The same trouble for each of its nodes.
fn each(mut trouble: Trouble) -> Vec<(String, Trouble)> {
    let nodes = trouble.nodes_mut().map(std::mem::take);
    let alone = |node: String| {
        let mut trouble = trouble.clone();
        if let Some(nodes) = trouble.nodes_mut() {
            nodes.push(node.clone());
        }
        (node, trouble)
    };
    nodes.unwrap_or_default().into_iter().map(alone).collect()
}

/// Whether two of the kind on one node would be one.
fn is_alike(a: &Trouble, b: &Trouble) -> bool {
    let stacks = matches!(a, Trouble::Client { .. } | Trouble::Jump { .. });
    !stacks && std::mem::discriminant(a) == std::mem::discriminant(b)
}

/// Losses come in runs only where there are losses.
pub(super) fn check_burst(fault: &Fault) -> Result<(), EngineError> {
    match fault.burst > 0 && fault.loss == 0 {
        true => Err(senseless(
            "losses come in runs only where there are losses: say loss, too",
        )),
        false => Ok(()),
    }
}

fn check_client(fault: &Fault) -> Result<(), EngineError> {
    if fault.duplicate > 0 || fault.reorder > 0 || fault.bandwidth > 0 {
        return Err(senseless(
            "between clients and a node messages are cut, late or lost; no more than that",
        ));
    }
    if *fault == Fault::default() {
        return Err(senseless(
            "nothing is to become of the requests: say delay or loss",
        ));
    }
    check_burst(fault)
}

impl Cluster {
    /// Whether it was made to stand still.
    pub(in crate::runtime) fn is_paused(&self, id: &NodeId) -> bool {
        self.book.has(|fault| {
            matches!(fault.trouble, Trouble::Pause { .. }) && fault.struck.contains(id)
        })
    }

    /// A node that stands still is killed: it stands no more.
    pub(in crate::runtime) fn forget_pause(&self, id: &NodeId) {
        let is_pause = |trouble: &Trouble| matches!(trouble, Trouble::Pause { .. });
        self.strike_past(id, is_pause, "it was killed");
    }

    /// A node starts: one that stood still when it died does so no more, whenever that was written down; and a sync that was
    /// to fail, and did, is behind it.
    pub(in crate::runtime) fn forget_past(&self, id: &NodeId) {
        self.forget_pause(id);
        if !self.ailments(id).is_failing() {
            let failed = |trouble: &Trouble| matches!(trouble, Trouble::FailSync { .. });
            self.strike_past(id, failed, "its sync has failed, and it was started again");
        }
    }

    fn strike_past(&self, id: &NodeId, is_past: impl Fn(&Trouble) -> bool, why: &str) {
        for fault in self.book.list() {
            if is_past(&fault.trouble) && fault.struck.contains(id) {
                self.book.strike_out(&fault.name);
                self.tell_undone(&fault, why);
            }
        }
    }

    /// What is in force on a node that is gone is gone with it.
    pub(in crate::runtime) fn forget_node(&self, id: &NodeId) {
        for fault in self.book.list() {
            let is_on_it = |link: &Link| link.from == *id || link.to == *id;
            let is_gone = match fault.links.is_empty() {
                true => fault.struck.contains(id),
                false => fault.links.iter().all(is_on_it),
            };
            if !is_gone {
                continue;
            }
            if let Some(standing) = self.book.find(&fault.name) {
                self.change_faults(|faults| {
                    faults.lift(standing.number);
                });
            }
            self.book.strike_out(&fault.name);
            self.tell_undone(&fault, "the node was removed");
        }
    }

    /// Nothing is set on any of them unless it can be set on all.
    pub(super) async fn set_on_nodes(
        &self,
        trouble: Trouble,
        ordered: &Ordered,
    ) -> Result<Vec<FaultInForce>, EngineError> {
        let mut ready = Vec::new();
        for (name, trouble) in each(trouble) {
            let id = NodeId::new(&name).map_err(|_| EngineError::UnknownNode(name.clone()))?;
            let slot = self.slot(&id)?;
            self.check(&id, &slot, &trouble).await?;
            ready.push((id, slot, trouble));
        }
        let mut set = Vec::new();
        for (id, slot, trouble) in ready {
            let number = self.book.number();
            let lasts = !matches!(trouble, Trouble::Jump { .. } | Trouble::CorruptTail { .. });
            let by = (number, mix(ordered.seed ^ mix(set.len() as u64)));
            if let Err(error) = self.strike(&id, &slot, &trouble, by).await {
                self.take_back(&set).await;
                return Err(error);
            }
            let entry = Entry {
                trouble,
                struck: vec![id],
                links: Vec::new(),
                lasts,
            };
            set.push(self.book.enter(number, entry, ordered));
        }
        Ok(set)
    }

    /// Of an order that fails on its way nothing stays in force.
    async fn take_back(&self, set: &[FaultInForce]) {
        for fault in set {
            if let Some(standing) = self.book.find(&fault.name) {
                // What cannot be undone stays in the book: whoever tries it next is told why.
                if self.undo_on_nodes(fault, standing.number).await.is_ok() {
                    self.book.strike_out(&fault.name);
                }
            }
        }
    }

    /// Whether that makes sense for that node now.
    async fn check(&self, id: &NodeId, slot: &Slot, trouble: &Trouble) -> Result<(), EngineError> {
        let same = |fault: &FaultInForce| is_alike(&fault.trouble, trouble);
        let standing = self.book.list();
        let mut standing = standing.iter().filter(|fault| fault.struck.contains(id));
        if let Some(fault) = standing.find(|fault| same(fault)) {
            return Err(EngineError::Refused(format!(
                "{id} suffers from that already: {} ({}); first: {}",
                fault.name, fault.what, fault.undo
            )));
        }
        match trouble {
            Trouble::Client { fault, .. } => check_client(fault),
            Trouble::Pause { .. } => match &*slot.state.lock().await {
                State::Running(_) => Ok(()),
                State::Killed(..) => Err(dead(id)),
                State::Gone => Err(EngineError::Stopping),
            },
            Trouble::Skew { rate_ppm: TRUE, .. } => {
                Err(senseless("a clock that runs at rate 1 is a true one"))
            }
            Trouble::Skew { rate_ppm, .. } if !RATES.contains(rate_ppm) => {
                Err(senseless("a clock's rate is between 0.001 and 1000"))
            }
            Trouble::Jump { by, .. } | Trouble::SlowDisk { by, .. } if by.is_zero() => {
                Err(senseless("no time at all changes nothing"))
            }
            Trouble::CorruptTail { .. } if self.options().data_dir.is_none() => {
                Err(EngineError::Refused(format!(
                    "{id} keeps its data in memory, and that has no end which could be torn: start the cluster with --data-dir"
                )))
            }
            _ => Ok(()),
        }
    }

    async fn strike(
        &self,
        id: &NodeId,
        slot: &Arc<Slot>,
        trouble: &Trouble,
        (number, seed): (u32, u64),
    ) -> Result<(), EngineError> {
        let ailments = self.ailments(id);
        match trouble {
            Trouble::Client { fault, .. } => {
                let (node, clients) = ([id.clone()], [self.world.net.clients().clone()]);
                let fault = *fault;
                self.change_faults(|faults| {
                    // What becomes of an answer has nothing to do with what became of a request.
                    let back = mix(seed);
                    faults.set_seeded(number, seed, &clients, &node, fault, &[]);
                    faults.set_seeded(number, back, &node, &clients, fault, &[]);
                });
            }
            Trouble::Pause { .. } => match &*slot.state.lock().await {
                State::Running(node) => node.pause(),
                State::Killed(..) => return Err(dead(id)),
                State::Gone => return Err(EngineError::Stopping),
            },
            Trouble::Skew { rate_ppm, .. } => slot.clock.set_rate(*rate_ppm),
            Trouble::Jump { by, .. } => slot.clock.jump(*by),
            Trouble::SlowDisk { by, .. } => ailments.set_slow(*by),
            Trouble::FullDisk { .. } => ailments.set_full(true),
            Trouble::FailSync { .. } => ailments.set_failing(true),
            Trouble::CorruptTail { .. } => drop(self.kill(id, Harm::TearTail).await?),
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn undo_on_nodes(
        &self,
        fault: &FaultInForce,
        number: u32,
    ) -> Result<(), EngineError> {
        for id in &fault.struck {
            // Of a node that is gone nothing is left to be undone.
            let Ok(slot) = self.slot(id) else {
                continue;
            };
            let ailments = self.ailments(id);
            match &fault.trouble {
                Trouble::Client { .. } => self.change_faults(|faults| {
                    faults.lift(number);
                }),
                Trouble::Pause { .. } => {
                    let standstill = match &*slot.state.lock().await {
                        State::Running(node) => Some(node.standstill.clone()),
                        State::Killed(..) | State::Gone => None,
                    };
                    if let Some(standstill) = standstill {
                        standstill.end().await;
                    }
                }
                Trouble::Skew { .. } => slot.clock.set_rate(TRUE),
                Trouble::SlowDisk { .. } => ailments.set_slow(std::time::Duration::ZERO),
                Trouble::FullDisk { .. } => {
                    ailments.set_full(false);
                    self.restart_if_failed(id, &slot).await?;
                }
                Trouble::FailSync { .. } => {
                    ailments.set_failing(false);
                    self.restart_if_failed(id, &slot).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A node whose disk failed takes no part until it is started again, on what the disk has. Where that fails it is dead,
    /// and is started when this is tried again.
    async fn restart_if_failed(&self, id: &NodeId, slot: &Slot) -> Result<(), EngineError> {
        let has_failed = match &*slot.state.lock().await {
            State::Running(node) => node.window().look(|view| view.disk.is_some()),
            State::Killed(..) | State::Gone => false,
        };
        if has_failed {
            self.kill(id, Harm::None).await?;
            slot.owe_a_start(true);
        }
        if slot.owes_a_start() {
            self.revive(id, false).await?;
        }
        Ok(())
    }
}
