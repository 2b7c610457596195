//! Which part of a long run is worth a picture of its messages: some time around the operations in question, as long as it can
//! be without there being too many.

use crate::chaos::recording::{Asked, Recording};
use crate::event::Event;
use crate::sim::plan::Micros;

/// More messages, and more operations, make no picture that anybody looks at.
const MESSAGES: usize = 320;
const OPERATIONS: usize = 70;

/// Of more operations in question, the first are shown.
const SHOWN: usize = 8;

/// How long before and after an instant is shown: the first that does not show too much.
const AROUND: [Micros; 9] = [
    300_000, 150_000, 80_000, 40_000, 20_000, 10_000, 5_000, 2_000, 1_000,
];

/// Less than this between two parts is shown, too.
const GAP: Micros = 30_000;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closeup {
    /// In words: `around the operations in question`.
    pub(super) of: String,
    /// From when to when, in order; they do not overlap.
    pub(super) parts: Vec<(Micros, Micros)>,
    /// The operations in question, by the events by which they were asked.
    pub(super) marked: Vec<usize>,
}

impl Closeup {
    /// Of the operations asked by the events `marked`; if there are none, of the first that went wrong.
    pub(super) fn of(recording: &Recording, marked: &[usize]) -> Option<Closeup> {
        let (of, marked, instants) = focus(recording, marked)?;
        let around = |around: &Micros| {
            let parts = parts(&instants, *around);
            Closeup {
                of: of.clone(),
                parts,
                marked: marked.clone(),
            }
        };
        let fits = |closeup: &Closeup| {
            closeup.messages(recording) <= MESSAGES && closeup.operations(recording) <= OPERATIONS
        };
        let mut all = AROUND.iter().map(around);
        let fitting = all.find(fits);
        fitting.or_else(|| AROUND.last().map(around))
    }

    /// Whether an instant is shown.
    pub(super) fn has(&self, at: Micros) -> bool {
        self.parts
            .iter()
            .any(|(from, until)| (*from..=*until).contains(&at))
    }

    /// Whether an operation is shown: it is in question, or it is asked or answered in time.
    pub(super) fn shows(&self, asked: &Asked) -> bool {
        self.is_marked(asked) || self.has(asked.invoked_at) || self.has(asked.returned_at)
    }

    pub(super) fn is_marked(&self, asked: &Asked) -> bool {
        self.marked.contains(&asked.invoked)
    }

    /// From the first instant to the last.
    pub(super) fn span(&self) -> (Micros, Micros) {
        let first = self.parts.first().map_or(0, |(from, _)| *from);
        (first, self.parts.last().map_or(0, |(_, until)| *until))
    }

    fn messages(&self, recording: &Recording) -> usize {
        let passed = recording.passed.iter();
        passed.filter(|passed| self.has(passed.sent)).count()
    }

    fn operations(&self, recording: &Recording) -> usize {
        let asked = recording.asked.iter();
        asked.filter(|asked| self.shows(asked)).count()
    }
}

/// What is looked at, the operations in question, and the instants around which to look.
fn focus(recording: &Recording, marked: &[usize]) -> Option<(String, Vec<usize>, Vec<Micros>)> {
    let in_question = recording
        .asked
        .iter()
        .filter(|asked| marked.contains(&asked.invoked));
    let shown: Vec<&Asked> = in_question.clone().take(SHOWN).collect();
    if !shown.is_empty() {
        let of = match in_question.count() - shown.len() {
            0 => "around the operations in question".to_owned(),
            more => format!(
                "around the first {} operations in question, of which there are {more} more",
                shown.len()
            ),
        };
        let instants = shown
            .iter()
            .flat_map(|asked| [asked.invoked_at, asked.returned_at]);
        let marked = shown.iter().map(|asked| asked.invoked);
        return Some((of, marked.collect(), instants.collect()));
    }
    // The first leader of all is no change.
    let is_first = usize::from(recording.first_leader.is_none());
    let leads = |event: &Event| matches!(event, Event::Leader { .. });
    let happened = recording.happened.iter();
    let elected = happened.filter(|h| leads(&h.event)).nth(is_first);
    let struck = recording.struck.iter().find(|struck| struck.void.is_none());
    let elected = elected.map(|h| ("around the first change of leaders", h.at));
    let (of, at) = elected.or_else(|| struck.map(|s| ("around the first fault", s.from)))?;
    Some((of.to_owned(), Vec::new(), vec![at]))
}

/// The time `around` each of the instants, as few parts as possible.
fn parts(instants: &[Micros], around: Micros) -> Vec<(Micros, Micros)> {
    let mut instants = instants.to_vec();
    instants.sort_unstable();
    let mut parts: Vec<(Micros, Micros)> = Vec::new();
    for at in instants {
        let (from, until) = (at.saturating_sub(around), at + around);
        match parts.last_mut() {
            Some((_, last)) if from <= *last + GAP => *last = until,
            _ => parts.push((from, until)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_near_each_other_are_one() {
        let apart = parts(&[5_000, 900_000, 905_000], 2_000);
        assert_eq!(apart, [(3_000, 7_000), (898_000, 907_000)]);
        assert_eq!(parts(&[1_000, 20_000], 2_000), [(0, 22_000)]);
    }
}
