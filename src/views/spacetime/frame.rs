//! What stands around the picture: what was played and how it ended, the story in one piece, and what the colours mean.

use crate::sim::plan::Plan;
use crate::views::spacetime::Heading;
use crate::views::spacetime::chart::Chart;
use crate::views::spacetime::flights::Kind;
use crate::views::spacetime::html::{escape, px};
use crate::views::spacetime::lanes::Lanes;
use crate::views::spacetime::sheets::tone;
use crate::views::story::names::span;
use crate::views::story::stamp;

pub(super) const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The whole page, around `sheets`.
pub(super) fn page(heading: &Heading, plan: &Plan, chart: &Chart, sheets: &str) -> String {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
    let title = escape(&heading.title);
    let lanes = Lanes::of(chart);
    let width = px(lanes.width());
    let (head, story, legend, lanes) = (
        head(heading, plan, chart),
        story(chart),
        legend(chart),
        names(&lanes),
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body style=\"--wide:{width}px\">\n{head}{story}<main>\n{legend}{lanes}{sheets}</main>\n<div id=\"tip\" hidden></div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn head(heading: &Heading, plan: &Plan, chart: &Chart) -> String {
    let class = if chart.broken.is_some() {
        "bad"
    } else {
        "good"
    };
    let scale = &plan.scale;
    let jitter = match scale.jitter {
        0 => String::new(),
        jitter => format!(" to {}", span((scale.latency + jitter) * 1000)),
    };
    let facts = [
        heading.note.clone(),
        format!("{} nodes", plan.nodes),
        plan.mode.to_string(),
        format!("seed {}", plan.seed),
        format!("a message takes {}{jitter}", span(scale.latency * 1000)),
        format!("heartbeats every {}", span(scale.heartbeat * 1000)),
        format!("election timeout {}", span(scale.election_timeout * 1000)),
        format!("{} of virtual time", span(chart.end)),
    ];
    let facts: String = facts
        .iter()
        .map(|fact| format!("<li>{}</li>", escape(fact)))
        .collect();
    format!(
        "<header>\n<h1>{}</h1>\n<p class=\"verdict {class}\">{}</p>\n<ul class=\"facts\">{facts}</ul>\n<p class=\"again\"><span>Play it again:</span> <code id=\"command\">{}</code> <button id=\"copy\" type=\"button\" hidden>copy</button> <span class=\"version\">{}</span></p>\n</header>\n",
        escape(&heading.title),
        escape(&heading.verdict),
        escape(&heading.command),
        escape(&heading.version)
    )
}

/// The story in one piece, each sentence leading to its place in the picture.
fn story(chart: &Chart) -> String {
    let item = |(number, sentence): (usize, &crate::views::story::Sentence)| {
        format!(
            "<li id=\"t{number}\" class=\"{}\"><a href=\"#s{number}\">{}</a> <span>{}</span></li>\n",
            tone(sentence.tone),
            escape(&stamp(sentence.at)),
            escape(&sentence.text)
        )
    };
    let items: String = chart.sentences.iter().enumerate().map(item).collect();
    format!(
        "<details class=\"story\"><summary>The story in one piece</summary>\n<ol>\n{items}</ol>\n</details>\n"
    )
}

pub(super) fn legend(chart: &Chart) -> String {
    let kinds = Kind::ALL
        .iter()
        .filter(|(kind, _)| chart.flights.iter().any(|flight| flight.kind == *kind));
    let kinds: String = kinds
        .map(|(kind, name)| {
            format!(
                "<label class=\"key\"><input type=\"checkbox\" data-kind=\"{0}\" checked><svg width=\"34\" height=\"12\"><g class=\"m {0}\"><path d=\"M2 6H26\"/><path class=\"tip\" d=\"M32 6l-8 -3.6v7.2z\"/></g></svg>{name}</label>",
                kind.class()
            )
        })
        .collect();
    let bands = [
        ("leader t1", 14.0, "leads (a colour for each term)"),
        ("follower t1", 4.0, "follows"),
        ("candidate", 8.0, "stands for election"),
        ("paused", 8.0, "stands still"),
        ("failed", 8.0, "its disk failed"),
    ];
    let bands: String = bands
        .iter()
        .map(|(class, high, name)| {
            let y = px(7.0 - high / 2.0);
            let high = px(*high);
            format!("<span class=\"key\"><svg width=\"24\" height=\"14\"><rect class=\"band {class}\" x=\"1\" y=\"{y}\" width=\"22\" height=\"{high}\"/></svg>{name}</span>")
        })
        .collect();
    let others = "<span class=\"key\"><svg width=\"24\" height=\"14\"><path class=\"band dead\" d=\"M0 7H24\"/></svg>is dead</span><span class=\"key\"><svg width=\"24\" height=\"14\"><path class=\"apart\" d=\"M0 7H24\"/></svg>is cut off (left: deaf, right: unheard)</span><span class=\"key\"><svg width=\"34\" height=\"14\"><g class=\"m append lost\"><path d=\"M2 7H22\"/><path class=\"tip\" d=\"M20 3l9 9M29 3l-9 9\"/></g></svg>lost</span><span class=\"key\"><svg width=\"14\" height=\"14\"><g class=\"mark stored\"><rect x=\"3.5\" y=\"3.5\" width=\"7\" height=\"7\"/></g></svg>on disk</span><span class=\"key\"><svg width=\"16\" height=\"14\"><g class=\"mark gone\"><path d=\"M3 2l10 10M13 2l-10 10\"/></g></svg>given up</span>";
    format!("<div class=\"legend\">{kinds}{bands}{others}</div>\n")
}

/// The names above the lanes.
pub(super) fn names(lanes: &Lanes) -> String {
    let name = |(x, name): (f64, String)| {
        let class = if name.starts_with('c') {
            " class=\"asks\""
        } else {
            ""
        };
        format!("<b{class} style=\"left:{}px\">{}</b>", px(x), escape(&name))
    };
    let names: String = lanes.names().into_iter().map(name).collect();
    format!("<div class=\"lanes\">{names}<i>what happens</i></div>\n")
}
