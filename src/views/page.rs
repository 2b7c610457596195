//! A judged history as a page of its own: nothing is fetched from anywhere, and it can be read without scripts, in light
//! and dark, and on paper.

use std::fmt::Write;

use crate::views::lanes::{Lanes, escape};

/// How it came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// It is not.
    Bad,
    /// Nobody knows.
    Unknown,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Unknown => "unknown",
        }
    }
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// What was judged.
    pub name: &'a str,
    /// How it came out, in words: `not linearizable`.
    pub verdict: &'a str,
    /// The same, as a colour.
    pub tone: Tone,
    /// What there was: `12 operations`.
    pub facts: Vec<String>,
    /// What the verdict means, and why it is so.
    pub words: Vec<String>,
    /// The few operations that show it.
    pub why: Option<Lanes<'a>>,
    /// All operations.
    pub sections: Vec<Section<'a>>,
}

/// A part of the history.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    /// The key; or what else it shows.
    pub name: String,
    /// How that came out.
    pub tone: Tone,
    /// In words.
    pub note: String,
    /// The picture.
    pub lanes: Lanes<'a>,
}

/// How many operations are drawn at most: more would be too much for a browser.
const DRAWN: usize = 20_000;

impl Page<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let drawn = self.drawn();
        let left = self.sections.len() - drawn.len();
        let mut sections = String::new();
        if left > 0 {
            let _ = writeln!(
                sections,
                "<p class=note>{left} of {} are not drawn, for their number: those in italics above.</p>",
                self.sections.len()
            );
        }
        for at in &drawn {
            sections.push_str(&self.sections[*at].html(*at, *at == self.first()));
        }
        let facts: String = self
            .facts
            .iter()
            .map(|fact| format!("<li>{}</li>", escape(fact)))
            .collect();
        let words: String = self
            .words
            .iter()
            .map(|word| format!("<p>{}</p>\n", escape(word)))
            .collect();
        let why = self
            .why
            .as_ref()
            .map_or(String::new(), |lanes| lanes.html() + &lanes.list());
        format!(
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
             <meta name=viewport content=\"width=device-width,initial-scale=1\">\n\
             <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
             <title>{name}: {verdict}</title>\n<style>\n{STYLE}</style>\n\
             <header class={tone}>\n<h1>{name}</h1>\n<p class=verdict>{verdict}</p>\n<ul class=facts>{facts}</ul>\n</header>\n\
             <main>\n<section class=why>\n{words}{why}</section>\n{nav}{LEGEND}{sections}</main>\n\
             <script>\n{SCRIPT}</script>\n</html>\n",
            name = escape(self.name),
            verdict = escape(self.verdict),
            tone = self.tone.class(),
            nav = self.nav(&drawn),
        )
    }

    /// Which sections are drawn; what is to be pointed out is, anyway.
    fn drawn(&self) -> Vec<usize> {
        let mut drawn = 0;
        let mut is_drawn = |section: &Section| {
            drawn += section.lanes.operations.len();
            drawn <= DRAWN || !section.lanes.marked.is_empty()
        };
        let all = self.sections.iter().enumerate();
        all.filter(|(_, section)| is_drawn(section))
            .map(|(at, _)| at)
            .collect()
    }

    /// The section that is open at first: one with something to point out.
    fn first(&self) -> usize {
        let marked = self
            .sections
            .iter()
            .position(|section| !section.lanes.marked.is_empty());
        marked.unwrap_or(0)
    }

    fn nav(&self, drawn: &[usize]) -> String {
        if self.sections.len() < 2 {
            return String::new();
        }
        let link = |(at, section): (usize, &Section)| {
            let (tone, name) = (section.tone.class(), escape(&section.name));
            match drawn.binary_search(&at) {
                Ok(_) => format!("<a class={tone} href=#s{at}>{name}</a>"),
                Err(_) => format!("<a class=\"{tone} left\">{name}</a>"),
            }
        };
        let links: String = self.sections.iter().enumerate().map(link).collect();
        format!("<nav aria-label=keys>{links}</nav>\n")
    }
}

impl Section<'_> {
    fn html(&self, at: usize, is_open: bool) -> String {
        format!(
            "<details id=s{at} class={}{}>\n<summary><h2>{}</h2><p>{}</p></summary>\n{}</details>\n",
            self.tone.class(),
            if is_open { " open" } else { "" },
            escape(&self.name),
            escape(&self.note),
            self.lanes.html()
        )
    }
}

const LEGEND: &str = "<ul class=legend aria-label=legend><li><i class=r></i>read</li><li><i class=w></i>write</li>\
    <li><i class=a></i>append, add</li><li><i class=c></i>compare-and-set</li><li><i class=d></i>delete</li>\
    <li><i class=\"w open\"></i>no answer</li><li><b></b>its moment in the order found</li>\
    <li><i class=\"r bad\"></i>cannot be placed together</li></ul>\n";

/// How pages look that are not pictures of one run.
pub(super) const STYLE: &str = include_str!("page/page.css");

const SCRIPT: &str = include_str!("page/page.js");
