//! Between two scenes: Enter goes on, `cluster …` is run against the tour's cluster, anything else is refused.

use std::io::BufRead;

use tokio::sync::mpsc::{Receiver, channel};

use crate::cli::exercise::words::Label;

/// What the person wants.
pub(super) enum Next {
    GoOn,
    Command(Vec<String>),
    Refused(Label),
    End,
}

/// The lines of stdin, read by a thread of their own: whoever waits for one can be interrupted.
pub(super) struct Prompt(Receiver<String>);

/// Commands that boot, end or never end.
const NOT_HERE: [&str; 10] = [
    "up",
    "node",
    "down",
    "watch",
    "exercise",
    "chaos",
    "sim",
    "check",
    "completions",
    "ls",
];

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
    let is_refused = |word: &String| {
        NOT_HERE.contains(&word.as_str())
            || word == "-f"
            || word == "--follow"
            || word.starts_with("--cluster")
    };
    match words.iter().any(is_refused) {
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
        assert!(matches!(meant("cluster status"), Next::Command(_)));
        for refused in [
            "rm -rf /",
            "cluster down",
            "cluster logs -f",
            "cluster put 'a",
        ] {
            assert!(matches!(meant(refused), Next::Refused(_)), "{refused}");
        }
    }
}
