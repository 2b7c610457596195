//! Plants each bug, and has `cluster sim` look for it: see `scripts/mutants`.
//!
//!     mutants PROGRAM [--seeds N] [--jobs N] [NAME…]

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use cluster::planted::Bug;
use serde_json::Value;

struct Asked {
    program: String,
    seeds: u64,
    jobs: Option<String>,
    bugs: Vec<Bug>,
}

fn asked() -> Result<Asked> {
    let mut words = std::env::args().skip(1);
    let program = words.next().context("which program?")?;
    let (mut seeds, mut jobs, mut bugs) = (20_000, None, Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => seeds = words.next().context("how many seeds?")?.parse()?,
            "--jobs" => jobs = Some(words.next().context("how many jobs?")?),
            name => {
                bugs.push(Bug::from_name(name).with_context(|| format!("no bug is called {name}"))?)
            }
        }
    }
    if bugs.is_empty() {
        bugs = Bug::ALL.to_vec();
    }
    Ok(Asked {
        program,
        seeds,
        jobs,
        bugs,
    })
}

impl Asked {
    /// What `cluster sim` says of these seeds, with `bug` planted, if any is.
    fn simulate(&self, flags: &str, seeds: u64, bug: Option<Bug>) -> Result<Value> {
        let mut command = Command::new(&self.program);
        command.args(["sim", "--quiet", "--json", "--time", "1m"]);
        command.args(flags.split(' '));
        command.args(["--seeds", &format!("1..{}", seeds + 1)]);
        if let Some(jobs) = &self.jobs {
            command.args(["--jobs", jobs]);
        }
        match bug {
            Some(bug) => command.arg("--until-found").env("PLANTED", bug.name()),
            None => command.env_remove("PLANTED"),
        };
        let output = command.output().context(self.program.clone())?;
        serde_json::from_slice(&output.stdout).with_context(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!("sim {flags} said no JSON: {errors}")
        })
    }
}

/// The first seed that shows something, what it breaks, and how many events the shortest story has.
fn first(said: &Value) -> Option<(u64, String, u64)> {
    let violations = said["violations"].as_array()?;
    let first = violations.iter().min_by_key(|one| one["seed"].as_u64())?;
    let invariant = first["invariant"].as_str().unwrap_or("?").to_owned();
    Some((
        first["seed"].as_u64()?,
        invariant,
        first["events"].as_u64().unwrap_or(0),
    ))
}

fn run() -> Result<bool> {
    let asked = asked()?;
    let mut needed: BTreeMap<String, u64> = BTreeMap::new();
    let mut missed = Vec::new();
    println!("| bug | mode | first seed | what it breaks | events of the shortest story |");
    println!("|---|---|---|---|---|");
    for bug in &asked.bugs {
        for flags in bug.flags() {
            let said = asked.simulate(&flags, asked.seeds, Some(*bug))?;
            let name = bug.name();
            let until = match first(&said) {
                Some((seed, invariant, events)) => {
                    println!("| {name} | `{flags}` | {seed} | {invariant} | {events} |");
                    seed
                }
                None => {
                    println!("| {name} | `{flags}` | **not in {}** | | |", asked.seeds);
                    missed.push(format!("{name} ({flags})"));
                    asked.seeds
                }
            };
            let seeds = needed.entry(flags).or_default();
            *seeds = (*seeds).max(until);
        }
    }
    println!();
    let mut is_clean = true;
    for (flags, seeds) in needed {
        let said = asked.simulate(&flags, seeds, None)?;
        match first(&said) {
            None => println!("without a bug, `{flags}`: {seeds} seeds, every promise kept"),
            Some((seed, invariant, _)) => {
                println!("WITHOUT a bug, `{flags}`: seed {seed} breaks {invariant}");
                is_clean = false;
            }
        }
    }
    match missed[..] {
        [] => println!("every bug is found"),
        _ => println!("NOT found: {}", missed.join(", ")),
    }
    Ok(is_clean && missed.is_empty())
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mutants: {error:#}");
            ExitCode::from(2)
        }
    }
}
