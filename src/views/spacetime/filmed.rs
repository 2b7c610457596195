//! What is to be drawn of a run of chaos, live or simulated: a part of what was recorded, as the same things to draw as a run of
//! the simulator.
//!
//! Times are in nanoseconds there, in microseconds here.

use crate::chaos::clients::NAMES;
use crate::chaos::recording::{Asked, Recording, Struck};
use crate::chaos::roles::{self, Span};
use crate::event::Event;
use crate::sim::plan::Micros;
use crate::sim::words;
use crate::types::NodeId;
use crate::views::chaos::timeline::told;
use crate::views::spacetime::bands::{Apart, Band, Mark, Sign, State, reported};
use crate::views::spacetime::calls::Bar;
use crate::views::spacetime::chart::{Chart, Trouble};
use crate::views::spacetime::closeup::Closeup;
use crate::views::spacetime::flights::{Fate, Flight, Kind, LABEL};
use crate::views::spacetime::html::cut;
use crate::views::spacetime::lanes::{LAST, Lane};
use crate::views::story::{Sentence, Tone};
use crate::wire::messages::{self, Passed};

/// What counts as a usual time on the way, at least: it decides how fast time runs down the page.
const USUAL: u64 = 2_000_000;

/// Of more sentences, only those about what is drawn are told.
const SENTENCES: usize = 40;

/// Films a part of a recording.
struct Camera<'a> {
    recording: &'a Recording,
    closeup: &'a Closeup,
    from: Micros,
    until: Micros,
}

/// The `closeup` of a recording as things to draw; `broken` is what is broken, and shows in it.
pub(super) fn film(recording: &Recording, closeup: &Closeup, broken: Option<&str>) -> Chart {
    let (from, until) = closeup.span();
    let camera = Camera {
        recording,
        closeup,
        from,
        until,
    };
    let nodes = roles::all(recording);
    let numbers = nodes.iter().filter_map(NodeId::number);
    let shown = recording.asked.iter().filter(|asked| closeup.shows(asked));
    let (drawn, left_out): (Vec<&Passed>, Vec<&Passed>) = recording
        .passed
        .iter()
        .partition(|passed| closeup.has(passed.sent));
    let is_lost = |passed: &Passed| passed.fate != messages::Fate::Arrived;
    let shown = shown.map(|asked| camera.bar(asked)).collect();
    Chart {
        nodes: numbers.max().unwrap_or(0),
        bands: nodes.iter().flat_map(|node| camera.bands(node)).collect(),
        marks: camera.marks(),
        bars: shown,
        flights: drawn.into_iter().filter_map(flight).collect(),
        sentences: camera.sentences(),
        broken: broken.and_then(|invariant| Some((camera.end_of_marked()?, invariant.to_owned()))),
        begin: nanos(from),
        end: nanos(until),
        latency: USUAL,
        idle: left_out
            .iter()
            .map(|passed| (nanos(passed.sent), is_lost(passed)))
            .collect(),
        is_closeup: true,
        troubles: camera.troubles(),
    }
}

fn nanos(at: Micros) -> u64 {
    at * 1000
}

impl Camera<'_> {
    fn is_between(&self, at: Micros) -> bool {
        (self.from..=self.until).contains(&at)
    }

    /// The time of something, as far as it is drawn.
    fn seen(&self, at: Micros) -> u64 {
        nanos(at.clamp(self.from, self.until))
    }

    fn marked(&self) -> impl Iterator<Item = &Asked> {
        let asked = self.recording.asked.iter();
        asked.filter(|asked| self.closeup.is_marked(asked))
    }

    fn end_of_marked(&self) -> Option<u64> {
        let ends = self.marked().map(|asked| nanos(asked.returned_at));
        ends.max()
    }

    fn took_effect(&self) -> impl Iterator<Item = &Struck> {
        self.recording.struck.iter().filter(|s| s.void.is_none())
    }

    fn bar(&self, asked: &Asked) -> Bar {
        let key = &self.recording.keys[asked.key];
        let client = match asked.is_final {
            true => LAST,
            false => (asked.process % NAMES) as u16,
        };
        let mut bar = Bar::new(client, self.seen(asked.invoked_at), key, &asked.call);
        let end = (!asked.is_void).then_some(&asked.end);
        if asked.returned.is_some() {
            bar.end(self.seen(asked.returned_at), end);
        }
        bar.is_marked = self.closeup.is_marked(asked);
        bar
    }

    /// What a node was: its spans may overlap, since one that is cut off may also lead.
    fn bands(&self, node: &NodeId) -> Vec<Band> {
        let Some(number) = node.number() else {
            return Vec::new();
        };
        let spans = roles::spans(self.recording, node, self.until);
        let ends = spans.iter().flat_map(|span| [span.from, span.until]);
        let mut turns: Vec<Micros> = ends.filter(|at| self.is_between(*at)).collect();
        turns.extend([self.from, self.until]);
        turns.sort_unstable();
        turns.dedup();
        let band = |pair: &[Micros]| {
            let (state, apart) = state(&spans, pair[0]);
            Band {
                node: number,
                from: nanos(pair[0]),
                to: nanos(pair[1]),
                state,
                apart,
            }
        };
        turns.windows(2).map(band).collect()
    }

    fn marks(&self) -> Vec<Mark> {
        let here = self.recording.happened.iter();
        let here = here.filter(|happened| self.is_between(happened.at));
        let mark = |happened: &crate::chaos::recording::Happened| {
            let node = happened.node.as_ref()?;
            let (sign, label) = match &happened.event {
                Event::Killed => (Sign::Death, Some("killed".to_owned())),
                Event::Revived => (Sign::Start, None),
                other => reported(other)?,
            };
            Some(Mark {
                node: node.number()?,
                at: nanos(happened.at),
                sign,
                text: words::happened(node, &happened.event),
                label,
            })
        };
        here.filter_map(mark).collect()
    }

    /// Faults while they are in force.
    fn troubles(&self) -> Vec<Trouble> {
        let here = self.took_effect().filter(|struck| {
            struck.from <= self.until && struck.until.is_none_or(|until| until >= self.from)
        });
        let trouble = |struck: &Struck| Trouble {
            from: self.seen(struck.from),
            to: self.seen(struck.until.unwrap_or(self.until)),
            text: struck.what.clone(),
        };
        here.map(trouble).collect()
    }

    fn sentences(&self) -> Vec<Sentence> {
        let mut all: Vec<(Micros, Tone, String)> = Vec::new();
        for struck in self.took_effect() {
            let what = &struck.what;
            let until = struck.until.unwrap_or(Micros::MAX);
            if struck.from < self.from && until > self.from {
                let since = struck.from as f64 / 1e6;
                let text = format!("In force since {since:.3} s: {what}.");
                all.push((self.from, Tone::Setting, text));
            }
            all.push((struck.from, Tone::Fault, format!("Fault: {what}.")));
            all.push((until, Tone::Mend, format!("Over: {what}.")));
        }
        for happened in &self.recording.happened {
            let tone = match happened.event {
                Event::Leader { .. } => Tone::Lead,
                Event::Lost(_) => Tone::Loss,
                Event::Killed | Event::DiskFailed { .. } => Tone::Fault,
                _ => continue,
            };
            if let Some(node) = &happened.node {
                let text = format!("{}.", words::happened(node, &happened.event));
                all.push((happened.at, tone, text));
            }
        }
        for asked in self.marked() {
            let text = format!("In question: {}.", told(self.recording, asked));
            all.push((asked.returned_at, Tone::Broken, text));
        }
        all.retain(|(at, ..)| self.is_between(*at));
        if all.len() > SENTENCES {
            all.retain(|(at, tone, _)| *tone == Tone::Broken || self.closeup.has(*at));
        }
        all.sort_by_key(|(at, ..)| *at);
        let sentence = |(at, tone, text)| Sentence {
            moment: 0,
            at: nanos(at),
            tone,
            text,
        };
        all.into_iter().map(sentence).collect()
    }
}

/// What a node is at an instant, and how it is cut off.
fn state(spans: &[Span], at: Micros) -> (State, Apart) {
    let now = || {
        spans
            .iter()
            .filter(|span| span.from <= at && at < span.until)
    };
    let is = |what: &roles::State| now().any(|span| span.what == *what);
    let led = now().find_map(|span| match span.what {
        roles::State::Leads(term) => Some(State::Leader(term.unwrap_or(0))),
        _ => None,
    });
    let state = match () {
        () if is(&roles::State::Dead) => State::Dead,
        () if is(&roles::State::Still) => State::Paused,
        () => led.unwrap_or(State::Follower(None)),
    };
    let is_apart = is(&roles::State::Apart);
    let apart = Apart {
        out: is_apart,
        into: is_apart,
    };
    (state, apart)
}

/// A message as an arrow, if both ends have a lane.
fn flight(passed: &Passed) -> Option<Flight> {
    let lane = |node: &NodeId| node.number().map(Lane::Node);
    let arrives = passed.arrives.unwrap_or(passed.sent).max(passed.sent);
    Some(Flight {
        from: lane(&passed.from)?,
        to: lane(&passed.to)?,
        sent: nanos(passed.sent),
        arrives: nanos(arrives),
        kind: Kind::of(passed.kind),
        is_answer: passed.is_answer,
        is_copy: passed.is_copy,
        fate: match passed.fate {
            messages::Fate::Arrived => Fate::Arrives,
            messages::Fate::Lost => Fate::Lost,
            messages::Fate::Unheard => Fate::Unheard,
            messages::Fate::Unanswered | messages::Fate::UnderWay => Fate::Unanswered,
        },
        text: format!("{} → {}: {}", passed.from, passed.to, passed.says),
        label: passed.label.as_deref().map(|label| cut(label, LABEL)),
    })
}
