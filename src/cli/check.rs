//! `check`: could a recorded history have come from one correct store?

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::check::History;
use crate::check::history::Call;
use crate::cli::args::{Common, duration};
use crate::cli::drawing;
use crate::cli::failure::Failure;
use crate::cli::judgement::{Asked, Judgement};
use crate::cli::out;
use crate::views::intervals;

/// Decide whether recorded histories are linearizable
///
/// A history is Jepsen's EDN, or JSON lines, one event each: process, type (invoke, then ok, fail or info), f (read, write, delete, cas,
/// append, add), key, value, time. Exit code 0: all are; 1: one is not; 4: one could not be decided in time; 2: one
/// cannot be read.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster check history.jsonl
  cluster check history.jsonl --html history.html
  cluster check a.jsonl b.jsonl --budget 10s
  cluster check history.jsonl --property sequential
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
    /// How long to think about each; explaining may take as long again
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    budget: Duration,
    /// Draw the history on a page of its own, for a browser
    #[arg(long, value_name = "OUT", value_hint = clap::ValueHint::FilePath)]
    html: Option<String>,
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

const NOT: u8 = 1;
const UNUSABLE: u8 = 2;
const UNKNOWN: u8 = 4;

pub(super) fn run(args: &Check, common: &Common) -> Result<(), Failure> {
    if args.html.is_some() && args.files.len() > 1 {
        let hint = "draw each on a page of its own: cluster check FILE --html OUT";
        let failure = Failure::usage("--html draws one history, and several are given");
        return Err(failure.hint(hint));
    }
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
    let mut bytes = Vec::new();
    let read = match file {
        "-" => std::io::stdin().read_to_end(&mut bytes).map(drop),
        path => std::fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|error| format!("cannot be read: {error}"))?;
    History::from_bytes(&bytes).map_err(|error| error.to_string())
}

fn fits(args: &Check, history: History) -> Result<History, String> {
    let Some(model) = args.model else {
        return Ok(history);
    };
    let stranger = history.operations.iter().find(|o| !model.has(&o.call));
    let Some(operation) = stranger else {
        return Ok(history);
    };
    let value = model.to_possible_value();
    let name = value.as_ref().map_or("", |value| value.get_name());
    let has = value.as_ref().and_then(|value| value.get_help());
    Err(format!(
        "event {}: process {} asks for a {}, which the model {name} has not; expected {}",
        operation.invoked + 1,
        operation.process,
        intervals::asked(&operation.call),
        has.map_or_else(String::new, ToString::to_string)
    ))
}

fn judge(args: &Check, common: &Common, file: &str, history: &History) -> Result<u8, Failure> {
    if history.operations.is_empty() {
        out::note(common, &format!("{file}: there is no operation in it"));
    }
    let judgement = Judgement::new(history, args.property, args.budget);
    // Files come first: nobody may read the rest.
    let drawn = args.html.as_ref().map(|path| {
        let page = drawing::page(&judgement, file, args.budget);
        out::write(Path::new(path), &page).map_err(|failure| failure.with_exit(UNUSABLE))?;
        out::note(common, &format!("drawn in {path}"));
        Ok::<(), Failure>(())
    });
    let told = match common.json {
        true => out::print_json(&judgement.report(file)),
        false => out::print(&judgement.text(file)),
    };
    Failure::unless_unread(told)?;
    drawn.transpose()?;
    Ok(match judgement.holds {
        Some(true) => 0,
        Some(false) => NOT,
        None => UNKNOWN,
    })
}
