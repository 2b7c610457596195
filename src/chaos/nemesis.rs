//! The nemesis: applies the plan's faults to a live cluster and lifts them, by orders to its control API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chaos::live::Tell;
use crate::chaos::orders::Present;
use crate::chaos::recording::{Planned, Struck};
use crate::chaos::stage::Stage;
use crate::chaos::{orders, words};
use crate::client::control::ControlError;
use crate::engine;
use crate::rng::mix;
use crate::sim::Plan;
use crate::sim::plan::{Harm, Micros, Operation, Step, Timed};
use crate::types::NodeId;
use crate::wire::control::NodeRow;
use crate::wire::faults::{FaultOrder, HealOrder};

/// What undoes a fault.
#[derive(Debug, Clone)]
enum Undo {
    /// The dead node starts again on its disk.
    Revive(NodeId),
    /// The cluster undoes what it calls by these names.
    Heal(Vec<String>),
    /// The same, of a node that stands still.
    Resume(NodeId, Vec<String>),
    /// The same; and if its disk has failed, the node is started anew.
    Mend(NodeId, Vec<String>),
    /// It cannot be undone, and need not.
    Nothing,
}

pub(super) struct Nemesis {
    stage: Arc<Stage>,
    tell: Tell,
    seed: u64,
    /// When each fault is to end.
    ends: BTreeMap<u32, Micros>,
    struck: Mutex<Vec<Struck>>,
    in_force: Mutex<BTreeMap<u32, Undo>>,
}

/// Why a fault had no effect.
type Void = String;

impl Nemesis {
    pub(super) fn new(plan: &Plan, stage: Arc<Stage>, tell: Tell) -> Nemesis {
        let end = |timed: &Timed| match timed.step {
            Step::Lift(number) => Some((number, timed.at)),
            _ => None,
        };
        Nemesis {
            stage,
            tell,
            seed: plan.seed,
            ends: plan.steps.iter().filter_map(end).collect(),
            struck: Mutex::new(Vec::new()),
            in_force: Mutex::new(BTreeMap::new()),
        }
    }

    fn struck(&self) -> MutexGuard<'_, Vec<Struck>> {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_force(&self) -> MutexGuard<'_, BTreeMap<u32, Undo>> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The faults so far, in the order of their beginning.
    pub(super) fn take(&self) -> Vec<Struck> {
        std::mem::take(&mut *self.struck())
    }

    /// Takes the steps at their times, until `stop`.
    pub(super) async fn play(self: Arc<Nemesis>, steps: Vec<Timed>, stop: CancellationToken) {
        // What an operator asks for may take long, and the faults do not wait for it.
        let mut operators = JoinSet::new();
        for timed in steps {
            tokio::select! {
                () = self.stage.clock.until(timed.at) => {}
                () = stop.cancelled() => break,
            }
            match timed.step {
                Step::Fault { number, harm } => self.harm(number, harm).await,
                Step::Lift(number) => self.lift(number).await,
                Step::Operate(operation) => {
                    let nemesis = self.clone();
                    operators.spawn(async move { nemesis.operate(operation).await });
                }
                Step::Ask { .. } => {}
            }
        }
        // Whoever is being added must not turn up behind the end; nor wait for a leader that a fault keeps silent.
        self.lift_all().await;
        operators.join_all().await;
    }

    async fn harm(&self, number: u32, harm: Harm) {
        let from = self.stage.clock.now();
        let (whom, order) = self.strike(number, &harm).await;
        let cast = self.stage.cast();
        let meant = words::who(&harm).map_or(String::new(), |who| words::role(who, cast));
        let name = whom.as_ref().map_or(meant, NodeId::to_string);
        let what = words::harm(&harm, &name, cast);
        let until = order.is_err().then_some(from);
        let void = order.as_ref().err().cloned();
        (self.tell)(&match &void {
            None => format!("{:7.3} s  {what}", seconds(from)),
            Some(why) => format!("{:7.3} s  {what}: no effect, {why}", seconds(from)),
        });
        if let Ok(undo) = order {
            self.in_force().insert(number, undo);
        }
        self.struck().push(Struck {
            number,
            planned: Planned::Harm(harm),
            whom: whom.into_iter().collect(),
            what,
            from,
            until,
            void,
        });
    }

    /// Orders a fault; whom it is about, and what undoes it.
    async fn strike(&self, number: u32, harm: &Harm) -> (Option<NodeId>, Result<Undo, Void>) {
        let whom = words::who(harm).and_then(|who| self.stage.whom(who));
        if whom.is_none() && words::who(harm).is_some() {
            return (None, Err("there is none just now".to_owned()));
        }
        let seed = mix(self.seed ^ mix(u64::from(number)));
        let end = self.ends.get(&number).copied().unwrap_or_default();
        let lasts = end.saturating_sub(self.stage.clock.now());
        let nodes = self.stage.nodes().into_iter().map(|node| node.id);
        let present = Present {
            cast: self.stage.cast().to_vec(),
            nodes: nodes.collect(),
        };
        let order = orders::order(harm, whom.as_ref(), &present, seed, lasts);
        let done = match (order, harm, &whom) {
            (Some(order), Harm::Crash { power, .. }, Some(node)) => {
                match self.disturb(&order, harm, whom.as_ref()).await {
                    // What is in memory has no end that could be torn.
                    Err(_) => self.crash(node, *power, false).await,
                    done => done,
                }
            }
            (Some(order), ..) => self.disturb(&order, harm, whom.as_ref()).await,
            (None, Harm::Crash { power, damaged, .. }, Some(node)) => {
                self.crash(node, *power, *damaged).await
            }
            (None, ..) => Err("nobody of them is there any more".to_owned()),
        };
        (whom, done)
    }

    async fn disturb(
        &self,
        order: &FaultOrder,
        harm: &Harm,
        whom: Option<&NodeId>,
    ) -> Result<Undo, Void> {
        let set = self.stage.control.disturb(order).await.map_err(told)?;
        let names: Vec<String> = set.into_iter().map(|fault| fault.name).collect();
        Ok(match (harm, whom) {
            (Harm::Crash { .. }, Some(node)) => Undo::Revive(node.clone()),
            (Harm::Pause(_), Some(node)) => {
                self.stage.stands_still(node, true);
                Undo::Resume(node.clone(), names)
            }
            (Harm::FailSync(_), Some(node)) => Undo::Mend(node.clone(), names),
            (Harm::Jump(..), _) => Undo::Nothing,
            _ => Undo::Heal(names),
        })
    }

    async fn crash(&self, node: &NodeId, power: bool, damaged: bool) -> Result<Undo, Void> {
        let harm = match (power, damaged) {
            (_, true) if self.stage.may_lose_disk(node) => engine::Harm::Wipe,
            (true, _) => engine::Harm::LoseUnsynced,
            _ => engine::Harm::None,
        };
        let done = self.stage.control.kill(node, harm).await;
        if !done.as_ref().is_ok_and(|killed| killed.changed) {
            self.stage.keeps_disk(node);
        }
        match done {
            Ok(killed) if killed.changed => Ok(Undo::Revive(node.clone())),
            Ok(_) => Err("it is dead already".to_owned()),
            Err(error) => Err(told(error)),
        }
    }

    async fn lift(&self, number: u32) {
        let undo = self.in_force().remove(&number);
        let Some(undo) = undo else { return };
        let done = self.undo(&undo).await;
        let now = self.stage.clock.now();
        if let Some(struck) = self.struck().iter_mut().find(|s| s.number == number) {
            struck.until = Some(now);
            let failed = done.err().map(told);
            if matches!(undo, Undo::Nothing) {
                return;
            }
            let how = failed.map_or(String::new(), |why| format!(", but {why}"));
            (self.tell)(&format!(
                "{:7.3} s  over: {}{how}",
                seconds(now),
                struck.what
            ));
        }
    }

    async fn undo(&self, undo: &Undo) -> Result<(), ControlError> {
        let control = &self.stage.control;
        match undo {
            Undo::Nothing => Ok(()),
            Undo::Revive(node) => control.revive(node, false).await.map(drop),
            Undo::Heal(names) => self.heal(names).await,
            Undo::Resume(node, names) => {
                self.stage.stands_still(node, false);
                self.heal(names).await
            }
            Undo::Mend(node, names) => {
                // Once a sync has failed, nothing is left to undo.
                let healed = self.heal(names).await;
                // Asked, not taken from the events, which may be late: it may have been started anew already.
                let status = control.status().await?;
                let is_failed = |row: &NodeRow| row.id == *node && row.has_failed_disk();
                if !status.nodes.iter().any(is_failed) {
                    return healed;
                }
                control.kill(node, engine::Harm::None).await?;
                control.revive(node, false).await.map(drop)
            }
        }
    }

    async fn heal(&self, names: &[String]) -> Result<(), ControlError> {
        let order = HealOrder {
            names: Some(names.to_vec()),
            by: orders::BY.to_owned(),
            ..HealOrder::default()
        };
        self.stage.control.heal(&order).await.map(drop)
    }

    /// Undoes all that is in force.
    pub(super) async fn lift_all(&self) {
        let numbers: Vec<u32> = self.in_force().keys().copied().collect();
        for number in numbers {
            self.lift(number).await;
        }
        // Whatever else is wrong with it, the cluster is to be well.
        let everything = HealOrder {
            by: orders::BY.to_owned(),
            ..HealOrder::default()
        };
        let _ = self.stage.control.heal(&everything).await;
    }

    async fn operate(&self, operation: Operation) {
        let from = self.stage.clock.now();
        let control = &self.stage.control;
        let (what, done) = match operation {
            Operation::Add => {
                let done = control.add().await;
                if let Ok(node) = &done {
                    self.stage.joins(node.clone());
                }
                ("a node is added".to_owned(), done.map(|node| Some(node.id)))
            }
            Operation::Remove(who) => match self.stage.whom(who) {
                None => return,
                Some(node) => {
                    let done = control.remove(&node).await;
                    (format!("{node} is removed"), done.map(|_| Some(node)))
                }
            },
            Operation::Transfer(who) => {
                let to = who.and_then(|who| self.stage.whom(who));
                let done = control.transfer(to.as_ref()).await;
                let what = "leadership is handed over".to_owned();
                (what, done.map(|handed| Some(handed.leader)))
            }
        };
        let void = done.as_ref().err().cloned().map(told);
        let how = void
            .as_ref()
            .map_or(String::new(), |why| format!(": {why}"));
        (self.tell)(&format!("{:7.3} s  {what}{how}", seconds(from)));
        self.struck().push(Struck {
            number: 0,
            planned: Planned::Operation(operation),
            whom: done.ok().flatten().into_iter().collect(),
            what,
            from,
            until: Some(self.stage.clock.now()),
            void,
        });
    }
}

fn told(error: ControlError) -> String {
    match error {
        ControlError::Refused(detail) => detail.message,
        ControlError::Unreachable => "the control server is gone".to_owned(),
        ControlError::Silent => "the control server does not answer".to_owned(),
        ControlError::Strange(answer) => answer.chars().take(80).collect(),
    }
}

fn seconds(at: u64) -> f64 {
    at as f64 / 1e6
}
