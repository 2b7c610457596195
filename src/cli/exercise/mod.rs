//! `exercise`: the chapter's three exercises as guided tours, and its five questions.

mod menu;
mod one;
mod prompt;
mod stage;
mod three;
mod tour;
mod two;
mod words;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::cli::args::Common;
use crate::cli::ending::Ending;
use crate::cli::exercise::prompt::Prompt;
use crate::cli::exercise::tour::{Ingredient, Tour};
use crate::cli::exercise::words::{Label, Language};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::types::Mode;
use crate::views::lines::Lang;

/// Walk through the chapter's exercises, on a cluster that is gone afterwards
///
/// Every step says what is done and why, the command a person would type, what is expected, what came, and what it means.
/// 1: stop two nodes of three. 2: read from a follower that lags. 3: improve the election. Without a number: a menu, and the
/// chapter's questions with their answers.
///
/// Exit code 0: all came as expected; 1: something did not.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster exercise                     the menu, and the chapter's questions
  cluster exercise 2                   a stale read, and the moment of convergence
  cluster exercise 1 --mode lowest-id+sync
  cluster exercise 3 --lang fr --step  in French; Enter goes on, commands can be typed in between")]
pub(super) struct Exercise {
    /// Which exercise
    #[arg(value_name = "1|2|3", value_parser = clap::value_parser!(u8).range(1..=3))]
    number: Option<u8>,
    /// The language of the tour
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
    /// Wait for Enter between the steps; commands can be typed there
    #[arg(long)]
    step: bool,
    /// The mode of exercise 1, as raft or bully+quorum [default: the chapter's, lowest-id+async]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    mode: Option<Mode>,
    /// Leave a fault out, to check that the tour notices
    #[arg(long, value_name = "FAULT", value_enum, hide = true)]
    without_fault: Vec<Ingredient>,
}

/// `raft`, or an election and a replication.
fn mode(text: &str) -> Result<Mode, String> {
    if text == "raft" {
        return Ok(Mode::RAFT);
    }
    let parts: Vec<&str> = text.split('+').map(str::trim).collect();
    parts.join(" + ").parse().map_err(|()| {
        "it is raft, or lowest-id, bully or raft with +async, +quorum or +sync".to_owned()
    })
}

pub(super) async fn run(args: &Exercise, common: &Common) -> Result<(), Failure> {
    if common.json {
        let message = "an exercise is for people: it has no --json";
        return Err(Failure::usage(message)
            .hint("its exit code says whether all came as expected; for programs: cluster run, cluster chaos"));
    }
    let mut ending = Ending::new()?;
    if ending.is_over() {
        return Err(Failure::silent(130));
    }
    // Whatever has been booted is in this process, and its registration goes with what is dropped here.
    let down = CancellationToken::new();
    tokio::select! {
        done = chosen(args, &down) => done,
        () = down.cancelled() => {
            out::note(common, "its cluster was ended: nothing is claimed of what was not seen");
            Err(Failure::silent(130))
        }
        () = ending.wait() => {
            out::note(common, "interrupted: nothing is claimed of what was not seen");
            Err(Failure::silent(130))
        }
    }
}

async fn chosen(args: &Exercise, down: &CancellationToken) -> Result<(), Failure> {
    let lang = Language(args.lang);
    if args.mode.is_some() && args.number != Some(1) {
        return Err(Failure::usage("--mode is for exercise 1")
            .hint("exercises 2 and 3 compare modes by themselves"));
    }
    match args.number {
        Some(number) => guided(args, number, args.step.then(Prompt::new), down).await,
        None => match menu::choose(lang).await? {
            Some((number, prompt)) => guided(args, number, args.step.then_some(prompt), down).await,
            None => Ok(()),
        },
    }
}

/// What to type after an exercise.
fn after(lang: Language, number: u8) -> String {
    match number {
        1 | 2 => {
            let next = lang.label(Label::Next);
            next.replace("{n}", &(number + 1).to_string())
        }
        _ => lang.label(Label::Last).to_owned(),
    }
}

async fn guided(
    args: &Exercise,
    number: u8,
    prompt: Option<Prompt>,
    down: &CancellationToken,
) -> Result<(), Failure> {
    let lang = Language(args.lang);
    let mut tour = Tour::new(lang, prompt, down.clone(), &args.without_fault)?;
    tour.greet()?;
    let played = match number {
        1 => one::play(&mut tour, args.mode.unwrap_or_default()).await,
        2 => two::play(&mut tour).await,
        _ => three::play(&mut tour).await,
    };
    let is_seen = tour.end().await;
    match (played, is_seen) {
        (Err(failure), true) => Err(failure),
        (Err(_), false) => Ok(()),
        (Ok(()), _) => out::print(&format!(
            "\n{} {}",
            lang.label(Label::Done),
            after(lang, number)
        )),
    }
}
