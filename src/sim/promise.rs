//! What clients saw, held against what was expected: the same for a run in virtual time and for one on ports.

use std::collections::HashMap;
use std::time::Instant;

use crate::check::history::{Call, End, History};
use crate::check::{Budget, Held, Property, Sequential, Verdict, holds, linearizable, sequential};
use crate::sim::expect::Expect;
use crate::types::{Mode, Replication};

/// The name of whoever reads in the end; those who read at single nodes follow. Clients have lower numbers.
pub const READER: usize = 1_000_000;

/// What a history must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing beyond that reads are of writes.
    Nothing,
    /// One order explains writes and the strongest reads.
    Linearizable,
    /// One order that keeps each client's own explains them.
    Sequential,
    /// All reads have this.
    Has(Property),
}

/// How a history fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// As claimed.
    Kept,
    /// Not as claimed.
    Broken(Breach),
    /// The budget was not enough, or the history does not tell.
    Undecided(String),
}

/// A claim that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// What is broken.
    pub invariant: &'static str,
    /// How that shows.
    pub what: String,
    /// The key that shows it, where one does.
    pub key: Option<usize>,
    /// The operations that show it, where they are known already.
    pub operations: Vec<usize>,
    /// As many of them as fit into one order, where that is known.
    pub order: Vec<usize>,
}

impl Expect {
    /// What clients of a cluster in `mode` must have seen.
    pub fn claim(self, mode: Mode) -> Claim {
        match self {
            Expect::Promised if mode.is_linearizable() => Claim::Linearizable,
            Expect::Linearizable => Claim::Linearizable,
            Expect::Sequential => Claim::Sequential,
            Expect::ReadYourWrites => Claim::Has(Property::ReadYourWrites),
            Expect::MonotonicReads => Claim::Has(Property::MonotonicReads),
            Expect::Eventual => Claim::Has(Property::Eventual),
            Expect::Promised | Expect::Available | Expect::OneLeader | Expect::NoLostAcks => {
                Claim::Nothing
            }
        }
    }

    /// Whether an acknowledged write may be missing in the end if its loss was reported. With a disk everything can go where
    /// the next leader need hold nothing.
    pub fn may_lose(self, mode: Mode, has_lost_disks: bool) -> bool {
        let only_with_disks = mode.replication == Replication::Sync;
        !mode.is_linearizable()
            && (!only_with_disks || has_lost_disks)
            && self != Expect::NoLostAcks
    }
}

/// Judges what clients saw: writes and the strongest reads by `strongest`, all reads by `whole`. `until` ends what is not
/// counted in steps.
pub fn judge(
    claim: Claim,
    strongest: &History,
    whole: &History,
    budget: Budget,
    until: Instant,
) -> Judged {
    if let Some(what) = read_of_nothing(whole) {
        return broken("reads are of writes", what, None, Vec::new());
    }
    match claim {
        Claim::Nothing => Judged::Kept,
        Claim::Linearizable => is_linearizable(strongest, budget),
        Claim::Sequential => is_sequential(strongest, budget),
        Claim::Has(Property::Eventual) => is_equal_in_the_end(whole, until),
        Claim::Has(property) => match holds(whole, property, until) {
            Held::Yes => Judged::Kept,
            Held::No { why, operations } => broken(name(property), why, None, operations),
            Held::Unknown(why) => Judged::Undecided(why),
        },
    }
}

fn broken(
    invariant: &'static str,
    what: String,
    key: Option<usize>,
    operations: Vec<usize>,
) -> Judged {
    Judged::Broken(Breach {
        invariant,
        what,
        key,
        operations,
        order: Vec::new(),
    })
}

/// What was read while faults still acted says nothing of the end, even after the last write.
fn is_equal_in_the_end(whole: &History, until: Instant) -> Judged {
    let is_last = |process: &str| process.parse().is_ok_and(|number: usize| number >= READER);
    let all = whole.operations.iter().enumerate();
    let (numbers, operations) = all
        .filter(|(_, o)| o.call != Call::Read || is_last(&o.process))
        .map(|(number, operation)| (number, operation.clone()))
        .unzip();
    let (numbers, keys): (Vec<usize>, _) = (numbers, whole.keys.clone());
    match holds(&History { keys, operations }, Property::Eventual, until) {
        Held::Yes => Judged::Kept,
        Held::No { why, operations } => {
            let operations = operations.iter().map(|at| numbers[*at]).collect();
            broken(name(Property::Eventual), why, None, operations)
        }
        Held::Unknown(why) => Judged::Undecided(why),
    }
}

fn is_linearizable(history: &History, budget: Budget) -> Judged {
    match linearizable(history, budget) {
        Verdict::Holds(_) => Judged::Kept,
        Verdict::Violated { key, .. } => {
            let name = &history.keys[key];
            let what = format!("no order explains what clients saw of {name}");
            broken("linearizability", what, Some(key), Vec::new())
        }
        Verdict::Unknown { keys } => {
            let names: Vec<&str> = keys.iter().map(|k| history.keys[*k].as_str()).collect();
            Judged::Undecided(format!("not decided in time: {}", names.join(", ")))
        }
    }
}

fn is_sequential(history: &History, budget: Budget) -> Judged {
    match sequential(history, budget) {
        Sequential::Holds(_) => Judged::Kept,
        Sequential::Violated { operations, order } => {
            let what = "no order that keeps each client's own explains what they saw";
            Judged::Broken(Breach {
                invariant: "sequential consistency",
                what: what.to_owned(),
                key: None,
                operations,
                order,
            })
        }
        Sequential::Unknown => Judged::Undecided("not decided in time".to_owned()),
    }
}

/// Nobody reads what nobody wrote, nor what was refused. No two operations may write the same.
fn read_of_nothing(history: &History) -> Option<String> {
    let mut written: HashMap<(usize, &str), usize> = HashMap::new();
    for operation in &history.operations {
        if let Call::Write(value) | Call::Cas(_, value) = &operation.call
            && operation.end != End::Fail
        {
            written.insert((operation.key, value), operation.invoked);
        }
    }
    history.operations.iter().find_map(|read| {
        let (Call::Read, End::Ok(Some(seen))) = (&read.call, &read.end) else {
            return None;
        };
        let ended = read.returned.unwrap_or(usize::MAX);
        let is_written = written
            .get(&(read.key, &**seen))
            .is_some_and(|w| *w < ended);
        (&**seen != "null" && !is_written).then(|| {
            let key = &history.keys[read.key];
            format!("a read of {key} sees {seen}, which was never written or was refused")
        })
    })
}

fn name(property: Property) -> &'static str {
    match property {
        Property::ReadYourWrites => "read your writes",
        Property::MonotonicReads => "monotonic reads",
        Property::Eventual => "eventual consistency",
        Property::NoLostAcks => "nothing acknowledged is missing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::Operation;
    use std::time::Duration;

    /// Somebody reads `seen`, after all before.
    fn read(operations: &mut Vec<Operation>, process: usize, seen: &str) {
        let at = 2 * operations.len();
        operations.push(Operation {
            process: process.to_string(),
            key: 0,
            call: Call::Read,
            end: End::Ok(Some(seen.into())),
            invoked: at,
            returned: Some(at + 1),
            invoked_at: None,
            returned_at: None,
        });
    }

    fn judged(reads: &[(usize, &str)]) -> Judged {
        let mut operations = Vec::new();
        read(&mut operations, 1, "null");
        (operations[0].call, operations[0].end) = (Call::Write("1".into()), End::Ok(None));
        for (process, seen) in reads {
            read(&mut operations, *process, seen);
        }
        let keys = vec!["k".to_owned()];
        let whole = History { keys, operations };
        let soon = Instant::now() + Duration::from_secs(60);
        let claim = Claim::Has(Property::Eventual);
        judge(
            claim,
            &History::default(),
            &whole,
            Budget::steps(1000),
            soon,
        )
    }

    #[test]
    fn only_who_reads_when_all_is_quiet_tells_whether_all_are_equal_in_the_end() {
        let early = (2, "null");
        assert!(matches!(judged(&[early]), Judged::Undecided(_)));
        assert_eq!(
            judged(&[early, (READER, "1"), (READER + 2, "1")]),
            Judged::Kept
        );
        let differs = judged(&[early, (READER, "1"), (READER + 2, "null")]);
        let Judged::Broken(breach) = differs else {
            panic!("{differs:?}");
        };
        assert_eq!(
            (breach.invariant, breach.operations),
            ("eventual consistency", vec![2, 3])
        );
    }
}
