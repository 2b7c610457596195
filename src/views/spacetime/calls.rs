//! What clients ask: a bar for each operation, and arrows between clients and nodes.

use std::collections::BTreeMap;

use crate::check::history::{Call, End};
use crate::sim::plan::Place;
use crate::sim::{Moment, What};
use crate::views::spacetime::flights::{Fate, Flight, Kind, lane};
use crate::views::spacetime::lanes::Lane;
use crate::views::story::names::node;

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is done, or was seen.
    Done,
    /// It did not happen.
    Not,
    /// Nobody told.
    Unknown,
    /// Not yet.
    Open,
}

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) client: u16,
    pub(super) asked: u64,
    pub(super) ended: Option<u64>,
    pub(super) ending: Ending,
    /// What was asked, and what came of it.
    pub(super) text: String,
    /// It is one of those that the picture is about.
    pub(super) is_marked: bool,
    wish: String,
    is_read: bool,
    /// Whom it asked, and when that arrived.
    tries: usize,
}

/// All operations and the arrows that belong to them.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) bars: Vec<Bar>,
    pub(super) flights: Vec<Flight>,
}

/// All operations. `latency` is what a message takes at least.
pub(super) fn calls(moments: &[Moment], latency: u64) -> Calls {
    let mut calls = Calls::default();
    let mut open: BTreeMap<usize, usize> = BTreeMap::new();
    let mut dead: Vec<Place> = Vec::new();
    // The replies on their way: the last one of an operation ends it.
    let mut replies: BTreeMap<usize, usize> = BTreeMap::new();
    for moment in moments {
        let at = moment.at;
        match &moment.what {
            What::Died { .. } => dead.push(moment.place),
            What::Started => dead.retain(|place| *place != moment.place),
            What::Asked {
                operation,
                client,
                key,
                call,
                ..
            } => {
                open.insert(*operation, calls.bars.len());
                calls.bars.push(Bar::new(*client, at, key.as_str(), call));
            }
            What::Requested { operation } => {
                if let Some(bar) = open.get(operation).map(|bar| &mut calls.bars[*bar]) {
                    let is_dead = dead.contains(&moment.place);
                    let arrow = bar.request(moment.place, at, latency, is_dead);
                    calls.flights.push(arrow);
                }
            }
            What::Replied {
                operation, what, ..
            } => {
                if let Some(bar) = open.get(operation).map(|bar| &calls.bars[*bar]) {
                    replies.insert(*operation, calls.flights.len());
                    calls
                        .flights
                        .push(bar.reply(moment.place, at, latency, what));
                }
            }
            What::Answered { operation, end, .. } => {
                if let Some(reply) = replies.remove(operation) {
                    calls.flights[reply].arrives = at;
                }
                if let Some(bar) = open.remove(operation) {
                    calls.bars[bar].end(at, end.as_ref());
                }
            }
            _ => {}
        }
    }
    calls
}

impl Bar {
    pub(super) fn new(client: u16, asked: u64, key: &str, call: &Call) -> Bar {
        let wish = match call {
            Call::Read => format!("read {key}"),
            Call::Write(value) | Call::Append(value) | Call::Add(value) => {
                format!("put {key}={value}")
            }
            Call::Cas(old, new) => format!("put {key}={new} if {old}"),
            Call::Delete => format!("delete {key}"),
        };
        Bar {
            client,
            asked,
            ended: None,
            ending: Ending::Open,
            text: format!("{wish} …"),
            is_marked: false,
            wish,
            is_read: *call == Call::Read,
            tries: 0,
        }
    }

    fn request(&mut self, place: Place, at: u64, latency: u64, is_dead: bool) -> Flight {
        self.tries += 1;
        let sent = match self.tries {
            1 => self.asked,
            _ => at.saturating_sub(latency).max(self.asked),
        };
        Flight {
            from: Lane::Client(self.client),
            to: lane(place),
            sent,
            arrives: at,
            kind: Kind::Client,
            is_answer: false,
            is_copy: false,
            fate: if is_dead {
                Fate::Unheard
            } else {
                Fate::Arrives
            },
            text: format!("client {} → {}: {}", self.client, node(place), self.wish),
            label: None,
        }
    }

    fn reply(&self, place: Place, at: u64, latency: u64, what: &str) -> Flight {
        Flight {
            from: lane(place),
            to: Lane::Client(self.client),
            sent: at,
            arrives: at + latency,
            kind: Kind::Client,
            is_answer: true,
            is_copy: false,
            fate: Fate::Arrives,
            text: format!(
                "{} → client {}: {}: {what}",
                node(place),
                self.client,
                self.wish
            ),
            label: None,
        }
    }

    pub(super) fn end(&mut self, at: u64, end: Option<&End>) {
        self.ended = Some(at);
        let (ending, what) = match end {
            None => (Ending::Not, "✗ not done".to_owned()),
            Some(End::Fail) => (Ending::Not, "✗ it is not".to_owned()),
            Some(End::Unknown) => (Ending::Unknown, "? unknown".to_owned()),
            Some(End::Ok(None)) => (Ending::Done, "✓".to_owned()),
            Some(End::Ok(Some(seen))) if self.is_read => match &**seen {
                "null" => (Ending::Done, "→ nothing".to_owned()),
                seen => (Ending::Done, format!("→ {seen}")),
            },
            Some(End::Ok(Some(_))) => (Ending::Not, "✗ no such key".to_owned()),
        };
        self.ending = ending;
        self.text = format!("{} {what}", self.wish);
    }
}
