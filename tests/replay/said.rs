//! What a node said, as text that leaves nothing out: two texts are equal only if the actions are, byte for byte. `Debug`
//! alone would not do, since it leaves out the lives of disks; where there is JSON for the wire or the log, that is taken,
//! and everything else is taken apart by name, so that no field can be forgotten.

use cluster::protocol::{Action, Ballot, Record, Reply, RequestId, Snapshot};
use cluster::store::Store;
use cluster::types::Time;
use serde::Serialize;

/// The text of actions, one each, and of when the node is due then.
pub fn said(actions: &[Action], due: Option<Time>) -> Vec<String> {
    let due = format!("due {:?}", due.map(|due| due.elapsed().as_nanos()));
    actions.iter().map(action).chain([due]).collect()
}

/// Begins with [`kind`].
fn action(action: &Action) -> String {
    let kind = kind(action);
    let content = match action {
        Action::Persist(record) => of_record(record),
        Action::Send { to, message } => format!("{to} {}", json(message)),
        Action::Reply { request, reply } => {
            let RequestId(number) = request;
            format!("{number} {}", of_reply(reply))
        }
        Action::Report(event) => json(event),
    };
    format!("{kind} {content}")
}

/// Its kind in two words.
pub fn kind(action: &Action) -> String {
    match action {
        Action::Persist(record) => format!("persist {}", name(record)),
        Action::Send { message, .. } => format!("send {:?}", message.kind()),
        Action::Reply { reply, .. } => format!("reply {}", name(reply)),
        Action::Report(event) => format!("report {}", name(event)),
    }
}

/// The name of an enum's variant.
pub fn name(variant: &impl std::fmt::Debug) -> String {
    let debug = format!("{variant:?}");
    debug.chars().take_while(|c| c.is_alphanumeric()).collect()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what goes on the wire or the disk is always JSON")
}

fn of_record(record: &Record) -> String {
    match record {
        Record::Ballot(Ballot { term, vote }) => format!("{term} {}", json(vote)),
        Record::Append(entries) => json(entries),
        Record::Commit { index, firm } => format!("{index} {firm}"),
        Record::Compact {
            snapshot,
            compacted,
            tail,
        } => format!(
            "{} {} {}",
            of_snapshot(snapshot),
            json(compacted),
            json(tail)
        ),
        Record::Install(snapshot) => of_snapshot(snapshot),
        Record::Recovering(recovering) => recovering.to_string(),
    }
}

fn of_snapshot(snapshot: &Snapshot) -> String {
    let Snapshot {
        last,
        history,
        members,
        store,
    } = snapshot;
    let store = of_store(store);
    let (last, history, members) = (json(last), json(history), json(members));
    format!("{last} {history} {members} {store}")
}

/// The pieces, whose versions have all their parts, and the fields, which are private.
fn of_store(store: &Store) -> String {
    let pieces: Vec<_> = store.pieces_after(None).collect();
    format!("{} {store:?}", json(&pieces))
}

fn of_reply(reply: &Reply) -> String {
    match reply {
        Reply::Done { leader, version } => format!("{leader} {}", json(version)),
        Reply::Unmet { version } => json(version),
        Reply::NotLeader { role, leader } => format!("{role} {}", json(leader)),
        Reply::Refused { refusal, reason } => format!("{refusal:?} {reason}"),
        Reply::Unknown { reason } | Reply::Unavailable { reason } | Reply::GivenUp { reason } => {
            json(reason)
        }
        Reply::NoSuchKey
        | Reply::Mistaken
        | Reply::Unusable
        | Reply::Readable
        | Reply::Unsupported
        | Reply::Changed => String::new(),
    }
}
