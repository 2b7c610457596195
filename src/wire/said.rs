//! What nodes say to each other, in words that somebody who knows the chapter can read.

use crate::protocol::message::{AppendOutcome, Known, SnapshotProgress};
use crate::protocol::{Entry, Message};
use crate::store::Command;
use crate::types::{EntryId, Leadership, NodeId};

/// What a message says.
pub fn said(message: &Message) -> String {
    match message {
        Message::Heartbeat { claim, commit, .. } => {
            format!("heartbeat, {}{}", led(claim), committed(commit))
        }
        Message::HeartbeatAck {
            known,
            last,
            recovering,
            ..
        } => {
            let lost = if *recovering {
                ", my disk was lost"
            } else {
                ""
            };
            format!("alive, {}; my log ends at {}{lost}", knows(known), at(last))
        }
        Message::Append {
            claim,
            prev,
            entries,
            commit,
            ..
        } => {
            let list: Vec<String> = entries.iter().map(entry).collect();
            let list = match list.is_empty() {
                true => "nothing".to_owned(),
                false => list.join(" "),
            };
            format!(
                "behind {} append {list}, {}{}",
                at(prev),
                led(claim),
                committed(commit)
            )
        }
        Message::AppendAck { known, outcome, .. } => match outcome {
            AppendOutcome::Stored(upto) => format!("stored up to {upto}"),
            AppendOutcome::Mismatch { last, .. } => {
                format!("does not fit: my log ends at {}", at(last))
            }
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
        Message::PreVote { term, last } => {
            format!(
                "would you vote for me in term {term}? My log ends at {}",
                at(last)
            )
        }
        Message::Vote {
            term,
            last,
            transfer,
        } => {
            let why = if *transfer {
                ", my leader asks me to"
            } else {
                ""
            };
            format!(
                "vote for me in term {term}! My log ends at {}{why}",
                at(last)
            )
        }
        Message::VoteAck {
            known,
            term,
            pre,
            granted,
            ..
        } => match (pre, granted) {
            (true, true) => format!("I would in term {term}"),
            (true, false) => format!("I would not in term {term}, {}", knows(known)),
            (false, true) => format!("my vote in term {term}"),
            (false, false) => format!("no vote in term {term}, {}", knows(known)),
        },
        Message::TimeoutNow { claim } => format!("stand for election now, {}", led(claim)),
        Message::ReadIndex { id } => format!("up to where may I read? (question {})", id & 0xffff),
        Message::ReadAt { id, commit, .. } => {
            format!("read at {} (question {})", at(commit), id & 0xffff)
        }
        Message::Restored { commit, .. } => {
            format!("you have all up to {}: vote again", at(commit))
        }
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

/// Where a log ends, or what is read up to.
pub(crate) fn at(id: &Option<EntryId>) -> String {
    id.as_ref()
        .map_or("nothing".to_owned(), |id| format!("{id:?}"))
}

fn committed(commit: &Option<EntryId>) -> String {
    commit
        .as_ref()
        .map_or(String::new(), |id| format!(", committed {id:?}"))
}

/// An entry of the log.
pub(crate) fn entry(entry: &Entry) -> String {
    match &entry.command {
        Command::Put { key, value, .. } => format!("{:?} {key:?}={value:?}", entry.id),
        Command::Delete { key, .. } => format!("{:?} delete {key:?}", entry.id),
        Command::Noop => format!("{:?} begin", entry.id),
        Command::Members(members) => {
            let name = |id: &NodeId| id.to_string();
            let voters: Vec<String> = members.voters.iter().map(name).collect();
            let learners: Vec<String> = members
                .learners
                .iter()
                .map(|id| format!("({id})"))
                .collect();
            let all = [voters, learners].concat();
            format!("{:?} members {}", entry.id, all.join(" "))
        }
    }
}
