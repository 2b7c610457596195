//! A run of chaos as a page of its own: what became of every node, which faults struck, how every operation fared, and why
//! the verdict is what it is. Nothing is fetched from anywhere; it needs no scripts, and is readable in light and dark and on
//! paper.

mod graphs;
mod scale;
pub(in crate::views) mod timeline;

use std::fmt::Write;

use crate::chaos::recording::Recording;
use crate::check::Explanation;
use crate::views::lanes::{Lanes, escape};
use crate::views::page::{STYLE, Tone};
use crate::views::spacetime::closeup;

/// A page.
pub struct Page<'a> {
    /// What was broken: `raft + quorum, 5 nodes, seed 7`.
    pub name: &'a str,
    /// How it came out.
    pub verdict: &'a str,
    /// The same, as a colour.
    pub tone: Tone,
    /// What there was: `12 operations`.
    pub facts: Vec<String>,
    /// Why the verdict is what it is.
    pub why: Vec<String>,
    /// The few operations that fit into no order.
    pub explanation: Option<&'a Explanation>,
    /// The events by which operations to point out were asked.
    pub marked: Vec<usize>,
    /// The events by which writes that are lost were asked.
    pub lost: Vec<usize>,
    /// The name of what is broken.
    pub broken: Option<&'a str>,
    /// What happened.
    pub recording: &'a Recording,
    /// What was measured, as text.
    pub measured: String,
    /// The command that does it again.
    pub again: &'a str,
}

impl Page<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let facts: String = self.facts.iter().fold(String::new(), |mut all, fact| {
            let _ = write!(all, "<li>{}</li>", escape(fact));
            all
        });
        let why: String = self.why.iter().fold(String::new(), |mut all, why| {
            let _ = writeln!(all, "<p>{}</p>", escape(why));
            all
        });
        format!(
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
             <meta name=viewport content=\"width=device-width,initial-scale=1\">\n\
             <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{name}: {verdict}</title>\n<style>\n{STYLE}{OWN}</style>\n\
             <header class={tone}>\n<h1>{name}</h1>\n<p class=verdict>{verdict}</p>\n<ul class=facts>{facts}</ul>\n</header>\n\
             <main>\n<section class=why>\n{why}{few}</section>\n{LEGEND}{timeline}{closeup}\
             <section class=faults><h2>Faults</h2>\n{faults}</section>\n\
             <section><h2>Measured</h2>\n<pre>{measured}</pre>\n<p class=note>Again: <code>{again}</code></p></section>\n\
             </main>\n</html>\n",
            name = escape(self.name),
            verdict = escape(self.verdict),
            tone = self.tone.class(),
            few = self.few(),
            timeline = timeline::draw(self.recording, &self.marked, &self.lost),
            closeup = closeup(self.recording, &self.marked, self.broken).unwrap_or_default(),
            faults = faults(self.recording),
            measured = lines(&self.measured),
            again = escape(self.again),
        )
    }

    /// The few operations that show it.
    fn few(&self) -> String {
        let Some(explanation) = self.explanation else {
            return String::new();
        };
        let all = &explanation.operations;
        let order = explanation.order.iter().copied();
        let lanes = Lanes {
            history: &explanation.history,
            operations: all.clone(),
            order: order.filter(|number| all.contains(number)).collect(),
            is_in_time: explanation.stuck.is_some(),
            marked: all.clone(),
            stuck: None,
            names_keys: explanation.stuck.is_none(),
            is_summary: true,
        };
        lanes.html() + &lanes.list()
    }
}

/// Text of several lines.
fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escape).collect();
    lines.join("\n")
}

/// The faults, a row each: what was planned, and whom it struck.
fn faults(recording: &Recording) -> String {
    let mut rows = String::new();
    for (at, struck) in recording.struck.iter().enumerate() {
        let lasted = struck.until.map_or(String::new(), |until| {
            format!("{:.3} s", until.saturating_sub(struck.from) as f64 / 1e6)
        });
        let planned = crate::chaos::words::planned(&struck.planned, &recording.nodes);
        let void = match &struck.void {
            None => escape(&struck.what),
            Some(why) => format!("<em>no effect: {}</em>", escape(why)),
        };
        let _ = writeln!(
            rows,
            "<tr id=f{at}><td>{:.3} s</td><td>{lasted}</td><td>{}</td><td>{void}</td></tr>",
            struck.from as f64 / 1e6,
            escape(&planned),
        );
    }
    if rows.is_empty() {
        return "<p class=note>None.</p>\n".to_owned();
    }
    format!(
        "<table><thead><tr><th>at</th><th>for</th><th>planned</th><th>whom it struck</th></tr></thead>\n<tbody>{rows}</tbody></table>\n"
    )
}

const LEGEND: &str = "<ul class=\"legend chaos\" aria-label=legend><li><i class=leads></i>leads</li><li><i class=follows></i>follows</li>\
    <li><i class=dead></i>dead</li><li><i class=still></i>stands still</li><li><i class=apart></i>cut off</li>\
    <li><i class=fault></i>a fault in force</li><li><u class=ok></u>answered</li><li><u class=no></u>refused, or no answer</li>\
    <li><u class=bad></u>lost, or cannot be explained</li></ul>\n";

const OWN: &str = include_str!("page.css");
