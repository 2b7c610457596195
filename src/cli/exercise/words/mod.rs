//! What a tour says, all of it, in one file a language.

mod en;
mod fr;

use crate::views::lines::Lang;

/// The language of a tour.
#[derive(Clone, Copy)]
pub(super) struct Language(pub(super) Lang);

/// A part of a tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    Tolerance,
    ToleranceRaft,
    OneGone,
    OneGoneStops,
    TwoGone,
    TwoGoneStops,
    Back,
    Delay,
    Stale,
    DelaySync,
    DelayRaft,
    SplitVote,
    RandomTimeouts,
    LostWrite,
    RealVotes,
    Returning,
    PreVote,
}

/// What is said around what came.
pub(super) struct Told {
    pub(super) title: &'static str,
    /// What is about to be done, and why.
    pub(super) why: &'static str,
    pub(super) expect: &'static str,
    pub(super) means: &'static str,
}

/// A word, or a line with `{values}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Expected,
    Means,
    Enter,
    OnlyCluster,
    NotHere,
    OpenQuote,
    NotAsClaimed,
    NeverStale,
    Converged,
    Held,
    Beside,
    Without,
    With,
    NobodyLed,
    Terms,
    Lost,
    /// What commands print is in English, and means this; empty in English.
    Glossary,
    UntilInVain,
    UntilLed,
    UntilMajority,
    UntilRaised,
    UntilAsLong,
    UntilSettled,
    Done,
    Next,
    Last,
    Menu,
    Questions,
    Choose,
}

/// One of the chapter's questions, what was seen that answers it, and where.
pub(super) struct Question {
    pub(super) question: &'static str,
    pub(super) answer: &'static str,
    pub(super) seen: &'static str,
}

impl Language {
    /// What is told about a scene.
    pub(super) fn scene(self, scene: Scene) -> Told {
        match self.0 {
            Lang::En => en::scene(scene),
            Lang::Fr => fr::scene(scene),
        }
    }

    /// A word.
    pub(super) fn label(self, label: Label) -> &'static str {
        match self.0 {
            Lang::En => en::label(label),
            Lang::Fr => fr::label(label),
        }
    }

    /// The chapter's five questions.
    pub(super) fn questions(self) -> &'static [Question; 5] {
        match self.0 {
            Lang::En => &en::QUESTIONS,
            Lang::Fr => &fr::QUESTIONS,
        }
    }
}
