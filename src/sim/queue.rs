//! What is to come, in order of time; of what comes at one time, what was planned first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A time in nanoseconds of virtual time.
pub(super) type Nanos = u64;

/// Events by the time at which they come.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<Turn>>,
    events: Vec<Option<E>>,
    free: Vec<u32>,
    planned: u64,
}

/// When an event comes, in which order it was planned, and where it is kept: one number, since a heap does little else
/// but compare and move. The time has 64 bits, the order 40, the place 24: no run plans a trillion events, nor has sixteen
/// million of them ahead.
type Turn = u128;

fn turn(at: Nanos, planned: u64, place: u32) -> Turn {
    debug_assert!(planned < 1 << 40 && place < 1 << 24);
    (u128::from(at) << 64) | u128::from((planned << 24) | u64::from(place))
}

fn at_of(turn: Turn) -> Nanos {
    (turn >> 64) as Nanos
}

fn place_of(turn: Turn) -> usize {
    (turn as usize) & 0xff_ffff
}

impl<E> Queue<E> {
    pub(super) fn new() -> Queue<E> {
        Queue {
            heap: BinaryHeap::new(),
            events: Vec::new(),
            free: Vec::new(),
            planned: 0,
        }
    }

    pub(super) fn plan(&mut self, at: Nanos, event: E) {
        let place = match self.free.pop() {
            Some(place) => {
                self.events[place as usize] = Some(event);
                place
            }
            None => {
                self.events.push(Some(event));
                self.events.len() as u32 - 1
            }
        };
        self.planned += 1;
        self.heap.push(Reverse(turn(at, self.planned, place)));
    }

    /// When the next one comes.
    pub(super) fn next_at(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse(turn)| at_of(*turn))
    }

    pub(super) fn pop(&mut self) -> Option<(Nanos, E)> {
        let Reverse(turn) = self.heap.pop()?;
        let place = place_of(turn);
        self.free.push(place as u32);
        let event = self.events[place].take()?;
        Some((at_of(turn), event))
    }
}
