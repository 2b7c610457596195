//! What an onlooker knows of every node: whether it lives, whether it leads, whom it heard, and what is on its disk.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::protocol::{Entry, Message, Record};
use crate::sim::plan::{Place, Plan};
use crate::sim::{Moment, What};
use crate::storage::memory::Memory;
use crate::store::Command;
use crate::types::{EntryId, Term};
use crate::views::story::names::{deed, node, nodes};

/// What a node is, as far as its surroundings are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It was never started.
    Unborn,
    Up,
    Dead,
    /// Its disk failed: it takes no part.
    Failed,
}

/// One node.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) life: Life,
    pub(super) leads: Option<Term>,
    /// Since when it stands still.
    pub(super) paused: Option<u64>,
    /// What it was told to keep.
    pub(super) disk: Memory,
    /// When it last heard a leader that it could believe, and whom.
    pub(super) heard: Option<(u64, Place)>,
    /// When it was last started.
    pub(super) started: u64,
    /// It was dead or unreachable, and has followed nobody since.
    pub(super) is_back: bool,
}

impl Seen {
    fn new() -> Seen {
        Seen {
            life: Life::Unborn,
            leads: None,
            paused: None,
            disk: Memory::new(0),
            heard: None,
            started: 0,
            is_back: false,
        }
    }
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter<'a> {
    pub(super) sent: u64,
    pub(super) message: &'a Message,
}

/// What an entry does.
struct Deed {
    text: String,
    is_noop: bool,
}

impl Deed {
    fn of(entry: &Entry) -> Deed {
        Deed {
            text: deed(entry),
            is_noop: entry.command == Command::Noop,
        }
    }
}

/// All nodes, and what is between them.
pub(super) struct Scene<'a> {
    seen: Vec<Seen>,
    letters: BTreeMap<(Place, Place, u32), Letter<'a>>,
    /// What the entries that were ever kept do.
    deeds: BTreeMap<EntryId, Deed>,
    /// How many vote, as far as anybody says so.
    pub(super) voters: usize,
}

impl<'a> Scene<'a> {
    pub(super) fn new(plan: &Plan) -> Scene<'a> {
        Scene {
            seen: (0..plan.nodes).map(|_| Seen::new()).collect(),
            letters: BTreeMap::new(),
            deeds: BTreeMap::new(),
            voters: plan.nodes,
        }
    }

    pub(super) fn at(&mut self, place: Place) -> &mut Seen {
        while self.seen.len() <= usize::from(place) {
            self.seen.push(Seen::new());
        }
        &mut self.seen[usize::from(place)]
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<'a> {
        0..self.seen.len() as Place
    }

    /// Takes note of what a moment changes. What disks keep is told by [`keep`](Scene::keep).
    pub(super) fn see(&mut self, moment: &'a Moment) {
        let (at, place) = (moment.at, moment.place);
        match &moment.what {
            What::Sent {
                to, nth, message, ..
            } => {
                let letter = Letter { sent: at, message };
                self.letters.insert((place, *to, *nth), letter);
            }
            What::Arrived { from, nth } => self.hear(at, place, *from, *nth),
            What::Started => {
                let node = self.at(place);
                (node.life, node.leads, node.paused) = (Life::Up, None, None);
                (node.started, node.heard) = (at, None);
                node.is_back = at > 0;
            }
            What::Died { .. } => self.end(place, Life::Dead),
            What::DiskFailed => self.end(place, Life::Failed),
            What::DiskLost => self.at(place).disk = Memory::new(0),
            What::Paused => self.at(place).paused = Some(at),
            What::Resumed => self.at(place).paused = None,
            What::Reported(event) => self.hear_of(place, event),
            _ => {}
        }
    }

    fn end(&mut self, place: Place, life: Life) {
        let node = self.at(place);
        (node.life, node.leads, node.paused) = (life, None, None);
    }

    fn hear_of(&mut self, place: Place, event: &Event) {
        match event {
            Event::Leader { term } => self.at(place).leads = Some(*term),
            Event::SteppedDown { .. } | Event::NoQuorum { .. } => self.at(place).leads = None,
            Event::Following { .. } => {
                self.at(place).leads = None;
                self.at(place).is_back = false;
            }
            Event::MembersChanged { voters } => self.voters = voters.len(),
            _ => {}
        }
    }

    fn hear(&mut self, at: u64, place: Place, from: Place, nth: u32) {
        let Some(letter) = self.letter(from, place, nth) else {
            return;
        };
        let claims = matches!(
            letter.message,
            Message::Heartbeat { .. } | Message::Append { .. } | Message::InstallSnapshot { .. }
        );
        let term = letter.message.term();
        let node = self.at(place);
        let takes = node.life == Life::Up && node.paused.is_none();
        if claims && takes && term >= node.disk.ballot().term {
            node.heard = Some((at, from));
        }
    }

    /// A message that was sent.
    pub(super) fn letter(&self, from: Place, to: Place, nth: u32) -> Option<Letter<'a>> {
        self.letters.get(&(from, to, nth)).copied()
    }

    /// A node's disk keeps something. Which named entries it holds no more.
    pub(super) fn keep(&mut self, place: Place, records: &[Record]) -> Vec<EntryId> {
        let last = self.at(place).disk.last_index();
        let drops = |record: &Record| match record {
            Record::Append(entries) => entries.first().is_some_and(|e| e.id.index <= last),
            Record::Install(_) => true,
            _ => false,
        };
        let before = match records.iter().any(drops) {
            true => self.held(place),
            false => Vec::new(),
        };
        for record in records {
            if let Record::Append(entries) = record {
                let deeds = entries
                    .iter()
                    .map(|entry| (entry.id.clone(), Deed::of(entry)));
                self.deeds.extend(deeds);
            }
        }
        self.at(place).disk.keep(records);
        let disk = &self.seen[usize::from(place)].disk;
        before.into_iter().filter(|id| !disk.holds(id)).collect()
    }

    fn held(&self, place: Place) -> Vec<EntryId> {
        let disk = &self.seen[usize::from(place)].disk;
        self.deeds
            .keys()
            .filter(|id| disk.holds(id))
            .cloned()
            .collect()
    }

    /// Whose disks hold an entry.
    pub(super) fn holders(&self, entry: &EntryId) -> Vec<Place> {
        let holds = |place: &Place| self.seen[usize::from(*place)].disk.holds(entry);
        self.places().filter(holds).collect()
    }

    /// The same as a clause.
    pub(super) fn held_by(&self, entry: &EntryId) -> String {
        let holders = self.holders(entry);
        match holders.len() {
            0 => "no disk holds it".to_owned(),
            1 => format!("only {} holds it", nodes(&holders)),
            n if n >= self.voters => "all nodes hold it".to_owned(),
            n if n > self.voters / 2 => format!("{} hold it, a majority", nodes(&holders)),
            _ => format!("{} hold it", nodes(&holders)),
        }
    }

    /// What an entry does.
    pub(super) fn deed(&self, entry: &EntryId) -> String {
        let deed = self.deeds.get(entry).map(|deed| deed.text.clone());
        deed.unwrap_or_else(|| format!("entry {} of term {}", entry.index, entry.term))
    }

    /// `text` with entries called by what they do.
    pub(super) fn reworded(&self, text: &str) -> String {
        let deed = |word: &str| {
            let mut all = self.deeds.iter();
            all.find_map(|(id, deed)| (format!("{id:?}") == word).then_some(&deed.text))
        };
        let reword = |word: &str| {
            let bare = word.trim_end_matches([',', ';', ':', '.']);
            match deed(bare) {
                Some(deed) => format!("{deed} ({bare}){}", &word[bare.len()..]),
                None => word.to_owned(),
            }
        };
        text.split(' ')
            .map(reword)
            .collect::<Vec<String>>()
            .join(" ")
    }

    /// Whether anybody misses an entry: a leader's first, which does nothing, nobody does.
    pub(super) fn does_something(&self, entry: &EntryId) -> bool {
        self.deeds.get(entry).is_some_and(|deed| !deed.is_noop)
    }

    /// Who leads, the greatest claim first.
    pub(super) fn leading(&self) -> Vec<(Place, Term)> {
        let leads = |place: Place| Some((place, self.seen[usize::from(place)].leads?));
        let mut leading: Vec<(Place, Term)> = self.places().filter_map(leads).collect();
        leading.sort_by_key(|(place, term)| (std::cmp::Reverse(*term), *place));
        leading
    }

    /// A node, and what it leads if it leads.
    pub(super) fn titled(&self, place: Place) -> String {
        match self
            .seen
            .get(usize::from(place))
            .and_then(|seen| seen.leads)
        {
            Some(term) => format!("{}, which leads term {term},", node(place)),
            None => node(place),
        }
    }

    /// Who a node last heard as its leader.
    pub(super) fn heard_from(&self, place: Place) -> Option<Place> {
        let seen = self.seen.get(usize::from(place))?;
        seen.heard.map(|(_, whom)| whom)
    }
}
