//! Faults as verdicts: whoever carries a message asks, at the moment of sending, what becomes of it. Nothing is
//! scheduled and nothing has to be undone in flight; lifting a fault is forgetting it.
//!
//! Faults stand beside each other, each under a number of its own: a link that is slow by one and lossy by another is
//! both, and each can be lifted alone. Chances are drawn from a stream that each fault has for itself, so that the same
//! questions in the same order get the same answers.

mod rule;
pub mod shapes;
pub mod skew;
mod traffic;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::rule::Rule;
use crate::rng::mix;
use crate::types::{NodeId, Time};

pub use traffic::Traffic;

/// Whether nodes on ports were built without looking at faults, to measure what looking costs: then no message, clock,
/// pause or disk in memory suffers from any.
pub const UNBREAKABLE: bool = cfg!(feature = "unbreakable");

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

/// What is sent, as far as faults look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    /// Its kind.
    pub traffic: Traffic,
    /// Its size.
    pub bytes: usize,
    /// When it is sent.
    pub now: Time,
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
    /// So many bytes a second fit through each link: those beyond wait their [`turn`](Faults::turn). 0: any number.
    #[serde(skip_serializing_if = "is_unlimited")]
    pub bandwidth: u64,
}

fn is_unlimited(bandwidth: &u64) -> bool {
    *bandwidth == 0
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
        bandwidth: 0,
    };
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
        self.verdict_on(from, to, None)
    }

    /// The same, where it matters what is sent: some faults strike only some kinds, or count bytes.
    pub fn verdict_on(&self, from: &N, to: &N, parcel: Option<Parcel>) -> Verdict {
        // The empty case is asked for every message of every healthy cluster: it must cost nothing.
        let mut verdict = Verdict::PROMPT;
        for rule in &self.rules {
            if rule.strikes(from, to, parcel) {
                verdict = rule.weigh(verdict);
            }
        }
        verdict
    }

    /// How long a parcel from `from` to `to` waits until those before it, and it itself, have passed the narrow links.
    /// Asked once for each, when it is sent; whoever sends waits that long with the next.
    pub fn turn(&self, from: &N, to: &N, parcel: Parcel) -> Duration {
        let narrow = self.rules.iter().filter(|rule| rule.is_narrow());
        let struck = narrow.filter(|rule| rule.strikes(from, to, Some(parcel)));
        struck.map(|rule| rule.turn(from, to, parcel)).sum()
    }

    /// Whether the link from `from` to `to` takes only so many bytes.
    pub fn is_narrow(&self, from: &N, to: &N) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.is_narrow() && rule.is_on(from, to))
    }

    /// Puts `fault` in force, as `number`, on all links from one of `from` to one of `to`.
    pub fn set(&mut self, number: u32, from: &[N], to: &[N], fault: Fault) {
        self.set_only(number, from, to, fault, &[]);
    }

    /// The same, for these kinds of messages; none: all.
    pub fn set_only(&mut self, number: u32, from: &[N], to: &[N], fault: Fault, only: &[Traffic]) {
        let seed = mix(self.seed ^ mix(u64::from(number)));
        self.set_seeded(number, seed, from, to, fault, only);
    }

    /// The same, with a stream of chances of its own that `seed` begins.
    pub fn set_seeded(
        &mut self,
        number: u32,
        seed: u64,
        from: &[N],
        to: &[N],
        fault: Fault,
        only: &[Traffic],
    ) {
        self.rules
            .push(Rule::new(number, from, to, fault, only, seed));
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

    /// Lifts all faults but these.
    pub fn lift_all_but(&mut self, numbers: &[u32]) {
        self.rules.retain(|rule| numbers.contains(&rule.number));
    }

    /// Spares the link from `from` to `to` whatever the fault `number` does to it; whether it did anything.
    pub fn spare(&mut self, number: u32, from: &N, to: &N) -> bool {
        let strikes = |rule: &Rule<N>| rule.number == number && rule.is_on(from, to);
        let rules = std::mem::take(&mut self.rules);
        let before = rules.len();
        let (struck, others) = rules.into_iter().partition::<Vec<_>, _>(strikes);
        let is_struck = others.len() < before;
        self.rules = others;
        for rule in struck {
            self.rules.extend(rule.without(from, to));
        }
        is_struck
    }

    /// Whether none is in force.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Lifts every fault.
    pub fn heal(&mut self) {
        self.rules.clear();
    }

    /// Whether everything from `from` to `to` is lost.
    pub fn is_cut(&self, from: &N, to: &N) -> bool {
        let cuts = |rule: &Rule<N>| rule.is_on(from, to) && rule.cuts();
        self.rules.iter().any(cuts)
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

    fn parcel(traffic: Traffic, bytes: usize, now: Duration) -> Option<Parcel> {
        let now = Time::after(now);
        Some(Parcel {
            traffic,
            bytes,
            now,
        })
    }

    #[test]
    fn a_narrow_link_makes_what_is_sent_wait_its_turn_and_no_other() {
        let mut faults = Faults::seeded(1);
        let narrow = Fault {
            bandwidth: 1000,
            ..Fault::default()
        };
        faults.set(1, &[1, 2], &[3, 4], narrow);
        let turn = |from, to, traffic, bytes, now| {
            let now = Time::after(now);
            let parcel = Parcel {
                traffic,
                bytes,
                now,
            };
            faults.turn(from, to, parcel)
        };
        let bulk = Traffic::Replicate;
        assert_eq!(turn(&1, &3, bulk, 100, MS), 100 * MS);
        assert_eq!(turn(&1, &3, bulk, 50, 11 * MS), 140 * MS);
        assert_eq!(turn(&1, &4, bulk, 50, 11 * MS), 50 * MS);
        assert_eq!(turn(&2, &3, bulk, 50, 11 * MS), 50 * MS);
        assert_eq!(turn(&1, &3, Traffic::Votes, 1, 11 * MS), MS);
        assert_eq!(turn(&1, &3, bulk, 1, 500 * MS), MS);
        assert_eq!(turn(&3, &1, bulk, 50, 11 * MS), Duration::ZERO);
    }

    #[test]
    fn some_kinds_of_messages_can_be_struck_alone() {
        let mut faults = Faults::seeded(1);
        faults.set_only(1, &[1], &[2], Fault::CUT, &[Traffic::Replicate]);
        let verdict = |traffic| faults.verdict_on(&1, &2, parcel(traffic, 1, MS));
        assert_eq!(verdict(Traffic::Replicate), Verdict::Drop);
        assert_eq!(verdict(Traffic::Heartbeats), Verdict::PROMPT);
    }

    #[test]
    fn a_link_can_be_spared_and_the_others_stay_struck() {
        let mut faults = Faults::seeded(1);
        faults.set(1, &[1, 2], &[3, 4], Fault::CUT);
        assert!(faults.spare(1, &1, &3) && !faults.spare(1, &1, &3));
        let cut = |from, to| faults.is_cut(from, to);
        assert!(!cut(&1, &3));
        assert!(cut(&1, &4) && cut(&2, &3) && cut(&2, &4));
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
