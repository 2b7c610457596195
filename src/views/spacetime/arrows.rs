//! Arrows: messages on their way, with a head where they arrive and a cross where they are lost.

use crate::views::spacetime::draw::{LETTER, Pen};
use crate::views::spacetime::flights::{Fate, Flight};
use crate::views::spacetime::html::{cut, escape, px};
use crate::views::story::names::span;
use crate::views::story::stamp;

impl Pen<'_> {
    pub(super) fn flight(&mut self, flight: &Flight) {
        let (from, to) = (self.lanes.x(flight.from), self.lanes.x(flight.to));
        let ahead = if to > from { 1.0 } else { -1.0 };
        let (x, y) = (from + 8.0 * ahead, self.ruler.y(flight.sent));
        let (mut end, mut bottom) = (to - 9.0 * ahead, self.ruler.y(flight.arrives));
        let is_lost = flight.fate == Fate::Lost;
        if is_lost {
            bottom = y + 14.0;
            end = x + (end - x) * 0.5;
        }
        let mut class = format!("m {}", flight.kind.class());
        for (applies, name) in [
            (flight.is_answer, " answer"),
            (flight.is_copy, " copy"),
            (is_lost, " lost"),
            (
                matches!(flight.fate, Fate::Unheard | Fate::Unanswered),
                " unheard",
            ),
        ] {
            class.push_str(if applies { name } else { "" });
        }
        let line = format!("M{} {}L{} {}", px(x), px(y), px(end), px(bottom));
        let tip = match flight.fate {
            Fate::Lost => cross(end, bottom),
            Fate::Arrives | Fate::Unheard | Fate::Unanswered => head(x, y, end, bottom),
        };
        let title = escape(&cut(&told(flight), 400));
        let mut svg = format!(
            "<g class=\"{class}\"><title>{title}</title><path class=\"hit\" d=\"{line}\"/><path d=\"{line}\"/><path class=\"tip\" d=\"{tip}\"/>"
        );
        svg.push_str(&self.flight_label(flight, (x, y), (end, bottom)));
        svg.push_str("</g>");
        self.add(y - 14.0, bottom + 8.0, svg);
    }

    /// Near the end that messages do not share: who is asked, or who answers.
    fn flight_label(&mut self, flight: &Flight, from: (f64, f64), to: (f64, f64)) -> String {
        let Some(label) = &flight.label else {
            return String::new();
        };
        let width = label.chars().count() as f64 * LETTER;
        let ahead = (to.0 - from.0).signum();
        let most = (to.0 - from.0).abs() / 2.0;
        let away = f64::min(self.lanes.pitch * 0.46, most);
        let middle = match flight.is_answer {
            true => from.0 + ahead * away,
            false => to.0 - ahead * away,
        };
        let part = (middle - from.0) / (to.0 - from.0);
        let y = from.1 + part * (to.1 - from.1) - 4.0;
        match self.place(middle - width / 2.0, y, label) {
            Some(y) => format!(
                "<text x=\"{}\" y=\"{}\">{}</text>",
                px(middle),
                px(y),
                escape(label)
            ),
            None => String::new(),
        }
    }
}

/// A message with its times.
fn told(flight: &Flight) -> String {
    let how = match flight.fate {
        Fate::Lost => "lost".to_owned(),
        Fate::Unheard => format!("nobody there at {}", stamp(flight.arrives)),
        Fate::Unanswered => "no answer came in time".to_owned(),
        Fate::Arrives => format!("{} on the way", span(flight.arrives - flight.sent)),
    };
    let copy = if flight.is_copy {
        ", a second time"
    } else {
        ""
    };
    format!("{} ({}, {how}{copy})", flight.text, stamp(flight.sent))
}

pub(super) fn cross(x: f64, y: f64) -> String {
    let (l, r, t, b) = (px(x - 5.0), px(x + 5.0), px(y - 5.0), px(y + 5.0));
    format!("M{l} {t}L{r} {b}M{r} {t}L{l} {b}")
}

/// The head of an arrow.
fn head(x: f64, y: f64, end: f64, bottom: f64) -> String {
    let (dx, dy) = (end - x, bottom - y);
    let long = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / long, dy / long);
    let wing = |side: f64| {
        (
            end - 8.0 * ux - side * 3.6 * uy,
            bottom - 8.0 * uy + side * 3.6 * ux,
        )
    };
    let ((ax, ay), (bx, by)) = (wing(1.0), wing(-1.0));
    format!(
        "M{} {}L{} {}L{} {}Z",
        px(end),
        px(bottom),
        px(ax),
        px(ay),
        px(bx),
        px(by)
    )
}
