//! The faults in force: as a table, as a line each, and as a matrix of links.

use std::time::{Duration, SystemTime};

use crate::types::NodeId;
use crate::views::lines::clean;
use crate::views::table::{ago, plain_table};
use crate::wire::control::{ClusterStatus, NodeState};
use crate::wire::faults::{FaultInForce, Trouble};

/// What is in force, a row each.
pub fn table(faults: &[FaultInForce]) -> String {
    let mut table = plain_table(&["name", "what", "since", "until", "by", "undo"]);
    for fault in faults {
        table.add_row([
            clean(&fault.name),
            clean(&fault.what),
            ago(&fault.since),
            match fault.until.as_deref() {
                Some(at) => ahead(at).unwrap_or_else(|| "overdue".to_owned()),
                None => "-".to_owned(),
            },
            match fault.by.as_str() {
                "" => "-".to_owned(),
                by => clean(by),
            },
            clean(&fault.undo),
        ]);
    }
    table.to_string()
}

/// One of them as a line.
pub fn line(fault: &FaultInForce) -> String {
    let until = fault.until.as_deref().map(|at| match ahead(at) {
        Some(left) => format!(", {left} left"),
        None => ", overdue: it cannot be undone yet".to_owned(),
    });
    format!(
        "⚡ {}: {}  (since {}{}; {})",
        clean(&fault.name),
        clean(&fault.what),
        ago(&fault.since),
        until.unwrap_or_default(),
        clean(&fault.undo)
    )
}

/// How far ahead an RFC 3339 moment is, roughly; `None`: it is over.
fn ahead(moment: &str) -> Option<String> {
    let moment = humantime::parse_rfc3339(moment).ok()?;
    let left = moment.duration_since(SystemTime::now()).ok()?;
    Some(humantime::format_duration(Duration::from_secs(left.as_secs() + 1)).to_string())
}

/// How a link fares.
fn sign(status: &ClusterStatus, from: &NodeId, to: &NodeId) -> &'static str {
    let strikes = |fault: &&FaultInForce| {
        let mut links = fault.links.iter();
        links.any(|link| link.from == *from && link.to == *to)
    };
    let cuts = |fault: &FaultInForce| match &fault.trouble {
        Trouble::Links { fault, only, .. } => fault.cut && only.is_empty(),
        _ => true,
    };
    let mut struck = status.faults.iter().filter(strikes).peekable();
    match (from == to, struck.peek().is_some()) {
        (true, _) => "",
        (false, false) => "·",
        (false, true) if struck.any(cuts) => "✗",
        (false, true) => "~",
    }
}

/// A matrix of all links: a row for who says it, a column for who hears it.
pub fn links(status: &ClusterStatus) -> String {
    let ids: Vec<&NodeId> = status.nodes.iter().map(|row| &row.id).collect();
    let names: Vec<String> = ids.iter().map(|id| clean(id.as_str())).collect();
    let mut header = vec!["says \\ hears"];
    header.extend(names.iter().map(String::as_str));
    let mut table = plain_table(&header);
    for (row, from) in status.nodes.iter().zip(&ids) {
        let name = match row.state {
            NodeState::Up => clean(from.as_str()),
            NodeState::Killed | NodeState::Down => format!("{} (dead)", clean(from.as_str())),
            NodeState::Paused => format!("{} (paused)", clean(from.as_str())),
            NodeState::Silent => format!("{} (silent)", clean(from.as_str())),
        };
        let cells = ids.iter().map(|to| sign(status, from, to).to_owned());
        table.add_row([name].into_iter().chain(cells));
    }
    format!("{table}\n· well   ~ late, lossy or narrow   ✗ cut")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_a_fault_cannot_move_the_cursor() {
        let strange = || "\u{1b}[2J".to_owned();
        let fault = FaultInForce {
            name: strange(),
            what: strange(),
            expect: strange(),
            trouble: Trouble::Ring,
            struck: Vec::new(),
            links: Vec::new(),
            roles: Vec::new(),
            since: strange(),
            until: Some(strange()),
            by: strange(),
            undo: strange(),
            lasts: true,
        };
        let shown = table(std::slice::from_ref(&fault)) + &line(&fault);
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}
