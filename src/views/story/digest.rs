//! From beats to sentences: what does not matter to the ending is left out, and repetitions are put together, the more the
//! longer the story is.

use crate::sim::plan::Place;
use crate::views::story::deals::Operations;
use crate::views::story::folds::fold;
use crate::views::story::names::{list, node, nodes, times};
use crate::views::story::{Sentence, Tone};

/// More operations than these are not told one by one.
const MANY: usize = 16;

/// So many sentences are read; where there are more, less is told.
const ENOUGH: usize = 48;

/// So many writes in a row are put together.
const IN_A_ROW: usize = 4;

/// What a beat is about, as far as leaving it out is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// The course of things: always told.
    Course,
    /// A fault, or its end, that strikes no leader.
    Aside,
    /// Nothing after all.
    Nothing,
    /// A node stands for election, and it comes to nothing.
    Standing(Place),
    /// An operation, and whether it was acknowledged.
    Operation { number: usize, done: bool },
    /// Something becomes of a message: of which kind, in words that more of them can share.
    Letter { kind: String, fate: &'static str },
    /// What a node does, and others may do too.
    Each(Deed),
}

/// What one node does, and how it is said of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deed {
    pub(super) who: Place,
    pub(super) one: String,
    pub(super) many: String,
    /// What is so afterwards.
    pub(super) tail: String,
}

impl Deed {
    pub(super) fn new(who: Place, one: &str, many: &str) -> Deed {
        Deed {
            who,
            one: one.to_owned(),
            many: many.to_owned(),
            tail: String::new(),
        }
    }

    pub(super) fn text(&self) -> String {
        format!("{} {}{}.", node(self.who), self.one, self.tail)
    }
}

/// A sentence, before it is certain that it is needed.
#[derive(Debug, Clone)]
pub(super) struct Beat {
    pub(super) moment: usize,
    pub(super) at: u64,
    pub(super) tone: Tone,
    pub(super) about: About,
    pub(super) text: String,
}

impl Beat {
    fn sentence(self) -> Sentence {
        Sentence {
            moment: self.moment,
            at: self.at,
            tone: self.tone,
            text: self.text,
        }
    }
}

/// How closely it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Everything.
    All,
    /// Everything but what clients ask that has nothing to do with the ending, and single messages.
    Course,
    /// Who leads, what strikes a leader, and what is lost.
    Gist,
}

/// What decides how beats are told.
struct Digest<'a> {
    culprits: &'a [usize],
    operations: &'a Operations,
    detail: Detail,
}

/// The beats that matter. `culprits` are the operations that the ending is about.
pub(super) fn digest(
    mut beats: Vec<Beat>,
    culprits: &[usize],
    operations: &Operations,
) -> Vec<Sentence> {
    beats.retain(|beat| match beat.about {
        About::Nothing => false,
        About::Operation { number, .. } => operations.matters(number, culprits),
        _ => true,
    });
    let all = (operations.count() <= MANY).then_some(Detail::All);
    let mut told = Vec::new();
    for detail in all.into_iter().chain([Detail::Course, Detail::Gist]) {
        let digest = Digest {
            culprits,
            operations,
            detail,
        };
        told = digest.tell(beats.clone());
        if told.len() <= ENOUGH {
            return told;
        }
    }
    without_the_middle(told)
}

/// How a long story begins, and how it ends.
fn without_the_middle(mut told: Vec<Sentence>) -> Vec<Sentence> {
    let (first, last) = (ENOUGH / 2, ENOUGH);
    if told.len() <= first + last + 1 {
        return told;
    }
    let rest = told.split_off(told.len() - last);
    let middle = told.split_off(first);
    let leaders = middle.iter().filter(|s| s.tone == Tone::Lead).count();
    let losses = middle.iter().filter(|s| s.tone == Tone::Loss).count();
    let losses = match losses {
        0 => String::new(),
        n => format!(", and what was acknowledged is given up {}", times(n)),
    };
    told.push(Sentence {
        text: format!(
            "… {} sentences are left out here: leaders come and go {}{losses}.",
            middle.len(),
            times(leaders)
        ),
        tone: Tone::Setting,
        ..middle[0]
    });
    told.extend(rest);
    told
}

/// Beats of the same sort stand for each other.
#[derive(Debug, PartialEq, Eq)]
enum Sort<'a> {
    Single,
    Write,
    Letter,
    Each(&'a str),
    /// Whatever it is, it is put together with its neighbours.
    Folded,
}

impl Digest<'_> {
    fn tell(&self, mut beats: Vec<Beat>) -> Vec<Sentence> {
        if self.detail != Detail::All {
            self.keep_answers(&mut beats);
        }
        let alike = |a: &Beat, b: &Beat| match (self.sort(a), self.sort(b)) {
            (Sort::Single, _) | (_, Sort::Single) => false,
            (a, b) => a == b,
        };
        let runs = beats.chunk_by(alike);
        runs.flat_map(|run| self.together(run)).collect()
    }

    /// An operation that is only counted is counted once: where it is answered.
    fn keep_answers(&self, beats: &mut Vec<Beat>) {
        let mut after = std::collections::BTreeSet::new();
        let mut kept = Vec::new();
        for beat in beats.drain(..).rev() {
            let is_first = match &beat.about {
                About::Operation { number, .. } if !self.culprits.contains(number) => {
                    after.insert(*number)
                }
                _ => true,
            };
            kept.extend(is_first.then_some(beat));
        }
        kept.reverse();
        *beats = kept;
    }

    fn sort<'b>(&self, beat: &'b Beat) -> Sort<'b> {
        let is_gist = self.detail == Detail::Gist;
        match &beat.about {
            About::Course | About::Nothing => Sort::Single,
            About::Operation { number, .. } if self.culprits.contains(number) => Sort::Single,
            About::Aside if is_gist => Sort::Folded,
            About::Aside => Sort::Single,
            About::Each(_) if is_gist && beat.tone != Tone::Loss => Sort::Folded,
            About::Each(deed) => Sort::Each(&deed.one),
            // Nothing comes of it.
            About::Standing(_) | About::Operation { done: false, .. } => Sort::Folded,
            About::Operation { .. } | About::Letter { .. } if self.detail != Detail::All => {
                Sort::Folded
            }
            About::Operation { .. } => Sort::Write,
            About::Letter { .. } => Sort::Letter,
        }
    }

    fn together(&self, run: &[Beat]) -> Vec<Sentence> {
        let text = match self.sort(&run[0]) {
            Sort::Folded if run.len() > 2 => fold(run, self.operations),
            Sort::Write if run.len() >= IN_A_ROW => fold(run, self.operations),
            Sort::Letter if run.len() > 1 => letters(run),
            Sort::Each(_) if run.len() > 1 => each(run),
            _ => return run.iter().cloned().map(Beat::sentence).collect(),
        };
        let first = run[0].clone();
        vec![Beat { text, ..first }.sentence()]
    }
}

/// Several nodes do the same, one after the other.
fn each(run: &[Beat]) -> String {
    let deed = |beat: &Beat| match &beat.about {
        About::Each(deed) => Some(deed.clone()),
        _ => None,
    };
    let deeds: Vec<Deed> = run.iter().filter_map(deed).collect();
    let mut who: Vec<Place> = deeds.iter().map(|deed| deed.who).collect();
    who.sort_unstable();
    who.dedup();
    match deeds.last() {
        Some(last) if who.len() > 1 => format!("{} {}{}.", nodes(&who), last.many, last.tail),
        Some(last) => last.text(),
        None => String::new(),
    }
}

fn letters(run: &[Beat]) -> String {
    let mut counts: Vec<(&String, &str, usize)> = Vec::new();
    for beat in run {
        let About::Letter { kind, fate } = &beat.about else {
            continue;
        };
        match counts
            .iter_mut()
            .find(|(k, f, _)| (*k, *f) == (kind, *fate))
        {
            Some((_, _, count)) => *count += 1,
            None => counts.push((kind, fate, 1)),
        }
    }
    let clause = |(kind, fate, count): &(&String, &str, usize)| match count {
        1 => format!("{kind} {fate}"),
        n => format!("{kind} {fate} ({})", times(*n)),
    };
    format!(
        "{}.",
        list(&counts.iter().map(clause).collect::<Vec<String>>())
    )
}
