//! Whether a plan can be played: what is drawn always can, what somebody wrote or changed perhaps not.

use std::time::Duration;

use crate::faults::{Fault, Verdict};
use crate::sim::clients::{NAMES, key_of};
use crate::sim::plan::{Call, Harm, Micros, Place, Plan, Reading, Step};
use crate::sim::world::PLACES;

/// The longest a run, or anything in it, may take, in microseconds: four days. A fault that begins at the end of the longest
/// run that can be asked for, a day, still ends before.
const LONGEST: Micros = 4 * 24 * 3600 * 1_000_000;

/// The longest a message or a write may take where nothing is wrong: a minute. How long a run may last in the end grows with
/// it and with the log.
const SLOWEST: Micros = 60 * 1_000_000;

/// The shortest heartbeat and the shortest timeouts: whoever does something again after no time at all never ends.
const SHORTEST: Micros = 1_000;

/// The most keys.
const MOST_KEYS: usize = 10_000;

/// How fast clocks may run, in millionths of the true speed.
const RATES: std::ops::RangeInclusive<u32> = 10_000..=100_000_000;

/// What is wrong with a plan, and what may be.
type Unsound = Result<(), String>;

impl Plan {
    /// Refuses what cannot be played, with a reason: what is named is not there, or no number has room for it.
    pub fn sound(&self) -> Result<(), String> {
        within("nodes", self.nodes, 1, PLACES)?;
        within("clients", self.clients, 0, NAMES - 1)?;
        self.scale_is_sound()?;
        takes("until", self.until)?;
        if !self.steps.is_sorted_by_key(|step| step.at) {
            return Err("its steps are not in the order of their times".to_owned());
        }
        for step in &self.steps {
            takes("at", step.at)?;
            self.step_is_sound(&step.step)?;
        }
        let mut verdicts = self.fates.iter().flatten().map(|fate| fate.verdict);
        verdicts.try_for_each(verdict_is_sound)
    }

    fn scale_is_sound(&self) -> Unsound {
        let scale = &self.scale;
        for (name, micros) in [
            ("heartbeat", scale.heartbeat),
            ("electionTimeout", scale.election_timeout),
            ("writeTimeout", scale.write_timeout),
        ] {
            takes_between(name, micros, SHORTEST, LONGEST)?;
        }
        for (name, micros) in [
            ("appendPause", scale.append_pause),
            ("latency", scale.latency),
            ("jitter", scale.jitter),
            ("disk", scale.disk),
            ("diskJitter", scale.disk_jitter),
        ] {
            takes_between(name, micros, 0, SLOWEST)?;
        }
        within("keys", scale.keys, 1, MOST_KEYS)?;
        within("appendBytes", scale.append_bytes, 1, 1 << 30)?;
        within("logWindow", scale.log_window, 0, 1 << 30)?;
        within(
            "snapshotEvery",
            scale.snapshot_every.unwrap_or(1),
            1,
            1 << 30,
        )
    }

    fn step_is_sound(&self, step: &Step) -> Unsound {
        match step {
            Step::Fault { harm, .. } => harm_is_sound(harm),
            Step::Lift(_) | Step::Operate(_) => Ok(()),
            Step::Ask { client, call } => {
                let key = usize::from(key_of(*call));
                is_there("client", usize::from(*client), self.clients)?;
                is_there("key", key, self.scale.keys)?;
                match call {
                    Call::Read {
                        consistency: Reading::Local(place) | Reading::Linearizable(place),
                        ..
                    } => is_place(place),
                    _ => Ok(()),
                }
            }
        }
    }
}

fn harm_is_sound(harm: &Harm) -> Unsound {
    match harm {
        // Whoever is not there is not struck.
        Harm::Crash { .. } | Harm::Pause(_) | Harm::FailSync(_) | Harm::Isolate { .. } => Ok(()),
        Harm::Skew(_, rate) if !RATES.contains(rate) => Err(format!(
            "a clock runs at {rate} millionths of the true speed; it can run at {} to {}",
            RATES.start(),
            RATES.end()
        )),
        Harm::Skew(..) => Ok(()),
        Harm::Jump(_, by) => takes("jump", *by),
        Harm::SlowDisk(_, by) => takes("slow-disk", *by),
        Harm::Partition(groups) => groups.iter().flatten().try_for_each(is_place),
        Harm::Links { from, to, fault } => {
            from.iter().chain(to).try_for_each(is_place)?;
            fault_is_sound(fault)
        }
    }
}

fn fault_is_sound(fault: &Fault) -> Unsound {
    lasts("delay", fault.delay)?;
    lasts("jitter", fault.jitter)
}

fn verdict_is_sound(verdict: Verdict) -> Unsound {
    match verdict {
        Verdict::Drop => Ok(()),
        Verdict::Deliver { after, copy } => {
            lasts("after", after)?;
            copy.map_or(Ok(()), |copy| lasts("copy", copy))
        }
    }
}

fn is_place(place: &Place) -> Unsound {
    is_there("node", usize::from(*place), PLACES)
}

fn is_there(name: &str, number: usize, count: usize) -> Unsound {
    match number < count {
        true => Ok(()),
        false => Err(format!(
            "there is no {name} {number}: it has {count}, from 0 on"
        )),
    }
}

fn within(name: &str, number: usize, least: usize, most: usize) -> Unsound {
    match (least..=most).contains(&number) {
        true => Ok(()),
        false => Err(format!(
            "{name} is {number}; there can be {least} to {most}"
        )),
    }
}

fn takes(name: &str, micros: Micros) -> Unsound {
    takes_between(name, micros, 0, LONGEST)
}

fn takes_between(name: &str, micros: Micros, least: Micros, most: Micros) -> Unsound {
    match (least..=most).contains(&micros) {
        true => Ok(()),
        false => Err(format!(
            "{name} is {micros} microseconds; there can be {least} to {most}"
        )),
    }
}

fn lasts(name: &str, time: Duration) -> Unsound {
    takes(name, time.as_micros().min(u64::MAX.into()) as Micros)
}
