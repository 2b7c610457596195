//! What nodes give up of what they had, and whether they say so.

use std::collections::BTreeMap;

use crate::event::Loss;
use crate::protocol::Record;
use crate::sim::plan::Place;
use crate::types::EntryId;
use crate::views::story::digest::{About, Deed};
use crate::views::story::names::{node, nodes, some};
use crate::views::story::{Teller, Tone};

/// Losses that were reported and are about to happen.
#[derive(Debug, Default)]
pub(super) struct Losses {
    reported: BTreeMap<Place, Vec<EntryId>>,
}

impl Losses {
    pub(super) fn report(&mut self, place: Place, loss: &Loss) {
        let entries = loss.writes.iter().filter_map(|write| write.entry.clone());
        self.reported.entry(place).or_default().extend(entries);
    }
}

impl Teller<'_> {
    /// A node's disk keeps something, perhaps in place of something else.
    pub(super) fn tell_kept(&mut self, place: Place, records: &[Record]) {
        let mut dropped = self.scene.keep(place, records);
        let is_snapshot = records
            .iter()
            .any(|record| matches!(record, Record::Install(_)));
        let reported = self.losses.reported.remove(&place).unwrap_or_default();
        // What was compacted is not in the log, but in the store.
        dropped.extend(
            reported
                .iter()
                .filter(|entry| !dropped.contains(entry))
                .cloned()
                .collect::<Vec<_>>(),
        );
        dropped.retain(|entry| self.scene.does_something(entry));
        if dropped.is_empty() && !is_snapshot {
            return;
        }
        let from = self
            .scene
            .heard_from(place)
            .map_or("its leader".to_owned(), node);
        self.instead_of_following(place);
        let (acknowledged, others): (Vec<EntryId>, Vec<EntryId>) = dropped
            .into_iter()
            .partition(|entry| self.operations.acknowledged().any(|a| a == entry));
        let is_told = acknowledged.iter().any(|entry| reported.contains(entry));
        let given_up = match (acknowledged.is_empty(), others.is_empty()) {
            (true, true) => GivenUp::Nothing,
            (true, false) => GivenUp::Unpromised(self.deeds(&others)),
            (false, _) => GivenUp::Acknowledged(self.deeds(&acknowledged), is_told),
        };
        let clause = |is_one| given_up.clause(&from, is_snapshot, is_one);
        let mut deed = Deed::new(place, &clause(true), &clause(false));
        deed.tail = self.rest(&acknowledged);
        let tone = match acknowledged.is_empty() {
            true => Tone::Mend,
            false => Tone::Loss,
        };
        self.say_of(tone, deed);
    }

    /// That a node follows again goes without saying, if it takes its leader's history.
    fn instead_of_following(&mut self, place: Place) {
        let last = self
            .beats
            .iter_mut()
            .rev()
            .find(|beat| beat.about != About::Nothing);
        if let Some(beat) = last
            && let About::Each(deed) = &beat.about
            && deed.who == place
            && deed.one.starts_with("finds ")
        {
            beat.about = About::Nothing;
        }
    }

    fn deeds(&self, entries: &[EntryId]) -> String {
        some(
            &entries
                .iter()
                .map(|entry| self.scene.deed(entry))
                .collect::<Vec<String>>(),
        )
    }

    /// Who still has what was given up.
    fn rest(&self, entries: &[EntryId]) -> String {
        let mut holders: Vec<Place> = entries
            .iter()
            .flat_map(|entry| self.scene.holders(entry))
            .collect();
        holders.sort_unstable();
        holders.dedup();
        match (entries.len(), &holders[..]) {
            (0, _) => String::new(),
            (1, []) => ": nobody has it any more".to_owned(),
            (_, []) => ": nobody has them any more".to_owned(),
            (1, [only]) => format!(": only {} still has it", node(*only)),
            (1, many) => format!(": {} still have it", nodes(many)),
            (_, many) => format!(": some of that is left on {}", nodes(many)),
        }
    }
}

/// What a node gives up.
enum GivenUp {
    Nothing,
    Unpromised(String),
    /// And whether it reports that.
    Acknowledged(String, bool),
}

impl GivenUp {
    /// What one node, or several, do.
    fn clause(&self, from: &str, is_snapshot: bool, is_one: bool) -> String {
        let (s, its, log) = if is_one {
            ("s", "its", "log")
        } else {
            ("", "their", "logs")
        };
        let takes = match is_snapshot {
            true => format!("take{s} {from}'s snapshot in place of {its} own {log}"),
            false => format!("take{s} {from}'s entries in place of {its} own"),
        };
        match self {
            GivenUp::Nothing => takes,
            GivenUp::Unpromised(what) => {
                format!("{takes}, and give{s} up {what}, which nobody was promised")
            }
            GivenUp::Acknowledged(what, true) => {
                format!(
                    "{takes}, give{s} up {what}, which had been acknowledged, and report{s} that loss"
                )
            }
            GivenUp::Acknowledged(what, false) => {
                format!(
                    "{takes}, give{s} up {what}, which had been acknowledged, and tell{s} nobody"
                )
            }
        }
    }
}
