//! Faults as verdicts: whoever carries a message asks, at the moment of sending, what becomes of it. Nothing is
//! scheduled and nothing has to be undone in flight; lifting a fault is forgetting it.
//!
//! Faults stand beside each other, each under a number of its own: a link that is slow by one and lossy by another is
//! both, and each can be lifted alone. Chances are drawn from a stream that each fault has for itself, so that the same
//! questions in the same order get the same answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rng::{STEP, mix};
use crate::types::NodeId;

/// What becomes of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It arrives.
    Deliver {
        /// So much later than it would have.
        after: Duration,
        /// A copy arrives too, that much later.
        copy: Option<Duration>,
    },
    /// It is lost, and its sender learns nothing.
    Drop,
}

impl Verdict {
    /// What a perfect network does.
    pub const PROMPT: Verdict = Verdict::Deliver {
        after: Duration::ZERO,
        copy: None,
    };
}

/// A chance in 1,000.
pub type Permille = u16;

/// What a fault does to the messages on its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Fault {
    /// All are lost.
    pub cut: bool,
    /// All are late by this much …
    pub delay: Duration,
    /// … and by up to this much more.
    pub jitter: Duration,
    /// So many are lost.
    pub loss: Permille,
    /// So many of those behind a lost one are lost too: on real links losses come in runs.
    pub burst: Permille,
    /// So many arrive twice.
    pub duplicate: Permille,
    /// So many are overtaken by those behind them.
    pub reorder: Permille,
}

impl Fault {
    /// Nothing gets through.
    pub const CUT: Fault = Fault {
        cut: true,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: 0,
        burst: 0,
        duplicate: 0,
        reorder: 0,
    };

    /// How long a message is held back so that others overtake it.
    const OVERTAKEN: Duration = Duration::from_millis(20);
}

/// A fault in force: on which links, and what has become of it so far.
#[derive(Debug)]
struct Rule<N> {
    number: u32,
    from: Vec<N>,
    to: Vec<N>,
    fault: Fault,
    /// The state of its stream of chances.
    stream: AtomicU64,
    /// The last message was lost.
    is_losing: AtomicBool,
}

/// The faults in force between nodes. Empty means a perfect network.
#[derive(Debug)]
pub struct Faults<N = NodeId> {
    seed: u64,
    rules: Vec<Rule<N>>,
}

impl<N> Default for Faults<N> {
    fn default() -> Faults<N> {
        Faults::seeded(0)
    }
}

impl<N> Faults<N> {
    /// None in force; `seed` decides all chances.
    pub fn seeded(seed: u64) -> Faults<N> {
        Faults {
            seed,
            rules: Vec::new(),
        }
    }
}

impl<N: PartialEq + Clone> Faults<N> {
    /// What becomes of a message from `from` to `to`, asked when it is sent.
    pub fn verdict(&self, from: &N, to: &N) -> Verdict {
        // The empty case is asked for every message of every healthy cluster: it must cost nothing.
        let mut verdict = Verdict::PROMPT;
        for rule in &self.rules {
            if rule.from.contains(from) && rule.to.contains(to) {
                verdict = rule.weigh(verdict);
            }
        }
        verdict
    }

    /// Puts `fault` in force, as `number`, on all links from one of `from` to one of `to`.
    pub fn set(&mut self, number: u32, from: &[N], to: &[N], fault: Fault) {
        let seed = mix(self.seed ^ mix(u64::from(number)));
        self.rules.push(Rule {
            number,
            from: from.to_vec(),
            to: to.to_vec(),
            fault,
            stream: AtomicU64::new(seed),
            is_losing: AtomicBool::new(false),
        });
    }

    /// Loses everything from `from` to `to`, in that direction.
    pub fn cut(&mut self, from: &N, to: &N) {
        let (from, to) = (std::slice::from_ref(from), std::slice::from_ref(to));
        self.set(0, from, to, Fault::CUT);
    }

    /// Lifts the fault `number`; whether it was in force.
    pub fn lift(&mut self, number: u32) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.number != number);
        self.rules.len() < before
    }

    /// Lifts every fault.
    pub fn heal(&mut self) {
        self.rules.clear();
    }

    /// Whether everything from `from` to `to` is lost.
    pub fn is_cut(&self, from: &N, to: &N) -> bool {
        let on_link = |rule: &&Rule<N>| rule.from.contains(from) && rule.to.contains(to);
        self.rules.iter().filter(on_link).any(|rule| rule.fault.cut)
    }
}

impl<N> Rule<N> {
    /// What becomes of a message of which others made `verdict`.
    fn weigh(&self, verdict: Verdict) -> Verdict {
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
            after += self.upto(Fault::OVERTAKEN);
        }
        if self.happens(fault.duplicate) {
            copy = Some(self.upto(Fault::OVERTAKEN));
        }
        Verdict::Deliver { after, copy }
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

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_cut_is_one_way_until_healed() {
        let (a, b) = (NodeId::nth(1), NodeId::nth(2));
        let mut faults = Faults::default();
        faults.cut(&a, &b);
        assert_eq!(faults.verdict(&a, &b), Verdict::Drop);
        assert_eq!(faults.verdict(&b, &a), Verdict::PROMPT);
        faults.heal();
        assert_eq!(faults.verdict(&a, &b), Verdict::PROMPT);
    }

    #[test]
    fn faults_add_up_and_each_is_lifted_alone() {
        let mut faults = Faults::seeded(1);
        let slow = Fault {
            delay: 10 * MS,
            ..Fault::default()
        };
        faults.set(1, &[1, 2], &[3], slow);
        faults.set(2, &[2], &[1, 3], slow);
        let after = |after| Verdict::Deliver { after, copy: None };
        assert_eq!(faults.verdict(&1, &3), after(10 * MS));
        assert_eq!(faults.verdict(&2, &3), after(20 * MS));
        assert_eq!(faults.verdict(&3, &2), Verdict::PROMPT);
        assert!(faults.lift(1) && !faults.lift(1));
        assert_eq!(faults.verdict(&2, &3), after(10 * MS));
    }

    #[test]
    fn chances_are_as_said_and_the_same_for_the_same_seed() {
        let fates = |seed, burst| {
            let mut faults = Faults::seeded(seed);
            let fault = Fault {
                loss: 100,
                burst,
                ..Fault::default()
            };
            faults.set(1, &[1], &[2], fault);
            let lost = |_| faults.verdict(&1, &2) == Verdict::Drop;
            (0..10_000).map(lost).collect::<Vec<bool>>()
        };
        let lost = |fates: &[bool]| fates.iter().filter(|lost| **lost).count();
        let runs = |fates: &[bool]| fates.windows(2).filter(|pair| pair[0] && pair[1]).count();
        assert!((800..1200).contains(&lost(&fates(7, 0))));
        assert!(runs(&fates(7, 0)) < 200 && runs(&fates(7, 800)) > 1000);
        assert_eq!(fates(7, 0), fates(7, 0));
        assert_ne!(fates(7, 0), fates(8, 0));
    }
}
