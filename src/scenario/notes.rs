//! What is written down of a scenario as it is played, in the form that runs of chaos have.

use crate::chaos::recording::{Asked, Happened, Planned, Recording, Struck};
use crate::check::history::{self, End, Text};
use crate::event::Event;
use crate::scenario::ground::{Answer, View};
use crate::scenario::script::{Call, Deed, Scenario};
use crate::sim::plan::{Harm, Micros, Place, Reading};
use crate::types::NodeId;
use crate::value::Key;
use crate::wire::data::Consistency;

/// What was written down so far.
pub(super) struct Notes {
    pub(super) recording: Recording,
    order: usize,
    /// The client's name: whoever got no answer goes on under another.
    process: usize,
}

impl Notes {
    pub(super) fn new(scenario: &Scenario) -> Notes {
        let mut keys: Vec<String> = Vec::new();
        for step in &scenario.steps {
            if let Deed::Ask(asking) = &step.deed
                && !keys.iter().any(|key| key == asking.key.as_str())
            {
                keys.push(asking.key.as_str().to_owned());
            }
        }
        Notes {
            recording: Recording {
                keys,
                nodes: (1..=scenario.setup.nodes).map(NodeId::nth).collect(),
                ..Recording::default()
            },
            order: 0,
            process: 0,
        }
    }

    fn tick(&mut self) -> usize {
        self.order += 1;
        self.order
    }

    /// Somebody asks a node for something; the number of the operation.
    pub(super) fn asks(&mut self, key: &Key, call: &Call, node: &NodeId, at: Micros) -> usize {
        let is_key = |name: &String| name == key.as_str();
        let invoked = self.tick();
        let (asked, reading) = asked(call, node);
        self.recording.asked.push(Asked {
            process: self.process,
            key: self.recording.keys.iter().position(is_key).unwrap_or(0),
            call: asked,
            reading,
            end: End::Unknown,
            is_void: false,
            invoked,
            returned: None,
            due_at: at,
            invoked_at: at,
            returned_at: at,
            entry: None,
            is_final: false,
        });
        self.recording.asked.len() - 1
    }

    /// What became of it.
    pub(super) fn learns(&mut self, number: usize, answer: &Answer, at: Micros) {
        let returned = self.tick();
        let asked = &mut self.recording.asked[number];
        (asked.returned, asked.returned_at) = (Some(returned), at);
        match answer {
            Answer::Value(found) => {
                let text = found.as_ref().map_or("null", |(value, _)| value.as_str());
                asked.end = End::Ok(Some(Text::from(text)));
                asked.entry = found.as_ref().and_then(|(_, version)| version.clone());
            }
            Answer::Done(version) => {
                asked.end = End::Ok(None);
                asked.entry = version.clone();
            }
            // Nobody was there to be deleted: that is an observation.
            Answer::NotFound => {
                asked.call = history::Call::Read;
                asked.end = End::Ok(Some("null".into()));
            }
            Answer::Unmet => asked.end = End::Fail,
            Answer::NotLeader | Answer::Refused(_) | Answer::Unreachable => {
                (asked.is_void, asked.end) = (true, End::Fail);
            }
            Answer::Unknown(_) if asked.reading.is_some() => {
                (asked.is_void, asked.end) = (true, End::Fail);
            }
            Answer::Unknown(_) => self.process += 1,
        }
    }

    /// Those that were asked last belong to the end.
    pub(super) fn is_final(&mut self, number: usize) {
        self.recording.asked[number].is_final = true;
    }

    /// A fault struck; its number.
    pub(super) fn strikes(
        &mut self,
        harm: Option<Harm>,
        what: &str,
        whom: Vec<NodeId>,
        at: Micros,
    ) -> usize {
        let number = self.recording.struck.len() as u32;
        self.recording.struck.push(Struck {
            number,
            planned: harm.map_or_else(|| Planned::Step(what.to_owned()), Planned::Harm),
            whom,
            what: what.to_owned(),
            from: at,
            until: None,
            void: None,
        });
        number as usize
    }

    /// A fault is over.
    pub(super) fn over(&mut self, struck: usize, at: Micros) {
        if let Some(struck) = self.recording.struck.get_mut(struck) {
            struck.until.get_or_insert(at);
        }
    }

    /// The cluster is at rest.
    pub(super) fn rests(&mut self, view: &View) {
        self.recording.end.last_entry = view.leader().and_then(|seen| seen.last.clone());
    }

    pub(super) fn finish(mut self, happened: Vec<Happened>) -> Recording {
        for event in happened.iter().map(|happened| &happened.event) {
            if let Event::Lost(loss) = event {
                let end = &mut self.recording.end;
                end.reported_count += loss.count;
                let named = loss.writes.iter();
                let named = named.map(|w| (w.key.as_str().to_owned(), w.entry.clone()));
                end.reported.extend(named);
            }
        }
        self.recording.happened = happened;
        self.recording
    }
}

fn asked(call: &Call, node: &NodeId) -> (history::Call, Option<Reading>) {
    let text = |value: &crate::value::Value| Text::from(value.as_str());
    let place = node.number().map_or(0, |number| number - 1) as Place;
    match call {
        Call::Read(consistency) => {
            let reading = match consistency {
                Consistency::Local => Reading::Local(place),
                Consistency::Leader => Reading::Leader,
                Consistency::Linearizable => Reading::Linearizable(place),
            };
            (history::Call::Read, Some(reading))
        }
        Call::Put(value) => (history::Call::Write(text(value)), None),
        Call::Cas(from, to) => {
            let from = from.as_ref().map_or("null".into(), text);
            (history::Call::Cas(from, text(to)), None)
        }
        Call::Delete => (history::Call::Delete, None),
    }
}
