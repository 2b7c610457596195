//! What happened, in words that somebody who knows the chapter can read.

use cluster::event::Event;
use cluster::protocol::message::{AppendOutcome, Known, SnapshotProgress};
use cluster::protocol::{Entry, Message, Reply};
use cluster::store::Command;
use cluster::types::{EntryId, Leadership, NodeId};

pub fn sent(from: &NodeId, to: &NodeId, message: &Message, lost: bool) -> String {
    let fate = if lost { "  (lost)" } else { "" };
    format!("  {from} → {to}: {}{fate}", said(message))
}

pub fn replied(id: &NodeId, reply: &Reply) -> String {
    let answer = match reply {
        Reply::Done { .. } => "done".to_owned(),
        Reply::NoSuchKey => "no such key".to_owned(),
        Reply::Unusable => "the value is unusable".to_owned(),
        Reply::NotLeader {
            role,
            leader: Some(leader),
        } => {
            format!("not the leader ({role}); {leader} leads")
        }
        Reply::NotLeader { role, leader: None } => format!("not the leader ({role}); nobody leads"),
    };
    format!("{id} answers the client: {answer}")
}

pub fn happened(id: &NodeId, event: &Event) -> String {
    let what = match event {
        Event::Election { term } => format!("hears no leader in term {term}: asks who lives"),
        Event::Waiting { leader } => format!("waits for {leader}, which should lead"),
        Event::Leader { term } => format!("LEADS term {term}"),
        Event::Following { leader, term } => format!("follows {leader} in term {term}"),
        Event::SteppedDown {
            term,
            leader: Some(leader),
        } => {
            format!("steps down: {leader} leads term {term}")
        }
        Event::SteppedDown { term, leader: None } => format!("steps down: term {term} has begun"),
        Event::Replicated { entries, from } => format!("stores {entries} from {from}"),
        Event::Snapshot { from, keys, index } => {
            format!("takes a snapshot from {from}: {keys} keys as of entry {index}")
        }
        Event::Merged { from, keys } => format!("merges a map of {keys} keys from {from}"),
        Event::Lost(loss) => {
            let write = |w: &cluster::event::LostWrite| match &w.entry {
                Some(entry) => format!("{:?} ({entry:?})", w.key),
                None => format!("{:?} (a delete)", w.key),
            };
            let writes: Vec<String> = loss.writes.iter().map(write).collect();
            format!(
                "LOST {} to {}'s history: {}",
                loss.count,
                loss.to,
                writes.join(", ")
            )
        }
        other => format!("{other:?}"),
    };
    format!("{id} {what}")
}

fn said(message: &Message) -> String {
    match message {
        Message::Heartbeat { claim, .. } => format!("heartbeat, {}", led(claim)),
        Message::HeartbeatAck { known, last, .. } => {
            format!("alive, {}; my log ends at {}", knows(known), at(last))
        }
        Message::Append {
            claim,
            prev,
            entries,
            ..
        } => {
            let list: Vec<String> = entries.iter().map(entry).collect();
            format!(
                "behind {} append {}, {}",
                at(prev),
                list.join(" "),
                led(claim)
            )
        }
        Message::AppendAck { known, outcome, .. } => match outcome {
            AppendOutcome::Stored(upto) => format!("stored up to {upto}"),
            AppendOutcome::Mismatch(last) => format!("does not fit: my log ends at {}", at(last)),
            AppendOutcome::Stale => format!("stale, {}", knows(known)),
        },
        Message::InstallSnapshot {
            claim,
            last,
            items,
            done,
            ..
        } => {
            let end = if *done { "" } else { ", more follows" };
            format!(
                "snapshot as of {}: {} items{end}, {}",
                at(last),
                items.len(),
                led(claim)
            )
        }
        Message::SnapshotAck {
            known, progress, ..
        } => match progress {
            SnapshotProgress::Installed => "snapshot installed".to_owned(),
            SnapshotProgress::Upto(Some(place)) => format!("snapshot: have it up to place {place}"),
            SnapshotProgress::Upto(None) => "snapshot: have none of it".to_owned(),
            SnapshotProgress::Stale => format!("stale, {}", knows(known)),
        },
        Message::Probe { term } => format!("do you live? (term {term})"),
        Message::ProbeAck {
            known, heard_ago, ..
        } => match heard_ago {
            Some(ago) => format!("I live, {}, heard {ago:?} ago", knows(known)),
            None => format!("I live, {}", knows(known)),
        },
        Message::BareHeartbeat { claim } => format!("bare heartbeat, {}", led(claim)),
        Message::WholeMap { claim, data } => {
            format!("whole map of {} keys, {}", data.len(), led(claim))
        }
        Message::BareAck { .. } => "success".to_owned(),
    }
}

fn led(claim: &Leadership) -> String {
    format!("{} leads term {}", claim.leader, claim.term)
}

fn knows(known: &Known) -> String {
    match &known.leader {
        Some(leader) => format!("{leader} leads term {}", known.term),
        None => format!("nobody leads term {}", known.term),
    }
}

fn at(id: &Option<EntryId>) -> String {
    id.as_ref()
        .map_or("nothing".to_owned(), |id| format!("{id:?}"))
}

fn entry(entry: &Entry) -> String {
    match &entry.command {
        Command::Put { key, value } => format!("{:?} {key:?}={value:?}", entry.id),
        Command::Delete { key } => format!("{:?} delete {key:?}", entry.id),
    }
}
