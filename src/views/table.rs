//! The state of a cluster as a table, readable without colours.

use std::time::{Duration, SystemTime};

use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::types::NodeId;
use crate::views::faults;
use crate::views::lines::clean;
use crate::wire::control::{ClusterStatus, LostTotals, NodeRow, NodeState};
use crate::wire::data::{MemberState, NodeDetail};

/// The whole answer of `status`: a line above, the table, warnings, and a line for what was lost.
pub fn status(status: &ClusterStatus) -> String {
    let mut text = headline(status) + "\n\n";
    let columns = columns(status);
    let headers: Vec<&str> = columns.iter().map(|column| column.header).collect();
    let mut table = plain_table(&headers);
    for row in &status.nodes {
        table.add_row(columns.iter().map(|column| (column.cell)(status, row)));
    }
    for (at, column) in columns.iter().enumerate() {
        if let Some(cells) = table.column_mut(at).filter(|_| column.is_number) {
            cells.set_cell_alignment(CellAlignment::Right);
        }
    }
    text.push_str(&table.to_string());
    for fault in &status.faults {
        text.push_str(&format!("\n{}", faults::line(fault)));
    }
    for warning in &status.warnings {
        text.push_str(&format!("\n! {}", clean(warning)));
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
    let (storage, promise) = (clean(storage), clean(&mode.promise));
    format!("{head}, {rules}, in {storage}\n{promise}")
}

struct Column {
    header: &'static str,
    is_number: bool,
    cell: fn(&ClusterStatus, &NodeRow) -> String,
}

/// What is worth a column: votes where the mode has them, snapshots where there are any.
fn columns(status: &ClusterStatus) -> Vec<Column> {
    let column = |header, is_number, cell| Column {
        header,
        is_number,
        cell,
    };
    let votes = |more: &NodeDetail| more.voted_for.is_some();
    let snapshots = |more: &NodeDetail| more.snapshot_index > 0;
    let any = |test: fn(&NodeDetail) -> bool| status.nodes.iter().filter_map(detail).any(test);
    let mut columns = vec![
        column("", false, |status, row| {
            let leads = status.leader.as_ref() == Some(&row.id) && row.answer.is_some();
            if leads { "*" } else { "" }.to_owned()
        }),
        column("node", false, |_, row| clean(row.id.as_str())),
        column("state", false, |_, row| state(row.state).to_owned()),
        column("role", false, role),
        column("term", true, |_, row| {
            shown(row.answer.as_ref().map(|answer| answer.term))
        }),
        column("leader", false, |_, row| {
            id(row.answer.as_ref().and_then(|a| a.leader_id.as_ref()))
        }),
        column("vote", false, |_, row| {
            id(detail(row).and_then(|more| more.voted_for.as_ref()))
        }),
        column("keys", true, |_, row| {
            shown(row.answer.as_ref().map(|answer| answer.total_keys))
        }),
        column("log", true, |_, row| {
            shown(detail(row).map(|more| more.last_index))
        }),
        column("commit", true, |_, row| {
            shown(detail(row).map(|more| more.commit_index))
        }),
        column("snapshot", true, |_, row| {
            shown(detail(row).map(|more| more.snapshot_index))
        }),
        column("lag", true, lag),
        column("address", false, |_, row| clean(&row.url)),
        column("since", false, |_, row| {
            row.since.as_deref().map_or_else(|| "-".to_owned(), ago)
        }),
    ];
    columns.retain(|column| match column.header {
        "vote" => any(votes),
        "snapshot" => any(snapshots),
        _ => true,
    });
    columns
}

fn detail(row: &NodeRow) -> Option<&NodeDetail> {
    row.answer.as_ref()?.more.as_ref()
}

fn shown(number: Option<impl ToString>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn id(id: Option<&NodeId>) -> String {
    id.map_or_else(|| "-".to_owned(), |id| clean(id.as_str()))
}

fn state(state: NodeState) -> &'static str {
    match state {
        NodeState::Up => "up",
        NodeState::Killed => "killed",
        NodeState::Down => "DOWN",
        NodeState::Silent => "SILENT",
        NodeState::Paused => "paused",
    }
}

/// The row's node, as the leader knows it.
fn member<'a>(status: &'a ClusterStatus, row: &NodeRow) -> Option<&'a MemberState> {
    let leads = |other: &&NodeRow| Some(&other.id) == status.leader.as_ref();
    let leader = status.nodes.iter().find(leads)?;
    let mut members = detail(leader)?.members.iter();
    members.find(|member| member.id == row.id)
}

fn role(status: &ClusterStatus, row: &NodeRow) -> String {
    let Some(answer) = &row.answer else {
        return "-".to_owned();
    };
    match (detail(row), member(status, row)) {
        (Some(more), _) if more.disk.is_some() => "no disk".to_owned(),
        (Some(more), _) if more.recovering => "recovering".to_owned(),
        (_, Some(member)) if !member.voter => "learner".to_owned(),
        _ if status.is_outsider(row) => "no member".to_owned(),
        _ => answer.role.to_string(),
    }
}

fn lag(status: &ClusterStatus, row: &NodeRow) -> String {
    let is_sent_a_snapshot = member(status, row).is_some_and(|member| member.snapshot);
    match row.lag {
        Some(lag) if is_sent_a_snapshot => format!("{lag}, gets a snapshot"),
        lag => shown(lag),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Election, Replication};
    use crate::wire::control::{ClusterInfoBrief, ModeInfo};

    #[test]
    fn what_a_server_answers_cannot_move_the_cursor() {
        let strange = || "\u{1b}[2J".to_owned();
        let mode = ModeInfo {
            election: Election::Raft,
            replication: Replication::Quorum,
            promise: strange(),
        };
        let info = ClusterInfoBrief {
            program: strange(),
            name: strange(),
            pid: None,
            started_at: None,
            mode: Some(mode),
            storage: Some(strange()),
        };
        let row = NodeRow {
            id: NodeId::nth(1),
            url: strange(),
            state: NodeState::Down,
            since: Some(strange()),
            lag: None,
            answer: None,
        };
        let shown = status(&ClusterStatus {
            version: 1,
            info,
            leader: None,
            term: None,
            up: 0,
            total: 1,
            nodes: vec![row],
            lost: LostTotals::default(),
            faults: Vec::new(),
            warnings: vec![strange()],
            last_event: 0,
        });
        let moves = |c: char| c.is_control() && c != '\n';
        assert!(!shown.contains(moves), "{shown:?}");
        assert_eq!(shown.matches("\\u{1b}[2J").count(), 5, "{shown}");
    }
}
