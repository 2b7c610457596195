//! What is broken, and why that breaks a promise.

use clap::ValueEnum;

use crate::check::Property;
use crate::sim::Expect;
use crate::sim::plan::Place;
use crate::types::{EntryId, Replication};
use crate::views::story::deals::Deal;
use crate::views::story::digest::About;
use crate::views::story::meanings::meaning;
use crate::views::story::names::{node, some, times};
use crate::views::story::{Teller, Tone, stamp};

impl Teller<'_> {
    /// Says what is broken. The operations that it is about.
    pub(super) fn end(&mut self) -> Vec<usize> {
        let Some((invariant, what)) = self.broken else {
            self.say(
                Tone::Setting,
                About::Course,
                "Nothing is broken.".to_owned(),
            );
            return Vec::new();
        };
        let (text, mut culprits) = match invariant {
            "nothing acknowledged is missing" => self.missing(what),
            "linearizability" => self.disordered(what),
            "sequential consistency" => self.unorderly(what),
            "read your writes" => self.unlawful(Property::ReadYourWrites, what),
            "monotonic reads" => self.unlawful(Property::MonotonicReads, what),
            "eventual consistency" => self.unlawful(Property::Eventual, what),
            "availability" => self.unavailable(what),
            _ => (self.scene.reworded(what), Vec::new()),
        };
        self.say(
            Tone::Broken,
            About::Course,
            format!("Broken: {invariant}. {}.", upper(&text)),
        );
        let why = [meaning(invariant), &self.promise(invariant, what)].join(" ");
        self.say(Tone::Broken, About::Course, why.trim().to_owned());
        culprits.extend(self.gone_with_it());
        culprits
    }

    /// The few other operations that are lost too.
    fn gone_with_it(&mut self) -> Vec<usize> {
        const FEW: usize = 4;
        let Some((leader, _)) = self.scene.leading().first().copied() else {
            return Vec::new();
        };
        let disk = &self.scene.at(leader).disk;
        let done = self.operations.done().iter();
        let gone: Vec<usize> = done
            .filter(|(_, entry)| !disk.holds(entry))
            .map(|(number, _)| *number)
            .collect();
        if gone.len() <= FEW { gone } else { Vec::new() }
    }

    /// What was acknowledged and is not in the log of whoever leads.
    fn missing(&mut self, what: &str) -> (String, Vec<usize>) {
        let Some((leader, _)) = self.scene.leading().first().copied() else {
            return (self.scene.reworded(what), Vec::new());
        };
        let disk = &self.scene.at(leader).disk;
        let done = self.operations.done();
        let is_missing = |(_, entry): &&(usize, EntryId)| !disk.holds(entry);
        let all: Vec<(usize, EntryId)> = done.iter().filter(is_missing).cloned().collect();
        // The one that is named, or the first.
        let named = all
            .iter()
            .find(|(_, entry)| what.starts_with(&format!("{entry:?} ")));
        let Some((number, entry)) = named.or(all.first()).cloned() else {
            return (self.scene.reworded(what), Vec::new());
        };
        let text = match self.operations.get(number) {
            Some(deal) => self.gone(deal, &entry, &node(leader)),
            None => self.scene.reworded(what),
        };
        let others: Vec<&(usize, EntryId)> = all.iter().filter(|(n, _)| *n != number).collect();
        let names: Vec<String> = others
            .iter()
            .map(|(_, entry)| self.scene.deed(entry))
            .collect();
        let more = match names.len() {
            0 => String::new(),
            1 => format!(". So is {}", names[0]),
            _ => format!(". So are {}", some(&names)),
        };
        (format!("{text}{more}"), vec![number])
    }

    fn gone(&self, deal: &Deal, entry: &EntryId, leader: &str) -> String {
        let by = deal
            .answer
            .as_ref()
            .map_or("somebody".to_owned(), |(place, _)| node(*place));
        let at = stamp(deal.acknowledged.unwrap_or(0));
        let rest = match self.scene.holders(entry)[..] {
            [] => "nor does anybody else".to_owned(),
            _ => format!("though {}", self.scene.held_by(entry)),
        };
        format!(
            "{} is gone: {by} acknowledged it to client {} at {at}; now {leader} leads and does not have it, {rest}",
            self.scene.deed(entry),
            deal.client
        )
    }

    /// What whoever looks whether all is well was told last.
    fn unavailable(&mut self, what: &str) -> (String, Vec<usize>) {
        let probes = self.operations.all.iter().filter(|(_, deal)| deal.is_probe);
        let tries = probes.clone().count();
        let said =
            |(number, deal): (&usize, &Deal)| Some((*number, deal.client, deal.said.clone()?));
        let said: Vec<_> = probes.filter_map(said).collect();
        let is_reason = |(_, _, (_, said)): &&(usize, u16, (Place, String))| {
            !said.starts_with("not the leader")
        };
        let last = said.iter().rev().find(is_reason).or(said.last());
        let Some((number, client, (place, said))) = last else {
            return (self.scene.reworded(what), Vec::new());
        };
        let (said, place) = (said.to_lowercase(), node(*place));
        let text = format!(
            "{what}: client {client} asks {} to write something, and the last reason that it hears, from {place}, is \"{said}\"",
            times(tries)
        );
        (text, vec![*number])
    }

    /// Whether the mode promised it.
    fn promise(&self, invariant: &str, what: &str) -> String {
        let mode = self.plan.mode;
        let expected = self.plan.expect.to_possible_value();
        let expected = expected.map_or(String::new(), |value| value.get_name().to_owned());
        let is_missing = invariant == "nothing acknowledged is missing";
        let is_order = is_missing || invariant == "linearizability";
        let is_extra = matches!(
            invariant,
            "sequential consistency"
                | "read your writes"
                | "monotonic reads"
                | "eventual consistency"
                | "one leader"
        );
        let waits_for_all = mode.replication == Replication::Sync && invariant == "availability";
        match self.plan.expect {
            Expect::Promised if is_missing && !mode.is_linearizable() => {
                let told = match what.ends_with("reported it") {
                    true => "and nobody reported this one",
                    false => "and this one was not",
                };
                format!(
                    "{mode} may lose acknowledged writes, but promises that each loss is reported, {told}."
                )
            }
            Expect::Promised => format!("{mode} promises that."),
            _ if is_order && mode.is_linearizable() => format!("{mode} promises that."),
            _ if !is_order && !is_extra && !waits_for_all => format!("{mode} promises that."),
            _ => format!(
                "{mode} does not promise that; --expect {expected} asked for it. What it promises: {}.",
                mode.promise()
            ),
        }
    }
}

/// With a capital letter, unless it begins with a name.
fn upper(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_lowercase()) && !text.starts_with("node-");
    let first_word = text.split(' ').next().unwrap_or_default();
    match is_word && !first_word.contains(['=', '@']) {
        true => text[..1].to_uppercase() + &text[1..],
        false => text.to_owned(),
    }
}
