//! What is done to the cluster, and how it ends.

use std::collections::BTreeMap;

use crate::protocol::Reply;
use crate::sim::What;
use crate::sim::plan::{Harm, Operation, Place};
use crate::sim::words;
use crate::types::NodeId;
use crate::views::story::digest::{About, Deed};
use crate::views::story::names::{node, nodes, span};
use crate::views::story::scene::Life;
use crate::views::story::{Teller, Tone};

/// The faults in force, and what operators wait for.
#[derive(Default)]
pub(super) struct Faults {
    in_force: BTreeMap<u32, (Place, Harm)>,
    asked: Option<(Operation, Option<Place>)>,
    /// Who is told to go.
    leaving: Option<Place>,
    /// The beat of the last death.
    death: Option<(usize, Place, u64)>,
    is_lost: Option<Place>,
}

impl Teller<'_> {
    /// Told before the scene changes.
    pub(super) fn tell_fault(&mut self, place: Place, what: &What) {
        match what {
            What::Died { power } => self.tell_death(place, *power),
            What::DiskLost => self.faults.is_lost = Some(place),
            What::Started => self.tell_start(place),
            What::DiskFailed => {
                let whom = self.scene.titled(place);
                self.fault(
                    self.strikes(place),
                    format!("{whom} cannot sync its disk: it takes no part until it is restarted."),
                );
            }
            What::Paused => {
                let whom = self.scene.titled(place);
                self.fault(
                    self.strikes(place),
                    format!("{whom} stands still, as a stopped process does."),
                );
            }
            What::Resumed => self.tell_resumed(place),
            What::Harmed { number, harm, .. } => self.tell_harm(place, *number, harm),
            What::Lifted { number } => self.tell_lifted(*number),
            What::Healed { quorum } => self.tell_healed(quorum),
            What::Operated { operation, whom } => self.faults.asked = Some((*operation, *whom)),
            What::OperatorAnswered { reply } => self.tell_operator(reply),
            _ => {}
        }
    }

    /// Whether what happens to a node happens to a leader.
    fn strikes(&self, place: Place) -> About {
        let leading = self.scene.leading();
        match leading.iter().any(|(leader, _)| *leader == place) {
            true => About::Course,
            false => About::Aside,
        }
    }

    fn fault(&mut self, about: About, text: String) -> usize {
        self.say(Tone::Fault, about, text)
    }

    fn mend(&mut self, text: String) {
        self.say(Tone::Mend, About::Aside, text);
    }

    fn tell_death(&mut self, place: Place, power: bool) {
        let whom = self.scene.titled(place);
        let text = match power {
            _ if self.faults.leaving.take() == Some(place) => {
                format!("{whom} is no member any more, and is ended.")
            }
            true => format!("{whom} loses power."),
            false => format!("{whom} is killed."),
        };
        let beat = self.fault(self.strikes(place), text);
        self.faults.death = Some((beat, place, self.now.1));
    }

    fn tell_start(&mut self, place: Place) {
        let now = self.now.1;
        if self.scene.at(place).life == Life::Unborn {
            if now > 0 {
                self.mend(format!("{} starts, with nothing on its disk.", node(place)));
            }
            return;
        }
        let disk = match self.faults.is_lost.take() == Some(place) {
            true => " with an empty disk: what it had could not be read any more.".to_owned(),
            false => self.still_there(place),
        };
        match self.faults.death.take() {
            // Killed and started in one moment, to be well again.
            Some((beat, who, at)) if (who, at) == (place, now) => {
                self.beats[beat].about = About::Nothing;
                self.mend(format!("{} is restarted{disk}", node(place)));
            }
            _ => self.mend(format!("{} starts again{disk}", node(place))),
        }
    }

    /// What only its disk still has, of what was acknowledged.
    fn still_there(&self, place: Place) -> String {
        let only = |entry: &&crate::types::EntryId| self.scene.holders(entry) == [place];
        let acknowledged = self.operations.acknowledged();
        let kept: Vec<String> = acknowledged
            .filter(only)
            .map(|entry| self.scene.deed(entry))
            .collect();
        match kept.is_empty() {
            true => ", with what is on its disk.".to_owned(),
            false => format!(". Only its disk holds {}.", super::names::some(&kept)),
        }
    }

    fn tell_resumed(&mut self, place: Place) {
        let now = self.now.1;
        let since = self.scene.at(place).paused.map_or(0, |since| now - since);
        self.scene.at(place).is_back = true;
        self.mend(format!("{} goes on, after {}.", node(place), span(since)));
    }

    fn tell_harm(&mut self, place: Place, number: u32, harm: &Harm) {
        self.faults.in_force.insert(number, (place, harm.clone()));
        let whom = self.scene.titled(place);
        let mut about = self.strikes(place);
        let text = match harm {
            // Told when it takes effect.
            Harm::Crash { .. } | Harm::Pause(_) | Harm::FailSync(_) => return,
            Harm::Isolate { out, into, .. } => match (out, into) {
                (true, true) if self.scene.at(place).leads.is_some() => {
                    format!("{whom} is cut off from all others.")
                }
                (true, true) => {
                    let (one, many) = ("is cut off from all others", "are cut off from all others");
                    return self.say_of(Tone::Fault, Deed::new(place, one, many));
                }
                (true, false) => {
                    format!("Nobody hears {whom} any more; it still hears the others.")
                }
                _ => format!("{whom} hears nobody any more; the others still hear it."),
            },
            Harm::Partition(groups) => {
                about = About::Course;
                self.split(groups)
            }
            Harm::Skew(..) | Harm::Jump(..) | Harm::SlowDisk(..) => {
                let id = NodeId::nth(usize::from(place) + 1);
                format!("{}.", upper(&words::harm(harm, &id)))
            }
            Harm::Links { from, to, fault } => {
                about = About::Aside;
                let (from, to) = (self.some_of(from), self.some_of(to));
                let what = words::links(fault);
                format!("Messages from {from} to {to} are {what}.")
            }
        };
        self.fault(about, text);
    }

    fn split(&self, groups: &[Vec<Place>]) -> String {
        let apart = |place: &Place| !groups.iter().any(|group| group.contains(place));
        let rest: Vec<Place> = self.scene.places().filter(apart).collect();
        let known: Vec<Place> = self.scene.places().collect();
        let here = |group: &Vec<Place>| -> Vec<Place> {
            let group = group.iter().filter(|place| known.contains(place));
            group.copied().collect()
        };
        let groups: Vec<Vec<Place>> = groups.iter().map(here).filter(|g| !g.is_empty()).collect();
        let mut sides: Vec<String> = groups.iter().map(|group| nodes(group)).collect();
        sides.extend((!rest.is_empty()).then(|| nodes(&rest)));
        let leading = self.scene.leading();
        let leader = leading.first().map_or(String::new(), |(place, term)| {
            format!(" ({} leads term {term})", node(*place))
        });
        format!("The network splits: {}{leader}.", sides.join(" | "))
    }

    /// Those nodes, as far as there are such.
    fn some_of(&self, places: &[Place]) -> String {
        let known: Vec<Place> = self.scene.places().collect();
        match known.iter().all(|place| places.contains(place)) {
            true => "all nodes".to_owned(),
            false => {
                let here = places.iter().filter(|place| known.contains(place));
                nodes(&here.copied().collect::<Vec<Place>>())
            }
        }
    }

    fn tell_lifted(&mut self, number: u32) {
        let Some((place, harm)) = self.faults.in_force.remove(&number) else {
            return;
        };
        self.come_back(place, &harm);
        let text = match harm {
            Harm::Crash { .. } | Harm::Pause(_) | Harm::FailSync(_) | Harm::Jump(..) => return,
            Harm::Isolate { .. } => format!("{} is connected again.", node(place)),
            Harm::Partition(_) => "The network is whole again.".to_owned(),
            Harm::Skew(..) => format!("The clock of {} runs true again.", node(place)),
            Harm::SlowDisk(..) => format!("The disk of {} is as fast as before.", node(place)),
            Harm::Links { from, to, .. } => format!(
                "Messages from {} to {} arrive as before.",
                self.some_of(&from),
                self.some_of(&to)
            ),
        };
        self.mend(text);
    }

    /// Those who could not be reached can be again.
    fn come_back(&mut self, place: Place, harm: &Harm) {
        let back = match harm {
            Harm::Isolate { .. } => vec![place],
            Harm::Partition(groups) => groups.concat(),
            _ => Vec::new(),
        };
        for place in back {
            self.scene.at(place).is_back = true;
        }
    }

    fn tell_healed(&mut self, quorum: &[Place]) {
        if quorum.is_empty() {
            for (place, harm) in std::mem::take(&mut self.faults.in_force).into_values() {
                self.come_back(place, &harm);
            }
            return self.mend("Every fault is over.".to_owned());
        }
        let mut quorum = quorum.to_vec();
        quorum.sort_unstable();
        let text = format!(
            "All other faults are over: {} are well, and are to go on alone.",
            nodes(&quorum)
        );
        self.mend(text);
    }

    fn tell_operator(&mut self, reply: &Reply) {
        let Some((operation, whom)) = self.faults.asked.take() else {
            return;
        };
        let whom = whom.map(|place| {
            let goes = matches!(
                (operation, reply),
                (Operation::Remove(_), Reply::Changed)
                    | (
                        Operation::Add,
                        Reply::Refused { .. } | Reply::NotLeader { .. }
                    )
            );
            self.faults.leaving = goes.then_some(place);
            node(place)
        });
        let wish = match (operation, whom) {
            (Operation::Add, whom) => format!("make {} a member", whom.unwrap_or_default()),
            (Operation::Remove(_), whom) => format!("remove {}", whom.unwrap_or_default()),
            (Operation::Transfer(_), Some(whom)) => format!("hand the leadership over to {whom}"),
            (Operation::Transfer(_), None) => "hand the leadership over".to_owned(),
        };
        let text = match reply {
            Reply::Changed => format!("An operator asks to {wish}, and that is done."),
            other => format!("An operator asks to {wish}: {}.", words::answer(other)),
        };
        self.say(Tone::Fault, About::Course, text);
    }
}

/// With a capital letter, unless it begins with the name of a node.
fn upper(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !text.starts_with("node-") => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
