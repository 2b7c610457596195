//! The state of a cluster as a table, readable without colours.

use std::time::{Duration, SystemTime};

use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::views::lines::clean;
use crate::wire::control::{ClusterStatus, LostTotals, NodeRow, NodeState};

/// The whole answer of `status`: a line above, the table, warnings, and a line for what was lost.
pub fn status(status: &ClusterStatus) -> String {
    let mut text = headline(status) + "\n\n";
    let mut table = plain_table(&[
        "", "node", "state", "role", "term", "leader", "keys", "log", "lag", "address", "since",
    ]);
    for row in &status.nodes {
        table.add_row(cells(status, row));
    }
    for column in [4, 6, 7, 8] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    text.push_str(&table.to_string());
    for warning in &status.warnings {
        text.push_str(&format!("\n! {warning}"));
    }
    if let Some(lost) = lost(&status.lost) {
        text.push_str(&format!("\n{lost}"));
    }
    text
}

/// A table without borders, to be filled.
pub fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table
}

fn headline(status: &ClusterStatus) -> String {
    let name = clean(&status.info.name);
    let leader = match (&status.leader, status.term) {
        (Some(leader), Some(term)) => format!("{leader} leads term {term}"),
        _ => "nobody leads".to_owned(),
    };
    let (up, total) = (status.up, status.total);
    let head = format!("{name}: {leader}, {up} of {total} up");
    let Some(mode) = &status.info.mode else {
        return head;
    };
    let rules = crate::types::Mode {
        election: mode.election,
        replication: mode.replication,
    };
    let storage = status.info.storage.as_deref().unwrap_or("memory");
    format!("{head}, {rules}, in {storage}\n{}", mode.promise)
}

fn cells(status: &ClusterStatus, row: &NodeRow) -> [String; 11] {
    let answer = row.answer.as_ref();
    let more = answer.and_then(|answer| answer.more.as_ref());
    let nothing = || "-".to_owned();
    let leads = status.leader.as_ref() == Some(&row.id) && answer.is_some();
    let state = match row.state {
        NodeState::Up => "up",
        NodeState::Killed => "killed",
        NodeState::Down => "DOWN",
        NodeState::Silent => "SILENT",
    };
    let leader = answer.and_then(|answer| answer.leader_id.as_ref());
    [
        if leads { "*" } else { "" }.to_owned(),
        clean(row.id.as_str()),
        state.to_owned(),
        answer.map_or_else(nothing, |answer| answer.role.to_string()),
        answer.map_or_else(nothing, |answer| answer.term.to_string()),
        leader.map_or_else(nothing, |leader| clean(leader.as_str())),
        answer.map_or_else(nothing, |answer| answer.total_keys.to_string()),
        more.map_or_else(nothing, |more| more.last_index.to_string()),
        row.lag.map_or_else(nothing, |lag| lag.to_string()),
        row.url.clone(),
        row.since.as_deref().map_or_else(nothing, ago),
    ]
}

fn lost(lost: &LostTotals) -> Option<String> {
    const SHOWN: usize = 8;
    if lost.count == 0 {
        return None;
    }
    let keys: Vec<String> = lost
        .writes
        .iter()
        .rev()
        .take(SHOWN)
        .map(|write| clean(write.key.as_str()))
        .collect();
    let more = lost.count.saturating_sub(keys.len() as u64);
    let rest = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    let writes = if lost.count == 1 { "write" } else { "writes" };
    Some(format!(
        "✗ lost: {} acknowledged {writes}: {}{rest}",
        lost.count,
        keys.join(", ")
    ))
}

/// How long ago an RFC 3339 moment was, roughly: `12s ago`.
pub fn ago(moment: &str) -> String {
    let Ok(moment) = humantime::parse_rfc3339(moment) else {
        return "-".to_owned();
    };
    let elapsed = SystemTime::now()
        .duration_since(moment)
        .unwrap_or(Duration::ZERO);
    let text = humantime::format_duration(Duration::from_secs(elapsed.as_secs())).to_string();
    let parts: Vec<&str> = text.split(' ').take(2).collect();
    format!("{} ago", parts.join(" "))
}
