//! Between two scenes: Enter goes on, `cluster …` is run against the tour's cluster, anything else is refused.

use std::io::BufRead;

use clap::Parser;
use tokio::sync::mpsc::{Receiver, channel};

use crate::cli::exercise::words::Label;
use crate::cli::{Cli, Command};

/// What the person wants.
pub(super) enum Next {
    GoOn,
    Command(Vec<String>),
    Refused(Label),
    End,
}

/// The lines of stdin, read by a thread of their own: whoever waits for one can be interrupted.
pub(super) struct Prompt(Receiver<String>);

/// Whether a command boots a cluster, ends one, or never ends.
fn is_refused(words: &[String]) -> bool {
    let flags = ["-f", "--follow"];
    if words
        .iter()
        .any(|word| flags.contains(&word.as_str()) || word.starts_with("--cluster"))
    {
        return true;
    }
    let program = std::iter::once("cluster");
    let line = program.chain(words.iter().map(String::as_str));
    // What cannot be read says so itself when it is run.
    Cli::try_parse_from(line).is_ok_and(|cli| {
        matches!(
            cli.command,
            Command::Up(_)
                | Command::Node(_)
                | Command::Down(_)
                | Command::Watch(_)
                | Command::Exercise(_)
                | Command::Chaos(_)
                | Command::Sim(_)
        )
    })
}

impl Prompt {
    pub(super) fn new() -> Prompt {
        let (send, receive) = channel(1);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if send.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Prompt(receive)
    }

    /// A line, as it was typed; `None` at the end of the input.
    pub(super) async fn line(&mut self) -> Option<String> {
        self.0.recv().await
    }

    pub(super) async fn next(&mut self) -> Next {
        match self.line().await {
            Some(line) => meant(&line),
            None => Next::End,
        }
    }
}

fn meant(line: &str) -> Next {
    if line.trim().is_empty() {
        return Next::GoOn;
    }
    let Some(mut words) = split(line) else {
        return Next::Refused(Label::OpenQuote);
    };
    if words.first().map(String::as_str) != Some("cluster") {
        return Next::Refused(Label::OnlyCluster);
    }
    words.remove(0);
    match is_refused(&words) {
        true => Next::Refused(Label::NotHere),
        false => Next::Command(words),
    }
}

/// The words of a line, as a shell has them: quotes hold a word together. `None` if one is left open.
fn split(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_a_word_together() {
        let words = split(r#"cluster put name '"Alice B"' """#);
        let wanted = ["cluster", "put", "name", r#""Alice B""#, ""];
        assert_eq!(words.as_deref(), Some(&wanted.map(str::to_owned)[..]));
        assert_eq!(split("cluster put 'a"), None);
    }

    #[test]
    fn only_commands_that_end_and_leave_the_stage_standing_are_run() {
        assert!(matches!(meant("  "), Next::GoOn));
        for run in ["cluster status", "cluster put down up", "cluster nonsense"] {
            assert!(matches!(meant(run), Next::Command(_)), "{run}");
        }
        for refused in [
            "rm -rf /",
            "cluster --color never down",
            "cluster logs -f",
            "cluster put 'a",
        ] {
            assert!(matches!(meant(refused), Next::Refused(_)), "{refused}");
        }
    }
}
