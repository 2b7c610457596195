//! What each node is, and when: a band down its lane, and marks on it.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::protocol::{Message, Record};
use crate::sim::moment::FOR_EVER;
use crate::sim::plan::{Harm, Place};
use crate::sim::{Moment, What, words};
use crate::types::{NodeId, Term};
use crate::views::spacetime::html::cut;
use crate::wire::messages::deed;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Dead,
    Failed,
    Paused,
    Candidate,
    Leader(Term),
    /// Of the leader of a term, if it knows one.
    Follower(Option<Term>),
}

/// How it is cut off: what it says is lost, what it should hear is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Apart {
    pub(super) out: bool,
    pub(super) into: bool,
}

/// What a node is for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) node: usize,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) state: State,
    pub(super) apart: Apart,
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Start,
    Death,
    Fault,
    Mend,
    Leads(Term),
    Stored,
    Snapshot,
    Lost,
}

/// Something that happens to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) node: usize,
    pub(super) at: u64,
    pub(super) sign: Sign,
    /// What happened.
    pub(super) text: String,
    /// What is written beside it.
    pub(super) label: Option<String>,
}

/// A node, as it is told.
#[derive(Debug, Clone)]
struct Seen {
    is_alive: bool,
    has_failed: bool,
    is_paused: bool,
    role: State,
    term: Term,
    since: u64,
    apart: Apart,
}

impl Seen {
    fn state(&self) -> State {
        match self {
            Seen {
                is_alive: false, ..
            } => State::Dead,
            Seen {
                has_failed: true, ..
            } => State::Failed,
            Seen {
                is_paused: true, ..
            } => State::Paused,
            Seen { role, .. } => *role,
        }
    }
}

/// Folds a run to bands and marks.
struct Painter {
    nodes: Vec<Seen>,
    /// Faults that cut nodes off, and how.
    cuts: BTreeMap<u32, Vec<(Place, Apart)>>,
    claims: BTreeMap<(Place, Place, u32), Term>,
    bands: Vec<Band>,
    marks: Vec<Mark>,
}

/// The bands of all nodes until `end`, and the marks on them.
pub(super) fn bands(moments: &[Moment], nodes: usize, end: u64) -> (Vec<Band>, Vec<Mark>) {
    let seen = Seen {
        is_alive: false,
        has_failed: false,
        is_paused: false,
        role: State::Follower(None),
        term: 0,
        since: 0,
        apart: Apart::default(),
    };
    let mut painter = Painter {
        nodes: vec![seen; nodes],
        cuts: BTreeMap::new(),
        claims: BTreeMap::new(),
        bands: Vec::new(),
        marks: Vec::new(),
    };
    for moment in moments {
        painter.take(moment);
    }
    for place in 0..nodes {
        painter.close(place as Place, end);
    }
    (painter.bands, painter.marks)
}

impl Painter {
    fn take(&mut self, moment: &Moment) {
        let (at, place) = (moment.at, moment.place);
        match &moment.what {
            What::Sent {
                to, nth, message, ..
            } => {
                if let Message::Heartbeat { claim, .. } | Message::Append { claim, .. } = &**message
                {
                    self.claims.insert((place, *to, *nth), claim.term);
                }
            }
            What::Arrived { from, nth } => self.hear(at, place, *from, *nth),
            What::Harmed { number, harm, .. } => {
                self.cut(*number, place, harm, at);
            }
            What::Lifted { number } => self.join(at, |cut| cut == *number),
            What::Healed { quorum } => {
                self.join(at, |cut| quorum.is_empty() || cut < FOR_EVER);
            }
            What::Violated { .. } => return,
            _ => {}
        }
        self.change(at, place, |seen| become_what(seen, &moment.what));
        self.mark(moment);
    }

    /// A candidate that hears a leader is none any more.
    fn hear(&mut self, at: u64, place: Place, from: Place, nth: u32) {
        let Some(term) = self.claims.get(&(from, place, nth)).copied() else {
            return;
        };
        self.change(at, place, |seen| {
            if seen.role == State::Candidate && term >= seen.term {
                seen.role = State::Follower(Some(term));
            }
        });
    }

    fn change(&mut self, at: u64, place: Place, change: impl FnOnce(&mut Seen)) {
        let Some(seen) = self.nodes.get(usize::from(place)) else {
            return;
        };
        let before = (seen.state(), seen.apart);
        let mut after = seen.clone();
        change(&mut after);
        let is_new = before != (after.state(), after.apart);
        if is_new {
            self.close(place, at);
            after.since = at;
        }
        self.nodes[usize::from(place)] = after;
    }

    fn close(&mut self, place: Place, at: u64) {
        let seen = &self.nodes[usize::from(place)];
        if seen.since < at {
            self.bands.push(Band {
                node: usize::from(place) + 1,
                from: seen.since,
                to: at,
                state: seen.state(),
                apart: seen.apart,
            });
        }
    }

    fn cut(&mut self, number: u32, place: Place, harm: &Harm, at: u64) {
        let both = Apart {
            out: true,
            into: true,
        };
        let those = match harm {
            Harm::Isolate { out, into, .. } => {
                let apart = Apart {
                    out: *out,
                    into: *into,
                };
                vec![(place, apart)]
            }
            Harm::Partition(groups) => groups
                .iter()
                .flatten()
                .map(|place| (*place, both))
                .collect(),
            _ => return,
        };
        self.cuts.insert(number, those);
        self.weigh_cuts(at);
    }

    fn join(&mut self, at: u64, ends: impl Fn(u32) -> bool) {
        self.cuts.retain(|number, _| !ends(*number));
        self.weigh_cuts(at);
    }

    fn weigh_cuts(&mut self, at: u64) {
        for place in 0..self.nodes.len() as Place {
            let cuts = self
                .cuts
                .values()
                .flatten()
                .filter(|(who, _)| *who == place);
            let apart = cuts.fold(Apart::default(), |all, (_, cut)| Apart {
                out: all.out || cut.out,
                into: all.into || cut.into,
            });
            self.change(at, place, |seen| seen.apart = apart);
        }
    }

    fn mark(&mut self, moment: &Moment) {
        let Some((sign, label)) = sign(&moment.what) else {
            return;
        };
        let id = NodeId::nth(usize::from(moment.place) + 1);
        let text = match &moment.what {
            What::Reported(event) => words::happened(&id, event),
            What::Kept(records) => format!("{id} keeps {}", words::kept(records)),
            What::Died { power: true } => format!("{id} loses power"),
            What::Died { power: false } => format!("{id} is killed"),
            What::Started => format!("{id} starts"),
            What::DiskLost => format!("{id} finds its disk unreadable"),
            What::DiskFailed => format!("{id} cannot sync its disk"),
            What::Paused => format!("{id} stands still"),
            What::Resumed => format!("{id} goes on"),
            What::Harmed { what, .. } => what.clone(),
            _ => return,
        };
        self.marks.push(Mark {
            node: usize::from(moment.place) + 1,
            at: moment.at,
            sign,
            text,
            label,
        });
    }
}

fn become_what(seen: &mut Seen, what: &What) {
    match what {
        What::Started => {
            (seen.is_alive, seen.has_failed, seen.is_paused) = (true, false, false);
            seen.role = State::Follower(None);
        }
        What::Died { .. } => seen.is_alive = false,
        What::DiskFailed => seen.has_failed = true,
        What::Paused => seen.is_paused = true,
        What::Resumed => seen.is_paused = false,
        What::Reported(event) => match event {
            Event::Election { term } => (seen.role, seen.term) = (State::Candidate, *term),
            Event::Leader { term } => (seen.role, seen.term) = (State::Leader(*term), *term),
            Event::Following { term, .. } => {
                (seen.role, seen.term) = (State::Follower(Some(*term)), *term);
            }
            Event::SteppedDown { .. } | Event::NoQuorum { .. } | Event::Waiting { .. } => {
                seen.role = State::Follower(None);
            }
            _ => {}
        },
        _ => {}
    }
}

/// The mark for what happened, and what is written beside it.
fn sign(what: &What) -> Option<(Sign, Option<String>)> {
    let named = |sign, label: &str| Some((sign, Some(label.to_owned())));
    match what {
        What::Started => Some((Sign::Start, None)),
        What::Died { power: true } => named(Sign::Death, "loses power"),
        What::Died { power: false } => named(Sign::Death, "killed"),
        What::DiskLost => named(Sign::Fault, "disk lost"),
        What::DiskFailed => named(Sign::Fault, "disk fails"),
        What::Paused => named(Sign::Fault, "stands still"),
        What::Resumed => named(Sign::Mend, "goes on"),
        What::Harmed { harm, .. } => match harm {
            Harm::Isolate { out, into, .. } => match (out, into) {
                (true, true) => named(Sign::Fault, "cut off"),
                (true, false) => named(Sign::Fault, "unheard"),
                _ => named(Sign::Fault, "deaf"),
            },
            Harm::Skew(..) | Harm::Jump(..) => named(Sign::Fault, "clock"),
            Harm::SlowDisk(..) => named(Sign::Fault, "slow disk"),
            _ => None,
        },
        What::Reported(event) => reported(event),
        What::Kept(records) => stored(records).map(|deeds| (Sign::Stored, Some(deeds))),
        _ => None,
    }
}

/// The same for what a node reports.
pub(super) fn reported(event: &Event) -> Option<(Sign, Option<String>)> {
    let named = |sign, label: &str| Some((sign, Some(label.to_owned())));
    match event {
        Event::Leader { term } => named(Sign::Leads(*term), &format!("leads term {term}")),
        Event::SteppedDown { .. } | Event::NoQuorum { .. } => named(Sign::Mend, "steps down"),
        Event::Lost(loss) => named(Sign::Lost, &lost(loss)),
        Event::Snapshot { .. } => named(Sign::Snapshot, "snapshot"),
        _ => None,
    }
}

fn lost(loss: &crate::event::Loss) -> String {
    let keys: Vec<&str> = loss.writes.iter().map(|write| write.key.as_str()).collect();
    cut(&format!("lost {}", keys.join(" ")), 16)
}

/// What clients wrote, of what is kept.
fn stored(records: &[Record]) -> Option<String> {
    let entries = records.iter().filter_map(|record| match record {
        Record::Append(entries) => Some(entries.iter()),
        _ => None,
    });
    let deeds: Vec<String> = entries
        .flatten()
        .map(deed)
        .filter(|deed| !deed.starts_with("begin"))
        .collect();
    (!deeds.is_empty()).then(|| cut(&deeds.join(" "), 14))
}
