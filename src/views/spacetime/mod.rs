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
mod closeup;
mod draw;
mod filmed;
mod flights;
mod frame;
mod html;
mod lanes;
mod ruler;
mod sheets;
mod signs;

use crate::chaos::recording::Recording;
use crate::sim::Moment;
use crate::sim::plan::Plan;
use chart::Chart;
use closeup::Closeup;
use lanes::Lanes;
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

/// A part of a run of chaos, for another page: what nodes said around the operations asked by the events `marked`, or, if there
/// are none, around the first change. `None` if messages were not noted, or nothing happened.
///
/// It stands in a shadow tree, so that neither page's styles reach the other.
pub fn closeup(recording: &Recording, marked: &[usize], broken: Option<&str>) -> Option<String> {
    if recording.passed.is_empty() {
        return None;
    }
    let closeup = Closeup::of(recording, marked)?;
    let chart = filmed::film(recording, &closeup, broken);
    let (ruler, lanes) = (Ruler::of(&chart), Lanes::of(&chart));
    let style = frame::STYLE.replace(":root", ":host");
    Some(format!(
        "<section class=closeup><h2>What nodes said to each other, {}</h2>\n<p class=note>{}</p>\n<div><template shadowrootmode=open><style>{style}{SHADOW}</style>\n<main style=\"--wide:{}px\">\n{}{}{}</main></template></div></section>\n",
        closeup.of,
        noted(recording),
        html::px(lanes.width()),
        frame::legend(&chart),
        frame::names(&lanes),
        sheets::sheets(&chart, &ruler)
    ))
}

/// What the picture is made of.
fn noted(recording: &Recording) -> String {
    let forgotten = match recording.forgotten {
        0 => String::new(),
        n => format!(
            " Only the last {} messages of the run were kept: {n} earlier ones are missing.",
            recording.passed.len()
        ),
    };
    format!(
        "Time runs down, in order but not to scale. Stripes at the left are faults in force; what is dashed beside a lane is cut off.{forgotten}"
    )
}

/// The picture is wider than the page around it, and made a little smaller for that.
const SHADOW: &str = ":host { display: block; overflow-x: auto; } .lanes { position: relative; } main { zoom: .86; }\n@media print { main { zoom: .6; } }\n";
