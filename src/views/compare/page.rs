//! The comparison as a page of its own: nothing is fetched from anywhere, and it needs no scripts.

use std::fmt::Write;

use crate::compare::findings::Findings;
use crate::views::compare::{Column, Comparison, costs, gives, words};
use crate::views::lanes::escape;
use crate::views::page::STYLE;

/// The page as HTML.
pub fn page(all: &Comparison) -> String {
    let mut body = String::new();
    for (nodes, group) in all.groups() {
        let _ = write!(
            body,
            "<section class=why>\n<h2>What it costs, {nodes} nodes</h2>\n{}<h2>What it gives, {nodes} nodes</h2>\n{}{}</section>\n",
            table(&group, &costs(all.simulated)),
            table(&group, &gives()),
            paragraphs(&words::meaning(&group)),
        );
    }
    let kind = if all.simulated {
        "simulated"
    } else {
        "measured"
    };
    format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>What each pair of modes costs and gives</title>\n<style>\n{STYLE}{OWN}</style>\n\
         <header class=good>\n<h1>cluster {version}, {kind}</h1>\n\
         <p class=verdict>What each pair of modes costs, and what it gives</p>\n</header>\n\
         <main>\n{body}<section class=note>\n<h2>How</h2>\n{how}<p>Again: <code>{again}</code></p></section>\n</main>\n</html>\n",
        version = escape(env!("CARGO_PKG_VERSION")),
        how = paragraphs(&words::method(all)),
        again = escape(&all.again),
    )
}

fn paragraphs(sentences: &[String]) -> String {
    sentences.iter().fold(String::new(), |mut all, sentence| {
        let _ = writeln!(all, "<p>{}</p>", escape(sentence));
        all
    })
}

fn table(group: &[&Findings], columns: &[Column]) -> String {
    let mut html = String::from("<div class=scroll><table>\n<tr><th>");
    for column in columns {
        let lines: Vec<String> = column.head.lines().map(escape).collect();
        let head = lines.join("<br>");
        let _ = write!(html, "<th>{head}");
    }
    html.push('\n');
    let most = group.iter().filter_map(|found| found.put.per_second);
    let most = most.fold(1.0, f64::max);
    for found in group {
        let _ = write!(html, "<tr><th>{}", escape(&found.pair));
        for column in columns {
            let cell = (column.cell)(found);
            let share = found.put.per_second.filter(|_| column.head == "PUT/s");
            let bar = share.map_or(String::new(), |rate| {
                format!(" style=\"--share:{:.0}%\" class=rate", 100.0 * rate / most)
            });
            let tone = match column.head {
                "PUT/s" => bar,
                head => tone(head, &cell).to_owned(),
            };
            let _ = write!(html, "<td{tone}>{}", escape(&cell));
        }
        html.push('\n');
    }
    html + "</table></div>\n"
}

/// What is bad news stands out; words say the same.
fn tone(head: &str, cell: &str) -> &'static str {
    let counts_harm = [
        "lost by\ndeaths",
        "stale\ncopies",
        "split:\nloses",
        "no\norder",
        "two\nleaders",
    ];
    let is_bad = match counts_harm.contains(&head) {
        true => !cell.starts_with("0/") && cell != "-",
        false => cell == "no" || cell.contains("never"),
    };
    let is_good = cell == "yes" || (counts_harm.contains(&head) && cell.starts_with("0/"));
    match (is_bad, is_good) {
        (true, _) => " class=bad",
        (_, true) => " class=good",
        _ => "",
    }
}

const OWN: &str = "
h2 { max-width: none; margin: 26px 0 8px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; background: var(--card); }
th, td { padding: 5px 9px; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; font-size: 13.5px; }
th { font-weight: 550; vertical-align: bottom; } th:first-child { text-align: left; }
td.bad { color: var(--bad); font-weight: 600; } td.good { color: var(--good); }
td.rate { background: linear-gradient(to right, color-mix(in srgb, var(--write) 22%, transparent) var(--share), transparent 0); }
.scroll { overflow-x: auto; }
@media print { body { max-width: none; padding: 0; } }
";
