//! What happened in a run, live or in virtual time: what clients asked and saw, whom the faults struck, what nodes reported.

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::check::history::{self, Call, End, History};
use crate::event::Event;
use crate::sim::plan::{Harm, Micros, Operation, Reading};
use crate::types::{EntryId, NodeId};
use crate::wire::messages::{Counted, Passed};

/// Everything that happened in a run.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// The keys, by their numbers.
    pub keys: Vec<String>,
    /// What clients asked, in the order of the asking.
    pub asked: Vec<Asked>,
    /// When operations were due that were never asked, because their client was busy.
    pub left_out: Vec<Micros>,
    /// The faults, in the order of their beginning.
    pub struck: Vec<Struck>,
    /// What nodes reported, in order.
    pub happened: Vec<Happened>,
    /// The nodes there were when it began.
    pub nodes: Vec<NodeId>,
    /// Who led when it began, if anybody did.
    pub first_leader: Option<NodeId>,
    /// Messages between nodes until clients ended to ask by the schedule, if anybody counted them.
    pub messages: Option<Counted>,
    /// The messages themselves, if that was asked for: the last ones, in the order of their sending, by this run's time.
    pub passed: Vec<Passed>,
    /// How many before them were forgotten.
    pub forgotten: u64,
    /// When clients ended to ask by the schedule.
    pub until: Micros,
    /// What came of it in the end.
    pub end: Ending,
}

/// How a run came to rest.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// What kept the cluster from coming to rest when all was healed.
    pub unrest: Option<String>,
    /// What could not be looked at, though the cluster is not to blame: how it ended is not known then.
    pub unseen: Option<String>,
    /// Where the log ends.
    pub last_entry: Option<EntryId>,
    /// Keys of which the cluster reported a loss, with the entry, if it was named.
    pub reported: Vec<(String, Option<EntryId>)>,
    /// How many writes the cluster reported as lost.
    pub reported_count: u64,
    /// Whether it was ended before its time.
    pub is_cut_short: bool,
}

/// An operation, as its client knows it. Times are from the beginning of the run.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The client's name; after an operation of which it knows nothing, it takes another.
    pub process: usize,
    /// Which key.
    pub key: usize,
    /// What it asked.
    pub call: Call,
    /// If it reads: what is asked of the answer.
    pub reading: Option<Reading>,
    /// What became of it.
    pub end: End,
    /// It surely did not happen, and nobody saw anything by it.
    pub is_void: bool,
    /// Its place among all events: it was asked then.
    pub invoked: usize,
    /// Its client knew then, or gave up.
    pub returned: Option<usize>,
    /// When it was to be asked.
    pub due_at: Micros,
    /// When it was asked.
    pub invoked_at: Micros,
    /// When its client knew, or gave up.
    pub returned_at: Micros,
    /// The entry that did it, if it is an acknowledged write and the store tells.
    pub entry: Option<EntryId>,
    /// It belongs to the end, not to the schedule.
    pub is_final: bool,
}

/// A fault, planned and applied.
#[derive(Debug, Clone)]
pub struct Struck {
    /// Its number in the plan.
    pub number: u32,
    /// What was planned.
    pub planned: Planned,
    /// Whom it struck, if it is about nodes.
    pub whom: Vec<NodeId>,
    /// The same in words, with the names of those it struck.
    pub what: String,
    /// When it was ordered.
    pub from: Micros,
    /// When it was undone.
    pub until: Option<Micros>,
    /// Why it had no effect, if it had none.
    pub void: Option<String>,
}

/// What was planned.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned {
    /// A fault, which lasts.
    Harm(Harm),
    /// An operator's wish.
    Operation(Operation),
    /// A scenario's step, in words.
    Step(String),
}

/// What a node reported, or the cluster as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    /// When.
    pub at: Micros,
    /// Who.
    pub node: Option<NodeId>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

impl Asked {
    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.reading.is_none() && self.call != Call::Read
    }

    /// Whether it was answered: done, or seen that it cannot be.
    pub fn is_answered(&self) -> bool {
        !self.is_void && self.end != End::Unknown
    }

    /// Whether it is a write that is done.
    pub fn is_acknowledged(&self) -> bool {
        self.is_write() && matches!(self.end, End::Ok(_)) && !self.is_void
    }

    /// Whether nobody knows whether it is done.
    pub fn is_ambiguous(&self) -> bool {
        self.is_write() && self.end == End::Unknown
    }

    fn is_weak(&self, is_linearizable: bool) -> bool {
        match self.reading {
            None | Some(Reading::Linearizable(_)) => false,
            Some(Reading::Leader) => is_linearizable,
            Some(Reading::Local(_)) => true,
        }
    }
}

impl Struck {
    /// Whether it is in force at `at`.
    pub fn is_in_force(&self, at: Micros) -> bool {
        self.void.is_none() && self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Recording {
    /// What clients saw; of reads only the strongest that the mode offers, if so asked.
    pub fn history(&self, is_linearizable: bool, strongest_only: bool) -> History {
        let is_left_out =
            |asked: &Asked| asked.is_void || (strongest_only && asked.is_weak(is_linearizable));
        let operation = |asked: &Asked| history::Operation {
            process: asked.process.to_string(),
            key: asked.key,
            call: asked.call.clone(),
            end: asked.end.clone(),
            invoked: asked.invoked,
            returned: asked.returned.filter(|_| asked.end != End::Unknown),
            invoked_at: Some(asked.invoked_at * 1000),
            returned_at: asked.returned.map(|_| asked.returned_at * 1000),
        };
        let operations = self
            .asked
            .iter()
            .filter(|asked| !is_left_out(asked))
            .map(operation);
        History {
            keys: self.keys.clone(),
            operations: operations.collect(),
        }
    }

    /// The operations of schedule, without those of the end.
    pub fn scheduled(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(|asked| !asked.is_final)
    }

    /// What clients saw, in the lines that `cluster check` reads, in the order observed.
    pub fn lines(&self) -> String {
        let mut events: Vec<(usize, String)> = Vec::new();
        for asked in &self.asked {
            let (f, value) = shape(asked);
            let line = |kind: &str, value: &Json, at: Micros| {
                let key = &self.keys[asked.key];
                let time = at * 1000;
                json!({"process": asked.process, "type": kind, "f": f, "key": key, "value": value, "time": time})
                    .to_string()
            };
            events.push((asked.invoked, line("invoke", &value, asked.invoked_at)));
            let (kind, seen) = match &asked.end {
                _ if asked.is_void => ("fail", value),
                End::Fail => ("fail", value),
                End::Ok(Some(seen)) => ("ok", value_of(seen)),
                End::Ok(None) => ("ok", value),
                End::Unknown => ("info", value),
            };
            if let Some(returned) = asked.returned {
                events.push((returned, line(kind, &seen, asked.returned_at)));
            }
        }
        events.sort_unstable_by_key(|(event, _)| *event);
        events.iter().map(|(_, line)| format!("{line}\n")).collect()
    }
}

/// How an operation is written down. There a failed `cas` is an observation: one that a node refused to try is written
/// down as a write that failed, which says no more than that it did not happen.
fn shape(asked: &Asked) -> (&'static str, Json) {
    match &asked.call {
        Call::Cas(_, new) if asked.is_void => ("write", value_of(new)),
        Call::Cas(old, new) => ("cas", json!([value_of(old), value_of(new)])),
        Call::Write(value) | Call::Append(value) | Call::Add(value) => ("write", value_of(value)),
        Call::Delete => ("delete", Json::Null),
        Call::Read => ("read", Json::Null),
    }
}

fn value_of(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(event: usize, call: Call, end: End) -> Asked {
        Asked {
            process: 1,
            key: 0,
            call,
            reading: None,
            end,
            is_void: false,
            invoked: event,
            returned: Some(event + 1),
            due_at: 0,
            invoked_at: 0,
            returned_at: 0,
            entry: None,
            is_final: false,
        }
    }

    #[test]
    fn what_is_written_down_is_read_again_as_it_was() {
        let read = Asked {
            reading: Some(Reading::Leader),
            ..asked(2, Call::Read, End::Ok(Some("1".into())))
        };
        let unknown = Asked {
            process: 1001,
            ..asked(8, Call::Delete, End::Unknown)
        };
        let recording = Recording {
            keys: vec!["k".to_owned()],
            asked: vec![
                asked(0, Call::Write("1".into()), End::Ok(None)),
                read,
                asked(4, Call::Cas("null".into(), "2".into()), End::Fail),
                asked(6, Call::Cas("1".into(), "3".into()), End::Ok(None)),
                unknown,
            ],
            ..Recording::default()
        };
        let again = History::from_json_lines(&recording.lines()).expect("a history");
        let whole = recording.history(false, false);
        let shape = |history: &History| {
            let all = history.operations.iter();
            all.map(|o| (o.call.clone(), o.end.clone(), o.invoked, o.returned))
                .collect::<Vec<_>>()
        };
        assert_eq!(shape(&again), shape(&whole));
    }

    #[test]
    fn a_compare_and_set_that_nobody_tried_is_no_observation() {
        let void = Asked {
            is_void: true,
            ..asked(0, Call::Cas("1".into(), "2".into()), End::Fail)
        };
        let recording = Recording {
            keys: vec!["k".to_owned()],
            asked: vec![void],
            ..Recording::default()
        };
        let again = History::from_json_lines(&recording.lines()).expect("a history");
        assert_eq!(again.operations[0].call, Call::Write("2".into()));
        assert_eq!(again.operations[0].end, End::Fail);
        assert!(recording.history(false, false).operations.is_empty());
    }
}
