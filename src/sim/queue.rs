//! What is to come, in order of time; of what comes at one time, what was planned first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A time in nanoseconds of virtual time.
pub(super) type Nanos = u64;

/// Events by the time at which they come.
#[derive(Debug)]
pub(super) struct Queue<E> {
    /// When, in which order they were planned, and where the event is kept.
    heap: BinaryHeap<Reverse<(Nanos, u64, u32)>>,
    events: Vec<Option<E>>,
    free: Vec<u32>,
    planned: u64,
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
        self.heap.push(Reverse((at, self.planned, place)));
    }

    /// When the next one comes.
    pub(super) fn next_at(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    pub(super) fn pop(&mut self) -> Option<(Nanos, E)> {
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        self.events[place as usize].take().map(|event| (at, event))
    }
}
