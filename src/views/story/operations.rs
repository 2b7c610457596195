//! What clients ask, and what they are told: by whom, and who holds it at that moment.

use crate::check::history::{Call, End};
use crate::sim::What;
use crate::sim::plan::{Place, Reading};
use crate::types::EntryId;
use crate::value::Key;
use crate::views::story::deals::{Deal, Found};
use crate::views::story::digest::About;
use crate::views::story::names::node;
use crate::views::story::{Teller, Tone, stamp};

impl Teller<'_> {
    pub(super) fn tell_operation(&mut self, place: Place, what: &What) {
        match what {
            What::Asked {
                operation,
                client,
                key,
                call,
                reading,
                ..
            } => self.tell_asked(*operation, *client, key, call, *reading),
            What::Requested { operation } => self.tell_requested(place, *operation),
            What::Replied {
                operation,
                entry,
                what,
            } => self.tell_replied(place, *operation, entry.as_ref(), what),
            What::Answered { operation, end, .. } => self.tell_answered(*operation, end.as_ref()),
            What::Found { key, seen } => self.operations.found.push(Found {
                place,
                key: key.clone(),
                seen: seen.clone(),
                when: self.now,
            }),
            _ => {}
        }
    }

    fn tell_asked(
        &mut self,
        number: usize,
        client: u16,
        key: &Key,
        call: &Call,
        reading: Option<Reading>,
    ) {
        let about = About::Operation {
            number,
            done: false,
        };
        let deal = Deal {
            client,
            key: key.clone(),
            call: call.clone(),
            reading,
            asked: self.now,
            asked_of: Vec::new(),
            answer: None,
            said: None,
            is_stale: false,
            acknowledged: None,
            ended: None,
            end: None,
            beat: self.beats.len(),
            is_probe: usize::from(client) >= self.plan.clients,
        };
        self.say(Tone::Client, about, format!("{}.", deal.question()));
        self.operations.add(number, deal);
    }

    fn tell_requested(&mut self, place: Place, number: usize) {
        if let Some(deal) = self.operations.all.get_mut(&number) {
            deal.asked_of.push(place);
            if deal.ended.is_none() && deal.acknowledged.is_none() {
                self.beats[deal.beat].text = format!("{}.", deal.question());
            }
        }
    }

    fn tell_replied(&mut self, place: Place, number: usize, entry: Option<&EntryId>, what: &str) {
        let Some(deal) = self.operations.all.get_mut(&number) else {
            return;
        };
        deal.answer = Some((place, entry.cloned()));
        if deal.said.is_none() || !what.starts_with("not the leader") {
            deal.said = Some((place, what.to_owned()));
        }
        let (true, Some(entry)) = (deal.call != Call::Read, entry) else {
            return;
        };
        if deal.acknowledged.is_some() {
            return;
        }
        deal.acknowledged = Some(self.now.1);
        self.operations.done.push((number, entry.clone()));
        let held = self.scene.held_by(entry);
        // Who leads was told; only that somebody else does is worth repeating.
        let leads = match (self.scene.at(place).leads, self.rival_above(place)) {
            (Some(term), Some(rival)) => format!(", which leads term {term} while {rival},"),
            _ => String::new(),
        };
        let (short, long) = (
            format!("{}{leads} acknowledges it: {held}.", node(place)),
            format!(
                "{}{leads} acknowledges {} to client {}: {held}.",
                node(place),
                self.scene.deed(entry),
                self.client(number)
            ),
        );
        self.conclude(number, true, &format!(". {short}"), &long);
    }

    fn client(&self, number: usize) -> u16 {
        self.operations.get(number).map_or(0, |deal| deal.client)
    }

    /// Who leads with a greater claim, as a clause.
    fn rival_above(&self, place: Place) -> Option<String> {
        let leading = self.scene.leading();
        let (first, term) = *leading.first().filter(|(first, _)| *first != place)?;
        let is_same = leading
            .iter()
            .any(|(other, theirs)| *other == place && *theirs == term);
        Some(match is_same {
            true => format!("{} leads it too", node(first)),
            false => format!("{} leads term {term}", node(first)),
        })
    }

    fn tell_answered(&mut self, number: usize, end: Option<&End>) {
        let now = self.now;
        let Some(deal) = self.operations.all.get_mut(&number) else {
            return;
        };
        (deal.ended, deal.end) = (Some(now), end.cloned());
        if deal.acknowledged.is_some() {
            return;
        }
        let told = match end {
            None => "nobody it asked would do it".to_owned(),
            Some(End::Fail) => "it is something else".to_owned(),
            Some(End::Unknown) => "it is not told whether that happened".to_owned(),
            Some(End::Ok(None)) => "it is done".to_owned(),
            Some(End::Ok(Some(_))) if deal.call == Call::Delete => {
                "there is no such key".to_owned()
            }
            Some(End::Ok(Some(seen))) => self.saw(number, seen),
        };
        let done = matches!(end, Some(End::Ok(_) | End::Fail));
        let wish = self.operations.wish(number);
        let long = format!(
            "Client {} gets its answer to \"{wish}\": {told}.",
            self.client(number)
        );
        self.conclude(number, done, &format!(": {told}."), &long);
    }

    /// What a read saw, and what it should have seen.
    fn saw(&mut self, number: usize, seen: &str) -> String {
        let what = match seen {
            "null" => "it sees nothing".to_owned(),
            value => format!("it sees {value}"),
        };
        let deal = self.operations.get(number);
        let missed = deal.and_then(|deal| self.operations.missed(deal, seen));
        let Some(missed) = missed else {
            return what;
        };
        let missed = match missed.writes() {
            Some(value) => format!(
                "{}={value} was acknowledged at {}",
                missed.key.as_str(),
                stamp(missed.acknowledged.unwrap_or(0))
            ),
            None => format!(
                "its deletion was acknowledged at {}",
                stamp(missed.acknowledged.unwrap_or(0))
            ),
        };
        if let Some(deal) = self.operations.all.get_mut(&number) {
            deal.is_stale = true;
        }
        format!("{what}, though {missed}")
    }

    /// Ends an operation: in the sentence that began it, unless something else was told since.
    fn conclude(&mut self, number: usize, done: bool, short: &str, long: &str) {
        let Some(deal) = self.operations.get(number) else {
            return;
        };
        let (beat, question) = (deal.beat, deal.question());
        let last = self
            .beats
            .iter()
            .rposition(|beat| beat.about != About::Nothing);
        let about = About::Operation { number, done };
        if last == Some(beat) {
            (self.beats[beat].text, self.beats[beat].about) = (format!("{question}{short}"), about);
            return;
        }
        self.beats[beat].text = format!("{question}.");
        self.beats[beat].about = about.clone();
        self.say(Tone::Client, about, long.to_owned());
    }
}
