//! The pairs of modes beside each other: what each costs, and what it gives. As text, and as a page.

mod page;
mod words;

pub use page::page;

use comfy_table::CellAlignment;

use crate::compare::findings::{Findings, Speed};
use crate::views::table::plain_table;

/// What was compared, and how.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// A pair each, for one number of nodes after the other.
    pub pairs: Vec<Findings>,
    /// How many seeds the simulated runs had.
    pub seeds: u64,
    /// Nothing was measured on ports.
    pub simulated: bool,
    /// How long each load went on.
    pub load: std::time::Duration,
    /// The command that does it again.
    pub again: String,
    /// The pairs that could not be measured, and why.
    pub unmeasured: Vec<String>,
    /// It was ended before all were done.
    pub interrupted: bool,
}

impl Comparison {
    /// Those of one number of nodes.
    fn groups(&self) -> Vec<(usize, Vec<&Findings>)> {
        let mut groups: Vec<(usize, Vec<&Findings>)> = Vec::new();
        for found in &self.pairs {
            match groups.iter_mut().find(|(nodes, _)| *nodes == found.nodes) {
                Some((_, group)) => group.push(found),
                None => groups.push((found.nodes, vec![found])),
            }
        }
        groups
    }
}

/// A column: its head, and what stands in it.
struct Column {
    head: &'static str,
    cell: fn(&Findings) -> String,
}

/// What a pair costs.
fn costs(simulated: bool) -> Vec<Column> {
    let column = |head, cell| Column { head, cell };
    let mut columns = vec![
        column("PUT/s", |found| rate(&found.put)),
        column("p50\nms", |found| millis(found.put.p50_ms)),
        column("p99\nms", |found| millis(found.put.p99_ms)),
        column("GET/s", |found| rate(&found.get)),
        column("p50\nms", |found| millis(found.get.p50_ms)),
        column("p99\nms", |found| millis(found.get.p99_ms)),
        column("failover\nms", |found| {
            failover(found, found.failover.median_ms)
        }),
        column("at worst\nms", |found| {
            failover(found, found.failover.worst_ms)
        }),
    ];
    if simulated {
        columns.retain(|column| !column.head.ends_with("/s"));
        columns[0].head = "PUT, p50\nms";
        columns[2].head = "GET, p50\nms";
    }
    columns
}

/// What a pair gives.
fn gives() -> Vec<Column> {
    let column = |head, cell| Column { head, cell };
    vec![
        column("lost by\ndeaths", |f| {
            of(f.deaths.lost, f.deaths.acknowledged)
        }),
        column("stale\ncopies", |f| of(f.stale.stale, f.stale.reads)),
        column("1 gone:\nPUT", |f| {
            yes(f.one_gone.writes, f.one_gone.writes_tried)
        }),
        column("\nGET", |f| yes(f.one_gone.reads, f.one_gone.reads_tried)),
        column("most gone:\nPUT", |f| {
            yes(f.majority_gone.writes, f.majority_gone.writes_tried)
        }),
        column("\nGET", |f| {
            yes(f.majority_gone.reads, f.majority_gone.reads_tried)
        }),
        column("split:\nloses", |f| {
            of(f.partitions.lost, f.partitions.seeds)
        }),
        column("no\norder", |f| {
            let found = of(f.partitions.not_linearizable, f.partitions.seeds);
            match f.partitions.undecided {
                0 => found,
                undecided => format!("{found}, {undecided} ?"),
            }
        }),
        column("two\nleaders", |f| {
            of(f.partitions.two_leaders, f.partitions.seeds)
        }),
        column("served", |f| {
            share(f.partitions.answered, f.partitions.operations)
        }),
    ]
}

/// The whole as text.
pub fn text(all: &Comparison) -> String {
    let mut text = String::new();
    for (nodes, group) in all.groups() {
        text.push_str(&format!("What it costs, {nodes} nodes\n\n"));
        text.push_str(&table(&group, &costs(all.simulated)));
        text.push_str(&format!("\n\nWhat it gives, {nodes} nodes\n\n"));
        text.push_str(&table(&group, &gives()));
        text.push_str("\n\n");
        for sentence in words::meaning(&group) {
            text.push_str(&wrapped(&sentence));
        }
        text.push('\n');
    }
    for sentence in words::method(all) {
        text.push_str(&wrapped(&sentence));
    }
    text.trim_end().to_owned()
}

fn table(group: &[&Findings], columns: &[Column]) -> String {
    let heads: Vec<&str> = std::iter::once("")
        .chain(columns.iter().map(|column| column.head))
        .collect();
    let mut table = plain_table(&heads);
    for found in group {
        let cells = columns.iter().map(|column| (column.cell)(found));
        table.add_row(std::iter::once(found.pair.clone()).chain(cells));
    }
    for at in 1..=columns.len() {
        if let Some(cells) = table.column_mut(at) {
            cells.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table
        .to_string()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// A sentence, with a mark before it, in lines of at most 100 characters.
fn wrapped(sentence: &str) -> String {
    let mut text = String::new();
    let mut line = "·".to_owned();
    for word in sentence.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            text.push_str(&line);
            text.push('\n');
            line = " ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    text + &line + "\n"
}

fn rate(speed: &Speed) -> String {
    speed.per_second.map_or("-".to_owned(), |rate| {
        crate::views::lines::grouped(rate as u64)
    })
}

fn millis(ms: f64) -> String {
    match ms {
        0.0..10.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// How long nobody acknowledged anything; if nobody ever did, that.
fn failover(found: &Findings, took: Option<f64>) -> String {
    match took {
        Some(ms) if found.failover.never == 0 => millis(ms),
        Some(ms) => format!("{}; {} never", millis(ms), found.failover.never),
        None => "never".to_owned(),
    }
}

fn of(some: usize, all: usize) -> String {
    match all {
        0 => "-".to_owned(),
        _ => format!("{some}/{all}"),
    }
}

fn yes(some: usize, all: usize) -> String {
    match some {
        _ if all == 0 => "-".to_owned(),
        0 => "no".to_owned(),
        _ if some == all => "yes".to_owned(),
        _ => of(some, all),
    }
}

fn share(some: usize, all: usize) -> String {
    match all {
        0 => "-".to_owned(),
        _ => format!("{:.0} %", 100.0 * some as f64 / all as f64),
    }
}
