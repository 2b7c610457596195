//! Records as bytes. Numbers are little-endian, texts have their length before them, and what is rare and small is JSON.

use std::sync::Arc;

use crate::protocol::{Ballot, Entry};
use crate::store::{Command, Item, Piece};
use crate::types::{EntryId, NodeId};
use crate::value::{Key, Value};

/// What a frame of the log holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// The highest term seen, and the vote in it.
    Ballot(Ballot),
    /// Entries, from the first one's index on.
    Append(Vec<Entry>),
    /// Entries up to here are committed.
    Commit(u64),
    /// Whether the disk was lost.
    Recovering(bool),
}

/// The bytes do not say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonsense;

/// Writes.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn json(&mut self, value: &impl serde::Serialize) {
        let json = serde_json::to_string(value).expect("what is stored is always JSON");
        self.text(&json);
    }

    fn id(&mut self, id: &EntryId) {
        self.number(id.index);
        self.number(id.term);
        self.number(id.boot);
        self.text(id.leader.as_str());
    }

    /// Adds `stored`.
    pub fn stored(&mut self, stored: &Stored) {
        match stored {
            Stored::Ballot(Ballot { term, vote }) => {
                self.0.push(1);
                self.number(*term);
                self.text(vote.as_ref().map_or("", NodeId::as_str));
            }
            Stored::Append(entries) => self.append(entries),
            Stored::Commit(index) => {
                self.0.push(3);
                self.number(*index);
            }
            Stored::Recovering(recovering) => self.0.extend([4, u8::from(*recovering)]),
        }
    }

    /// Adds entries.
    pub fn append(&mut self, entries: &[Entry]) {
        self.0.push(2);
        self.number(entries.len() as u64);
        for entry in entries {
            self.id(&entry.id);
            self.command(&entry.command);
        }
    }

    fn command(&mut self, command: &Command) {
        match command {
            Command::Put {
                key,
                value,
                proviso: None,
            } => {
                self.0.push(1);
                self.text(key.as_str());
                self.text(value.as_str());
            }
            Command::Delete { key, proviso: None } => {
                self.0.push(2);
                self.text(key.as_str());
            }
            rare => {
                self.0.push(0);
                self.json(rare);
            }
        }
    }

    /// Adds a piece of a snapshot.
    pub fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Key(item) => {
                self.0.push(1);
                self.number(item.place);
                self.id(&item.version);
                self.text(item.key.as_str());
                self.text(item.value.as_str());
            }
            Piece::Session(session) => {
                self.0.push(2);
                self.json(session);
            }
        }
    }
}

/// Reads.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// The last leader read: most are the same, and need not be stored a million times.
    leader: Option<NodeId>,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; `leader` is one likely to be met.
    pub fn new(bytes: &'a [u8], leader: Option<NodeId>) -> Reader<'a> {
        Reader { bytes, leader }
    }

    /// The last leader met.
    pub fn leader(self) -> Option<NodeId> {
        self.leader
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Nonsense> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Nonsense)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Nonsense> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u64, Nonsense> {
        let bytes = self.take(8)?.try_into().map_err(|_| Nonsense)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn text(&mut self) -> Result<&'a str, Nonsense> {
        let length = self.take(4)?.try_into().map_err(|_| Nonsense)?;
        let text = self.take(u32::from_le_bytes(length) as usize)?;
        std::str::from_utf8(text).map_err(|_| Nonsense)
    }

    fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Nonsense> {
        serde_json::from_str(self.text()?).map_err(|_| Nonsense)
    }

    fn id(&mut self) -> Result<EntryId, Nonsense> {
        let (index, term, boot) = (self.number()?, self.number()?, self.number()?);
        let name = self.text()?;
        let leader = match &self.leader {
            Some(leader) if leader.as_str() == name => leader.clone(),
            _ => NodeId::new(name).map_err(|_| Nonsense)?,
        };
        self.leader = Some(leader.clone());
        Ok(EntryId {
            index,
            term,
            leader,
            boot,
        })
    }

    /// The next of what a frame of the log holds.
    pub fn stored(&mut self) -> Result<Stored, Nonsense> {
        match self.byte()? {
            1 => {
                let term = self.number()?;
                let vote = match self.text()? {
                    "" => None,
                    name => Some(NodeId::new(name).map_err(|_| Nonsense)?),
                };
                Ok(Stored::Ballot(Ballot { term, vote }))
            }
            2 => {
                let count = self.number()?;
                let entries = (0..count).map(|_| self.entry());
                entries.collect::<Result<_, _>>().map(Stored::Append)
            }
            3 => Ok(Stored::Commit(self.number()?)),
            4 => Ok(Stored::Recovering(self.byte()? != 0)),
            _ => Err(Nonsense),
        }
    }

    fn entry(&mut self) -> Result<Entry, Nonsense> {
        let id = self.id()?;
        let command = match self.byte()? {
            1 => Command::put(Key::new(self.text()?), self.value()?),
            2 => Command::delete(Key::new(self.text()?)),
            0 => self.json()?,
            _ => return Err(Nonsense),
        };
        Ok(Entry { id, command })
    }

    fn value(&mut self) -> Result<Value, Nonsense> {
        Value::stored(self.text()?).ok_or(Nonsense)
    }

    /// The next piece of a snapshot.
    pub fn piece(&mut self) -> Result<Piece, Nonsense> {
        match self.byte()? {
            1 => {
                let (place, version) = (self.number()?, Arc::new(self.id()?));
                let (key, value) = (Key::new(self.text()?), self.value()?);
                Ok(Piece::Key(Item {
                    place,
                    key,
                    value,
                    version,
                }))
            }
            2 => self.json().map(Piece::Session),
            _ => Err(Nonsense),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Condition, Proviso, Token};
    use crate::types::Members;

    #[test]
    fn what_is_written_is_read_and_a_part_of_it_is_nonsense() {
        let id = |index| EntryId {
            index,
            term: 3,
            leader: NodeId::nth(2),
            boot: 7,
        };
        let proviso = Proviso {
            condition: Some(Condition::Is(vec![id(1)])),
            token: Token::new("t"),
        };
        let key = || Key::new("é");
        let commands = [
            Command::put(key(), Value::parse(b"[1e400, \"x\"]").unwrap()),
            Command::delete(key()),
            Command::Put {
                key: key(),
                value: Value::string("v"),
                proviso: Some(Arc::new(proviso)),
            },
            Command::Noop,
            Command::Members(Members::new(vec![NodeId::nth(1)])),
        ];
        let entries = commands.into_iter().zip(5..);
        let entries = entries.map(|(command, index)| Entry {
            id: id(index),
            command,
        });
        let all = [
            Stored::Ballot(Ballot {
                term: 9,
                vote: Some(NodeId::nth(1)),
            }),
            Stored::Append(entries.collect()),
            Stored::Commit(4),
            Stored::Recovering(true),
        ];
        let mut writer = Writer::default();
        all.iter().for_each(|stored| writer.stored(stored));
        let mut reader = Reader::new(&writer.0, None);
        let read: Vec<Stored> = std::iter::from_fn(|| reader.stored().ok()).collect();
        assert_eq!(read, all);
        assert!(reader.is_empty());
        let cut = &writer.0[..writer.0.len() - 1];
        let mut reader = Reader::new(cut, None);
        while !reader.is_empty() {
            if reader.stored().is_err() {
                return;
            }
        }
        panic!("a part was read as a whole");
    }
}
