//! Who comes to lead: after whose silence, by whose votes, and without what.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Event;
use crate::protocol::Message;
use crate::sim::What;
use crate::sim::plan::Place;
use crate::types::{Election, NodeId, Term};
use crate::views::story::digest::{About, Deed};
use crate::views::story::names::{node, nodes, some, span};
use crate::views::story::scene::Life;
use crate::views::story::{Teller, Tone};

/// Somebody who stands.
#[derive(Debug, Default, Clone)]
struct Standing {
    /// How long no leader was heard; `None`: it never heard one, or was asked to stand.
    silence: Option<u64>,
    /// Where that is told.
    beat: Option<usize>,
    asked: BTreeSet<Place>,
    answered: BTreeSet<Place>,
    /// The leader that handed over.
    invited_by: Option<Place>,
}

/// All who stand, and all votes.
#[derive(Default)]
pub(super) struct Elections {
    standing: BTreeMap<Place, Standing>,
    votes: BTreeMap<(Place, Term), BTreeSet<Place>>,
}

impl Teller<'_> {
    /// Told before the scene changes.
    pub(super) fn tell_election(&mut self, place: Place, what: &What) {
        match what {
            What::Sent { to, message, .. } => match **message {
                Message::Probe { .. } | Message::Vote { .. } => {
                    self.elections
                        .standing
                        .entry(place)
                        .or_default()
                        .asked
                        .insert(*to);
                }
                _ => {}
            },
            What::Arrived { from, nth } => self.hear_answer(place, *from, *nth),
            What::Reported(event) if self.scene.at(place).life == Life::Up => {
                self.tell_election_event(place, event);
            }
            What::Started | What::Died { .. } => {
                self.elections.standing.remove(&place);
            }
            _ => {}
        }
    }

    fn hear_answer(&mut self, place: Place, from: Place, nth: u32) {
        let Some(letter) = self.scene.letter(from, place, nth) else {
            return;
        };
        match letter.message {
            Message::ProbeAck { .. } => {
                self.elections
                    .standing
                    .entry(place)
                    .or_default()
                    .answered
                    .insert(from);
            }
            Message::VoteAck {
                term,
                pre: false,
                granted: true,
                ..
            } => {
                self.elections
                    .votes
                    .entry((place, *term))
                    .or_default()
                    .insert(from);
            }
            Message::TimeoutNow { .. } => {
                self.elections.standing.entry(place).or_default().invited_by = Some(from);
            }
            _ => {}
        }
    }

    fn tell_election_event(&mut self, place: Place, event: &Event) {
        match event {
            Event::Election { .. } => self.tell_standing(place),
            Event::Following { leader, term } => self.tell_following(place, leader, *term),
            // The lowest id that lives is somebody else.
            Event::Waiting { .. } => self.was_needless(place),
            Event::SteppedDown { term, leader } => {
                let led = self.scene.at(place).leads.unwrap_or(*term);
                let why = match leader {
                    Some(leader) if self.leads(leader, *term) => {
                        format!("learns that {leader} leads term {term}, and leads")
                    }
                    Some(leader) => {
                        format!("gives way to {leader}, which stands in term {term}, and leads")
                    }
                    None if led < *term => format!("learns of term {term}, and leads"),
                    None => "leads".to_owned(),
                };
                let text = format!("{} {why} term {led} no more.", node(place));
                self.say(Tone::Lead, About::Course, text);
                self.scene.at(place).is_back = false;
            }
            Event::NoQuorum { term, heard, of } => {
                let who = node(place);
                let text = format!(
                    "{who}, which leads term {term}, hears only {heard} of {of} voters, and steps down."
                );
                self.say(Tone::Lead, About::Course, text);
            }
            _ => {}
        }
    }

    /// Whether that is known to lead already.
    fn leads(&self, leader: &NodeId, term: Term) -> bool {
        let leading = self.scene.leading();
        let mut same = leading.iter().filter(|(_, theirs)| *theirs == term);
        same.any(|(place, _)| node(*place) == leader.as_str())
    }

    fn tell_standing(&mut self, place: Place) {
        let invited_by = self
            .elections
            .standing
            .get(&place)
            .and_then(|s| s.invited_by);
        let silence = self.silence(place);
        let who = node(place);
        let text = match silence {
            Some(silence) => format!(
                "{who} has heard no leader for {} and stands for election, in vain.",
                span(silence)
            ),
            None => format!("{who} stands for election, in vain."),
        };
        let about = match self.plan.mode.election {
            // Whoever finds that it need not lead has lost nothing.
            Election::LowestId => About::Nothing,
            Election::Bully | Election::Raft => About::Standing(place),
        };
        let beat = self.say(Tone::Lead, about, text);
        let standing = Standing {
            silence,
            beat: Some(beat),
            invited_by,
            ..Standing::default()
        };
        self.elections.standing.insert(place, standing);
    }

    fn silence(&mut self, place: Place) -> Option<u64> {
        let now = self.now.1;
        let seen = self.scene.at(place);
        match seen.heard {
            Some((heard, _)) => Some(now - heard),
            None if seen.started > 0 => Some(now - seen.started),
            None => None,
        }
    }

    fn was_needless(&mut self, place: Place) {
        let standing = self.elections.standing.remove(&place);
        if let Some(beat) = standing.and_then(|standing| standing.beat) {
            self.beats[beat].about = About::Nothing;
        }
    }

    /// Somebody who was away finds its place.
    fn tell_following(&mut self, place: Place, leader: &NodeId, term: Term) {
        self.elections.standing.remove(&place);
        if self.scene.at(place).is_back {
            let one = format!("finds {leader} leading term {term}, and follows");
            let many = format!("find {leader} leading term {term}, and follow");
            self.say_of(Tone::Lead, Deed::new(place, &one, &many));
        }
    }

    /// Told after the scene has changed.
    pub(super) fn tell_leader(&mut self, place: Place, term: Term) {
        let standing = self.elections.standing.remove(&place).unwrap_or_default();
        if let Some(beat) = standing.beat {
            self.beats[beat].about = About::Nothing;
        }
        let votes = self
            .elections
            .votes
            .remove(&(place, term))
            .unwrap_or_default();
        let why = self.why(place, &standing);
        let how = match self.plan.mode.election {
            Election::LowestId => unopposed(&standing),
            Election::Bully | Election::Raft => self.elected(&votes),
        };
        let mut text = match why {
            Some(why) if how.starts_with(',') => format!(
                "{} {why}. As the lowest id it leads term {term}.",
                node(place)
            ),
            Some(why) => format!("{} {why}. It{how} leads term {term}.", node(place)),
            None => format!("{}{how} leads term {term}.", node(place)),
        };
        text.push_str(&self.lacks(place));
        if let Some(rival) = self.rivals(place, term) {
            text.push_str(&format!(" But {rival}: now there are two leaders."));
        }
        self.say(Tone::Lead, About::Course, text);
    }

    /// Why it stood, unless it is the first.
    fn why(&mut self, place: Place, standing: &Standing) -> Option<String> {
        if let Some(leader) = standing.invited_by {
            return Some(format!("is asked by {} to take over", node(leader)));
        }
        let silence = standing.silence?;
        let heard = self.scene.heard_from(place).filter(|heard| *heard < place);
        let is_silent = silence >= self.plan.scale.election_timeout * 1000;
        match heard {
            // A higher id takes over from a lower one that it hears well.
            Some(lower) if self.plan.mode.election == Election::Bully && !is_silent => Some(
                format!("has a higher id than {}, and takes over", node(lower)),
            ),
            _ => Some(format!("has heard no leader for {}", span(silence))),
        }
    }

    /// By whose votes.
    fn elected(&self, votes: &BTreeSet<Place>) -> String {
        let voters: Vec<Place> = votes.iter().copied().collect();
        let (count, of) = (voters.len() + 1, self.scene.voters);
        match voters.is_empty() {
            true => " votes for itself and".to_owned(),
            false => format!(
                " has the votes of {} and its own, {count} of {of}, and",
                nodes(&voters)
            ),
        }
    }

    /// What it does not have, of what was acknowledged.
    fn lacks(&mut self, place: Place) -> String {
        let acknowledged: Vec<_> = self.operations.acknowledged().cloned().collect();
        let disk = &self.scene.at(place).disk;
        let missing: Vec<_> = acknowledged
            .iter()
            .filter(|entry| !disk.holds(entry))
            .cloned()
            .collect();
        let names: Vec<String> = missing.iter().map(|entry| self.scene.deed(entry)).collect();
        match &missing[..] {
            [] => String::new(),
            [one] => {
                let who = match self.scene.holders(one)[..] {
                    [] => String::new(),
                    [only] => format!(" and which only {} has", node(only)),
                    ref holders => format!(" and which {} have", nodes(holders)),
                };
                format!(
                    " It does not have {}, which was acknowledged{who}.",
                    names[0]
                )
            }
            _ => format!(
                " It does not have {}, which were acknowledged.",
                some(&names)
            ),
        }
    }
}

/// lowest-id: nobody who should come first answers.
fn unopposed(standing: &Standing) -> String {
    let silent: Vec<Place> = standing
        .asked
        .difference(&standing.answered)
        .copied()
        .collect();
    match silent.len() {
        0 => ", the lowest id,".to_owned(),
        1 => format!(" gets no answer from {}, and", nodes(&silent)),
        _ => format!(" gets no answers from {}, and", nodes(&silent)),
    }
}
