//! What was asked for, and how a user would type it.

use std::ops::Range;

use clap::ValueEnum;

use crate::cli::failure::Failure;
use crate::cli::rules::ModeFlags;
use crate::cli::sim::Sim;
use crate::sim::{Expect, Kind, Options};

/// Which seeds.
#[derive(Debug, Clone)]
pub(super) struct Seeds(pub(super) Range<u64>);

/// How many nodes there are, if nothing is said.
const NODES: u8 = 5;

/// How many there may be at most: each needs a few bytes.
const MOST: u64 = 100_000_000;

/// `1000` or `5..900`.
pub(super) fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    let range = match text.split_once("..") {
        Some((first, end)) => number(first).zip(number(end)),
        None => number(text).map(|count| (0, count)),
    };
    match range {
        Some((first, end)) if first < end && end - first <= MOST => Ok(Seeds(first..end)),
        Some((first, end)) if first >= end => Err("it names no seed".to_owned()),
        Some(_) => Err(format!("it must be at most {MOST} seeds")),
        None => Err("write it as 1000, or as 5..900".to_owned()),
    }
}

/// Which kinds of faults.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Faults(pub(in crate::cli) Vec<Kind>);

/// `all`, `none`, or kinds with commas between them.
pub(in crate::cli) fn faults(text: &str) -> Result<Faults, String> {
    match text {
        "all" => return Ok(Faults(Kind::ALL.to_vec())),
        "none" => return Ok(Faults(Vec::new())),
        _ => {}
    }
    let kinds = text.split(',').map(|name| {
        Kind::from_str(name.trim(), true).map_err(|_| {
            let known: Vec<String> = Kind::ALL.iter().map(|kind| name_of(*kind)).collect();
            format!(
                "{name:?} is no fault; there are {}, all and none",
                known.join(", ")
            )
        })
    });
    let mut kinds = kinds.collect::<Result<Vec<Kind>, String>>()?;
    kinds.sort();
    kinds.dedup();
    Ok(Faults(kinds))
}

pub(in crate::cli) fn name_of(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// What was asked of every seed.
pub(super) struct Asked {
    pub(super) options: Options,
    /// The first seed.
    pub(super) first: u64,
    /// The flags that say so, but for the seeds.
    pub(super) typed: String,
}

impl Asked {
    pub(super) fn of(args: &Sim) -> Result<Asked, Failure> {
        let mode = args.mode.mode(None);
        let safeguards = args.mode.safeguards(mode)?;
        let options = Options {
            nodes: args.nodes.unwrap_or(NODES).into(),
            mode,
            safeguards,
            faults: args.faults.0.clone(),
            time: args.time.as_micros() as u64,
            clients: args.clients.map(usize::from),
            rate: args.ops,
            expect: args.expect,
        };
        let mut typed = vec![ModeFlags::typed(mode, safeguards)];
        typed.push(format!("--nodes {}", options.nodes));
        typed.push(format!(
            "--time {}",
            humantime::format_duration(args.time)
                .to_string()
                .replace(' ', "")
        ));
        let kinds: Vec<String> = options.faults.iter().map(|kind| name_of(*kind)).collect();
        typed.push(match kinds.len() {
            0 => "--faults none".to_owned(),
            n if n == Kind::ALL.len() => "--faults all".to_owned(),
            _ => format!("--faults {}", kinds.join(",")),
        });
        typed.extend(args.clients.map(|clients| format!("--clients {clients}")));
        typed.extend(args.ops.map(|ops| format!("--ops {ops}")));
        if args.expect != Expect::Promised {
            typed.push(format!("--expect {}", name_of(args.expect)));
        }
        Ok(Asked {
            options,
            first: args.seeds.0.start,
            typed: typed.join(" "),
        })
    }

    /// The one command line that plays a seed.
    pub(super) fn command(&self, seed: u64) -> String {
        format!("cluster sim --seed {seed} {}", self.typed)
    }
}
