//! What goes between nodes: counted always, and noted one by one for a while if somebody asks.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::protocol::{Entry, Message, MessageKind};
use crate::store::Command;
use crate::types::NodeId;

/// How many messages are kept at most: of more, the oldest are forgotten, and counted.
pub const KEPT: usize = 200_000;

/// For how many seconds at most messages are noted. Nobody needs them noted for longer: who does asks again.
pub const LONGEST: u64 = 24 * 60 * 60;

/// How much of what a message says is kept, in letters.
const SAID: usize = 300;

/// How many entries of an append are named beside it.
const NAMED: usize = 8;

/// How many messages nodes sent each other, answers included, whatever became of them. A message that the network
/// doubles was sent once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Heartbeats and answers to them: they go whether or not anybody asks for anything.
    pub heartbeats: u64,
    /// All others.
    pub others: u64,
}

impl Counted {
    /// One more.
    pub fn add(&mut self, kind: MessageKind) {
        match is_heartbeat(kind) {
            true => self.heartbeats += 1,
            false => self.others += 1,
        }
    }

    /// How many were sent since there were `before`.
    pub fn since(self, before: Counted) -> Counted {
        Counted {
            heartbeats: self.heartbeats.saturating_sub(before.heartbeats),
            others: self.others.saturating_sub(before.others),
        }
    }
}

/// Whether messages of that kind go to and fro all the time.
pub fn is_heartbeat(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::Heartbeat
            | MessageKind::HeartbeatAck
            | MessageKind::BareHeartbeat
            | MessageKind::BareAck
    )
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is not known yet.
    UnderWay,
    /// It was taken in.
    Arrived,
    /// The network lost it.
    Lost,
    /// Nobody took it: a node that is dead, or stands still.
    Unheard,
    /// No answer came in time: whether it was taken in, whoever sent it does not know.
    Unanswered,
}

/// A message between nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Passed {
    /// The how-many-th of those noted.
    pub number: u64,
    /// From whom.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// What kind it is.
    pub kind: MessageKind,
    /// Whether it answers another.
    pub is_answer: bool,
    /// Whether it is the second of one that the network doubled.
    pub is_copy: bool,
    /// When it was sent, in microseconds: since 1970, or since a run began.
    pub sent: u64,
    /// When it came to whom it was for, or would have.
    pub arrives: Option<u64>,
    /// What became of it.
    pub fate: Fate,
    /// What it says.
    pub says: String,
    /// The same in a word or two, if it is worth one.
    pub label: Option<String>,
}

impl Passed {
    /// A message that is sent.
    pub fn new(from: &NodeId, to: &NodeId, message: &Message, sent: u64, says: &str) -> Passed {
        Passed {
            number: 0,
            from: from.clone(),
            to: to.clone(),
            kind: message.kind(),
            is_answer: message.is_answer(),
            is_copy: false,
            sent,
            arrives: None,
            fate: Fate::UnderWay,
            says: says.chars().take(SAID).collect(),
            label: label(message),
        }
    }
}

/// The last messages, as many as are kept.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// The number of the first that is kept.
    first: u64,
    noted: VecDeque<Passed>,
}

impl Book {
    /// Notes a message; its number.
    pub fn write_down(&mut self, passed: Passed) -> u64 {
        if self.noted.len() == KEPT {
            self.noted.pop_front();
            self.first += 1;
        }
        let number = self.first + self.noted.len() as u64;
        self.noted.push_back(Passed { number, ..passed });
        number
    }

    /// The message of that number, if it is still kept.
    pub fn find(&mut self, number: u64) -> Option<&mut Passed> {
        let at = number.checked_sub(self.first)?;
        self.noted.get_mut(usize::try_from(at).ok()?)
    }

    /// At most `limit` of those numbered `from` and above.
    pub fn from(&self, from: u64, limit: usize) -> Vec<Passed> {
        let skipped = from.saturating_sub(self.first) as usize;
        self.noted
            .iter()
            .skip(skipped)
            .take(limit)
            .cloned()
            .collect()
    }

    /// How many are no longer kept.
    pub fn forgotten(&self) -> u64 {
        self.first
    }
}

/// `GET /api/messages?from=N`: how many there were, and those noted that are numbered N and above.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// Since the cluster began.
    pub counted: Counted,
    /// A part of those noted, oldest first; empty: there are no more.
    pub noted: Vec<Passed>,
    /// How many of those noted were forgotten.
    pub forgotten: u64,
}

/// A message in a word or two, if it is worth one.
pub fn label(message: &Message) -> Option<String> {
    let label = match message {
        Message::Append { entries, .. } if !entries.is_empty() => {
            let deeds: Vec<String> = entries.iter().take(NAMED).map(deed).collect();
            deeds.join(" ")
        }
        Message::PreVote { term, .. } => format!("would you? ({term})"),
        Message::Vote { term, .. } => format!("vote for me ({term})"),
        Message::VoteAck {
            granted: true, pre, ..
        } => match pre {
            true => "I would".to_owned(),
            false => "my vote".to_owned(),
        },
        Message::VoteAck { .. } => "no".to_owned(),
        Message::Probe { .. } => "alive?".to_owned(),
        Message::ProbeAck { .. } => "alive".to_owned(),
        Message::InstallSnapshot { .. } => "snapshot".to_owned(),
        Message::TimeoutNow { .. } => "take over".to_owned(),
        _ => return None,
    };
    Some(label.chars().take(2 * NAMED * NAMED).collect())
}

/// What an entry does, as shortly as possible.
pub fn deed(entry: &Entry) -> String {
    match &entry.command {
        Command::Put { key, value, .. } => format!("{}={}", key.as_str(), value.as_str()),
        Command::Delete { key, .. } => format!("−{}", key.as_str()),
        Command::Noop => format!("begin {}", entry.id.term),
        Command::Members(members) => format!("{} members", members.voters.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_are_counted_apart() {
        let mut counted = Counted::default();
        let before = counted;
        for kind in MessageKind::ALL {
            counted.add(kind);
        }
        let since = counted.since(before);
        assert_eq!((since.heartbeats, since.others), (4, 14));
        assert_eq!(counted.since(counted), Counted::default());
    }
}
