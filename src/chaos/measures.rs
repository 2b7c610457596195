//! What a run measured: how long nothing was acknowledged, after which fault, and how long clients waited.

use serde::Serialize;

use crate::chaos::recording::{Asked, Recording, Struck};
use crate::event::Event;
use crate::sim::plan::Micros;
use crate::wire::messages::Counted;

/// The shortest time without an acknowledged write that counts as an outage.
const OUTAGE: Micros = 100_000;

/// So many times the mean time between writes is no outage yet.
const USUAL: u64 = 12;

/// What was measured.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Measures {
    /// Operations asked by the schedule.
    pub operations: usize,
    /// Operations that were due and never asked, because their client was busy.
    pub left_out: usize,
    /// Operations that were answered, in per cent of those that were due.
    pub availability: f64,
    /// What was due while no fault was in force.
    pub outside_faults: Outside,
    /// Writes acknowledged.
    pub acknowledged: usize,
    /// Writes of which nobody knows.
    pub ambiguous: usize,
    /// How often somebody else led than before.
    pub leader_changes: usize,
    /// Times without an acknowledged write.
    pub outages: Vec<Outage>,
    /// How long clients waited: before the first fault, while any was in force, and after.
    pub latency: [Latency; 3],
    /// Messages between nodes, answers included and heartbeats apart, if anybody counted them.
    pub messages: Option<Counted>,
    /// Those that are no heartbeats, for each operation.
    pub messages_per_operation: Option<f64>,
}

/// Operations that were due while no fault was in force: a cluster that is well is to answer them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outside {
    /// How many.
    pub due: usize,
    /// How many of them were answered.
    pub answered: usize,
    /// How many were not even asked, because their client was busy: whoever waits for an answer asks nothing else.
    pub left_out: usize,
}

/// A time without an acknowledged write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outage {
    /// From the last that was acknowledged before, in milliseconds.
    pub from_ms: f64,
    /// How long.
    pub lasted_ms: f64,
    /// Behind which fault, in words.
    pub after: Option<String>,
}

/// How long answers took, from when the question was due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// How many.
    pub answers: usize,
    /// Half of them took at most so many milliseconds.
    pub p50_ms: f64,
    /// Ninety-nine of a hundred took at most so many.
    pub p99_ms: f64,
}

/// Measures a run.
pub fn measure(recording: &Recording) -> Measures {
    let asked: Vec<&Asked> = recording.scheduled().collect();
    let answered = asked.iter().filter(|asked| asked.is_answered()).count();
    let due = asked.len() + recording.left_out.len();
    let messages = recording.messages;
    Measures {
        operations: asked.len(),
        left_out: recording.left_out.len(),
        availability: 100.0 * answered as f64 / due.max(1) as f64,
        outside_faults: outside_faults(recording, &asked),
        acknowledged: asked.iter().filter(|asked| asked.is_acknowledged()).count(),
        ambiguous: asked.iter().filter(|asked| asked.is_ambiguous()).count(),
        leader_changes: leader_changes(recording),
        outages: outages(recording, &asked),
        latency: latencies(recording, &asked),
        messages,
        messages_per_operation: messages
            .filter(|_| !asked.is_empty())
            .map(|counted| counted.others as f64 / asked.len().max(1) as f64),
    }
}

fn outside_faults(recording: &Recording, asked: &[&Asked]) -> Outside {
    let is_outside = |at: Micros| !recording.struck.iter().any(|s| s.is_in_force(at));
    let outside = asked.iter().filter(|asked| is_outside(asked.due_at));
    let left_out = recording.left_out.iter().filter(|due| is_outside(**due));
    let left_out = left_out.count();
    Outside {
        due: outside.clone().count() + left_out,
        answered: outside.filter(|asked| asked.is_answered()).count(),
        left_out,
    }
}

fn leader_changes(recording: &Recording) -> usize {
    let leaders = recording.happened.iter().filter_map(|h| match h.event {
        Event::Leader { .. } => h.node.as_ref(),
        _ => None,
    });
    let leaders: Vec<_> = leaders.collect();
    // Who led when the run began was reported before it.
    let first = usize::from(
        recording.first_leader.is_some()
            && recording.first_leader.as_ref() != leaders.first().copied(),
    );
    first * usize::from(!leaders.is_empty())
        + leaders.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

impl Measures {
    /// All times without an acknowledged write together, in milliseconds.
    pub fn unavailable_ms(&self) -> f64 {
        let lasted = self.outages.iter().map(|outage| outage.lasted_ms);
        lasted.fold(0.0, |all, lasted| all + lasted)
    }
}

fn outages(recording: &Recording, asked: &[&Asked]) -> Vec<Outage> {
    let writes: Vec<&&Asked> = asked.iter().filter(|asked| asked.is_write()).collect();
    let Some(first) = writes.iter().map(|write| write.due_at).min() else {
        return Vec::new();
    };
    let mean = (recording.until - first.min(recording.until)) / writes.len() as u64;
    let least = OUTAGE.max(USUAL * mean);
    let done = writes.iter().filter(|write| write.is_acknowledged());
    let mut done: Vec<Micros> = done.map(|write| write.returned_at).collect();
    done.sort_unstable();
    let ends = done.iter().copied().chain([recording.until]);
    let mut outages = Vec::new();
    let mut last = first;
    for next in ends {
        if next > last + least
            && let Some((from, until)) = waited(&writes, last, next)
            && until > from + least
        {
            outages.push(Outage {
                from_ms: from as f64 / 1e3,
                lasted_ms: (until - from) as f64 / 1e3,
                after: cause(recording, from, until).map(|struck| struck.what.clone()),
            });
        }
        last = last.max(next);
    }
    outages
}

/// The part of a time without acknowledged writes in which somebody waited for one: whose client waits for a read
/// elsewhere shows nothing about writes.
fn waited(writes: &[&&Asked], last: Micros, next: Micros) -> Option<(Micros, Micros)> {
    let open = writes
        .iter()
        .filter(|write| write.invoked_at < next && write.returned_at > last);
    let from = open.clone().map(|write| write.invoked_at).min()?;
    let until = open.map(|write| write.returned_at).max()?;
    Some((from.max(last), until.min(next)))
}

/// The fault behind an outage: the last that began before it or just as it did, and was in force; else the first in it.
fn cause(recording: &Recording, from: Micros, until: Micros) -> Option<&Struck> {
    let took = || recording.struck.iter().filter(|s| s.void.is_none());
    let near =
        |s: &&Struck| s.from <= from + OUTAGE && s.until.is_none_or(|end| end + OUTAGE > from);
    let before = took().filter(near).max_by_key(|s| s.from);
    before.or_else(|| took().find(|s| (from..until).contains(&s.from)))
}

fn latencies(recording: &Recording, asked: &[&Asked]) -> [Latency; 3] {
    let took = recording.struck.iter().filter(|s| s.void.is_none());
    let first = took.clone().map(|s| s.from).min().unwrap_or(Micros::MAX);
    let mut waited: [Vec<Micros>; 3] = Default::default();
    for asked in asked.iter().filter(|asked| asked.is_answered()) {
        let overlaps = |s: &Struck| {
            s.from <= asked.returned_at && s.until.is_none_or(|until| asked.due_at < until)
        };
        let when = match took.clone().any(overlaps) {
            true => 1,
            false if asked.due_at < first => 0,
            false => 2,
        };
        waited[when].push(asked.returned_at.saturating_sub(asked.due_at));
    }
    waited.map(latency)
}

fn latency(mut waited: Vec<Micros>) -> Latency {
    waited.sort_unstable();
    let at = |percent| percentile(&waited, percent).map_or(0.0, |micros| micros as f64 / 1e3);
    Latency {
        answers: waited.len(),
        p50_ms: at(50),
        p99_ms: at(99),
    }
}

/// A percentile of what is sorted, by the nearest rank: the least of it that so many percent do not exceed. `None` of nothing.
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::recording::Planned;
    use crate::check::history::{Call, End};
    use crate::sim::plan::{Harm, Who};

    const MS: Micros = 1000;

    /// A write, asked and answered at these milliseconds; or not answered.
    fn write(asked: Micros, answered: Micros, end: End) -> Asked {
        Asked {
            process: 0,
            key: 0,
            call: Call::Write("1".into()),
            reading: None,
            end,
            is_void: false,
            invoked: asked as usize,
            returned: Some(answered as usize),
            due_at: asked * MS,
            invoked_at: asked * MS,
            returned_at: answered * MS,
            entry: None,
            is_final: false,
        }
    }

    fn done(asked: Micros, answered: Micros) -> Asked {
        write(asked, answered, End::Ok(None))
    }

    fn run(asked: Vec<Asked>) -> Recording {
        Recording {
            until: 1000 * MS,
            struck: vec![Struck {
                number: 1,
                planned: Planned::Harm(Harm::Pause(Who::Leader)),
                whom: Vec::new(),
                what: "a fault".to_owned(),
                from: 300 * MS,
                until: Some(700 * MS),
                void: None,
            }],
            asked,
            ..Recording::default()
        }
    }

    #[test]
    fn a_percentile_is_the_least_that_so_many_percent_do_not_exceed() {
        let hundred: Vec<u64> = (1..=100).collect();
        let of = |percent| percentile(&hundred, percent);
        assert_eq!([of(1), of(50), of(99), of(100)], [1, 50, 99, 100].map(Some));
        assert_eq!(percentile(&[1, 2], 50), Some(1));
        assert_eq!(percentile(&[1, 2, 3], 50), Some(2));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile::<u64>(&[], 50), None);
    }

    fn steady(until: Micros) -> Vec<Asked> {
        (0..until / 5).map(|n| done(5 * n, 5 * n + 1)).collect()
    }

    #[test]
    fn an_outage_is_when_somebody_waits_for_a_write_and_is_put_down_to_its_fault() {
        let mut asked = steady(300);
        asked.push(done(310, 650));
        asked.extend((131..200).map(|n| done(5 * n, 5 * n + 1)));
        let measures = measure(&run(asked));
        let [outage] = &measures.outages[..] else {
            panic!("{:?}", measures.outages);
        };
        assert_eq!(outage.after.as_deref(), Some("a fault"));
        assert!((330.0..350.0).contains(&outage.lasted_ms), "{outage:?}");
        assert_eq!(measures.unavailable_ms(), outage.lasted_ms);
    }

    #[test]
    fn where_nobody_waits_for_a_write_there_is_no_outage() {
        let mut asked = steady(300);
        asked.extend((131..200).map(|n| done(5 * n, 5 * n + 1)));
        assert!(measure(&run(asked)).outages.is_empty());
    }

    #[test]
    fn latencies_are_told_apart_by_the_faults_and_what_has_no_answer_has_none() {
        let mut asked = vec![done(10, 12), done(400, 450), done(800, 803)];
        asked.push(write(500, 900, End::Unknown));
        let measures = measure(&run(asked));
        let waited: Vec<(usize, f64)> = measures
            .latency
            .iter()
            .map(|latency| (latency.answers, latency.p99_ms))
            .collect();
        assert_eq!(waited, [(1, 2.0), (1, 50.0), (1, 3.0)]);
        assert_eq!((measures.acknowledged, measures.ambiguous), (3, 1));
        let outside = measures.outside_faults;
        assert_eq!((outside.due, outside.answered), (2, 2));
        assert_eq!(measures.availability, 75.0);
    }
}
