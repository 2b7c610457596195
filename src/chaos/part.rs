//! What one client of a live run is to ask: it comes due whether or not the client is free.

use std::collections::VecDeque;

use crate::sim::plan::{Call, Micros};

/// How many operations may wait for a client to be free; more are left out.
const WAITING: usize = 8;

/// What is due, when, and its number in the plan: no two write the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) at: Micros,
    pub(super) number: usize,
    pub(super) call: Call,
}

/// One client's part of a plan.
#[derive(Debug, Default)]
pub(super) struct Part {
    coming: VecDeque<Due>,
    waiting: VecDeque<Due>,
    left_out: Vec<Micros>,
}

impl Part {
    /// Of what comes due in this order.
    pub(super) fn new(coming: Vec<Due>) -> Part {
        Part {
            coming: coming.into(),
            ..Part::default()
        }
    }

    /// What the client is to ask now, if anything is due.
    pub(super) fn next(&mut self, now: Micros) -> Option<Due> {
        self.come_due(now);
        self.waiting.pop_front()
    }

    /// When something comes due, if nothing is.
    pub(super) fn next_at(&self) -> Option<Micros> {
        self.coming.front().map(|due| due.at)
    }

    fn come_due(&mut self, now: Micros) {
        while self.next_at().is_some_and(|at| at <= now)
            && let Some(due) = self.coming.pop_front()
        {
            match self.waiting.len() < WAITING {
                true => self.waiting.push_back(due),
                false => self.left_out.push(due.at),
            }
        }
    }

    /// When what was due by `now`, at which all is over, and was never asked was due. A client that waits for an answer to the
    /// very end leaves out all that it was to ask meanwhile.
    pub(super) fn left_out(mut self, now: Micros) -> Vec<Micros> {
        self.come_due(now);
        let mut left_out = self.left_out;
        left_out.extend(self.waiting.iter().map(|due| due.at));
        left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(count: u64) -> Part {
        let due = |number: u64| Due {
            at: number * 10,
            number: number as usize,
            call: Call::Delete { key: 0 },
        };
        Part::new((0..count).map(due).collect())
    }

    #[test]
    fn what_is_due_is_asked_in_its_order_and_nothing_before() {
        let mut part = part(3);
        let mut next = |now| part.next(now).map(|due| due.number);
        assert_eq!(
            [next(0), next(5), next(20), next(20), next(30)],
            [Some(0), None, Some(1), Some(2), None]
        );
        assert_eq!(part.next_at(), None);
        assert!(part.left_out(1000).is_empty());
    }

    #[test]
    fn more_than_eight_that_wait_are_left_out_and_so_is_what_waits_at_the_end() {
        let mut part = part(20);
        assert!(part.next(0).is_some());
        // The first is answered when 1 to 12 are due: eight wait, the first of them is asked and never answered.
        assert!(part.next(120).is_some());
        let mut left_out = part.left_out(145);
        left_out.sort_unstable();
        let never: Vec<u64> = (2..=14).map(|number| number * 10).collect();
        assert_eq!(left_out, never);
    }
}
