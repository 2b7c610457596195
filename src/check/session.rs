//! Weaker properties than linearizability, each judged by what is certain: a read is only called too old if everything
//! that could have made its value surely ended before something began that it had to see. So writes count in the order
//! of time, where one ended before the other began: a store that is only sequential may turn them round, and fails these.
//!
//! Keys that are both appended to and set are not judged.

use std::time::Instant;

use crate::check::grown::{Grown, Pieces, Shows};
use crate::check::history::{Call, End, History, Operation, Text};
use crate::check::linear::by_key;
use crate::check::memory::Map;
use crate::check::values::elements;

/// What a history may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// Who wrote a key never reads what was there before.
    ReadYourWrites,
    /// Who read a key never reads what was there before that.
    MonotonicReads,
    /// When nobody writes any more, everybody reads the same.
    Eventual,
    /// What was acknowledged is there in the end, unless something later replaced it.
    NoLostAcks,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It has it.
    Yes,
    /// It has not: the operations that show it, and why.
    No {
        /// Which operations.
        operations: Vec<usize>,
        /// Why, as a sentence.
        why: String,
    },
    /// The history does not tell.
    Unknown(String),
}

/// One key's operations.
pub(super) struct Key<'a> {
    history: &'a History,
    numbers: Vec<usize>,
    made: Map<&'a str, Made>,
    deadline: Instant,
}

/// What set the key to a value: when the first was asked for, and when the last had surely ended.
#[derive(Clone, Copy)]
struct Made {
    first: usize,
    last: usize,
}

/// Never, or not surely.
const NEVER: usize = usize::MAX;

/// Decides whether `history` has `property`, until `deadline`.
pub fn holds(history: &History, property: Property, deadline: Instant) -> Held {
    let mut unknown = None;
    for numbers in by_key(history) {
        let key = Key {
            made: made(history, &numbers),
            history,
            numbers,
            deadline,
        };
        let held = match property {
            Property::ReadYourWrites => key.read_your_writes(),
            Property::MonotonicReads => key.pairs(|a, b| key.second_read_is_later(a, b)),
            Property::Eventual => key.eventual(),
            Property::NoLostAcks => key.no_lost_acks(),
        };
        match held {
            Held::Yes => {}
            Held::No { .. } => return held,
            Held::Unknown(_) => unknown = Some(held),
        }
    }
    unknown.unwrap_or(Held::Yes)
}

fn made<'a>(history: &'a History, numbers: &[usize]) -> Map<&'a str, Made> {
    let mut made: Map<&str, Made> = Map::default();
    for operation in numbers.iter().map(|n| &history.operations[*n]) {
        let value = match &operation.call {
            Call::Write(value) | Call::Cas(_, value) => value,
            Call::Delete => "null",
            Call::Read | Call::Append(_) | Call::Add(_) => continue,
        };
        if !operation.changes() {
            continue;
        }
        let ended = operation.returned.filter(|_| !operation.is_unknown());
        let entry = made.entry(value).or_insert(Made {
            first: operation.invoked,
            last: 0,
        });
        entry.first = entry.first.min(operation.invoked);
        entry.last = entry.last.max(ended.unwrap_or(NEVER));
    }
    made
}

impl Operation {
    pub(super) fn changes(&self) -> bool {
        self.call != Call::Read && self.end != End::Fail
    }

    fn grows(&self) -> bool {
        matches!(self.call, Call::Append(_) | Call::Add(_))
    }

    pub(super) fn seen(&self) -> Option<&Text> {
        match &self.end {
            End::Ok(Some(seen)) => Some(seen),
            _ => None,
        }
    }

    fn surely_before(&self, other: &Operation) -> bool {
        self.returned
            .filter(|_| !self.is_unknown())
            .is_some_and(|returned| returned < other.invoked)
    }
}

impl Key<'_> {
    fn operation(&self, number: usize) -> &Operation {
        &self.history.operations[number]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Operation)> + Clone {
        self.numbers.iter().map(|n| (*n, self.operation(*n)))
    }

    /// Whether values of the key only grow, by `append` or `add`; `None` if it is set, too.
    pub(super) fn grows(&self) -> Option<bool> {
        let mut changes = self.all().map(|(_, o)| o).filter(|o| o.changes());
        let first = changes.next().is_some_and(Operation::grows);
        changes.all(|o| o.grows() == first).then_some(first)
    }

    /// Whether two readers saw the same: of a key that holds sets, in whatever order its elements are written.
    pub(super) fn is_same(&self, a: &str, b: &str) -> bool {
        let is_set = || {
            let mut calls = self.all().map(|(_, o)| &o.call);
            calls.clone().any(|call| matches!(call, Call::Add(_)))
                || calls.all(|call| *call == Call::Read)
        };
        a == b || (elements(a).is_some() && elements(a) == elements(b) && is_set())
    }

    /// Every two operations of a client, one after the other, of which the second is a read that saw something.
    fn pairs(&self, mut complaint: impl FnMut(&Operation, &Operation) -> Option<String>) -> Held {
        if self.grows().is_none() {
            return Held::Unknown(self.mixed());
        }
        let mut own: Map<&str, Vec<usize>> = Map::default();
        for (b, read) in self.all() {
            if Instant::now() > self.deadline {
                return Held::Unknown("the time was not enough".to_owned());
            }
            let earlier = own.entry(&read.process).or_default();
            if read.seen().is_some() {
                let sure = earlier
                    .iter()
                    .filter(|a| self.operation(**a).surely_before(read));
                let mut found =
                    sure.filter_map(|a| Some((*a, complaint(self.operation(*a), read)?)));
                if let Some((a, why)) = found.next() {
                    let operations = vec![a, b];
                    return Held::No { operations, why };
                }
            }
            earlier.push(b);
        }
        Held::Yes
    }

    fn name(&self) -> &str {
        let key = self.all().next().map_or(0, |(_, o)| o.key);
        &self.history.keys[key]
    }

    pub(super) fn mixed(&self) -> String {
        format!(
            "key {:?} is both appended to and set, which is not judged",
            self.name()
        )
    }

    /// Whether everything that could have left `seen` behind surely ended before `than` began.
    fn is_older(&self, seen: &Text, than: usize) -> bool {
        self.made.get(&**seen).is_none_or(|made| made.last < than)
    }

    /// Why `seen` cannot be what is there after `change`, which sets the key, happened.
    pub(super) fn lacks(&self, seen: &Text, change: &Operation) -> bool {
        match &change.call {
            Call::Write(value) | Call::Cas(_, value) => {
                value != seen && self.is_older(seen, change.invoked)
            }
            Call::Delete => &**seen != "null" && self.is_older(seen, change.invoked),
            Call::Read | Call::Append(_) | Call::Add(_) => false,
        }
    }

    /// The texts that are appended to the key.
    pub(super) fn pieces(&self) -> Pieces<'_> {
        Pieces::new(self.all().map(|(_, o)| o).filter(|o| o.changes()))
    }

    fn read_your_writes(&self) -> Held {
        let pieces = self.pieces();
        // What the latest read shows; it is asked for each of its client's writes.
        let mut shown: Option<(usize, Grown)> = None;
        let mut is_unclear = false;
        let held = self.pairs(|write, read| {
            let seen = read.seen().filter(|_| write.changes())?;
            let lacks = if write.grows() {
                if shown.as_ref().is_none_or(|(at, _)| *at != read.invoked) {
                    shown = Some((read.invoked, pieces.of(seen)));
                }
                let (_, grown) = shown.as_ref()?;
                let shows = grown.shows(&write.call, 1);
                is_unclear |= shows == Shows::Perhaps;
                shows == Shows::No
            } else {
                self.lacks(seen, write)
            };
            lacks.then(|| "the read shows what was there before the client's own write".to_owned())
        });
        match held {
            Held::Yes if is_unclear => Held::Unknown(self.unclear()),
            held => held,
        }
    }

    pub(super) fn unclear(&self) -> String {
        let what = "was appended to in texts that fit together in several ways: which of them a read shows is unclear";
        format!("key {:?} {what}", self.name())
    }

    fn second_read_is_later(&self, first: &Operation, second: &Operation) -> Option<String> {
        let (before, after) = (first.seen()?, second.seen()?);
        let went_back = match self.grows()? {
            true => match (elements(before), elements(after)) {
                (Some(before), Some(after)) => !before.is_subset(&after),
                _ => !after.starts_with(before.trim_end_matches('"')) && &**before != "null",
            },
            // Everything that made the second value ended before anything that made the first began. When a value came that
            // nobody made is not known; but before it was there, nothing was.
            false => {
                let is_older = match self.made.get(&**before) {
                    Some(made) => self.is_older(after, made.first),
                    None => self.is_same(after, "null") && self.is_older(after, 0),
                };
                !self.is_same(before, "null") && !self.is_same(before, after) && is_older
            }
        };
        went_back.then(|| "the second read shows what was there before the first".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// `"1 w 5"`: client 1 writes 5; `"1 r 5"`: reads 5. Each ends before the next begins; `"?"` behind it: no answer.
    fn history(steps: &[&str]) -> History {
        let mut lines = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let words: Vec<&str> = step.split(' ').collect();
            let (f, asked) = match words[1] {
                "w" => ("write", words[2]),
                "r" => ("read", "null"),
                "a" => ("add", words[2]),
                _ => ("delete", "null"),
            };
            let unanswered = words.get(3) == Some(&"?");
            let process = match unanswered {
                true => format!("\"{}-{at}\"", words[0]),
                false => words[0].to_owned(),
            };
            let event = |kind: &str, value: &str| {
                format!(
                    r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"k","value":{value}}}"#
                )
            };
            lines.push(event("invoke", asked));
            if !unanswered {
                lines.push(event("ok", words.get(2).copied().unwrap_or("null")));
            }
        }
        History::from_json_lines(&lines.join("\n")).unwrap()
    }

    fn judge(property: Property, steps: &[&str]) -> &'static str {
        let soon = Instant::now() + Duration::from_secs(60);
        match holds(&history(steps), property, soon) {
            Held::Yes => "yes",
            Held::No { .. } => "no",
            Held::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn who_wrote_does_not_read_what_was_there_before() {
        let judge = |steps: &[&str]| judge(Property::ReadYourWrites, steps);
        assert_eq!(judge(&["1 w 1", "1 w 2", "1 r 2"]), "yes");
        assert_eq!(judge(&["1 w 1", "1 w 2", "1 r 1"]), "no");
        assert_eq!(judge(&["1 w 1", "1 r null"]), "no");
        // Another client's stale read is none of its own.
        assert_eq!(judge(&["1 w 1", "2 r null"]), "yes");
        // Somebody else may have written it again.
        assert_eq!(judge(&["2 w 1 ?", "1 w 1", "1 w 2", "1 r 1"]), "yes");
        assert_eq!(judge(&["1 a 1", "1 r [2]"]), "no");
    }

    #[test]
    fn reads_of_a_client_do_not_go_back() {
        let judge = |steps: &[&str]| judge(Property::MonotonicReads, steps);
        assert_eq!(judge(&["1 w 1", "1 w 2", "2 r 1", "2 r 2"]), "yes");
        assert_eq!(judge(&["1 w 1", "1 w 2", "2 r 2", "2 r 1"]), "no");
        assert_eq!(judge(&["1 w 1", "2 r 1", "2 r null"]), "no");
        assert_eq!(judge(&["1 w 1", "1 d", "2 r 1", "2 r null"]), "yes");
        assert_eq!(judge(&["1 w 1", "1 w 2", "2 r 2", "3 r 1"]), "yes");
        assert_eq!(judge(&["1 a 1", "1 a 2", "2 r [1,2]", "2 r [1]"]), "no");
        // When somebody wrote it who left no trace is not known; only that it was not there in the beginning.
        assert_eq!(judge(&["1 r 9", "2 w 5", "1 r 5"]), "yes");
        assert_eq!(judge(&["1 r 9", "1 r null"]), "no");
        assert_eq!(judge(&["1 r 9", "2 d", "1 r null"]), "yes");
    }

    #[test]
    fn after_quiet_everybody_reads_the_same() {
        let judge = |steps: &[&str]| judge(Property::Eventual, steps);
        assert_eq!(judge(&["1 w 1", "2 r 1", "3 r 1"]), "yes");
        // A first read may still be stale.
        assert_eq!(judge(&["1 w 1", "2 r null", "2 r 1", "3 r 1"]), "yes");
        assert_eq!(judge(&["1 w 1", "2 r 1", "3 r null"]), "no");
        assert_eq!(judge(&["1 w 1 ?", "2 r 1", "3 r null"]), "unknown");
        assert_eq!(judge(&["2 r null", "1 w 1"]), "unknown");
    }

    #[test]
    fn what_was_acknowledged_is_there_in_the_end() {
        let judge = |steps: &[&str]| judge(Property::NoLostAcks, steps);
        assert_eq!(judge(&["1 w 1", "1 w 2", "2 r 2"]), "yes");
        assert_eq!(judge(&["1 w 1", "1 w 2", "2 r 1"]), "no");
        assert_eq!(judge(&["1 w 1", "2 r null"]), "no");
        assert_eq!(judge(&["1 w 1", "1 d", "2 r null"]), "yes");
        assert_eq!(judge(&["1 w 1 ?", "2 r null"]), "yes");
        assert_eq!(judge(&["1 a 1", "2 a 2", "3 r [2]"]), "no");
        assert_eq!(judge(&["1 w 1"]), "unknown");
    }
}
