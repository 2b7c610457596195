//! What became of each node, as spans of time; and whether two led at once.

use std::collections::BTreeSet;

use crate::chaos::recording::{Planned, Recording, Struck};
use crate::chaos::words;
use crate::event::Event;
use crate::sim::plan::{Harm, Micros};
use crate::types::NodeId;

/// Something that a node was for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub from: Micros,
    /// Until then.
    pub until: Micros,
    /// What it was.
    pub what: State,
}

/// What a node can be seen to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It leads; in which term, if that was reported.
    Leads(Option<u64>),
    /// It is dead.
    Dead,
    /// It stands still.
    Still,
    /// It is cut off, or part of a group that is.
    Apart,
}

/// All nodes that there were, in order.
pub fn all(recording: &Recording) -> Vec<NodeId> {
    let reported = recording.happened.iter().filter_map(|h| h.node.clone());
    let all: BTreeSet<NodeId> = recording.nodes.iter().cloned().chain(reported).collect();
    all.into_iter().collect()
}

/// What `node` was, until `end`.
pub fn spans(recording: &Recording, node: &NodeId, end: Micros) -> Vec<Span> {
    let mut spans = roles(recording, node, end);
    for struck in recording.struck.iter().filter(|s| s.void.is_none()) {
        if let Some(what) = state(recording, struck, node) {
            spans.push(Span {
                from: struck.from,
                until: struck.until.unwrap_or(end),
                what,
            });
        }
    }
    spans
}

/// Two nodes that led at the same time, each for longer than `patience`.
pub(super) fn two_leaders(
    recording: &Recording,
    patience: Micros,
) -> Option<(NodeId, NodeId, Micros)> {
    let end = recording.until;
    let nodes = all(recording);
    let led = |node: &NodeId| {
        let awake = leads_awake(recording, node, end).into_iter();
        let long = awake.filter(|(from, until)| *until > from + patience);
        long.map(|(from, until)| (node.clone(), from + patience, until))
            .collect::<Vec<_>>()
    };
    let all: Vec<(NodeId, Micros, Micros)> = nodes.iter().flat_map(led).collect();
    let both = |a: &(NodeId, Micros, Micros), b: &(NodeId, Micros, Micros)| {
        let from = a.1.max(b.1);
        (a.0 < b.0 && from < a.2.min(b.2)).then(|| (a.0.clone(), b.0.clone(), from))
    };
    let mut pairs = all
        .iter()
        .flat_map(|a| all.iter().filter_map(move |b| both(a, b)));
    pairs.next()
}

/// When `node` led and did not stand still: who does cannot know better.
fn leads_awake(recording: &Recording, node: &NodeId, end: Micros) -> Vec<(Micros, Micros)> {
    let all = spans(recording, node, end);
    let (led, other): (Vec<Span>, Vec<Span>) = all
        .into_iter()
        .partition(|span| matches!(span.what, State::Leads(_)));
    let mut awake: Vec<(Micros, Micros)> = led.iter().map(|span| (span.from, span.until)).collect();
    for still in other.iter().filter(|span| span.what == State::Still) {
        let parts = awake.into_iter().flat_map(|(from, until)| {
            let before = (from, until.min(still.from));
            let after = (from.max(still.until), until);
            [before, after]
        });
        awake = parts.filter(|(from, until)| from < until).collect();
    }
    awake
}

fn roles(recording: &Recording, node: &NodeId, end: Micros) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut open =
        (recording.first_leader.as_ref() == Some(node)).then_some((0, State::Leads(None)));
    let mut turn = |open: &mut Option<(Micros, State)>, at: Micros, next: Option<State>| {
        if let Some((from, what)) = open.take() {
            let until = at;
            spans.push(Span { from, until, what });
        }
        *open = next.map(|next| (at, next));
    };
    let own = recording
        .happened
        .iter()
        .filter(|h| h.node.as_ref() == Some(node));
    for happened in own {
        match &happened.event {
            Event::Leader { term } => {
                turn(&mut open, happened.at, Some(State::Leads(Some(*term))));
            }
            Event::Killed | Event::Removed => turn(&mut open, happened.at, Some(State::Dead)),
            Event::Revived
            | Event::SteppedDown { .. }
            | Event::NoQuorum { .. }
            | Event::Following { .. }
            | Event::DiskFailed { .. } => turn(&mut open, happened.at, None),
            _ => {}
        }
    }
    turn(&mut open, end, None);
    spans
}

fn state(recording: &Recording, struck: &Struck, node: &NodeId) -> Option<State> {
    let Planned::Harm(harm) = &struck.planned else {
        return None;
    };
    let is_meant = struck.whom.contains(node);
    match harm {
        Harm::Pause(_) if is_meant => Some(State::Still),
        Harm::Isolate { .. } if is_meant => Some(State::Apart),
        Harm::Partition(groups) => {
            let mut named = groups.iter().flatten();
            let is_named = named.any(|place| words::at(*place, &recording.nodes) == *node);
            is_named.then_some(State::Apart)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::recording::Happened;
    use crate::sim::plan::Who;

    #[test]
    fn two_lead_at_once_unless_one_of_them_stands_still() {
        let other = NodeId::nth(2);
        let mut recording = Recording {
            nodes: vec![NodeId::nth(1), other.clone()],
            first_leader: Some(NodeId::nth(1)),
            happened: vec![Happened {
                at: 100,
                node: Some(other),
                event: Event::Leader { term: 2 },
            }],
            until: 500,
            ..Recording::default()
        };
        let both = two_leaders(&recording, 50).map(|(.., at)| at);
        assert_eq!(both, Some(150));
        assert_eq!(two_leaders(&recording, 450), None);
        recording.struck.push(Struck {
            number: 1,
            planned: Planned::Harm(Harm::Pause(Who::Leader)),
            whom: vec![NodeId::nth(1)],
            what: String::new(),
            from: 90,
            until: Some(490),
            void: None,
        });
        assert_eq!(two_leaders(&recording, 50), None);
    }

    #[test]
    fn a_node_leads_until_it_dies_and_is_dead_until_it_is_revived() {
        let node = NodeId::nth(1);
        let at = |at, event| Happened {
            at,
            node: Some(node.clone()),
            event,
        };
        let recording = Recording {
            first_leader: Some(node.clone()),
            happened: vec![
                at(5, Event::Killed),
                at(7, Event::Revived),
                at(9, Event::Leader { term: 3 }),
            ],
            ..Recording::default()
        };
        let span = |from, until, what| Span { from, until, what };
        assert_eq!(
            spans(&recording, &node, 12),
            [
                span(0, 5, State::Leads(None)),
                span(5, 7, State::Dead),
                span(9, 12, State::Leads(Some(3)))
            ]
        );
    }
}
