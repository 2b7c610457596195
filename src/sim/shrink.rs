//! Shrinking (Zeller's delta debugging): of all that happened in a failing run, what is not needed for it to fail is left
//! out, until no single event can go.
//!
//! First everything that chance decided is written down, message by message, so that leaving one thing out does not throw
//! the dice anew for all others. Then the end is cut off, then pieces are left out, large ones first, and what is slow
//! or uneven is made simple: a network without jitter, a disk that takes no time, fewer nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sim::invariants::Violation;
use crate::sim::plan::{Fate, Harm, Plan, Scale, Step, Timed, Who};
use crate::sim::run::run_within;
use crate::sim::verdict::STEPS;

/// A run that fails with as little as possible.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// What is left of the plan.
    pub plan: Arc<Plan>,
    /// What it breaks.
    pub violation: Violation,
    /// How many runs it took.
    pub runs: usize,
}

impl Shrunk {
    /// How many events are left: steps, and messages that something happens to.
    pub fn events(&self) -> usize {
        events_of(&self.plan)
    }
}

/// How many events a plan has: steps, and messages that something happens to.
pub fn events_of(plan: &Plan) -> usize {
    plan.steps.len() + plan.fates.as_ref().map_or(0, Vec::len)
}

/// What can be left out alone: a step (a fault with its end), or what becomes of a message.
#[derive(Debug, Clone, PartialEq)]
enum Atom {
    Steps(Vec<Timed>),
    Fate(Fate),
}

/// How many runs a short shrinking may take …
pub const SHORT: usize = 2_000;

/// … and one that goes on until no single event can go.
pub const THOROUGH: usize = 200_000;

/// How long the judge may search in each: what takes longer to see is not worth the while, if it can be seen sooner.
const GLANCE: u64 = 20_000;

struct Shrinking<'a> {
    plan: Plan,
    violation: Violation,
    runs: usize,
    most: usize,
    /// How many steps the judge may take.
    steps: u64,
    stop: &'a AtomicBool,
}

/// Shrinks a plan that fails, in at most so many runs, or until `stop` is set. `None`: it does not fail.
pub fn shrink(plan: &Arc<Plan>, most: usize, stop: &AtomicBool) -> Option<Shrunk> {
    let (seen, steps) = match run_within(plan, None, GLANCE) {
        seen if seen.violation.is_some() && seen.stats.undecided == 0 => (seen, GLANCE),
        _ => (run_within(plan, None, STEPS), STEPS),
    };
    let violation = seen.violation?;
    let mut shrinking = Shrinking {
        plan: Plan::clone(plan),
        violation,
        runs: 1,
        most,
        steps,
        stop,
    };
    if plan.fates.is_none() {
        let decided = Plan {
            fates: Some(seen.decided),
            ..shrinking.plan.clone()
        };
        shrinking.try_out(decided);
    }
    shrinking.heal_all_at_once();
    shrinking.cut_end();
    loop {
        let before = shrinking.plan.clone();
        shrinking.leave_out();
        shrinking.simplify();
        if shrinking.plan == before || shrinking.is_over() {
            break;
        }
    }
    Some(Shrunk {
        plan: Arc::new(shrinking.plan),
        violation: shrinking.violation,
        runs: shrinking.runs,
    })
}

impl Shrinking<'_> {
    /// Nothing more is tried.
    fn is_over(&self) -> bool {
        self.runs > self.most || self.stop.load(Ordering::Relaxed)
    }

    /// Goes on with `plan` if it breaks the same.
    fn try_out(&mut self, plan: Plan) -> bool {
        if self.is_over() {
            return false;
        }
        self.runs += 1;
        let plan = Arc::new(plan);
        let found = run_within(&plan, None, self.steps).violation;
        let Some(violation) = found.filter(|found| found.invariant == self.violation.invariant)
        else {
            return false;
        };
        self.violation = violation;
        self.plan = Arc::unwrap_or_clone(plan);
        true
    }

    /// Nothing that comes after it matters.
    fn cut_end(&mut self) {
        let at = self.violation.at;
        if at < self.plan.until {
            let mut plan = self.until(at + 1);
            plan.finale = None;
            self.try_out(plan);
        }
        // What only shows when all is quiet may need much less before.
        let mut step = self.plan.until / 2;
        while step > 50_000 {
            let until = self.plan.until - step;
            if until == 0 || !self.try_out(self.until(until)) {
                step /= 2;
            } else {
                step = step.min(self.plan.until / 2);
            }
        }
    }

    fn until(&self, until: u64) -> Plan {
        let mut plan = self.plan.clone();
        plan.until = until;
        plan.steps.retain(|step| step.at <= until);
        plan
    }

    /// Leaves out as much as possible: large pieces first, then each alone.
    fn leave_out(&mut self) {
        let mut atoms = atoms(&self.plan);
        // Often most of what chance did to messages has nothing to do with it.
        let steps: Vec<Atom> = atoms
            .iter()
            .filter(|atom| matches!(atom, Atom::Steps(_)))
            .cloned()
            .collect();
        if steps.len() < atoms.len() && self.try_out(of(&self.plan, &steps)) {
            atoms = steps;
        }
        let mut size = atoms.len().div_ceil(2).max(1);
        loop {
            let (mut at, mut shrunk) = (0, false);
            while at < atoms.len() && !self.is_over() {
                let end = (at + size).min(atoms.len());
                let rest = [&atoms[..at], &atoms[end..]].concat();
                match self.try_out(of(&self.plan, &rest)) {
                    true => (atoms, shrunk) = (rest, true),
                    false => at = end,
                }
            }
            match (size, shrunk) {
                (1, false) => break,
                (1, true) => {}
                _ => size = size.div_ceil(2).max(1),
            }
            if self.is_over() {
                break;
            }
        }
        self.leave_ends_out();
    }

    /// Many a fault may as well never end.
    fn leave_ends_out(&mut self) {
        let mut at = 0;
        while at < self.plan.steps.len() {
            let mut plan = self.plan.clone();
            let is_end = matches!(plan.steps[at].step, Step::Lift(_));
            plan.steps.remove(at);
            if !is_end || !self.try_out(plan) {
                at += 1;
            }
        }
    }

    /// That a part must go on alone says nothing about what is broken in all.
    fn heal_all_at_once(&mut self) {
        let mut plan = self.plan.clone();
        if let Some(finale) = &mut plan.finale
            && std::mem::take(&mut finale.part_first)
        {
            self.try_out(plan);
        }
    }

    fn simplify(&mut self) {
        let nodes = self.plan.nodes;
        for fewer in [3, nodes.saturating_sub(1)] {
            if fewer >= 2 && fewer < self.plan.nodes {
                let plan = Plan {
                    nodes: fewer,
                    ..self.plan.clone()
                };
                self.try_out(plan);
            }
        }
        let changes: [fn(&mut Scale); 6] = [
            |scale| (scale.disk, scale.disk_jitter) = (0, 0),
            |scale| scale.jitter = 0,
            |scale| scale.snapshot_every = None,
            |scale| scale.log_window = 10_000,
            |scale| scale.append_bytes = 1 << 20,
            |scale| scale.disk_jitter = 0,
        ];
        for change in changes {
            let mut plan = self.plan.clone();
            change(&mut plan.scale);
            if plan.scale != self.plan.scale {
                self.try_out(plan);
            }
        }
        self.simplify_steps();
    }

    /// Simpler forms of each fault.
    fn simplify_steps(&mut self) {
        for at in 0..self.plan.steps.len() {
            let Some(Timed {
                step: Step::Fault { harm, .. },
                ..
            }) = self.plan.steps.get(at)
            else {
                continue;
            };
            for simpler in simpler(harm) {
                let mut plan = self.plan.clone();
                if let Step::Fault { harm, .. } = &mut plan.steps[at].step {
                    *harm = simpler;
                }
                if self.try_out(plan) {
                    break;
                }
            }
        }
    }
}

/// Faults that do less in the same way.
fn simpler(harm: &Harm) -> Vec<Harm> {
    match harm {
        Harm::Crash {
            who,
            power,
            writing,
            damaged,
        } => {
            let crash = |power, writing, damaged| Harm::Crash {
                who: *who,
                power,
                writing,
                damaged,
            };
            let mut simpler = Vec::new();
            if *power || *damaged {
                simpler.push(crash(false, false, false));
            }
            if *writing || *damaged {
                simpler.push(crash(true, false, false));
            }
            simpler
        }
        Harm::Isolate { who, out, into } if out != into => vec![Harm::Isolate {
            who: *who,
            out: true,
            into: true,
        }],
        Harm::Pause(who) if *who != Who::Leader => vec![],
        _ => vec![],
    }
}

/// What a plan is made of.
fn atoms(plan: &Plan) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    for timed in &plan.steps {
        if let Step::Lift(number) = timed.step {
            let begins = |atom: &&mut Atom| match atom {
                Atom::Steps(steps) => {
                    matches!(&steps[0].step, Step::Fault { number: of, .. } if *of == number)
                }
                Atom::Fate(_) => false,
            };
            // One without a beginning ends nothing.
            if let Some(Atom::Steps(steps)) = atoms.iter_mut().find(begins) {
                steps.push(timed.clone());
            }
            continue;
        }
        atoms.push(Atom::Steps(vec![timed.clone()]));
    }
    let fates = plan.fates.iter().flatten();
    atoms.extend(fates.map(|fate| Atom::Fate(*fate)));
    atoms
}

/// The plan with these and no others.
fn of(plan: &Plan, atoms: &[Atom]) -> Plan {
    let (mut steps, mut fates) = (Vec::new(), Vec::new());
    for atom in atoms {
        match atom {
            Atom::Steps(those) => steps.extend(those.iter().cloned()),
            Atom::Fate(fate) => fates.push(*fate),
        }
    }
    steps.sort_by_key(|step| step.at);
    Plan {
        steps,
        fates: Some(fates),
        ..plan.clone()
    }
}
