//! The plan of a run, drawn before its start: milder than the simulator's swarms, so that each fault can be seen alone.

use std::time::Duration;

use crate::chaos::asks;
use crate::faults::Fault;
use crate::rng::{Rng, mix};
use crate::sim::Expect;
use crate::sim::plan::{Finale, Harm, Kind, Micros, Operation, Place, Plan, Scale, Step, Who};
use crate::sim::schedule::Schedule;
use crate::types::{Config, Mode, NodeId, Safeguards};

/// What is asked of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many nodes there are.
    pub nodes: usize,
    /// Their rules.
    pub mode: Mode,
    /// What keeps raft elections calm.
    pub safeguards: Safeguards,
    /// How often a leader shows that it lives.
    pub heartbeat: Duration,
    /// How long a follower waits for it.
    pub election_timeout: Duration,
    /// How long a write waits for its acknowledgements.
    pub write_timeout: Duration,
    /// How many entries lie between two snapshots.
    pub snapshot_every: Option<usize>,
    /// Which kinds of faults there may be.
    pub faults: Vec<Kind>,
    /// At whom they are aimed.
    pub targets: Vec<Target>,
    /// How long clients ask.
    pub time: Micros,
    /// How many clients.
    pub clients: usize,
    /// How many operations a second, of all clients together.
    pub rate: u64,
    /// How many keys they use.
    pub keys: usize,
    /// What the run is held to.
    pub expect: Expect,
}

/// At whom a fault is aimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// Whoever leads then
    Leader,
    /// One that does not lead then
    Follower,
    /// Any node
    Random,
    /// As many as a cluster can do without, at once
    Minority,
    /// Every node, at once
    All,
}

/// The plan of `seed`.
pub fn draw(options: &Options, seed: u64) -> Plan {
    let mut drawing = Drawing {
        options,
        schedule: Schedule::default(),
        rng: Rng::new(mix(seed ^ 0xc4a0)),
    };
    drawing.faults();
    let asks = asks::draw(options, seed);
    Plan {
        seed,
        nodes: options.nodes,
        mode: options.mode,
        safeguards: options.safeguards,
        scale: scale(options),
        kinds: options.faults.iter().map(|kind| (*kind, 1000)).collect(),
        clients: options.clients,
        expect: options.expect,
        steps: drawing.schedule.in_order(asks),
        until: options.time,
        finale: Some(Finale {
            pick: 0,
            part_first: false,
        }),
        fates: None,
    }
}

/// As on this machine: a quick network, and disks that take no time.
fn scale(options: &Options) -> Scale {
    let config = Config::new(NodeId::nth(1), Vec::new());
    let micros = |duration: Duration| duration.as_micros() as Micros;
    Scale {
        heartbeat: micros(options.heartbeat),
        election_timeout: micros(options.election_timeout),
        write_timeout: micros(options.write_timeout),
        append_pause: micros(config.append_pause),
        latency: 100,
        jitter: 200,
        disk: 0,
        disk_jitter: 0,
        log_window: config.log_window,
        snapshot_every: options.snapshot_every,
        append_bytes: config.append_bytes,
        keys: options.keys,
    }
}

struct Drawing<'a> {
    options: &'a Options,
    schedule: Schedule,
    rng: Rng,
}

impl Drawing<'_> {
    /// A time, in whole milliseconds: people read it.
    fn millis(&mut self, least: Micros, most: Micros) -> Micros {
        1000 * self.rng.between(least / 1000, most / 1000)
    }

    fn timeout(&self) -> Micros {
        self.options.election_timeout.as_micros() as Micros
    }

    /// Quiet at first and in the end; in between one fault after the other, now and then one into another. Every kind comes
    /// before any comes again.
    fn faults(&mut self) {
        let quiet = (self.options.time / 8).min(3_000_000);
        let end = self.options.time - quiet;
        let longest = (10 * self.timeout()).min(self.options.time / 6);
        let mut bag: Vec<Kind> = Vec::new();
        let mut at = quiet;
        while at < end && !self.options.faults.is_empty() {
            if bag.is_empty() {
                bag = self.shuffled();
            }
            let Some(kind) = bag.pop() else { return };
            let lasts = self.rng.between(longest.min(2 * self.timeout()), longest);
            self.episode(kind, at, (at + lasts).min(end));
            let pause = self.rng.between(self.timeout(), 4 * self.timeout());
            at += match self.rng.chance(200) {
                true => lasts / 2,
                false => lasts + pause,
            };
        }
    }

    fn shuffled(&mut self) -> Vec<Kind> {
        let mut kinds = self.options.faults.clone();
        self.rng.shuffle(&mut kinds);
        kinds
    }

    fn episode(&mut self, kind: Kind, at: Micros, until: Micros) {
        let places = self.places();
        let aims = self.aims(&places);
        if kind == Kind::Membership {
            let operation = self.operation(aims[0]);
            return self.schedule.at(at, Step::Operate(operation));
        }
        for harm in self.harms(kind, &aims, &places) {
            self.schedule.strike(harm, at, until);
        }
    }

    /// All nodes, in a random order.
    fn places(&mut self) -> Vec<Place> {
        let mut places: Vec<Place> = (0..self.options.nodes as Place).collect();
        self.rng.shuffle(&mut places);
        places
    }

    /// At whom the next fault is aimed.
    fn aims(&mut self, places: &[Place]) -> Vec<Who> {
        let targets = &self.options.targets;
        let count = targets.len().max(1) as u64;
        let target = targets.get(self.rng.below(count) as usize);
        let nodes = |count: usize| places.iter().take(count).map(|p| Who::Node(*p)).collect();
        match target.unwrap_or(&Target::Random) {
            Target::Leader => vec![Who::Leader],
            Target::Follower => vec![Who::Follower(places[0])],
            Target::Random => vec![Who::Node(places[0])],
            Target::Minority => nodes(((places.len() - 1) / 2).max(1)),
            Target::All => nodes(places.len()),
        }
    }

    fn operation(&mut self, who: Who) -> Operation {
        match self.rng.below(4) {
            0 => Operation::Add,
            1 => Operation::Remove(who),
            _ => Operation::Transfer(None),
        }
    }

    fn harms(&mut self, kind: Kind, aims: &[Who], places: &[Place]) -> Vec<Harm> {
        match kind {
            Kind::Partition => vec![self.partition(aims, places)],
            Kind::Delay | Kind::Drop | Kind::Duplicate | Kind::Reorder => {
                vec![self.links(kind, aims, places)]
            }
            _ => aims.iter().map(|who| self.harm(kind, *who)).collect(),
        }
    }

    fn harm(&mut self, kind: Kind, who: Who) -> Harm {
        let timeout = self.timeout();
        match kind {
            Kind::Pause => Harm::Pause(who),
            Kind::Skew => match self.rng.below(3) {
                0 => Harm::Jump(who, self.millis(timeout / 4, 2 * timeout)),
                1 => Harm::Skew(who, 10_000 * self.rng.between(110, 140) as u32),
                _ => Harm::Skew(who, 10_000 * self.rng.between(70, 90) as u32),
            },
            Kind::Disk => match self.rng.below(5) {
                0 => Harm::FailSync(who),
                1 => Harm::Crash {
                    who,
                    power: true,
                    writing: true,
                    damaged: false,
                },
                2 => Harm::Crash {
                    who,
                    power: true,
                    writing: false,
                    damaged: true,
                },
                _ => Harm::SlowDisk(who, self.millis(2_000, timeout / 4)),
            },
            _ => Harm::Crash {
                who,
                power: self.rng.chance(500),
                writing: false,
                damaged: false,
            },
        }
    }

    fn partition(&mut self, aims: &[Who], places: &[Place]) -> Harm {
        let one_way = self.rng.below(6);
        match aims {
            [who] => Harm::Isolate {
                who: *who,
                out: one_way != 0,
                into: one_way != 1,
            },
            _ if aims.len() == places.len() => {
                Harm::Partition(places.iter().map(|place| vec![*place]).collect())
            }
            _ => Harm::Partition(vec![places[..aims.len()].to_vec()]),
        }
    }

    fn links(&mut self, kind: Kind, aims: &[Who], places: &[Place]) -> Harm {
        let (mut all, timeout) = (places.to_vec(), self.timeout());
        all.sort_unstable();
        // A role's links cannot be planned: whoever is meant, all links suffer.
        let some = match aims {
            [Who::Node(place)] => vec![*place],
            _ if aims.len() < places.len() && aims.len() > 1 => places[..aims.len()].to_vec(),
            _ => all.clone(),
        };
        let (from, to) = match self.rng.chance(500) {
            true => (some, all),
            false => (all, some),
        };
        let mut fault = Fault::default();
        match kind {
            Kind::Delay => {
                fault.delay = Duration::from_micros(self.millis(5_000, timeout / 4));
                fault.jitter = Duration::from_micros(self.millis(1_000, timeout / 4));
            }
            Kind::Drop => {
                fault.loss = 10 * self.rng.between(2, 20) as u16;
                fault.burst = 10 * self.rng.below(80) as u16;
            }
            Kind::Duplicate => fault.duplicate = 10 * self.rng.between(5, 40) as u16,
            _ => fault.reorder = 10 * self.rng.between(5, 40) as u16,
        }
        Harm::Links { from, to, fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::plan::Timed;

    fn options(faults: &[Kind], targets: &[Target]) -> Options {
        Options {
            nodes: 5,
            mode: Mode::RAFT,
            safeguards: Safeguards::default(),
            heartbeat: Duration::from_millis(50),
            election_timeout: Duration::from_millis(300),
            write_timeout: Config::WRITE_TIMEOUT,
            snapshot_every: None,
            faults: faults.to_vec(),
            targets: targets.to_vec(),
            time: 30_000_000,
            clients: 5,
            rate: 200,
            keys: 5,
            expect: Expect::Promised,
        }
    }

    fn harms(plan: &Plan) -> Vec<&Harm> {
        let harm = |timed| match timed {
            &Timed {
                step: Step::Fault { ref harm, .. },
                ..
            } => Some(harm),
            _ => None,
        };
        plan.steps.iter().filter_map(harm).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_plan_and_another_another() {
        let options = options(&Kind::ALL, &[Target::Leader, Target::Random]);
        assert_eq!(draw(&options, 7), draw(&options, 7));
        assert_ne!(draw(&options, 7).steps, draw(&options, 8).steps);
    }

    #[test]
    fn a_plan_has_the_write_timeout_and_the_snapshots_of_the_cluster_it_is_for() {
        let options = Options {
            write_timeout: Duration::from_millis(1234),
            snapshot_every: Some(17),
            ..options(&[], &[])
        };
        let scale = draw(&options, 1).scale;
        assert_eq!(
            (scale.write_timeout, scale.snapshot_every),
            (1_234_000, Some(17))
        );
    }

    #[test]
    fn what_clients_ask_does_not_depend_on_the_faults() {
        let asks = |faults: &[Kind]| {
            let plan = draw(&options(faults, &[Target::Random]), 3);
            let is_ask = |timed: &Timed| matches!(timed.step, Step::Ask { .. });
            plan.steps.into_iter().filter(is_ask).collect::<Vec<_>>()
        };
        assert_eq!(asks(&[Kind::Crash]), asks(&Kind::ALL));
        let count = asks(&[]).len();
        assert!((5_000..7_000).contains(&count), "{count} operations");
    }

    #[test]
    fn every_fault_has_an_end_and_there_is_quiet_before_and_after() {
        let plan = draw(&options(&Kind::ALL, &[Target::Random]), 5);
        let mut open = std::collections::BTreeSet::new();
        for timed in &plan.steps {
            match timed.step {
                Step::Fault { number, .. } => {
                    assert!(timed.at >= 3_000_000, "{}", timed.at);
                    open.insert(number);
                }
                Step::Lift(number) => {
                    assert!(timed.at <= 27_000_000, "{}", timed.at);
                    assert!(open.remove(&number));
                }
                _ => {}
            }
        }
        assert!(open.is_empty() && harms(&plan).len() > 8);
    }

    #[test]
    fn a_target_is_what_is_aimed_at() {
        let struck = |target, count| {
            let plan = draw(&options(&[Kind::Crash], &[target]), 1);
            let harms = harms(&plan);
            assert_eq!(harms.len() % count, 0, "{} of {count}", harms.len());
            harms.into_iter().all(|harm| match harm {
                Harm::Crash { who, .. } => (*who == Who::Leader) == (target == Target::Leader),
                _ => false,
            })
        };
        assert!(struck(Target::Leader, 1));
        assert!(struck(Target::Minority, 2));
        assert!(struck(Target::All, 5));
    }
}
