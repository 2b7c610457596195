//! Messages between nodes, as arrows.

use std::collections::BTreeSet;

use crate::protocol::MessageKind;
use crate::sim::plan::Place;
use crate::sim::{Moment, What};
use crate::views::spacetime::html::cut;
use crate::views::spacetime::lanes::Lane;
use crate::views::story::names::node;
use crate::wire::messages::label;
use crate::wire::said::said;

/// How long a label is at most.
pub(super) const LABEL: usize = 18;

/// What a message is about: its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Heartbeat,
    Append,
    Vote,
    Snapshot,
    Read,
    Client,
}

impl Kind {
    pub(super) const ALL: [(Kind, &'static str); 6] = [
        (Kind::Heartbeat, "heartbeats"),
        (Kind::Append, "entries"),
        (Kind::Vote, "elections"),
        (Kind::Snapshot, "snapshots"),
        (Kind::Read, "reads"),
        (Kind::Client, "clients"),
    ];

    pub(super) fn of(kind: MessageKind) -> Kind {
        match kind {
            MessageKind::Heartbeat
            | MessageKind::HeartbeatAck
            | MessageKind::BareHeartbeat
            | MessageKind::BareAck => Kind::Heartbeat,
            MessageKind::Append | MessageKind::AppendAck | MessageKind::WholeMap => Kind::Append,
            MessageKind::Probe
            | MessageKind::ProbeAck
            | MessageKind::PreVote
            | MessageKind::Vote
            | MessageKind::VoteAck
            | MessageKind::TimeoutNow => Kind::Vote,
            MessageKind::InstallSnapshot | MessageKind::SnapshotAck | MessageKind::Restored => {
                Kind::Snapshot
            }
            MessageKind::ReadIndex | MessageKind::ReadAt => Kind::Read,
        }
    }

    /// The name of its style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Kind::Heartbeat => "beat",
            Kind::Append => "append",
            Kind::Vote => "vote",
            Kind::Snapshot => "snap",
            Kind::Read => "read",
            Kind::Client => "client",
        }
    }
}

/// How a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    /// On the way.
    Lost,
    /// Nobody was there to take it.
    Unheard,
    /// Whether anybody took it is not known.
    Unanswered,
}

/// One arrow.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) from: Lane,
    pub(super) to: Lane,
    pub(super) sent: u64,
    /// When it arrives, or would have.
    pub(super) arrives: u64,
    pub(super) kind: Kind,
    pub(super) is_answer: bool,
    /// It is the second of a message that arrives twice.
    pub(super) is_copy: bool,
    pub(super) fate: Fate,
    /// What it says.
    pub(super) text: String,
    /// What is written beside it.
    pub(super) label: Option<String>,
}

/// All messages between nodes. `latency` is what they take if nothing happens to them.
pub(super) fn flights(moments: &[Moment], latency: u64) -> Vec<Flight> {
    let mut flights = Vec::new();
    let refusals = refusals(moments);
    for moment in moments {
        let What::Sent {
            to,
            nth,
            message,
            fated,
        } = &moment.what
        else {
            continue;
        };
        let kind = Kind::of(message.kind());
        let text = format!("{} → {}: {}", node(moment.place), node(*to), said(message));
        let flight = Flight {
            from: lane(moment.place),
            to: lane(*to),
            sent: moment.at,
            arrives: fated.arrives.unwrap_or(moment.at + latency),
            kind,
            is_answer: message.is_answer(),
            is_copy: false,
            fate: Fate::Lost,
            text,
            label: label(message).map(|label| cut(&label, LABEL)),
        };
        let fate = |arrives: u64| match refusals.contains(&(moment.place, *to, *nth, arrives)) {
            true => Fate::Unheard,
            false => Fate::Arrives,
        };
        flights.push(Flight {
            fate: fated.arrives.map_or(Fate::Lost, fate),
            ..flight.clone()
        });
        flights.extend(fated.again.map(|again| Flight {
            arrives: again,
            is_copy: true,
            fate: fate(again),
            label: None,
            ..flight
        }));
    }
    flights
}

pub(super) fn lane(place: Place) -> Lane {
    Lane::Node(usize::from(place) + 1)
}

/// The messages that arrived where nobody lived, and when.
fn refusals(moments: &[Moment]) -> BTreeSet<(Place, Place, u32, u64)> {
    let (mut dead, mut refusals) = (BTreeSet::new(), BTreeSet::new());
    for moment in moments {
        match &moment.what {
            What::Died { .. } => {
                dead.insert(moment.place);
            }
            What::Started => {
                dead.remove(&moment.place);
            }
            What::Arrived { from, nth } if dead.contains(&moment.place) => {
                refusals.insert((*from, moment.place, *nth, moment.at));
            }
            _ => {}
        }
    }
    refusals
}
