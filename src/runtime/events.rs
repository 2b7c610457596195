//! The events of a cluster: numbered without gaps, kept for those who ask later, and loss counted once for good.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::watch;

use crate::event::{Event, KEYS_NAMED, Loss, LostWrite};
use crate::types::NodeId;
use crate::wire::control::{EventRecord, LostTotals};

/// How many events are kept.
const KEPT: usize = 100_000;

/// How many lost writes are remembered, so that the second node to discard one does not count it again.
const REMEMBERED: usize = 100_000;

/// The event log of one process.
#[derive(Debug)]
pub struct EventLog {
    inner: Mutex<Inner>,
    last: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    records: VecDeque<EventRecord>,
    last: u64,
    lost: LostTotals,
    counted: BTreeSet<LostWrite>,
}

impl Default for EventLog {
    fn default() -> EventLog {
        EventLog {
            inner: Mutex::default(),
            last: watch::Sender::new(0),
        }
    }
}

impl EventLog {
    /// Adds what happened now.
    pub fn add(&self, node: Option<NodeId>, event: Event) {
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let mut inner = self.inner();
        let event = match event {
            Event::Lost(loss) => Event::Lost(inner.count(loss)),
            other => other,
        };
        inner.last += 1;
        let seq = inner.last;
        inner.records.push_back(EventRecord {
            seq,
            time,
            node,
            event,
        });
        if inner.records.len() > KEPT {
            inner.records.pop_front();
        }
        // Under the lock, so that the numbers that are announced only grow.
        self.last.send_replace(seq);
    }

    /// The kept events numbered above `seq`, at most `limit`.
    pub fn after(&self, seq: u64, limit: usize) -> Vec<EventRecord> {
        let inner = self.inner();
        let first = inner.last - inner.records.len() as u64;
        let skip = seq.saturating_sub(first) as usize;
        inner
            .records
            .iter()
            .skip(skip)
            .take(limit)
            .cloned()
            .collect()
    }

    /// Waits until there is an event numbered above `seq`.
    pub async fn wait_after(&self, seq: u64) {
        // The sender lives as long as `self`.
        let _ = self.last.subscribe().wait_for(|last| *last > seq).await;
    }

    /// The number of the last event.
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// What is gone.
    pub fn lost(&self) -> LostTotals {
        self.inner().lost.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Counts the writes that no other node has reported, and cuts the list of those served.
    fn count(&mut self, loss: Loss) -> Loss {
        for write in &loss.writes {
            if self.counted.len() < REMEMBERED && !self.counted.insert(write.clone()) {
                continue;
            }
            self.lost.count += 1;
            self.lost.writes.push(write.clone());
        }
        let excess = self.lost.writes.len().saturating_sub(KEYS_NAMED);
        self.lost.writes.drain(..excess);
        let writes = loss.writes.into_iter().take(KEYS_NAMED).collect();
        Loss { writes, ..loss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Key;

    fn loss(keys: usize) -> Event {
        let write = |k| LostWrite {
            key: Key::new(&format!("k{k}")),
            entry: None,
        };
        let writes: Vec<LostWrite> = (0..keys).map(write).collect();
        Event::Lost(Loss {
            count: keys as u64,
            writes,
            to: Some(NodeId::nth(1)),
        })
    }

    #[test]
    fn a_write_that_two_nodes_discard_is_lost_once() {
        let log = EventLog::default();
        log.add(Some(NodeId::nth(2)), loss(3));
        log.add(Some(NodeId::nth(3)), loss(150));
        assert_eq!((log.lost().count, log.lost().writes.len()), (150, 100));
        let Event::Lost(served) = &log.after(1, 1)[0].event else {
            panic!("not a loss")
        };
        assert_eq!((served.count, served.writes.len()), (150, 100));
    }

    #[test]
    fn events_are_numbered_without_gaps_and_the_oldest_are_forgotten() {
        let log = EventLog::default();
        for _ in 0..KEPT + 5 {
            log.add(None, Event::Stopping);
        }
        let seqs: Vec<u64> = log.after(0, 3).iter().map(|record| record.seq).collect();
        assert_eq!(seqs, [6, 7, 8]);
        assert_eq!(log.after(log.last() - 1, 9).len(), 1);
        assert!(log.after(log.last() + 7, 9).is_empty());
    }
}
