//! What a cluster looks like from outside: every node is asked, and what they answer is put side by side.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use crate::client::data::{DataClient, NoAnswer};
use crate::engine::Wanted;
use crate::types::{Election, Leadership, Mode, NodeId, Replication, Role, Term};
use crate::wire::control::{
    ClusterInfoBrief, ClusterStatus, LostTotals, NodeRow, NodeState, STATUS_VERSION,
};
use crate::wire::data::{NodeDetail, NodeStatus};

/// How many nodes are asked at once.
const AT_ONCE: usize = 64;

/// Asks every node and shows what it says, in the given order.
pub async fn rows(client: &DataClient, nodes: Vec<Wanted>) -> Vec<NodeRow> {
    let ask = |node: Wanted| async move {
        // Who was made to stand still would only let everybody wait.
        let answer = match node.paused {
            true => Err(NoAnswer::Silent("it stands still".to_owned())),
            false => client.status(&node.url, false).await,
        };
        let state = match &answer {
            Err(_) if node.paused => NodeState::Paused,
            Ok(_) => NodeState::Up,
            Err(NoAnswer::Refused) if !node.alive => NodeState::Killed,
            Err(NoAnswer::Refused) => NodeState::Down,
            Err(NoAnswer::Silent(_) | NoAnswer::Strange(_) | NoAnswer::Declined(_)) => {
                NodeState::Silent
            }
        };
        let Wanted { id, url, since, .. } = node;
        // A peer known by its address only is called what it calls itself.
        let id = match &answer {
            Ok(status) if id.is_address() => status.node_id.clone(),
            _ => id,
        };
        let since = Some(since).filter(|since| !since.is_empty());
        NodeRow {
            id,
            url,
            state,
            since,
            lag: None,
            answer: answer.ok(),
        }
    };
    stream::iter(nodes)
        .map(ask)
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// The status of a cluster of which `rows` were observed.
pub fn status(
    info: ClusterInfoBrief,
    mut rows: Vec<NodeRow>,
    lost: LostTotals,
    last_event: u64,
) -> ClusterStatus {
    let leadership = claims(&rows).into_iter().max();
    let leader = leadership.as_ref().map(|claim| claim.leader.clone());
    let last_index = |id: &NodeId| {
        let row = rows.iter().find(|row| row.id == *id)?;
        Some(row.answer.as_ref()?.more.as_ref()?.last_index)
    };
    if let Some(end) = leader.as_ref().and_then(last_index) {
        for row in &mut rows {
            let more = row.answer.as_ref().and_then(|answer| answer.more.as_ref());
            row.lag = more.map(|more| end.saturating_sub(more.last_index));
        }
    }
    ClusterStatus {
        version: STATUS_VERSION,
        warnings: warnings(&rows, leader.as_ref(), mode(&info)),
        info,
        leader,
        term: leadership.map(|claim| claim.term),
        up: rows.iter().filter(|row| row.state == NodeState::Up).count(),
        total: rows.len(),
        nodes: rows,
        lost,
        faults: Vec::new(),
        last_event,
    }
}

fn claims(rows: &[NodeRow]) -> Vec<Leadership> {
    let leads = |answer: &&NodeStatus| answer.role == Role::Leader;
    let leaders = rows
        .iter()
        .filter_map(|row| row.answer.as_ref())
        .filter(leads);
    let claim = |answer: &NodeStatus| (answer.term, answer.node_id.clone());
    leaders
        .map(claim)
        .map(|(term, leader)| Leadership { term, leader })
        .collect()
}

fn mode(info: &ClusterInfoBrief) -> Option<Mode> {
    let mode = info.mode.as_ref()?;
    Some(Mode {
        election: mode.election,
        replication: mode.replication,
    })
}

/// Whether a leader that hears no majority steps down.
pub fn votes(status: &ClusterStatus) -> bool {
    mode(&status.info).is_some_and(|mode| mode.election == Election::Raft)
}

/// Whether a node that answers lost its disk, and has not caught up.
pub fn any_recovers(status: &ClusterStatus) -> bool {
    let mut details = status
        .nodes
        .iter()
        .filter_map(|row| row.answer.as_ref()?.more.as_ref());
    details.any(|detail| detail.recovering)
}

/// What it means that `up` of `total` nodes answer.
fn what_few_mean(mode: Mode, up: usize, total: usize) -> Option<String> {
    let majority = 2 * up > total;
    let what = match (mode.election, mode.replication) {
        (_, Replication::Sync) if up < total => {
            return Some(format!(
                "{up} of {total} nodes answer, and in this mode every write waits for all: none is acknowledged"
            ));
        }
        _ if majority => return None,
        (Election::Raft, _) => "nothing is written until there is one",
        (_, Replication::Quorum | Replication::Sync) => {
            "no write is acknowledged until there is one"
        }
        (Election::Bully, Replication::Async) => {
            "a leader that stands goes on, but no other can be elected"
        }
        (Election::LowestId, Replication::Async) => {
            "this mode goes on without one, so others may lead elsewhere unseen"
        }
    };
    Some(format!("{up} of {total} nodes answer, no majority: {what}"))
}

fn warnings(rows: &[NodeRow], leader: Option<&NodeId>, mode: Option<Mode>) -> Vec<String> {
    let mut warnings = Vec::new();
    let claims = claims(rows);
    if claims.len() > 1 {
        let list: Vec<String> = claims
            .iter()
            .map(|claim| format!("{} (term {})", claim.leader, claim.term))
            .collect();
        warnings.push(format!(
            "{} nodes claim to lead: {}; writes to all but one of them will be lost",
            claims.len(),
            list.join(", ")
        ));
    }
    let up = rows.iter().filter(|row| row.state == NodeState::Up).count();
    if up > 0 && leader.is_none() {
        warnings.push("no node leads just now: writes are refused until one does".to_owned());
    }
    match mode {
        Some(mode) if up > 0 => warnings.extend(what_few_mean(mode, up, rows.len())),
        None if up > 0 && 2 * up <= rows.len() => {
            warnings.push(format!("{up} of {} nodes answer, no majority", rows.len()));
        }
        _ => {}
    }
    let modes = rows
        .iter()
        .filter_map(|row| row.answer.as_ref()?.more.as_ref());
    let modes: BTreeSet<&str> = modes.map(|detail| detail.mode.as_str()).collect();
    if modes.len() > 1 {
        let list: Vec<&str> = modes.into_iter().collect();
        warnings.push(format!(
            "the nodes play by different rules and refuse each other: {}",
            list.join("; ")
        ));
    }
    let details = rows
        .iter()
        .filter_map(|row| Some((&row.id, row.answer.as_ref()?.more.as_ref()?)));
    for (id, detail) in details {
        if let Some(why) = &detail.disk {
            warnings.push(format!("{id}: its disk failed, it takes no part: {why}"));
        }
        if detail.recovering {
            warnings.push(format!(
                "{id} lost its disk: it does not vote until it has caught up"
            ));
        }
    }
    let intact = |row: &&NodeRow| {
        let detail = row.answer.as_ref().and_then(|answer| answer.more.as_ref());
        detail.is_some_and(|detail| !detail.recovering && detail.disk.is_none())
    };
    let recovering = rows
        .iter()
        .filter_map(|row| row.answer.as_ref()?.more.as_ref());
    if recovering.clone().any(|detail| detail.recovering)
        && 2 * rows.iter().filter(intact).count() <= rows.len()
    {
        warnings.push(
            "too few of those that run still know what they promised: revive another, or take the risk of losing writes: cluster revive NODE --bootstrap"
                .to_owned(),
        );
    }
    for (state, what) in [
        (NodeState::Silent, "should run but did not answer in time"),
        (NodeState::Down, "should run but its port refuses"),
    ] {
        let those: Vec<&str> = rows
            .iter()
            .filter(|row| row.state == state)
            .map(|row| row.id.as_str())
            .collect();
        if !those.is_empty() {
            warnings.push(format!("{} {what}", those.join(", ")));
        }
    }
    warnings
}

/// The leader that every member which answers names, if they agree; with its term.
pub fn settled(status: &ClusterStatus) -> Option<(NodeId, Term)> {
    let leader = status.leader.clone()?;
    let answers = status.insiders().filter_map(|row| row.answer.as_ref());
    let mut answers = answers.peekable();
    answers.peek()?;
    let agree = answers.all(|answer| answer.leader_id.as_ref() == Some(&leader));
    Some((leader, status.term?)).filter(|_| agree)
}

/// Whether every member that answers holds the same log, and has all of it in its store.
pub fn equal(status: &ClusterStatus) -> bool {
    let mut ends = status
        .insiders()
        .filter_map(|row| row.answer.as_ref()?.more.as_ref());
    let first = ends.next();
    let applied = |end: &NodeDetail| end.applied_index == end.last_index;
    first.is_some_and(|first| {
        applied(first) && ends.all(|end| end.last_entry == first.last_entry && applied(end))
    })
}
