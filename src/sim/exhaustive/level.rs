//! Many states in few bytes: their numbers, one after another.

use crate::sim::exhaustive::bounds::Spent;
use crate::sim::exhaustive::state::State;

/// States that are equally far away.
#[derive(Debug, Default)]
pub(super) struct Level {
    numbers: Vec<u32>,
    starts: Vec<usize>,
}

impl Level {
    pub(super) fn push(&mut self, state: &State, nodes: usize) {
        self.starts.push(self.numbers.len());
        self.numbers.extend(&state.seats[..nodes]);
        self.numbers.extend([state.past, state.spent.0]);
        self.numbers.extend(&state.wire);
    }

    /// Makes `state` the one at `at`.
    pub(super) fn read(&self, at: usize, nodes: usize, state: &mut State) {
        let end = self
            .starts
            .get(at + 1)
            .copied()
            .unwrap_or(self.numbers.len());
        let numbers = &self.numbers[self.starts[at]..end];
        state.seats[..nodes].copy_from_slice(&numbers[..nodes]);
        (state.past, state.spent) = (numbers[nodes], Spent(numbers[nodes + 1]));
        state.wire.clear();
        state.wire.extend(&numbers[nodes + 2..]);
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_back_as_they_were() {
        let state = |n: u32| State {
            seats: [n, n + 1, n + 2, 0, 0],
            past: n + 3,
            spent: Spent(n + 4),
            wire: (0..n).collect(),
        };
        let mut level = Level::default();
        (0..5).for_each(|n| level.push(&state(n), 3));
        let mut read = State::default();
        for n in 0..5 {
            level.read(n as usize, 3, &mut read);
            assert_eq!(read, state(n));
        }
    }
}
