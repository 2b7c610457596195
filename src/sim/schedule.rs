//! What is drawn of a plan: its steps, in whatever order they are thought of.

use crate::sim::plan::{Harm, Micros, Step, Timed};

/// Steps that become a plan's.
#[derive(Debug, Default)]
pub struct Schedule {
    steps: Vec<Timed>,
    faults: u32,
}

impl Schedule {
    /// Something is done, once.
    pub fn at(&mut self, at: Micros, step: Step) {
        self.steps.push(Timed { at, step });
    }

    /// A fault is in force for a while, under a number of its own, from 1 on.
    pub fn strike(&mut self, harm: Harm, from: Micros, until: Micros) {
        self.faults += 1;
        let number = self.faults;
        self.at(from, Step::Fault { number, harm });
        self.at(until, Step::Lift(number));
    }

    /// All steps and `more`, in the order of their times; at the same time, in the order in which they were thought of.
    pub fn in_order(mut self, more: Vec<Timed>) -> Vec<Timed> {
        self.steps.extend(more);
        self.steps.sort_by_key(|step| step.at);
        self.steps
    }
}
