//! The drawing itself: shapes with heights, to be put on sheets.

use std::collections::BTreeMap;

use crate::types::Term;
use crate::views::spacetime::bands::{Band, Sign, State};
use crate::views::spacetime::calls::{Bar, Ending};
use crate::views::spacetime::chart::Chart;
use crate::views::spacetime::flights::{Flight, Kind};
use crate::views::spacetime::html::{cut, escape, px};
use crate::views::spacetime::lanes::{AXIS, FIRST, Lane, Lanes};
use crate::views::spacetime::ruler::{CALL, CUT, Cut, Ruler};
use crate::views::story::names::span;
use crate::views::story::stamp;

/// How wide a letter of a label is, about.
pub(super) const LETTER: f64 = 6.3;

/// How high a row of labels is.
const HIGH: f64 = 12.0;

/// How many faults have room beside each other.
const TROUBLES: usize = 4;

/// How many colours terms have.
pub(super) const COLOURS: Term = 8;

/// Something drawn.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) svg: String,
}

/// Everything, from the back to the front.
pub(super) fn shapes(chart: &Chart, ruler: &Ruler) -> Vec<Shape> {
    let mut pen = Pen {
        chart,
        ruler,
        lanes: Lanes::of(chart),
        shapes: Vec::new(),
        taken: BTreeMap::new(),
    };
    pen.lines();
    pen.troubles();
    chart.bands.iter().for_each(|band| pen.band(band));
    ruler.cuts.iter().for_each(|cut| pen.cut(cut));
    pen.broken();
    chart
        .marks
        .iter()
        .filter(|mark| mark.sign != Sign::Stored)
        .for_each(|mark| pen.mark(mark));
    chart
        .marks
        .iter()
        .filter(|mark| mark.sign == Sign::Stored)
        .for_each(|mark| pen.mark(mark));
    let (beats, others): (Vec<&Flight>, Vec<&Flight>) = chart
        .flights
        .iter()
        .partition(|flight| flight.kind == Kind::Heartbeat);
    beats
        .into_iter()
        .chain(others)
        .for_each(|flight| pen.flight(flight));
    pen.bars();
    pen.shapes
}

/// Draws one thing after the other.
pub(super) struct Pen<'a> {
    chart: &'a Chart,
    pub(super) ruler: &'a Ruler,
    pub(super) lanes: Lanes,
    shapes: Vec<Shape>,
    /// Where something is written, by rows: left, right, base line.
    taken: BTreeMap<i64, Vec<(f64, f64, f64)>>,
}

impl Pen<'_> {
    pub(super) fn add(&mut self, top: f64, bottom: f64, svg: String) {
        self.shapes.push(Shape { top, bottom, svg });
    }

    /// The lanes of clients; the time of each sentence, and a line across to it.
    fn lines(&mut self) {
        let lanes: Vec<f64> = self.lanes.of_clients().collect();
        for x in lanes {
            let (x, height) = (px(x), self.ruler.y(self.chart.end));
            let line = format!("<path class=\"lane\" d=\"M{x} 0V{}\"/>", px(height));
            self.add(0.0, height, line);
        }
        let mut last = f64::MIN;
        let times: Vec<u64> = self
            .chart
            .sentences
            .iter()
            .map(|sentence| sentence.at.max(self.chart.begin))
            .collect();
        for at in times {
            let y = self.ruler.y(at);
            if y - last < 12.0 {
                continue;
            }
            last = y;
            let (x, right) = (px(AXIS - 6.0), px(self.lanes.width()));
            let line = format!(
                "<text class=\"time\" x=\"{x}\" y=\"{}\">{}</text><path class=\"at\" d=\"M{} {}H{right}\"/>",
                px(y + 4.0),
                escape(&stamp(at)),
                px(AXIS),
                px(y)
            );
            self.add(y - 8.0, y + 8.0, line);
        }
    }

    /// Faults, side by side as far as there is room.
    fn troubles(&mut self) {
        for (at, trouble) in self.chart.troubles.iter().enumerate() {
            let x = AXIS + 4.0 + 8.0 * (at % TROUBLES) as f64;
            let (top, bottom) = (self.ruler.y(trouble.from), self.ruler.y(trouble.to));
            let svg = format!(
                "<g><title>{}</title><rect class=\"trouble\" x=\"{}\" y=\"{}\" width=\"6\" height=\"{}\"/></g>",
                escape(&trouble.text),
                px(x),
                px(top),
                px((bottom - top).max(2.0))
            );
            self.add(top, bottom, svg);
        }
    }

    fn band(&mut self, band: &Band) {
        let (x, top, bottom) = (
            self.lanes.x(Lane::Node(band.node)),
            self.ruler.y(band.from),
            self.ruler.y(band.to),
        );
        let (class, half) = match band.state {
            State::Dead => ("dead".to_owned(), 0.0),
            State::Failed => ("failed".to_owned(), 4.0),
            State::Paused => ("paused".to_owned(), 4.0),
            State::Candidate => ("candidate".to_owned(), 4.0),
            State::Leader(term) => (format!("leader t{}", term % COLOURS), 7.0),
            State::Follower(Some(term)) => (format!("follower t{}", term % COLOURS), 2.0),
            State::Follower(None) => ("follower".to_owned(), 2.0),
        };
        let title = escape(&self.band_title(band));
        let shape = match band.state {
            State::Dead => format!(
                "<path class=\"band dead\" d=\"M{} {}V{}\"/>",
                px(x),
                px(top),
                px(bottom)
            ),
            _ => format!(
                "<rect class=\"band {class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                px(x - half),
                px(top),
                px(2.0 * half),
                px((bottom - top).max(1.0))
            ),
        };
        let mut svg = format!("<g><title>{title}</title>{shape}");
        for (is_cut, side) in [(band.apart.into, -12.0), (band.apart.out, 12.0)] {
            if is_cut {
                svg.push_str(&format!(
                    "<path class=\"apart\" d=\"M{} {}V{}\"/>",
                    px(x + side),
                    px(top),
                    px(bottom)
                ));
            }
        }
        svg.push_str("</g>");
        self.add(top, bottom, svg);
    }

    fn band_title(&self, band: &Band) -> String {
        let state = match band.state {
            State::Dead => "is dead".to_owned(),
            State::Failed => "takes no part: its disk failed".to_owned(),
            State::Paused => "stands still".to_owned(),
            State::Candidate => "stands for election".to_owned(),
            State::Leader(0) => "leads".to_owned(),
            State::Leader(term) => format!("leads term {term}"),
            State::Follower(Some(term)) => format!("follows the leader of term {term}"),
            State::Follower(None) => "follows nobody".to_owned(),
        };
        let apart = match (band.apart.out, band.apart.into) {
            (true, true) => ", cut off",
            (true, false) => ", heard by nobody",
            (false, true) => ", hears nobody",
            (false, false) => "",
        };
        format!(
            "node-{} {state}{apart}, for {}",
            band.node,
            span(band.to - band.from)
        )
    }

    fn cut(&mut self, cut: &Cut) {
        let (left, right) = (AXIS, self.lanes.width());
        let (top, bottom) = (cut.top, cut.top + CUT);
        let middle = (top + bottom) / 2.0;
        let passed = span(cut.lasts);
        let what = match (cut.messages, cut.lost) {
            (n, _) if n > 0 && self.chart.is_closeup => {
                format!("{passed} and {n} messages, not drawn")
            }
            (0, _) => format!("{passed} in which nothing happens"),
            (n, 0) => format!("{passed}: {n} heartbeats and answers, nothing else"),
            (n, lost) => format!(
                "{passed}: {n} heartbeats and answers, {lost} of them in vain, nothing else"
            ),
        };
        let width = what.chars().count() as f64 * LETTER + 24.0;
        let x = (left + right) / 2.0;
        let wave = |y: f64| wave(left, right, y);
        let svg = format!(
            "<rect class=\"cut\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/><path class=\"wave\" d=\"{}{}\"/><rect class=\"pill\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"20\" rx=\"10\"/><text class=\"idle\" x=\"{}\" y=\"{}\">{}</text>",
            px(left),
            px(top),
            px(right - left),
            px(CUT),
            wave(top),
            wave(bottom),
            px(x - width / 2.0),
            px(middle - 10.0),
            px(width),
            px(x),
            px(middle + 4.0),
            escape(&what)
        );
        self.add(top, bottom, svg);
    }

    fn broken(&mut self) {
        let Some((at, invariant)) = &self.chart.broken else {
            return;
        };
        let (y, right) = (self.ruler.y(*at), self.lanes.width());
        let text = escape(&format!("broken: {invariant}"));
        let svg = format!(
            "<path class=\"broken\" d=\"M{} {y}H{}\"/><text class=\"broken\" x=\"{}\" y=\"{}\">{text}</text>",
            px(AXIS),
            px(right),
            px(FIRST + 20.0),
            px(y + 19.0),
            y = px(y),
        );
        self.take(FIRST, right, y + 19.0);
        self.add(y - 4.0, y + 26.0, svg);
    }

    /// Where a label can be written without covering another: there, or a little higher or lower.
    pub(super) fn place(&mut self, left: f64, y: f64, label: &str) -> Option<f64> {
        let right = left + label.chars().count() as f64 * LETTER + 6.0;
        let mut near = [y, y + 12.0, y + 24.0].into_iter();
        let y = near.find(|y| self.is_free(left, right, *y))?;
        self.take(left, right, y);
        Some(y)
    }

    fn is_free(&self, left: f64, right: f64, y: f64) -> bool {
        let rows = row(y) - 1..=row(y) + 1;
        let near = rows.filter_map(|row| self.taken.get(&row)).flatten();
        let mut covered =
            near.filter(|(l, r, base)| *l < right && left < *r && (base - y).abs() < HIGH);
        covered.next().is_none()
    }

    fn take(&mut self, left: f64, right: f64, y: f64) {
        let taken = self.taken.entry(row(y)).or_default();
        taken.push((left, right, y));
    }

    /// What clients ask, left of their lanes.
    fn bars(&mut self) {
        let mut free = 0.0;
        let bars = &self.chart.bars;
        for bar in bars {
            let y = f64::max(self.ruler.y(bar.asked), free);
            free = y + CALL;
            self.bar(bar, y);
        }
    }

    fn bar(&mut self, bar: &Bar, y: f64) {
        let top = self.ruler.y(bar.asked);
        let bottom = self
            .ruler
            .y(bar.ended.unwrap_or(self.chart.end))
            .max(top + 4.0);
        let x = self.lanes.bar(bar.client);
        let class = match bar.ending {
            _ if bar.is_marked => "bad",
            Ending::Done => "done",
            Ending::Not => "not",
            Ending::Unknown | Ending::Open => "open",
        };
        let name = format!("c{}", bar.client);
        let text = cut(&bar.text, 26);
        let ended = bar.ended.map_or(String::new(), |ended| {
            format!(", after {}", span(ended - bar.asked))
        });
        let title = escape(&format!("client {}: {}{ended}", bar.client, bar.text));
        let svg = format!(
            "<g class=\"call {class}\"><title>{title}</title><rect x=\"{}\" y=\"{}\" width=\"4\" height=\"{}\" rx=\"2\"/><text x=\"{}\" y=\"{}\"><tspan>{}</tspan> {}</text></g>",
            px(x),
            px(top),
            px(bottom - top),
            px(self.lanes.wish()),
            px(y + 4.0),
            escape(&name),
            escape(&text)
        );
        self.add(top.min(y) - 8.0, bottom.max(y + 8.0), svg);
    }
}

fn row(y: f64) -> i64 {
    (y / HIGH) as i64
}

fn wave(left: f64, right: f64, y: f64) -> String {
    let mut path = format!("M{} {}", px(left), px(y));
    let steps = ((right - left) / 12.0) as usize;
    for step in 0..steps {
        let up = if step % 2 == 0 { -3 } else { 3 };
        path.push_str(&format!("q6 {up} 12 0"));
    }
    path
}
