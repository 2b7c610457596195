//! How a tour goes: a scene is announced, commands are typed, what came is shown and compared with what was claimed.

use std::time::Duration;

use anstyle::Style;
use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use crate::cli::exercise::prompt::{Next, Prompt};
use crate::cli::exercise::stage::{Ran, Stage};
use crate::cli::exercise::words::{Label, Language, Scene};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::wire::control::ClusterStatus;

/// A fault that an exercise is about. Left out, the exercise must notice.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Ingredient {
    Kill,
    Delay,
    Votes,
    Partition,
    Isolate,
}

/// A tour under way.
pub(super) struct Tour {
    pub(super) lang: Language,
    pub(super) stage: Stage,
    without: Vec<Ingredient>,
    prompt: Option<Prompt>,
    /// Whether the person has had enough.
    is_over: bool,
}

impl Tour {
    /// A tour; with a prompt it waits between its steps.
    pub(super) fn new(
        lang: Language,
        prompt: Option<Prompt>,
        down: CancellationToken,
        without: &[Ingredient],
    ) -> Result<Tour, Failure> {
        Ok(Tour {
            lang,
            stage: Stage::new(down)?,
            without: without.to_vec(),
            prompt,
            is_over: false,
        })
    }

    /// Explains what commands print, to whom it is a foreign language.
    pub(super) fn greet(&self) -> Result<(), Failure> {
        match self.lang.label(Label::Glossary) {
            "" => Ok(()),
            text => out::print(&fold("", text)),
        }
    }

    /// Announces a scene: what is about to be done, why, and what is expected.
    pub(super) fn open(&self, scene: Scene) -> Result<(), Failure> {
        let told = self.lang.scene(scene);
        let bold = Style::new().bold();
        out::print(&format!("\n{bold}== {}{bold:#}", told.title))?;
        out::print(&fold("", told.why))?;
        self.labelled(Label::Expected, told.expect)
    }

    /// Says what a scene meant, and lets the person look around.
    pub(super) async fn close(&mut self, scene: Scene) -> Result<(), Failure> {
        self.labelled(Label::Means, self.lang.scene(scene).means)?;
        while let Some(prompt) = &mut self.prompt {
            out::print(self.lang.label(Label::Enter))?;
            match prompt.next().await {
                Next::GoOn => return Ok(()),
                Next::Command(words) => self.show(&self.stage.run(words).await?)?,
                Next::Refused(label) => out::print(self.lang.label(label))?,
                Next::End => {
                    self.is_over = true;
                    return Err(Failure::silent(0));
                }
            }
        }
        Ok(())
    }

    fn labelled(&self, label: Label, text: &str) -> Result<(), Failure> {
        out::print(&fold(self.lang.label(label), text))
    }

    /// Boots the cluster of the scenes to come.
    pub(super) async fn boot(&mut self, flags: &str) -> Result<(), Failure> {
        self.typed(format!("cluster up --nodes 3 {flags}").trim_end())?;
        self.stage.boot(&format!("--nodes 3 {flags}")).await
    }

    /// Shows a line as it is typed.
    pub(super) fn typed(&self, line: &str) -> Result<(), Failure> {
        let strong = Style::new().fg_color(Some(anstyle::AnsiColor::Cyan.into()));
        out::print(&format!("  {strong}$ {line}{strong:#}"))
    }

    /// Types a command, and shows what came.
    pub(super) async fn run(&self, line: &str) -> Result<Ran, Failure> {
        self.typed(&format!("cluster {line}"))?;
        let words = line.split(' ').map(str::to_owned).collect();
        let ran = self.stage.run(words).await?;
        self.show(&ran)?;
        Ok(ran)
    }

    /// Types a command that must succeed.
    pub(super) async fn done(&self, line: &str) -> Result<String, Failure> {
        let ran = self.run(line).await?;
        self.claim(ran.code == 0, &ran.said)?;
        Ok(ran.said)
    }

    /// Types a command that sets a fault, unless that fault is to be left out.
    pub(super) async fn fault(&self, fault: Ingredient, line: &str) -> Result<(), Failure> {
        match self.without.contains(&fault) {
            true => self.saw(&format!("(--without-fault: cluster {line})")),
            false => self.done(line).await.map(drop),
        }
    }

    /// Says what is waited for, and what the cluster is like once `holds`; `None` if that is never so.
    pub(super) async fn until(
        &self,
        what: Label,
        limit: Duration,
        holds: impl Fn(&ClusterStatus) -> bool,
    ) -> Result<Option<ClusterStatus>, Failure> {
        self.saw(self.lang.label(what))?;
        self.stage.once(limit, holds).await
    }

    fn show(&self, ran: &Ran) -> Result<(), Failure> {
        self.saw(&ran.said)
    }

    /// Shows what came.
    pub(super) fn saw(&self, said: &str) -> Result<(), Failure> {
        for line in said.lines() {
            out::print(&format!("    {line}"))?;
        }
        Ok(())
    }

    /// Fails the tour unless what came is what was claimed.
    pub(super) fn claim(&self, holds: bool, seen: &str) -> Result<(), Failure> {
        match holds {
            true => Ok(()),
            false => {
                let message = format!("{} {seen}", self.lang.label(Label::NotAsClaimed));
                Err(Failure::new("not-as-claimed", message))
            }
        }
    }

    /// Ends the cluster. Whether the tour was seen to its end.
    pub(super) async fn end(mut self) -> bool {
        self.stage.down().await;
        !self.is_over
    }
}

/// `text` behind `label`, in lines that a terminal shows whole.
fn fold(label: &str, text: &str) -> String {
    const WIDTH: usize = 92;
    let mut lines = vec![format!("  {label}")];
    // French sets a space before these, at which no line may end.
    let marks = [" ;", " :", " ?", " !", " »"];
    let text = marks.iter().fold(text.to_owned(), |text, mark| {
        text.replace(mark, &mark.replace(' ', "\u{a0}"))
    });
    let text = text.replace("« ", "«\u{a0}");
    for word in text.split(' ') {
        let last = lines.last_mut().map(|line| {
            let fits = line.chars().count() + word.chars().count() < WIDTH;
            if fits {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
                line.push_str(word);
            }
            fits
        });
        if last != Some(true) {
            lines.push(format!("    {word}"));
        }
    }
    lines.join("\n")
}
