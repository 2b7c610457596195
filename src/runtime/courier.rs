//! Messages that are late travel alone, so that none holds another back. What has left a node is the network's: it
//! arrives, whatever becomes of its sender meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use crate::runtime::lane::{Lane, Letter};
use crate::runtime::line::Line;

/// How many messages may be under way on one lane; more are lost, as on any link that is longer than it is wide.
const UNDER_WAY: usize = 2048;

/// How many lines are kept for those to come.
const KEPT: usize = 4;

/// The couriers of one lane.
#[derive(Default)]
pub(super) struct Couriers(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Which network they are on: how often its faults were changed before.
    network: u64,
    under_way: usize,
    resting: Vec<Line>,
}

impl Couriers {
    /// Has a message of `lane` arrive in `after`.
    pub(super) fn send(self: &Arc<Couriers>, lane: &Lane, after: Duration, letter: Letter) {
        let Some(network) = self.leaves(lane.network()) else {
            return lane.loses(&letter);
        };
        // Before anything else, so that it arrives in time however busy everybody is.
        let arrival = sleep(after);
        let (couriers, mut lane) = (self.clone(), lane.another());
        tokio::spawn(async move {
            arrival.await;
            if let Some(line) = couriers.rested() {
                lane.line = line;
            }
            lane.deliver(letter).await;
            couriers.rests(lane.line);
            couriers.arrived(network);
        });
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message leaves, if there is room for it. What is still under way since the faults were others is in nobody's way.
    pub(super) fn leaves(&self, network: u64) -> Option<u64> {
        let mut inner = self.inner();
        // Who looked before others may come after them.
        if inner.network < network {
            (inner.network, inner.under_way) = (network, 0);
        }
        let fits = inner.under_way < UNDER_WAY;
        inner.under_way += usize::from(fits);
        fits.then_some(inner.network)
    }

    /// A message that left on that network is there.
    pub(super) fn arrived(&self, network: u64) {
        let mut inner = self.inner();
        if inner.network == network {
            inner.under_way -= 1;
        }
    }

    fn rested(&self) -> Option<Line> {
        self.inner().resting.pop()
    }

    fn rests(&self, line: Line) {
        let mut inner = self.inner();
        if inner.resting.len() < KEPT {
            inner.resting.push(line);
        }
    }
}
