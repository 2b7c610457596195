//! Whose turn it is: seeds in order, for as many threads as want them, but none far ahead of the first that is not done.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Seeds to be taken one after the other.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
    end: u64,
    ahead: u64,
}

#[derive(Debug)]
struct State {
    /// The next seed to be taken.
    next: u64,
    /// Seeds before this one are done.
    done: u64,
    /// A seed that was taken will never be done.
    is_broken: bool,
}

/// A seed that somebody plays.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) seed: u64,
    turns: &'a Turns,
}

impl Turns {
    /// Those of `seeds`, of which `ahead` may be under way, or done and waiting for an earlier one.
    pub(super) fn new(seeds: Range<u64>, ahead: u64) -> Turns {
        let state = State {
            next: seeds.start,
            done: seeds.start,
            is_broken: false,
        };
        Turns {
            state: Mutex::new(state),
            changed: Condvar::new(),
            end: seeds.end,
            ahead,
        }
    }

    /// The next seed, as soon as it is not too far ahead; `None`: there is none, or it is over. What is taken must be
    /// played: others wait for it.
    pub(super) fn take(&self, is_over: impl Fn() -> bool) -> Option<Turn<'_>> {
        let mut state = self.lock();
        loop {
            if is_over() || state.is_broken || state.next >= self.end {
                return None;
            }
            if state.next - state.done < self.ahead {
                let seed = state.next;
                state.next += 1;
                return Some(Turn { seed, turns: self });
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// All before `next` are done, or it is over.
    pub(super) fn done(&self, next: u64) {
        self.lock().done = next;
        self.changed.notify_all();
    }

    /// Something that was taken will never be done: nobody waits for it.
    pub(super) fn give_up(&self) {
        self.lock().is_broken = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.turns.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(turns: &Turns) -> Option<u64> {
        turns.take(|| false).map(|turn| turn.seed)
    }

    #[test]
    fn nobody_goes_further_ahead_than_is_kept() {
        let turns = Turns::new(5..100, 2);
        assert_eq!((taken(&turns), taken(&turns)), (Some(5), Some(6)));
        std::thread::scope(|scope| {
            let third = scope.spawn(|| taken(&turns));
            // Whether or not it waits already: it gets one only once the first is done.
            assert_eq!(turns.lock().next, 7);
            turns.done(6);
            assert_eq!(third.join().ok(), Some(Some(7)));
        });
    }

    #[test]
    fn the_last_seeds_there_are_end_too() {
        let turns = Turns::new(u64::MAX - 1..u64::MAX, 8);
        assert_eq!(taken(&turns), Some(u64::MAX - 1));
        assert_eq!((taken(&turns), taken(&turns)), (None, None));
    }

    #[test]
    fn nobody_waits_for_a_seed_that_was_dropped_in_a_panic() {
        let turns = Turns::new(0..9, 1);
        let panicked = std::thread::scope(|scope| {
            let playing = scope.spawn(|| {
                let _turn = turns.take(|| false);
                panic!("as planned");
            });
            playing.join().is_err()
        });
        assert!(panicked);
        assert_eq!(taken(&turns), None);
    }
}
