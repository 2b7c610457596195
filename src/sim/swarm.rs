//! Swarms (Groce et al., "Swarm testing", 2012): each seed draws a world of its own, with some kinds of faults and not
//! others, rare or dense, on a fast network or a slow one, with long logs or short ones. Rare combinations occur because
//! most runs leave most things out.

use std::time::Duration;

use crate::faults::Fault;
use crate::rng::{Rng, mix};
use crate::sim::expect::Expect;
use crate::sim::plan::{
    Call, Finale, Harm, Intensity, Kind, Micros, Operation, Place, Plan, Reading, Scale, Step, Who,
};
use crate::sim::schedule::Schedule;
use crate::types::{Mode, Safeguards};

/// What is asked of every seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many nodes.
    pub nodes: usize,
    /// The rules.
    pub mode: Mode,
    /// What keeps raft elections calm.
    pub safeguards: Safeguards,
    /// Which kinds of faults there may be.
    pub faults: Vec<Kind>,
    /// How long faults go on, in virtual time.
    pub time: Micros,
    /// How many clients; drawn if not said.
    pub clients: Option<usize>,
    /// How many operations a virtual second, of all clients together; drawn if not said.
    pub rate: Option<u64>,
    /// What each run is held to.
    pub expect: Expect,
}

/// Draws numbers whose logarithms are evenly spread.
fn spread(rng: &mut Rng, least: u64, most: u64) -> u64 {
    let doublings = 64 - (most / least.max(1)).leading_zeros();
    let low = least << rng.below(u64::from(doublings.max(1)));
    rng.between(low, (2 * low).min(most)).min(most)
}

/// The plan of `seed`.
pub fn draw(options: &Options, seed: u64) -> Plan {
    let mut rng = Rng::new(mix(seed ^ 0x5137));
    let scale = scale(&mut rng);
    let kinds = kinds(options, &mut rng);
    let clients = options
        .clients
        .unwrap_or_else(|| rng.between(1, 8) as usize);
    let rate = options.rate.unwrap_or_else(|| spread(&mut rng, 2, 60));
    let mut drawing = Drawing {
        options,
        scale,
        schedule: Schedule::default(),
        rng: Rng::new(0),
    };
    for (kind, intensity) in &kinds {
        drawing.rng = Rng::new(mix(seed ^ ((*kind as u64 + 1) << 56)));
        drawing.episodes(*kind, *intensity);
    }
    drawing.rng = Rng::new(mix(seed ^ 0xa5c5));
    drawing.operations(clients, rate);
    Plan {
        seed,
        nodes: options.nodes,
        mode: options.mode,
        safeguards: options.safeguards,
        scale,
        kinds,
        clients,
        expect: options.expect,
        steps: drawing.schedule.in_order(Vec::new()),
        until: options.time,
        finale: Some(Finale {
            pick: rng.draw(),
            part_first: true,
        }),
        fates: None,
    }
}

fn scale(rng: &mut Rng) -> Scale {
    let latency = spread(rng, 30, 3_000);
    let jitter = match rng.below(4) {
        0 => 0,
        _ => rng.below(4 * latency) + 1,
    };
    let disk = match rng.below(4) {
        0 => 0,
        _ => spread(rng, 20, 3_000),
    };
    let disk_jitter = if disk == 0 { 0 } else { rng.below(2 * disk) };
    // A heartbeat and its answer take less than it takes to miss them.
    let round_trip = 2 * (latency + jitter) + disk + disk_jitter;
    let heartbeat = spread(rng, 20_000, 100_000).max(2 * round_trip);
    let snapshot_every = match rng.below(3) {
        0 => None,
        1 => Some(rng.between(1, 12) as usize),
        _ => Some(spread(rng, 8, 400) as usize),
    };
    Scale {
        heartbeat,
        election_timeout: heartbeat * rng.between(3, 8),
        write_timeout: spread(rng, 200_000, 2_000_000),
        append_pause: rng.between(0, 4) * 1000,
        latency,
        jitter,
        disk,
        disk_jitter,
        log_window: spread(rng, 8, 4_000) as usize,
        snapshot_every,
        append_bytes: match rng.below(3) {
            0 => spread(rng, 70, 2_000) as usize,
            _ => 1 << 20,
        },
        keys: spread(rng, 1, 24) as usize,
    }
}

fn kinds(options: &Options, rng: &mut Rng) -> Vec<(Kind, Intensity)> {
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        // Drawn whether or not it is wanted, so that leaving one kind out leaves the others as they were.
        let (is_in, intensity) = (rng.chance(600), spread(rng, 60, 1000) as Intensity);
        if is_in && options.faults.contains(&kind) {
            kinds.push((kind, intensity));
        }
    }
    kinds
}

/// Draws the steps of one plan.
struct Drawing<'a> {
    options: &'a Options,
    scale: Scale,
    schedule: Schedule,
    rng: Rng,
}

impl Drawing<'_> {
    /// Episodes of one kind of fault, each with an end, one after the other or over each other.
    fn episodes(&mut self, kind: Kind, intensity: Intensity) {
        let mean = 1_200_000 * 1000 / u64::from(intensity.max(1));
        let mut at = self.rng.below(mean);
        while at < self.options.time {
            let lasts = spread(&mut self.rng, 20_000, 12 * self.scale.election_timeout);
            self.episode(kind, at, lasts);
            at += self.rng.below(2 * mean) + 1000;
        }
    }

    fn episode(&mut self, kind: Kind, at: Micros, lasts: Micros) {
        if kind == Kind::Membership {
            let operation = self.operation();
            return self.schedule.at(at, Step::Operate(operation));
        }
        let harm = self.harm(kind);
        self.schedule.strike(harm, at, at + lasts);
    }

    fn operation(&mut self) -> Operation {
        let who = self.who();
        match self.rng.below(5) {
            0 => Operation::Add,
            1 => Operation::Remove(who),
            2 => Operation::Transfer(None),
            _ => Operation::Transfer(Some(who)),
        }
    }

    fn place(&mut self) -> Place {
        self.rng.below(self.options.nodes as u64) as Place
    }

    fn who(&mut self) -> Who {
        let place = self.place();
        match self.rng.below(4) {
            0 => Who::Leader,
            1 => Who::Follower(place),
            _ => Who::Node(place),
        }
    }

    fn harm(&mut self, kind: Kind) -> Harm {
        let timeout = self.scale.election_timeout;
        let who = self.who();
        match kind {
            Kind::Crash => {
                let (power, writing) = (self.rng.chance(600), self.rng.chance(600));
                Harm::Crash {
                    who,
                    power,
                    writing: power && writing && self.scale.disk > 0,
                    damaged: false,
                }
            }
            Kind::Partition => self.partition(who),
            Kind::Pause => Harm::Pause(who),
            Kind::Skew => match self.rng.below(3) {
                0 => Harm::Jump(who, spread(&mut self.rng, 1_000, 4 * timeout)),
                _ => Harm::Skew(who, self.rng.between(700_000, 1_400_000) as u32),
            },
            Kind::Disk => match self.rng.below(4) {
                0 => Harm::FailSync(who),
                1 => Harm::Crash {
                    who,
                    power: true,
                    writing: false,
                    damaged: true,
                },
                _ => Harm::SlowDisk(who, spread(&mut self.rng, 1_000, timeout)),
            },
            Kind::Delay | Kind::Drop | Kind::Duplicate | Kind::Reorder => self.links(kind),
            Kind::Membership => Harm::Pause(who),
        }
    }

    fn partition(&mut self, who: Who) -> Harm {
        if self.rng.chance(400) {
            let (out, into) =
                [(true, true), (true, false), (false, true)][self.rng.below(3) as usize];
            return Harm::Isolate { who, out, into };
        }
        let groups = self.rng.between(1, 2);
        let mut apart: Vec<Vec<Place>> = vec![Vec::new(); groups as usize];
        for place in 0..self.options.nodes as Place {
            if let Some(group) = apart.get_mut(self.rng.below(groups + 1) as usize) {
                group.push(place);
            }
        }
        apart.retain(|group| !group.is_empty());
        Harm::Partition(apart)
    }

    fn links(&mut self, kind: Kind) -> Harm {
        let all: Vec<Place> = (0..self.options.nodes as Place).collect();
        let (one, other) = (self.place(), self.place());
        let (from, to) = match self.rng.below(5) {
            0 => (vec![one], vec![other]),
            1 => (vec![one], all),
            2 => (all, vec![one]),
            _ => (all.clone(), all),
        };
        let timeout = self.scale.election_timeout;
        let mut fault = Fault::default();
        match kind {
            Kind::Delay => {
                fault.delay = Duration::from_micros(spread(&mut self.rng, 500, timeout));
                fault.jitter = Duration::from_micros(spread(&mut self.rng, 500, timeout));
            }
            Kind::Drop => {
                fault.loss = spread(&mut self.rng, 5, 500) as u16;
                fault.burst = self.rng.below(950) as u16;
            }
            Kind::Duplicate => fault.duplicate = spread(&mut self.rng, 5, 500) as u16,
            _ => fault.reorder = spread(&mut self.rng, 5, 700) as u16,
        }
        Harm::Links { from, to, fault }
    }

    /// What clients ask, and when.
    fn operations(&mut self, clients: usize, rate: u64) {
        let reads = self.rng.between(100, 700) as u16;
        let swaps = self.rng.below(400) as u16;
        let deletes = if self.rng.chance(500) {
            self.rng.below(200) as u16
        } else {
            0
        };
        let named = if self.rng.chance(500) {
            self.rng.below(1000) as u16
        } else {
            0
        };
        let strong = self.rng.below(1000) as u16;
        if rate == 0 {
            return;
        }
        let mean = 1_000_000 / rate;
        let mut at = 50_000 + self.rng.below(mean);
        while at < self.options.time {
            let client = self.rng.below(clients as u64) as u16;
            let key = self.rng.below(self.scale.keys as u64) as u16;
            let place = self.place();
            let named = self.rng.chance(named);
            let call = if self.rng.chance(reads) {
                let consistency = self.reading(strong, place);
                Call::Read { key, consistency }
            } else if self.rng.chance(deletes) {
                Call::Delete { key }
            } else if self.rng.chance(swaps) {
                Call::Swap { key, named }
            } else {
                Call::Put { key, named }
            };
            self.schedule.at(at, Step::Ask { client, call });
            at += self.rng.below(2 * mean) + 1;
        }
    }

    fn reading(&mut self, strong: u16, place: Place) -> Reading {
        let is_strong = self.rng.chance(strong);
        match (is_strong, self.options.mode.is_linearizable()) {
            (true, true) => Reading::Linearizable(place),
            (true, false) => Reading::Leader,
            (false, _) if self.rng.chance(200) => Reading::Leader,
            (false, _) => Reading::Local(place),
        }
    }
}
