//! A run as a page: a space-time diagram (Lamport, "Time, clocks, and the ordering of events in a distributed system",
//! 1978), with a lane for each client and each node, time running down, and messages as arrows; beside it the
//! sentences of its [`story`](crate::views::story), each at the height of the moment that it tells.
//!
//! `chart` collects what is to be drawn, `bands` what each node is and when, `ruler` gives every instant a height,
//! so that idle time is cut out and nothing is written over something else, and `draw` draws, with `lanes`, `arrows`
//! and `signs`, on `sheets`. The page asks nobody for anything, and needs no script; with one, what a message says is
//! shown at once.
//!
//! Caveat: the heights are in order, but not to scale: a millisecond in which much happens is long.

mod arrows;
mod bands;
mod calls;
mod chart;
mod draw;
mod flights;
mod frame;
mod html;
mod lanes;
mod ruler;
mod sheets;
mod signs;

use crate::sim::Moment;
use crate::sim::plan::Plan;
use chart::Chart;
use ruler::Ruler;

/// What stands above the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// What the page is about, as a title.
    pub title: String,
    /// How the run ended, in a sentence.
    pub verdict: String,
    /// What is shown of it: `shrunk to 2 of 407 events`.
    pub note: String,
    /// The command line that plays it again.
    pub command: String,
    /// Of which version of the program that is true.
    pub version: String,
}

/// The page.
pub fn page(heading: &Heading, plan: &Plan, moments: &[Moment]) -> String {
    let chart = Chart::of(plan, moments);
    let ruler = Ruler::of(&chart);
    frame::page(heading, plan, &chart, &sheets::sheets(&chart, &ruler))
}
