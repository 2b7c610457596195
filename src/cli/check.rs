//! `check`: could a recorded history have come from one correct store?

use std::io::Read;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::check::history::{Call, Operation};
use crate::check::{Explanation, Held, History, Property, Verdict, explain, holds, linearizable};
use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::views::intervals;
use crate::views::lines::clean;

/// Decide whether recorded histories are linearizable
///
/// A history is Jepsen's EDN, or JSON lines, one event each: process, type (invoke, then ok, fail or info), f (read, write, delete, cas,
/// append, add), key, value, time. Exit code 0: all are; 1: one is not; 4: one could not be decided in time; 2: one
/// cannot be read.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster check history.jsonl
  cluster check a.jsonl b.jsonl --budget 10s
  cluster check history.jsonl --property read-your-writes
  my-client | cluster check - --json")]
pub(super) struct Check {
    /// The histories; - reads stdin
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<String>,
    /// Which operations are expected; others are refused
    #[arg(long, value_enum, value_name = "MODEL")]
    model: Option<Model>,
    /// What the history is to have
    #[arg(long, value_enum, value_name = "PROPERTY", default_value_t)]
    property: Asked,
    /// How long to think about each
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    budget: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Model {
    /// read, write
    Register,
    /// read, write, delete
    Kv,
    /// read, write, delete, cas
    Cas,
    /// read, append
    Append,
    /// read, add
    Set,
}

impl Model {
    fn has(self, call: &Call) -> bool {
        match call {
            Call::Read => true,
            Call::Write(_) => matches!(self, Model::Register | Model::Kv | Model::Cas),
            Call::Delete => matches!(self, Model::Kv | Model::Cas),
            Call::Cas(..) => self == Model::Cas,
            Call::Append(_) => self == Model::Append,
            Call::Add(_) => self == Model::Set,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Asked {
    /// One order explains everything, each operation between its question and its answer
    #[default]
    Linearizable,
    /// Who wrote a key never reads what was there before
    ReadYourWrites,
    /// Who read a key never reads what was there before that
    MonotonicReads,
    /// When nobody writes any more, everybody reads the same
    Eventual,
    /// What was acknowledged is there in the end, unless something later replaced it
    NoLostAcks,
}

impl Asked {
    /// Those weaker than linearizability.
    fn property(self) -> Option<Property> {
        match self {
            Asked::Linearizable => None,
            Asked::ReadYourWrites => Some(Property::ReadYourWrites),
            Asked::MonotonicReads => Some(Property::MonotonicReads),
            Asked::Eventual => Some(Property::Eventual),
            Asked::NoLostAcks => Some(Property::NoLostAcks),
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    file: &'a str,
    verdict: &'a str,
    operations: usize,
    keys: usize,
    milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    key: &'a str,
    operations: Vec<ShownOperation<'a>>,
}

#[derive(Serialize)]
struct ShownOperation<'a> {
    process: &'a str,
    what: String,
    invoked: usize,
    returned: Option<usize>,
}

const NOT: u8 = 1;
const UNUSABLE: u8 = 2;
const UNKNOWN: u8 = 4;

pub(super) fn run(args: &Check, common: &Common) -> Result<(), Failure> {
    let mut exits = Vec::new();
    for file in &args.files {
        match read(file).and_then(|history| fits(args, history)) {
            Ok(history) => exits.push(judge(args, common, file, &history)?),
            Err(why) => {
                let failure = Failure::usage(format!("{file}: {why}"));
                failure
                    .hint("a history is JSON lines, or Jepsen's EDN; see: cluster check --help")
                    .show(common.json);
                exits.push(UNUSABLE);
            }
        }
    }
    let worst = [UNUSABLE, NOT, UNKNOWN].into_iter();
    match worst.into_iter().find(|exit| exits.contains(exit)) {
        Some(exit) => Err(Failure::silent(exit)),
        None => Ok(()),
    }
}

fn read(file: &str) -> Result<History, String> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop),
        path => std::fs::read_to_string(path).map(|read| text = read),
    };
    read.map_err(|error| format!("cannot be read: {error}"))?;
    History::read(&text).map_err(|error| error.to_string())
}

fn fits(args: &Check, history: History) -> Result<History, String> {
    let Some(model) = args.model else {
        return Ok(history);
    };
    let stranger = history.operations.iter().find(|o| !model.has(&o.call));
    match stranger {
        Some(operation) => {
            let name = model
                .to_possible_value()
                .map(|value| value.get_name().to_owned());
            Err(format!(
                "the model {} has no {:?}, which process {} asks for",
                name.unwrap_or_default(),
                intervals::what(operation),
                operation.process
            ))
        }
        None => Ok(history),
    }
}

/// Decides on a weaker property.
fn judge_property(
    args: &Check,
    property: Property,
    common: &Common,
    file: &str,
    history: &History,
) -> Result<u8, Failure> {
    #[derive(Serialize)]
    struct Report<'a> {
        file: &'a str,
        property: String,
        verdict: &'a str,
        why: Option<&'a str>,
        operations: Vec<String>,
    }
    let name = args.property.to_possible_value();
    let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
    let held = holds(history, property);
    let (exit, word, why, numbers) = match &held {
        Held::Yes => (0, "holds", None, &[][..]),
        Held::No { operations, why } => (NOT, "does not hold", Some(why), operations.as_slice()),
        Held::Unknown(why) => (UNKNOWN, "unknown", Some(why), &[][..]),
    };
    let operations: Vec<&Operation> = numbers.iter().map(|n| &history.operations[*n]).collect();
    let told = |operation: &&Operation| {
        let key = clean(&history.keys[operation.key]);
        let (process, what) = (clean(&operation.process), intervals::what(operation));
        format!("client {process}, key {key}: {what}")
    };
    if common.json {
        out::print_json(&Report {
            file,
            property: name,
            verdict: word,
            why: why.map(String::as_str),
            operations: operations.iter().map(told).collect(),
        })?;
        return Ok(exit);
    }
    out::print(&format!("{file}: {name} {word}"))?;
    for operation in &operations {
        out::print(&format!("  {}", told(operation)))?;
    }
    if let Some(why) = why {
        out::print(&format!("  {why}"))?;
    }
    Ok(exit)
}

fn judge(args: &Check, common: &Common, file: &str, history: &History) -> Result<u8, Failure> {
    if let Some(property) = args.property.property() {
        return judge_property(args, property, common, file, history);
    }
    let began = Instant::now();
    let deadline = began + args.budget;
    let verdict = linearizable(history, deadline);
    let explained = match verdict {
        // Explaining may take as long again.
        Verdict::Violated { key, .. } => explain(history, key, Instant::now() + args.budget),
        Verdict::Holds(_) | Verdict::Unknown { .. } => None,
    };
    let (exit, word) = match &verdict {
        Verdict::Holds(_) => (0, "linearizable"),
        Verdict::Violated { .. } => (NOT, "not linearizable"),
        Verdict::Unknown { .. } => (UNKNOWN, "unknown"),
    };
    let report = Report {
        file,
        verdict: word,
        operations: history.operations.len(),
        keys: history.keys.len(),
        milliseconds: began.elapsed().as_millis() as u64,
        explanation: explained.as_ref().map(shown),
    };
    if common.json {
        out::print_json(&report)?;
        return Ok(exit);
    }
    let (operations, keys) = (report.operations, report.keys);
    let counted = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    out::print(&format!(
        "{file}: {word} ({}, {})",
        counted(operations, "operation"),
        counted(keys, "key")
    ))?;
    if let Verdict::Unknown { keys } = &verdict {
        let names: Vec<String> = keys.iter().map(|key| clean(&history.keys[*key])).collect();
        let budget = humantime::format_duration(args.budget);
        out::print(&format!(
            "  not decided within {budget}: keys {}; give it more: --budget 10m",
            names.join(", ")
        ))?;
    }
    match (&verdict, &explained) {
        (_, Some(explained)) => out::print(&intervals::explanation(explained))?,
        (Verdict::Violated { key, .. }, None) => {
            let key = clean(&history.keys[*key]);
            out::print(&format!("  key {key}; why in short was not found in time"))?;
        }
        _ => {}
    }
    Ok(exit)
}

fn shown(explanation: &Explanation) -> Shown<'_> {
    let history = &explanation.history;
    let operations = explanation.operations.iter().map(|number| {
        let operation = &history.operations[*number];
        ShownOperation {
            process: &operation.process,
            what: intervals::what(operation),
            invoked: operation.invoked,
            returned: operation.returned,
        }
    });
    Shown {
        key: history.keys.first().map_or("", String::as_str),
        operations: operations.collect(),
    }
}
