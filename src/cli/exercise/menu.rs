//! Without a number: what there is, and the chapter's questions, answered by what the exercises show.

use std::io::IsTerminal;

use crate::cli::exercise::prompt::Prompt;
use crate::cli::exercise::words::{Label, Language};
use crate::cli::failure::Failure;
use crate::cli::out;

/// Shows the menu; at a terminal, what is chosen from it. Whoever goes on reads from the same prompt: the next line is read
/// already.
pub(super) async fn choose(lang: Language) -> Result<Option<(u8, Prompt)>, Failure> {
    out::print(lang.label(Label::Menu))?;
    out::print(&format!("\n{}", lang.label(Label::Questions)))?;
    for (n, question) in (1..).zip(lang.questions()) {
        let text = format!(
            "\n  {n}. {}\n     {}\n     [{}]",
            question.question, question.answer, question.seen
        );
        out::print(&text)?;
    }
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !is_terminal {
        return Ok(None);
    }
    out::print(&format!("\n{}", lang.label(Label::Choose)))?;
    let mut prompt = Prompt::new();
    let line = prompt.line().await;
    let number = line.and_then(|line| line.trim().parse().ok());
    let number = number.filter(|number| (1..=3).contains(number));
    Ok(number.map(|number| (number, prompt)))
}
