//! Operations as bars in a lane for each client, as HTML: with an order drawn through them, and where it gets stuck.

use std::collections::HashMap;
use std::fmt::Write;

use crate::check::History;
use crate::check::history::{Call, Operation};
use crate::views::intervals::{of_key, what};
use crate::views::lines::clean;

/// What is drawn in one picture.
#[derive(Debug, Clone)]
pub struct Lanes<'a> {
    /// The history.
    pub history: &'a History,
    /// Which of its operations, in the order in which they were asked.
    pub operations: Vec<usize>,
    /// An order of them; or of some.
    pub order: Vec<usize>,
    /// Whether each operation of the order has its moment between its question and its answer.
    pub is_in_time: bool,
    /// The operations to point out.
    pub marked: Vec<usize>,
    /// The event with which the order ends.
    pub stuck: Option<usize>,
    /// Whether several keys are drawn together.
    pub names_keys: bool,
    /// Whether it is a picture of the few operations alone.
    pub is_summary: bool,
}

/// Text that means nothing to HTML, in an attribute or outside.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What turns the direction of writing could make one thing look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.extend(c.escape_unicode());
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Where things stand, in hundredths of the width.
struct Scale {
    events: Vec<usize>,
}

impl Scale {
    fn new(lanes: &Lanes) -> Scale {
        let all = lanes
            .operations
            .iter()
            .map(|n| &lanes.history.operations[*n]);
        let ends = all.flat_map(|operation| [Some(operation.invoked), operation.returned]);
        let mut events: Vec<usize> = ends.flatten().collect();
        events.sort_unstable();
        Scale { events }
    }

    fn rank(&self, event: usize) -> usize {
        self.events.partition_point(|other| *other < event)
    }

    fn at(&self, place: f64) -> f64 {
        100.0 * (place + 0.5) / (self.events.len().max(1)) as f64
    }

    fn event(&self, event: usize) -> f64 {
        self.at(self.rank(event) as f64)
    }

    /// The moment of each operation of an order: as early as it can be, those between two events evenly.
    fn moments(&self, lanes: &Lanes) -> Vec<f64> {
        let mut gap = 0;
        let gaps = lanes.order.iter().map(|number| {
            gap = gap.max(self.rank(lanes.history.operations[*number].invoked));
            gap
        });
        let gaps: Vec<usize> = gaps.collect();
        let mut moments = Vec::new();
        for same in gaps.chunk_by(|a, b| a == b) {
            for at in 0..same.len() {
                let part = (at + 1) as f64 / (same.len() + 1) as f64;
                moments.push(self.at(same[0] as f64 + part));
            }
        }
        moments
    }
}

/// How wide an event is at first, in pixels: few have room for words.
fn unit(events: usize) -> usize {
    (1060 / events.max(1)).min(56)
}

impl Lanes<'_> {
    /// The picture.
    pub fn html(&self) -> String {
        let scale = Scale::new(self);
        let mut clients: Vec<&str> = Vec::new();
        let mut rows: HashMap<&str, usize> = HashMap::new();
        let mut bars: Vec<String> = Vec::new();
        let places: HashMap<usize, usize> = self
            .order
            .iter()
            .enumerate()
            .map(|(place, number)| (*number, place))
            .collect();
        for number in &self.operations {
            let operation = &self.history.operations[*number];
            let row = *rows.entry(&operation.process).or_insert_with(|| {
                clients.push(&operation.process);
                bars.push(String::new());
                clients.len() - 1
            });
            let bar = self.bar(*number, operation, &scale, places.get(number).copied());
            bars[row].push_str(&bar);
        }
        if self.is_in_time {
            for (number, moment) in self.order.iter().zip(scale.moments(self)) {
                let operation = &self.history.operations[*number];
                if let Some(row) = rows.get(operation.process.as_str()) {
                    let _ = write!(bars[*row], "<b style=left:{moment:.3}%></b>");
                }
            }
        }
        let names: String = clients
            .iter()
            .map(|client| format!("<li>{}</li>", escape(client)))
            .collect();
        let rows_html: String = bars
            .iter()
            .map(|bars| format!("<div class=lane>{bars}</div>"))
            .collect();
        let is_numbered = !self.is_in_time && !self.order.is_empty();
        let least = if is_numbered { 13 } else { 7 };
        let width = unit(scale.events.len()).max(least);
        let tight = if width < 20 { " tight" } else { "" };
        format!(
            "<div class=\"chart{tight}\" style=\"--n:{};--unit:{width}px\"><ul class=names>{names}</ul>\
             <div class=scroll tabindex=0><div class=track>{}{rows_html}{}</div></div></div>\n",
            scale.events.len(),
            self.line(&scale, &rows),
            self.wall(&scale),
        )
    }

    fn bar(
        &self,
        number: usize,
        operation: &Operation,
        scale: &Scale,
        place: Option<usize>,
    ) -> String {
        let begin = scale.event(operation.invoked);
        let returned = operation.returned.filter(|_| !operation.is_unknown());
        let end = returned.map_or(100.0, |returned| scale.event(returned));
        let mut class = kind(&operation.call).to_owned();
        let mark = self.marked.iter().position(|marked| *marked == number);
        if mark.is_some() {
            class.push_str(" bad");
        }
        if returned.is_none() {
            class.push_str(" open");
        }
        if begin > FAR {
            class.push_str(" end");
        }
        if self.stuck.is_some_and(|stuck| operation.invoked > stuck) {
            class.push_str(" late");
        }
        let badge = match (mark, place) {
            (Some(at), _) => format!("<em>#{}</em>", at + 1),
            (None, Some(place)) if !self.is_in_time => {
                class.push_str(" n");
                format!("<em>{}</em>", place + 1)
            }
            _ => String::new(),
        };
        let id = match mark.filter(|_| !self.is_summary) {
            Some(at) => format!(" id=m{}", at + 1),
            None => String::new(),
        };
        let order = place.map_or(String::new(), |place| format!(" data-o={}", place + 1));
        let told = match self.names_keys {
            true => of_key(self.history, operation),
            false => what(operation),
        };
        format!(
            "<i{id} class=\"{class}\"{order} style=left:{begin:.3}%;width:{:.3}% title=\"{}\">{badge}<span>{}</span></i>",
            end - begin,
            escape(&self.title(operation, mark, place)),
            escape(&told),
        )
    }

    /// The operations that are pointed out, in words.
    pub fn list(&self) -> String {
        let item = |(at, number): (usize, &usize)| {
            let operation = &self.history.operations[*number];
            let until = match operation.returned {
                Some(returned) => format!(
                    "answered at event {returned}{}",
                    seconds(operation.returned_at)
                ),
                None => "never answered".to_owned(),
            };
            format!(
                "<li><a href=#m{0}>#{0}</a><strong>client {1}{2}: {3}</strong>, asked at event {4}{5}, {until}</li>\n",
                at + 1,
                escape(&operation.process),
                escape(&self.key(operation)),
                escape(&what(operation)),
                operation.invoked,
                seconds(operation.invoked_at),
            )
        };
        let items: String = self.marked.iter().enumerate().map(item).collect();
        format!("<ol>\n{items}</ol>\n")
    }

    fn title(&self, operation: &Operation, mark: Option<usize>, place: Option<usize>) -> String {
        let mark = mark.map_or(String::new(), |at| format!("#{} ", at + 1));
        let until = match operation.returned {
            Some(returned) => format!(
                "answered at event {returned}{}",
                seconds(operation.returned_at)
            ),
            None => "never answered: it may happen at any later time, or never".to_owned(),
        };
        let place = place.map_or(String::new(), |place| {
            format!("\nin the order: {}", place + 1)
        });
        format!(
            "{mark}client {}{}: {}\nasked at event {}{}\n{until}{place}",
            operation.process,
            self.key(operation),
            what(operation),
            operation.invoked,
            seconds(operation.invoked_at),
        )
    }

    fn key(&self, operation: &Operation) -> String {
        match self.history.keys[operation.key].as_str() {
            "" => String::new(),
            key => format!(", key {key}"),
        }
    }

    /// The order, as a line from moment to moment.
    fn line(&self, scale: &Scale, rows: &HashMap<&str, usize>) -> String {
        if !self.is_in_time || self.order.len() < 2 {
            return String::new();
        }
        let row = |number: &usize| rows.get(self.history.operations[*number].process.as_str());
        let moments = self.order.iter().zip(scale.moments(self));
        let points: String = moments
            .filter_map(|(number, moment)| Some((row(number)?, moment)))
            .map(|(row, moment)| format!("{moment:.3},{row}.8 "))
            .collect();
        format!(
            "<svg viewBox=\"0 0 100 {}\" preserveAspectRatio=none aria-hidden=true><polyline points=\"{}\"/></svg>",
            rows.len(),
            points.trim_end()
        )
    }

    /// Where it gets stuck.
    fn wall(&self, scale: &Scale) -> String {
        match self.stuck {
            Some(event) => format!(
                "<div class=\"wall{}\" style=left:{:.3}%><span>no order is left</span></div>",
                if scale.event(event) > FAR { " end" } else { "" },
                scale.event(event)
            ),
            None => String::new(),
        }
    }
}

fn kind(call: &Call) -> &'static str {
    match call {
        Call::Read => "r",
        Call::Write(_) => "w",
        Call::Delete => "d",
        Call::Append(_) | Call::Add(_) => "a",
        Call::Cas(..) => "c",
    }
}

/// So far to the right, words stand to the left.
const FAR: f64 = 60.0;

fn seconds(nanoseconds: Option<u64>) -> String {
    match nanoseconds {
        None => String::new(),
        Some(ns) if ns < 1_000_000 => format!(" ({} µs)", ns as f64 / 1e3),
        Some(ns) if ns < 1_000_000_000 => format!(" ({:.3} ms)", ns as f64 / 1e6),
        Some(ns) => format!(" ({:.3} s)", ns as f64 / 1e9),
    }
}
