//! `chaos --html`: the run as a page.

use std::path::Path;

use crate::chaos::verdict::Verdict;
use crate::cli::chaos::report::Report;
use crate::cli::drawing::sentence;
use crate::cli::failure::Failure;
use crate::cli::judgement::counted;
use crate::cli::out;
use crate::views::chaos::Page;
use crate::views::intervals;
use crate::views::page::Tone;

impl Report<'_> {
    /// Draws the run.
    pub(super) fn draw(&self, file: &Path) -> Result<(), Failure> {
        let broken = match self.verdict {
            Verdict::Broken(broken) => Some(broken),
            Verdict::Kept | Verdict::Unknown(_) => None,
        };
        let explanation = broken.and_then(|broken| broken.explanation.as_ref());
        let mut why: Vec<String> = self.reasons().iter().map(|why| sentence(why)).collect();
        let told = explanation.map(|e| {
            let words = intervals::words(e);
            let words: Vec<String> = words.iter().map(|words| sentence(words)).collect();
            words.join(" ")
        });
        why.extend(told);
        let lost = self.losses.gone.iter();
        let measured = self.measured();
        let measured: Vec<&str> = measured
            .iter()
            .map(|line| line.get(2..).unwrap_or(""))
            .collect();
        let page = Page {
            name: &self.name(),
            verdict: &format!("{}: {}", self.verdict(), self.expected()),
            tone: match self.verdict() {
                "kept" => Tone::Good,
                "broken" => Tone::Bad,
                _ => Tone::Unknown,
            },
            facts: vec![
                counted(self.measures.operations, "operation"),
                format!("{} acknowledged writes", self.measures.acknowledged),
                format!("{} lost", self.losses.gone.len()),
                format!("{} ambiguous", self.measures.ambiguous),
                counted(self.took_effect().count(), "fault"),
            ],
            why,
            explanation: explanation.filter(|e| e.operations.len() <= intervals::FEW),
            marked: broken.map_or(Vec::new(), |broken| broken.events.clone()),
            lost: lost.map(|n| self.recording.asked[*n].invoked).collect(),
            broken: broken.map(|broken| broken.invariant.as_str()),
            recording: self.recording,
            measured: measured.join("\n"),
            again: &self.again(),
        };
        out::write(file, &page.html())?;
        out::note(self.common, &format!("drawn in {}", file.display()));
        Ok(())
    }
}
