//! Small plans made by hand, and what happens in them.

use std::sync::{Arc, Mutex};

use cluster::faults::Verdict;
use cluster::sim::plan::{
    Call, Fate, Finale, Harm, Operation, Place, Plan, Reading, Scale, Step, Timed, Who,
};
use cluster::sim::{Expect, Kind, Moment, Options, draw, run};
use cluster::types::{Election, Mode, Replication, Safeguards};

pub(crate) const LOWEST_ASYNC: Mode = Mode {
    election: Election::LowestId,
    replication: Replication::Async,
};

pub(crate) const BULLY_QUORUM: Mode = Mode {
    election: Election::Bully,
    replication: Replication::Quorum,
};

/// A quiet cluster, with one client; times are in milliseconds.
pub(crate) fn quiet(mode: Mode, nodes: usize, until: u64) -> Plan {
    Plan {
        seed: 7,
        nodes,
        mode,
        safeguards: Safeguards::default(),
        scale: Scale {
            heartbeat: 50_000,
            election_timeout: 300_000,
            write_timeout: 500_000,
            append_pause: 0,
            latency: 1_000,
            jitter: 0,
            disk: 0,
            disk_jitter: 0,
            log_window: 1_000,
            snapshot_every: None,
            append_bytes: 1 << 20,
            keys: 2,
        },
        kinds: Vec::new(),
        clients: 2,
        expect: Expect::Promised,
        steps: Vec::new(),
        until: until * 1000,
        finale: None,
        fates: Some(Vec::new()),
    }
}

/// Everything is healed in the end, at once.
pub(crate) const HEALED: Option<Finale> = Some(Finale {
    pick: 0,
    part_first: false,
});

/// Adds steps to a plan, in order of time.
pub(crate) trait With: Sized {
    fn with(self, at: u64, step: Step) -> Self;

    fn isolate(self, at: u64, number: u32, place: Place) -> Self {
        let who = Who::Node(place);
        let (out, into) = (true, true);
        let harm = Harm::Isolate { who, out, into };
        self.with(at, Step::Fault { number, harm })
    }

    fn kill(self, at: u64, number: u32, place: Place) -> Self {
        let harm = Harm::Crash {
            who: Who::Node(place),
            power: false,
            writing: false,
            damaged: false,
        };
        self.with(at, Step::Fault { number, harm })
    }

    fn lift(self, at: u64, number: u32) -> Self {
        self.with(at, Step::Lift(number))
    }

    fn put(self, at: u64, client: u16, key: u16) -> Self {
        let call = Call::Put { key, named: false };
        self.with(at, Step::Ask { client, call })
    }

    fn read(self, at: u64, client: u16, key: u16, consistency: Reading) -> Self {
        let call = Call::Read { key, consistency };
        self.with(at, Step::Ask { client, call })
    }

    fn remove(self, at: u64, place: Place) -> Self {
        self.with(at, Step::Operate(Operation::Remove(Who::Node(place))))
    }
}

impl With for Plan {
    fn with(mut self, at: u64, step: Step) -> Plan {
        let at = at * 1000;
        self.steps.push(Timed { at, step });
        self
    }
}

pub(crate) fn lost(from: Place, to: Place, nth: u32) -> Fate {
    Fate {
        from,
        to,
        nth,
        verdict: Verdict::Drop,
    }
}

/// A plan as it is drawn, of so many seconds.
pub(crate) fn drawn(mode: Mode, seed: u64, seconds: u64) -> Plan {
    let options = Options {
        nodes: 5,
        mode,
        safeguards: Safeguards::default(),
        faults: Kind::ALL.to_vec(),
        time: seconds * 1_000_000,
        clients: None,
        rate: None,
        expect: Expect::Linearizable,
    };
    draw(&options, seed)
}

/// Every pair of modes.
pub(crate) fn modes() -> impl Iterator<Item = Mode> {
    let elections = [Election::LowestId, Election::Bully, Election::Raft];
    let replications = [Replication::Async, Replication::Quorum, Replication::Sync];
    elections.into_iter().flat_map(move |election| {
        replications.map(|replication| Mode {
            election,
            replication,
        })
    })
}

/// What happens.
pub(crate) fn play(plan: &Plan) -> Vec<Moment> {
    let moments = Arc::new(Mutex::new(Vec::new()));
    let all = moments.clone();
    let sink = move |moment| all.lock().expect("nobody panics").push(moment);
    run(&Arc::new(plan.clone()), Some(Box::new(sink)));
    let mut moments = moments.lock().expect("nobody panics");
    std::mem::take(&mut *moments)
}
