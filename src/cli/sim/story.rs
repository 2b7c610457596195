//! The run that is looked at closely: the first failure with as little as possible, or the one run that was asked for.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::failure::Failure;
use crate::sim::{Found, Moment, Plan, SHORT, Shrunk, THOROUGH, events_of, run, shrink, tell};
use crate::views::story::Tone;
use crate::views::{spacetime, story};

/// A run, and all that happens in it.
pub(super) struct Story {
    pub(super) plan: Arc<Plan>,
    /// How many events it had before it was shrunk.
    pub(super) of: usize,
    moments: Vec<Moment>,
}

impl Story {
    /// A plan that fails, with as little as possible: until `stop` is set.
    pub(super) fn shrunk(plan: &Arc<Plan>, thoroughly: bool, stop: &AtomicBool) -> Option<Story> {
        let most = if thoroughly { THOROUGH } else { SHORT };
        let Shrunk { plan: less, .. } = shrink(plan, most, stop)?;
        Some(Story {
            moments: play(&less),
            plan: less,
            of: events_of(plan),
        })
    }

    /// A plan as it is.
    pub(super) fn whole(plan: &Arc<Plan>) -> Story {
        Story {
            plan: plan.clone(),
            of: events_of(plan),
            moments: play(plan),
        }
    }

    pub(super) fn events(&self) -> usize {
        events_of(&self.plan)
    }

    /// What happened, a line each, as the trace has it, without messages.
    pub(super) fn lines(&self) -> Vec<String> {
        let matters = self.moments.iter().filter(|moment| tell::matters(moment));
        matters.map(tell::line).collect()
    }

    /// The same in sentences, with their times, as lines of a page.
    pub(super) fn told(&self) -> Vec<String> {
        story::story(&self.plan, &self.moments)
    }

    /// The sentences alone.
    pub(super) fn sentences(&self) -> Vec<String> {
        let sentences = story::tell(&self.plan, &self.moments).into_iter();
        sentences.map(|sentence| sentence.text).collect()
    }

    /// Draws it on a page. `found` is what it was shrunk from, `command` what plays that again.
    pub(super) fn draw(
        &self,
        file: &Path,
        found: Option<&Found>,
        command: &str,
    ) -> Result<(), Failure> {
        let page = spacetime::page(&self.heading(found, command), &self.plan, &self.moments);
        std::fs::write(file, page)
            .map_err(|error| Failure::system(&format!("cannot write {}", file.display()), &error))
    }

    /// How it ended stands above the picture, in the words of the story.
    fn heading(&self, found: Option<&Found>, command: &str) -> spacetime::Heading {
        let told = story::tell(&self.plan, &self.moments);
        let broken = told
            .into_iter()
            .find(|sentence| sentence.tone == Tone::Broken);
        let name = format!("{}, seed {}", self.plan.mode, self.plan.seed);
        let title = match found {
            Some(found) if found.is_stuck() => format!("{name}: stuck"),
            Some(_) => format!("{name}: unsafe"),
            None => name,
        };
        let note = match found {
            Some(_) => format!("shrunk to {} of {} events", self.events(), self.of),
            None => format!("{} events", self.events()),
        };
        spacetime::Heading {
            title,
            verdict: broken.map_or("Every promise kept.".to_owned(), |broken| broken.text),
            note,
            command: command.to_owned(),
            version: format!("cluster {}", env!("CARGO_PKG_VERSION")),
        }
    }
}

fn play(plan: &Arc<Plan>) -> Vec<Moment> {
    let moments = Arc::new(Mutex::new(Vec::new()));
    let sink = moments.clone();
    let keep = move |moment| {
        sink.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(moment)
    };
    run(plan, Some(Box::new(keep)));
    let mut moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *moments)
}
