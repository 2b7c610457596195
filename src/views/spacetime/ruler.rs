//! From times to heights: what happens at once is beside each other, what happens later is below, idle time is cut out,
//! and nothing that is written stands on something else.

use std::collections::BTreeMap;

use crate::views::spacetime::chart::Chart;

/// How high a message's usual time on the way is.
const HOP: f64 = 30.0;

/// The least between two instants, and the most.
const LEAST: f64 = 2.0;
const MOST: f64 = 44.0;

/// How high a cut is.
pub(super) const CUT: f64 = 44.0;

/// How many usual times on the way may pass before time is cut out.
const PATIENCE: u64 = 12;

/// How long a line of a sentence is, in letters, how high it is, and what is left free below.
const LETTERS: usize = 52;
const LINE: f64 = 20.0;
const FREE: f64 = 12.0;

/// How high the text of an operation is.
pub(super) const CALL: f64 = 15.0;

/// Idle time that is cut out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    pub(super) top: f64,
    /// How long it was.
    pub(super) lasts: u64,
    /// How many messages went to and fro in it, and how many of them were lost.
    pub(super) messages: usize,
    pub(super) lost: usize,
}

/// The height of every instant.
#[derive(Debug)]
pub(super) struct Ruler {
    /// Instants and their heights, in order.
    stops: Vec<(u64, f64)>,
    pub(super) cuts: Vec<Cut>,
    /// Where each sentence begins.
    pub(super) sentences: Vec<f64>,
    pub(super) height: f64,
}

impl Ruler {
    pub(super) fn of(chart: &Chart) -> Ruler {
        let mut ruler = Ruler {
            stops: Vec::new(),
            cuts: Vec::new(),
            sentences: Vec::new(),
            height: 0.0,
        };
        let needs = needs(chart);
        let (mut y, mut text, mut calls) = (16.0, 0.0, 0.0);
        let mut before: Option<u64> = None;
        for (at, need) in needs {
            if let Some(before) = before {
                y += ruler.step(chart, before, at, y);
            }
            before = Some(at);
            if !need.sentences.is_empty() {
                y = f64::max(y, text);
                text = y;
            }
            for lines in &need.sentences {
                ruler.sentences.push(text);
                text += *lines as f64 * LINE + FREE;
            }
            if need.calls > 0 {
                y = f64::max(y, calls);
                calls = y + need.calls as f64 * CALL;
            }
            ruler.stops.push((at, y));
        }
        ruler.height = f64::max(y + 60.0, text + 20.0);
        ruler
    }

    /// How much lower the next instant is.
    fn step(&mut self, chart: &Chart, before: u64, at: u64, y: f64) -> f64 {
        let passes = at - before;
        if passes <= PATIENCE * chart.latency {
            return (passes as f64 / chart.latency as f64 * HOP).clamp(LEAST, MOST);
        }
        let (first, last) = (
            chart.idle.partition_point(|(sent, _)| *sent <= before),
            chart.idle.partition_point(|(sent, _)| *sent < at),
        );
        self.cuts.push(Cut {
            top: y + 14.0,
            lasts: passes,
            messages: last - first,
            lost: chart.idle[first..last]
                .iter()
                .filter(|(_, lost)| *lost)
                .count(),
        });
        CUT + 28.0
    }

    /// How far down an instant is.
    pub(super) fn y(&self, at: u64) -> f64 {
        let next = self.stops.partition_point(|(stop, _)| *stop < at);
        match (
            next.checked_sub(1).map(|n| self.stops[n]),
            self.stops.get(next),
        ) {
            (_, Some((stop, y))) if *stop == at => *y,
            (Some((a, top)), Some((b, bottom))) => {
                let part = (at - a) as f64 / (b - a) as f64;
                top + part * (bottom - top)
            }
            // Beyond the end.
            (Some((_, y)), None) => y + HOP,
            (None, Some((_, y))) => *y,
            (None, None) => 0.0,
        }
    }
}

/// What has to be written at an instant.
#[derive(Debug, Default)]
struct Need {
    /// The lines of each sentence.
    sentences: Vec<usize>,
    calls: usize,
}

/// Every instant at which something is drawn.
fn needs(chart: &Chart) -> BTreeMap<u64, Need> {
    let mut needs: BTreeMap<u64, Need> = BTreeMap::new();
    for sentence in &chart.sentences {
        let lines = (sentence.text.chars().count() + 8).div_ceil(LETTERS);
        let at = sentence.at.max(chart.begin);
        needs.entry(at).or_default().sentences.push(lines);
    }
    for bar in &chart.bars {
        needs.entry(bar.asked).or_default().calls += 1;
        if let Some(ended) = bar.ended {
            needs.entry(ended.min(chart.end)).or_default();
        }
    }
    let marks = chart.marks.iter().map(|mark| mark.at);
    let flights = chart
        .flights
        .iter()
        .flat_map(|flight| [flight.sent, flight.arrives]);
    for at in marks.chain(flights).filter(|at| *at <= chart.end) {
        needs.entry(at).or_default();
    }
    needs.entry(chart.end).or_default();
    needs
}
