//! What commands read: state files, the control server's answers, nodes' answers, the descriptions of disks. They come from
//! elsewhere, so what people are shown of them moves nobody's cursor.

use cluster::client::gather;
use cluster::registry::StateFile;
use cluster::storage::meta::{Census, Meta};
use cluster::views::lines::{Lang, Lines};
use cluster::views::table;
use cluster::wire::control::{
    ClusterInfo, ClusterInfoBrief, ClusterStatus, ErrorBody, EventRecord, LostTotals, NodeRow,
    NodeState,
};
use cluster::wire::data::{Found, NodeStatus, NotLeader, Unanswered};
use serde_json::{from_slice, to_vec};

/// A byte that says what the others are read as.
pub fn run(data: &[u8]) {
    let Some((kind, json)) = data.split_first() else {
        return;
    };
    match kind % 11 {
        0 => again::<StateFile>(json, |file| file),
        1 => again::<ClusterInfo>(json, |info| info),
        2 => again::<ErrorBody>(json, |error| error),
        3 => again::<Meta>(json, |meta| meta),
        4 => again::<Census>(json, |census| census),
        5 => again::<ClusterStatus>(json, |status| {
            is_quiet(&table::status(&status));
            status
        }),
        6 => again::<EventRecord>(json, |record| {
            lines(&record);
            record
        }),
        7 | 8 => again::<NodeStatus>(json, |status| {
            gathered(&status);
            status
        }),
        9 => drop(from_slice::<Found>(json)),
        _ => {
            let _ = (
                from_slice::<Unanswered>(json),
                from_slice::<NotLeader>(json),
            );
        }
    }
}

/// What can be read is written so that it reads the same.
fn again<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    json: &[u8],
    show: impl FnOnce(T) -> T,
) {
    if let Ok(read) = from_slice::<T>(json) {
        let read = show(read);
        let written = to_vec(&read).expect("JSON");
        assert_eq!(from_slice::<T>(&written).ok(), Some(read));
    }
}

/// Whether nothing in it moves the cursor but the ends of lines.
fn is_quiet(text: &str) {
    let moves = |c: &char| c.is_control() && *c != '\n';
    assert_eq!(text.chars().find(moves), None, "{text:?}");
}

fn lines(record: &EventRecord) {
    for (lang, course) in [
        (Lang::En, false),
        (Lang::Fr, false),
        (Lang::En, true),
        (Lang::Fr, true),
    ] {
        let line = Lines::new(lang, course).line(record).unwrap_or_default();
        // Our own colours.
        let line = match record.node {
            Some(_) => line.split_once("\u{1b}[0m").map_or("", |(_, said)| said),
            None => &line,
        };
        is_quiet(line);
        assert!(!line.contains('\n'), "{line:?}");
    }
}

/// Two nodes that answer, of which one says this.
fn gathered(status: &NodeStatus) {
    let row = |answer: Option<NodeStatus>| NodeRow {
        id: status.node_id.clone(),
        url: "http://127.0.0.1:4001".to_owned(),
        state: NodeState::Up,
        since: None,
        lag: None,
        answer,
    };
    let mut other = status.clone();
    if let Some(more) = &mut other.more {
        more.mode = "raft + quorum".to_owned();
        more.last_index = 7;
    }
    let info = ClusterInfoBrief {
        program: "0.1.0".to_owned(),
        name: "default".to_owned(),
        pid: None,
        started_at: None,
        mode: None,
        storage: None,
    };
    let rows = vec![row(Some(status.clone())), row(Some(other)), row(None)];
    let gathered = gather::status(info, rows, LostTotals::default(), 0);
    assert_eq!((gathered.up, gathered.total), (3, 3));
    is_quiet(&table::status(&gathered));
}
