//! One fault on some links: what it makes of a message, and what has become of those before.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::faults::{Fault, Parcel, Permille, Traffic, Verdict};
use crate::rng::{STEP, mix};

/// How long a message is held back so that others overtake it.
const OVERTAKEN: Duration = Duration::from_millis(20);

/// A fault in force: on which links, and what has become of it so far.
#[derive(Debug)]
pub(super) struct Rule<N> {
    pub(super) number: u32,
    from: Vec<N>,
    to: Vec<N>,
    fault: Fault,
    /// None: all.
    only: Vec<Traffic>,
    /// The state of its stream of chances.
    stream: AtomicU64,
    /// The last message was lost.
    is_losing: AtomicBool,
    /// When each of its links is free again for small messages and for large ones, in nanoseconds, if they are narrow.
    free_at: Vec<AtomicU64>,
}

impl<N: PartialEq + Clone> Rule<N> {
    pub(super) fn new(
        number: u32,
        from: &[N],
        to: &[N],
        fault: Fault,
        only: &[Traffic],
        seed: u64,
    ) -> Rule<N> {
        let links = match fault.bandwidth {
            0 => 0,
            _ => 2 * from.len() * to.len(),
        };
        Rule {
            number,
            from: from.to_vec(),
            to: to.to_vec(),
            fault,
            only: only.to_vec(),
            stream: AtomicU64::new(seed),
            is_losing: AtomicBool::new(false),
            free_at: (0..links).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether it is on that link.
    pub(super) fn is_on(&self, from: &N, to: &N) -> bool {
        self.from.contains(from) && self.to.contains(to)
    }

    /// Whether its links take only so many bytes.
    pub(super) fn is_narrow(&self) -> bool {
        self.fault.bandwidth > 0
    }

    /// Whether nothing gets through.
    pub(super) fn cuts(&self) -> bool {
        self.fault.cut && self.only.is_empty()
    }

    /// Whether it has a say in that message.
    pub(super) fn strikes(&self, from: &N, to: &N, parcel: Option<Parcel>) -> bool {
        let is_meant = |parcel: Parcel| self.only.contains(&parcel.traffic);
        self.is_on(from, to) && (self.only.is_empty() || parcel.is_some_and(is_meant))
    }

    /// What becomes of a message of which others made `verdict`.
    pub(super) fn weigh(&self, verdict: Verdict) -> Verdict {
        let Verdict::Deliver {
            mut after,
            mut copy,
        } = verdict
        else {
            return Verdict::Drop;
        };
        let fault = &self.fault;
        if fault.cut || self.loses() {
            return Verdict::Drop;
        }
        after += fault.delay;
        if fault.jitter > Duration::ZERO {
            after += self.upto(fault.jitter);
        }
        if self.happens(fault.reorder) {
            after += self.upto(OVERTAKEN);
        }
        if self.happens(fault.duplicate) {
            copy = Some(self.upto(OVERTAKEN));
        }
        Verdict::Deliver { after, copy }
    }

    /// How long a message waits until those before it, and it itself, have passed a narrow link.
    pub(super) fn turn(&self, from: &N, to: &N, parcel: Parcel) -> Duration {
        let row = self.from.iter().position(|node| node == from);
        let column = self.to.iter().position(|node| node == to);
        let (Some(row), Some(column)) = (row, column) else {
            return Duration::ZERO;
        };
        let now = parcel.now.elapsed_nanos();
        let takes = u128::from(parcel.bytes as u64) * 1_000_000_000;
        let takes = (takes / u128::from(self.fault.bandwidth)).min(u64::MAX.into()) as u64;
        let passed = |free_at: u64| Some(free_at.max(now).saturating_add(takes));
        // As with packets of two connections, small messages do not wait for large ones.
        let is_bulk = matches!(parcel.traffic, Traffic::Replicate | Traffic::Snapshots);
        let link = &self.free_at[2 * (row * self.to.len() + column) + usize::from(is_bulk)];
        let before = link.fetch_update(Ordering::Relaxed, Ordering::Relaxed, passed);
        let free_at = before.unwrap_or_else(|same| same).max(now);
        Duration::from_nanos(free_at.saturating_add(takes) - now)
    }

    /// The same without one link.
    pub(super) fn without(self, from: &N, to: &N) -> Vec<Rule<N>> {
        let except = |nodes: &[N], node: &N| -> Vec<N> {
            nodes.iter().filter(|n| *n != node).cloned().collect()
        };
        let seed = self.stream.load(Ordering::Relaxed);
        let rule = |from: &[N], to: &[N], salt: u64| {
            Rule::new(
                self.number,
                from,
                to,
                self.fault,
                &self.only,
                mix(seed ^ salt),
            )
        };
        let others = rule(&except(&self.from, from), &self.to, 1);
        let rest = rule(std::slice::from_ref(from), &except(&self.to, to), 2);
        let is_some = |rule: &Rule<N>| !rule.from.is_empty() && !rule.to.is_empty();
        [others, rest].into_iter().filter(is_some).collect()
    }

    fn loses(&self) -> bool {
        if self.fault.loss == 0 {
            return false;
        }
        let chance = match self.is_losing.load(Ordering::Relaxed) {
            true => self.fault.loss.max(self.fault.burst),
            false => self.fault.loss,
        };
        let loses = self.happens(chance);
        self.is_losing.store(loses, Ordering::Relaxed);
        loses
    }

    fn draw(&self) -> u64 {
        mix(self
            .stream
            .fetch_add(STEP, Ordering::Relaxed)
            .wrapping_add(STEP))
    }

    fn happens(&self, chance: Permille) -> bool {
        chance > 0 && self.draw() % 1000 < u64::from(chance)
    }

    fn upto(&self, most: Duration) -> Duration {
        let micros = most.as_micros().min(u64::MAX.into()) as u64;
        Duration::from_micros(self.draw() % micros.max(1))
    }
}
