//! The command line: one file a command.

mod args;
mod chaos;
mod check;
mod compare;
mod completions;
mod detach;
mod down;
mod drawing;
mod ending;
mod exercise;
mod failure;
mod faults;
mod get;
mod judgement;
mod keys;
mod kill;
mod kv;
mod logs;
mod ls;
mod members;
mod node;
mod out;
mod rules;
mod run;
mod search;
mod sim;
mod status;
mod target;
mod up;
mod wait;
mod watch;

use std::future::Future;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::CompleteEnv;

use crate::cli::args::Common;
use crate::cli::failure::Failure;

/// Run, break, watch and judge a replicated key-value store on one machine, in one process.
#[derive(Parser)]
#[command(
    name = "cluster",
    version = crate::planted::VERSION,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = "Examples:
  cluster up --nodes 3          boot three nodes; then, in another terminal:
  cluster put name Alice
  cluster kill leader && cluster status

Exit codes: 0 done; 1 it failed, or the key does not exist; 2 usage; 3 no such running cluster.")]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Up),
    Node(node::Node),
    Status(status::Status),
    Wait(wait::Wait),
    Put(kv::Put),
    Get(get::Get),
    Delete(kv::Delete),
    Keys(keys::Keys),
    Kill(kill::Kill),
    Revive(kill::Revive),
    Partition(faults::partition::Partition),
    Isolate(faults::isolate::Isolate),
    Cut(faults::cut::Cut),
    Link(faults::link::Link),
    Client(faults::client::Client),
    Pause(faults::pause::Pause),
    Resume(faults::pause::Resume),
    Skew(faults::skew::Skew),
    Disk(faults::disk::Disk),
    Faults(faults::list::Faults),
    Heal(faults::heal::Heal),
    Add(members::Add),
    Remove(members::Remove),
    Transfer(members::Transfer),
    Chaos(chaos::Chaos),
    Run(run::Run),
    Compare(compare::Compare),
    Exercise(exercise::Exercise),
    Check(check::Check),
    Sim(sim::Sim),
    Watch(watch::Watch),
    Logs(logs::Logs),
    Down(down::Down),
    Ls(ls::Ls),
    Completions(completions::Completions),
}

/// Runs the command line, and says how it went.
pub fn main() -> ExitCode {
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    cli.common.choose_colour();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.show(cli.common.json),
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Up(up) if up.detach => block_on(detach::run(up, common)),
        Command::Up(up) => serve(up::run(up, common)),
        Command::Node(node) => serve(node::run(node, common)),
        Command::Status(status) => block_on(status::run(status, common)),
        Command::Wait(wait) => block_on(wait::run(wait, common)),
        Command::Put(put) => block_on(kv::put(put, common)),
        Command::Get(get) => block_on(get::get(get, common)),
        Command::Delete(delete) => block_on(kv::delete(delete, common)),
        Command::Keys(keys) => block_on(keys::run(keys, common)),
        Command::Kill(kill) => block_on(kill::kill(kill, common)),
        Command::Revive(revive) => block_on(kill::revive(revive, common)),
        Command::Partition(args) => block_on(faults::partition::run(args, common)),
        Command::Isolate(args) => block_on(faults::isolate::run(args, common)),
        Command::Cut(args) => block_on(faults::cut::run(args, common)),
        Command::Link(args) => block_on(faults::link::run(args, common)),
        Command::Client(args) => block_on(faults::client::run(args, common)),
        Command::Pause(args) => block_on(faults::pause::pause(args, common)),
        Command::Resume(args) => block_on(faults::pause::resume(args, common)),
        Command::Skew(args) => block_on(faults::skew::run(args, common)),
        Command::Disk(args) => block_on(faults::disk::run(args, common)),
        Command::Faults(args) => block_on(faults::list::run(args, common)),
        Command::Heal(args) => block_on(faults::heal::run(args, common)),
        Command::Add(add) => block_on(members::add(add, common)),
        Command::Remove(remove) => block_on(members::remove(remove, common)),
        Command::Transfer(transfer) => block_on(members::transfer(transfer, common)),
        Command::Chaos(chaos) => serve(chaos::run(chaos, common)),
        Command::Run(args) => serve(run::run(args, common)),
        Command::Compare(args) => serve(compare::run(args, common)),
        Command::Exercise(exercise) => serve(exercise::run(exercise, common)),
        Command::Check(check) => check::run(check, common),
        Command::Sim(sim) => sim::run(sim, common),
        Command::Watch(watch) => block_on(watch::run(watch, common)),
        Command::Logs(logs) => block_on(logs::run(logs, common)),
        Command::Down(down) => block_on(down::run(down, common)),
        Command::Ls(ls) => block_on(ls::run(ls, common)),
        Command::Completions(completions) => completions::run(completions),
    }
}

/// Runs what only asks others.
fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|error| Failure::system("cannot start", &error))?
        .block_on(work)
}

/// Runs what serves others.
fn serve(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::system("cannot start", &error))?;
    let result = runtime.block_on(work);
    // Whatever still runs has been told to stop; nothing of it is worth waiting for.
    runtime.shutdown_background();
    result
}
