//! The timeline: faults on top, a lane for each node, a lane for each client, and what was measured underneath; all over one
//! scale of time.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::chaos::clients::NAMES as CLIENT_NAMES;
use crate::chaos::recording::{Asked, Recording};
use crate::chaos::roles::{self, State};
use crate::check::history::End;
use crate::sim::plan::Micros;
use crate::views::chaos::graphs;
use crate::views::chaos::scale::{NAMES, Scale, WIDTH};
use crate::views::intervals::asked as in_words;
use crate::views::lanes::escape;

/// How high a row of faults is.
const FAULT: f64 = 17.0;

/// How high a node's lane is.
const NODE: f64 = 26.0;

/// How high a client's lane is.
const CLIENT: f64 = 16.0;

/// More than these are not pointed out one by one.
const POINTED_OUT: usize = 40;

/// How high each graph is, with what it says.
const GRAPH: f64 = 96.0;

/// The picture.
pub(super) fn draw(recording: &Recording, marked: &[usize], lost: &[usize]) -> String {
    let scale = Scale::of(recording);
    let mut svg = String::new();
    let rows = fault_rows(recording, scale);
    let lanes = 6.0 + FAULT * (rows.iter().max().map_or(0, |row| row + 1)) as f64 + 6.0;
    let names = roles::all(recording);
    let clients = lanes + NODE * names.len() as f64 + 10.0;
    let processes = processes(recording);
    let latency = clients + CLIENT * processes as f64 + 24.0;
    let throughput = latency + GRAPH;
    let height = throughput + GRAPH;
    ticks(&mut svg, scale, lanes, height);
    faults(&mut svg, recording, scale, &rows, throughput + GRAPH - 30.0);
    for (at, node) in names.iter().enumerate() {
        lane(&mut svg, recording, scale, node, lanes + NODE * at as f64);
    }
    let dots = Dots {
        recording,
        scale,
        marked: marked.iter().copied().collect(),
        lost: lost.iter().copied().collect(),
        top: clients,
        lanes: processes,
    };
    dots.draw(&mut svg);
    svg.push_str(&graphs::latency(recording, scale, latency, GRAPH - 30.0));
    svg.push_str(&graphs::throughput(
        recording,
        scale,
        throughput,
        GRAPH - 30.0,
    ));
    format!(
        "<figure class=timeline><svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=img aria-label=\"timeline of the run\">\n\
         <defs><pattern id=hatch width=6 height=6 patternUnits=userSpaceOnUse patternTransform=\"rotate(45)\">\
         <rect class=ground width=6 height=6 /><rect class=stripe width=2.5 height=6 /></pattern></defs>\n{svg}</svg></figure>\n"
    )
}

fn ticks(svg: &mut String, scale: Scale, top: f64, height: f64) {
    for at in scale.ticks() {
        let x = scale.x(at);
        let _ = writeln!(
            svg,
            "<line class=tick x1={x:.1} x2={x:.1} y1={top:.0} y2={:.0} /><text class=time x={x:.1} y={:.0}>{} s</text>",
            height - 14.0,
            height - 3.0,
            at as f64 / 1e6
        );
    }
}

/// The row of each fault: the first that is free, words included.
fn fault_rows(recording: &Recording, scale: Scale) -> Vec<usize> {
    let mut free: Vec<f64> = Vec::new();
    let row = |struck: &crate::chaos::recording::Struck| {
        let from = scale.x(struck.from);
        let said = 6.2 * struck.what.chars().count() as f64 + 14.0;
        let end = scale
            .x(struck.until.unwrap_or(scale.end()))
            .max(from + said);
        let found = free.iter().position(|until| *until <= from);
        let row = found.unwrap_or(free.len());
        match free.get_mut(row) {
            Some(until) => *until = end,
            None => free.push(end),
        }
        row
    };
    recording.struck.iter().map(row).collect()
}

fn faults(svg: &mut String, recording: &Recording, scale: Scale, rows: &[usize], bottom: f64) {
    for (at, (struck, row)) in recording.struck.iter().zip(rows).enumerate() {
        let (x, y) = (scale.x(struck.from), 6.0 + FAULT * *row as f64);
        let wide = scale.wide(struck.from, struck.until.unwrap_or(scale.end()));
        let class = match struck.void {
            Some(_) => "fault void",
            None => "fault",
        };
        let what = escape(&struck.what);
        let _ = writeln!(
            svg,
            "<a href=#f{at}><rect class=\"band {class}\" x={x:.1} y={y:.1} width={wide:.1} height={:.1}><title>{what}</title></rect>\
             <rect class=\"{class}\" x={x:.1} y={y:.1} width={wide:.1} height=4 rx=1.5 />\
             <text class=said x={x:.1} y={:.1}>{what}</text></a>",
            bottom - y,
            y + 14.0
        );
    }
}

fn lane(
    svg: &mut String,
    recording: &Recording,
    scale: Scale,
    node: &crate::types::NodeId,
    y: f64,
) {
    let middle = y + NODE / 2.0;
    let _ = writeln!(
        svg,
        "<text class=name x={:.0} y={:.1}>{}</text><line class=follows x1={NAMES} x2={:.1} y1={middle:.1} y2={middle:.1} />",
        NAMES - 8.0,
        middle + 4.0,
        escape(node.as_str()),
        scale.x(scale.end()),
    );
    for span in roles::spans(recording, node, scale.end()) {
        let (x, wide) = (scale.x(span.from), scale.wide(span.from, span.until));
        let (class, said, title) = match span.what {
            State::Leads(Some(term)) => ("leads", format!("term {term}"), "leads"),
            State::Leads(None) => ("leads", String::new(), "leads"),
            State::Dead => ("dead", String::new(), "dead"),
            State::Still => ("still", String::new(), "stands still"),
            State::Apart => ("apart", String::new(), "cut off"),
        };
        let _ = writeln!(
            svg,
            "<rect class={class} x={x:.1} y={:.1} width={wide:.1} height={:.1} rx=3><title>{} {title} {said}, {:.3} s to {:.3} s</title></rect>",
            y + 4.0,
            NODE - 8.0,
            escape(node.as_str()),
            span.from as f64 / 1e6,
            span.until as f64 / 1e6,
        );
        if wide > 6.2 * said.len() as f64 + 8.0 && !said.is_empty() {
            let _ = writeln!(
                svg,
                "<text class=term x={:.1} y={:.1}>{said}</text>",
                x + 5.0,
                middle + 3.5
            );
        }
    }
}

/// How many lanes clients need: those of the end share one.
fn processes(recording: &Recording) -> usize {
    let scheduled = recording.scheduled().map(|a| a.process % CLIENT_NAMES);
    scheduled.max().map_or(0, |most| most + 1) + 1
}

/// Operations as dots, a lane a client.
struct Dots<'a> {
    recording: &'a Recording,
    scale: Scale,
    marked: BTreeSet<usize>,
    lost: BTreeSet<usize>,
    top: f64,
    lanes: usize,
}

impl Dots<'_> {
    /// Those of one kind are one path, since there are many; what is pointed out stands alone.
    fn draw(&self, svg: &mut String) {
        let (mut ok, mut no, mut lost) = (String::new(), String::new(), String::new());
        let mut alone = String::new();
        for asked in &self.recording.asked {
            let (x, y) = self.place(asked);
            if self.marked.contains(&asked.invoked) && self.marked.len() <= POINTED_OUT {
                let told = escape(&told(self.recording, asked));
                let _ = writeln!(
                    alone,
                    "<circle class=bad cx={x:.1} cy={y:.1} r=4.5><title>{told}</title></circle>"
                );
                continue;
            }
            let dots = match asked.is_answered() {
                _ if self.lost.contains(&asked.invoked) => &mut lost,
                true => &mut ok,
                false => &mut no,
            };
            let _ = write!(dots, "M{x:.1} {y:.1}h0");
        }
        self.names(svg);
        for (class, dots) in [("ok", ok), ("no", no), ("bad", lost)] {
            let _ = writeln!(svg, "<path class=\"dots {class}\" d=\"{dots}\"/>");
        }
        svg.push_str(&alone);
    }

    fn lane(&self, asked: &Asked) -> usize {
        match asked.is_final {
            true => self.lanes - 1,
            false => asked.process % CLIENT_NAMES,
        }
    }

    fn place(&self, asked: &Asked) -> (f64, f64) {
        // A little apart, so that those at about the same time can be told.
        let apart = (asked.key % 5) as f64 * 1.6 - 3.2;
        let y = self.top + CLIENT * (self.lane(asked) as f64 + 0.5) + apart;
        (self.scale.x(asked.invoked_at), y)
    }

    fn names(&self, svg: &mut String) {
        for lane in 0..self.lanes {
            let name = match lane + 1 == self.lanes {
                true => "in the end".to_owned(),
                false => format!("client {lane}"),
            };
            let _ = writeln!(
                svg,
                "<text class=name x={:.0} y={:.1}>{name}</text>",
                NAMES - 8.0,
                self.top + CLIENT * (lane as f64 + 0.5) + 4.0
            );
        }
    }
}

/// An operation in words.
pub(in crate::views) fn told(recording: &Recording, asked: &Asked) -> String {
    let what = in_words(&asked.call);
    let end = match &asked.end {
        End::Ok(Some(seen)) => format!(" → {seen}"),
        End::Ok(None) => ": done".to_owned(),
        End::Fail => ": not done".to_owned(),
        End::Unknown => ": no answer".to_owned(),
    };
    let seconds = |at: Micros| at as f64 / 1e6;
    format!(
        "client {} at {:.3} s, key {}: {what}{end} ({:.3} s)",
        asked.process,
        seconds(asked.invoked_at),
        recording.keys[asked.key],
        seconds(asked.returned_at)
    )
}
