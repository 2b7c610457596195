//! What happened, in words that somebody who knows the chapter can read.

mod faults;

pub use faults::{harm, links};

use crate::event::Event;
use crate::protocol::{Ballot, Message, MessageKind, Record, Reply};
use crate::sim::plan::Plan;
use crate::types::NodeId;
use crate::wire::said::{at, entry, said};

/// A message that is sent.
pub fn sent(from: &NodeId, to: &NodeId, message: &Message, lost: bool) -> String {
    let fate = if lost { "  (lost)" } else { "" };
    format!("  {from} → {to}: {}{fate}", said(message))
}

/// An answer to a client, and whose.
pub fn replied(id: &NodeId, reply: &Reply) -> String {
    format!("{id} answers the client: {}", answer(reply))
}

/// An answer to a client.
pub fn answer(reply: &Reply) -> String {
    match reply {
        Reply::Done { .. } => "done".to_owned(),
        Reply::Readable => "read what is here".to_owned(),
        Reply::Changed => "changed".to_owned(),
        Reply::Unsupported => "this mode cannot promise that".to_owned(),
        Reply::Unknown { reason } | Reply::GivenUp { reason } => {
            format!("OUTCOME UNKNOWN: {reason}")
        }
        Reply::Unavailable { reason } => format!("unavailable: {reason}"),
        Reply::Refused { reason, .. } => format!("refused: {reason}"),
        Reply::Mistaken => "the token named another write".to_owned(),
        Reply::Unmet {
            version: Some(version),
        } => format!("not its version: it is {version:?}"),
        Reply::Unmet { version: None } => "not its version: there is no such key".to_owned(),
        Reply::NoSuchKey => "no such key".to_owned(),
        Reply::Unusable => "the value is unusable".to_owned(),
        Reply::NotLeader {
            role,
            leader: Some(leader),
        } => {
            format!("not the leader ({role}); {leader} leads")
        }
        Reply::NotLeader { role, leader: None } => format!("not the leader ({role}); nobody leads"),
    }
}

/// What a disk keeps from now on.
pub fn kept(records: &[Record]) -> String {
    let record = |record: &Record| match record {
        Record::Ballot(Ballot { term, vote: None }) => format!("term {term}"),
        Record::Ballot(Ballot {
            term,
            vote: Some(whom),
        }) => format!("term {term} with its vote for {whom}"),
        Record::Append(entries) => entries.iter().map(entry).collect::<Vec<String>>().join(" "),
        Record::Commit { index, .. } => format!("that {index} is committed"),
        Record::Compact { compacted, .. } => format!("a snapshot for all up to {compacted:?}"),
        Record::Install(snapshot) => format!("the leader's snapshot as of {}", at(&snapshot.last)),
        Record::Recovering(true) => "that it must not vote".to_owned(),
        Record::Recovering(false) => "that it may vote".to_owned(),
    };
    match records.is_empty() {
        true => "nothing".to_owned(),
        false => records
            .iter()
            .map(record)
            .collect::<Vec<String>>()
            .join(", "),
    }
}

/// What a node reports.
pub fn happened(id: &NodeId, event: &Event) -> String {
    let what = match event {
        Event::Election { term } => format!("hears no leader in term {term}: stands"),
        Event::Waiting { leader } => format!("waits for {leader}, which should lead"),
        Event::Leader { term } => format!("LEADS term {term}"),
        Event::Following { leader, term } => format!("follows {leader} in term {term}"),
        Event::SteppedDown {
            term,
            leader: Some(leader),
        } => {
            format!("steps down: {leader} leads term {term}")
        }
        Event::SteppedDown { term, leader: None } => format!("steps down, in term {term}"),
        Event::Replicated { entries, from } => format!("stores {entries} from {from}"),
        Event::Snapshot { from, keys, index } => {
            format!("takes a snapshot from {from}: {keys} keys as of entry {index}")
        }
        Event::Merged { from, keys } => format!("merges a map of {keys} keys from {from}"),
        Event::Lost(loss) => {
            let write = |w: &crate::event::LostWrite| match &w.entry {
                Some(entry) => format!("{:?} ({entry:?})", w.key),
                None => format!("{:?} (a delete)", w.key),
            };
            let writes: Vec<String> = loss.writes.iter().map(write).collect();
            format!(
                "LOST {} to {}'s history: {}",
                loss.count,
                loss.to.as_ref().map_or("nobody", NodeId::as_str),
                writes.join(", ")
            )
        }
        Event::NoQuorum { term, heard, of } => {
            format!("steps down from term {term}: it hears {heard} of {of} voters")
        }
        Event::Discarded { entries, to } => {
            format!("takes back {entries} that nobody was promised, for {to}'s")
        }
        Event::Restored { by: Some(leader) } => format!("may vote again, says {leader}"),
        Event::Restored { by: None } => "may vote again, says an operator".to_owned(),
        Event::MembersChanged { voters } => {
            let voters: Vec<&str> = voters.iter().map(NodeId::as_str).collect();
            format!("has committed the members {}", voters.join(" "))
        }
        other => format!("{other:?}"),
    };
    format!("{id} {what}")
}

/// The name of a kind of message.
pub fn kind(kind: MessageKind) -> String {
    let name = format!("{kind:?}");
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The world that a seed drew.
pub fn drawn(plan: &Plan) -> String {
    let ms = |micros: u64| format!("{} ms", micros as f64 / 1e3);
    let scale = &plan.scale;
    let kinds: Vec<String> = plan
        .kinds
        .iter()
        .map(|(kind, intensity)| {
            format!(
                "{} {:.2}",
                format!("{kind:?}").to_lowercase(),
                f64::from(*intensity) / 1e3
            )
        })
        .collect();
    let faults = match kinds.is_empty() {
        true => "no faults".to_owned(),
        false => kinds.join(", "),
    };
    let snapshots = match scale.snapshot_every {
        Some(every) => format!("a snapshot every {every} entries"),
        None => format!("a log of {} entries", scale.log_window),
    };
    format!(
        "drawn: {faults}; heartbeat {}, election timeout {}, write timeout {}; messages take {} and up to {} more, the disk {} and up to {} more; {snapshots}; {} clients, {} keys",
        ms(scale.heartbeat),
        ms(scale.election_timeout),
        ms(scale.write_timeout),
        ms(scale.latency),
        ms(scale.jitter),
        ms(scale.disk),
        ms(scale.disk_jitter),
        plan.clients,
        scale.keys
    )
}
