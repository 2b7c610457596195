//! What is kept in files: how far a long search has come, and single runs to be played again.

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cli::failure::Failure;
use crate::cli::sim::asked::Asked;
use crate::sim::{Plan, Tally};

/// How far a search has come.
#[derive(Serialize, Deserialize)]
struct State {
    version: String,
    /// The flags: it must be the same search.
    command: String,
    tally: Tally,
}

/// A run, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The program that it failed with.
    version: String,
    /// What was broken.
    invariant: String,
    /// The command that found it.
    command: String,
    plan: Plan,
}

/// How far the search of `seeds` has come.
pub(super) fn read(file: &Path, asked: &Asked, seeds: &Range<u64>) -> Result<Tally, Failure> {
    if !file.exists() {
        return Ok(Tally::from(seeds.start));
    }
    let state: State = parse(file)?;
    let (was, is) = (&state.command, &asked.typed);
    if was != is || state.version != env!("CARGO_PKG_VERSION") {
        return Err(Failure::usage(format!(
            "{} is of another search: cluster sim {was} (version {})",
            file.display(),
            state.version
        ))
        .hint("name another file, or repeat those flags"));
    }
    match goes_on(&state.tally, seeds) {
        Ok(()) => Ok(state.tally),
        Err(why) => Err(Failure::usage(format!("{}: {why}", file.display()))
            .hint("name another file, or the seeds that it is of: it can go on beyond them")),
    }
}

/// Whether `seeds` are those that a search was of, or more that follow.
fn goes_on(tally: &Tally, seeds: &Range<u64>) -> Result<(), String> {
    let Some(began) = tally.began() else {
        return Err("its numbers contradict each other".to_owned());
    };
    let next = tally.next;
    match began == seeds.start && next <= seeds.end {
        true => Ok(()),
        false => Err(format!(
            "it has played seeds {began}..{next}, and seeds {}..{} were asked for",
            seeds.start, seeds.end
        )),
    }
}

pub(super) fn write(file: &Path, asked: &Asked, tally: &Tally) -> Result<(), Failure> {
    let state = State {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: asked.typed.clone(),
        tally: tally.clone(),
    };
    save(file, &state)
}

pub(super) fn read_plan(file: &Path) -> Result<Plan, Failure> {
    let plan = parse::<Kept>(file)?.plan;
    plan.sound().map_err(|why| {
        let name = file.display();
        Failure::usage(format!("{name} cannot be played: {why}"))
            .hint("--replay reads what --keep wrote")
    })?;
    Ok(plan)
}

pub(super) fn keep(
    file: &Path,
    command: &str,
    invariant: &str,
    plan: &Plan,
) -> Result<(), Failure> {
    let kept = Kept {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        invariant: invariant.to_owned(),
        command: command.to_owned(),
        plan: plan.clone(),
    };
    save(file, &kept)
}

fn parse<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let name = file.display();
    let text = fs::read(file)
        .map_err(|error| Failure::usage(format!("{name} cannot be read: {error}")))?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::usage(format!("{name} is not what cluster sim keeps: {error}"))
            .hint("--resume and --replay read what --resume and --keep wrote")
    })
}

/// All or nothing: an old state is better than half a new one.
fn save(file: &Path, what: &impl Serialize) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::system(&format!("cannot write {}", file.display()), error)
    };
    let text = serde_json::to_vec(what).map_err(|error| failed(&error))?;
    let preliminary = file.with_extension("part");
    fs::write(&preliminary, text).map_err(|error| failed(&error))?;
    fs::rename(&preliminary, file).map_err(|error| failed(&error))
}
