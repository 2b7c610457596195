//! A path as sentences: what happened, and what came of it.

use crate::event::Event;
use crate::protocol::Message;
use crate::protocol::message::{AppendOutcome, SnapshotProgress};
use crate::sim::exhaustive::bounds::{Bounds, Budget};
use crate::sim::exhaustive::envelope::Envelope;
use crate::sim::exhaustive::seat::After;
use crate::sim::exhaustive::state::{Here, Move, State, Step};
use crate::sim::exhaustive::world::{Happening, World};
use crate::types::{EntryId, NodeId};

/// What happened on `path` from `state` on, a sentence a step.
pub(super) fn tell(
    mut state: State,
    path: &[Move],
    world: &mut World,
    bounds: &Bounds,
) -> Vec<String> {
    let mut told = Vec::new();
    for moved in path {
        let mut here = Here {
            state: &state,
            world,
            bounds,
        };
        let Some(step) = here.step(*moved) else {
            return told;
        };
        told.push(sentence(&state, *moved, step, world));
        state.spent = step.spent;
        state.seats[step.at] = step.seat;
        if let Some((down, seat)) = step.down {
            state.seats[down] = seat;
        }
    }
    told
}

fn name(at: usize) -> String {
    NodeId::nth(at + 1).to_string()
}

fn sentence(state: &State, moved: Move, step: Step, world: &mut World) -> String {
    let node = name(step.at);
    let letter = |message: u32| world.envelopes.get(message).clone();
    let (begin, happening) = match moved {
        Move::Deliver { message, late, .. } => {
            let Envelope {
                from,
                message: said,
                ..
            } = letter(message);
            let unheard = if late {
                ", which has not heard its leader for a while"
            } else {
                ""
            };
            let begin = format!("{}'s {} reaches {node}{unheard}", name(from), words(&said));
            (begin, Happening::Arrival { message, late })
        }
        Move::Tear {
            message,
            late,
            kept,
        } => {
            let Envelope {
                from,
                message: said,
                ..
            } = letter(message);
            let begin = format!(
                "{}'s {} reaches {node}, which crashes when {kept} of the records it writes are on its disk, and starts again",
                name(from),
                words(&said)
            );
            (
                begin,
                Happening::Tear {
                    message,
                    late,
                    kept,
                },
            )
        }
        Move::Lose(message) => {
            let Envelope { from, to, message } = letter(message);
            return format!(
                "{}'s {} to {} is lost",
                name(from),
                words(&message),
                name(to)
            );
        }
        Move::Refuse(message) => {
            let Envelope { to, message, .. } = letter(message);
            let begin = format!(
                "{} is down: its port refuses {node}'s {}",
                name(to),
                words(&message)
            );
            (begin, Happening::Refusal(to, message.kind()))
        }
        Move::Timeout(at) => {
            let leads = world.seats.get(state.seats[at]).leads();
            let begin = match leads {
                true => format!("{node} hears no majority for an election timeout"),
                false => format!("{node} hears nothing for an election timeout"),
            };
            (begin, Happening::Timeout)
        }
        Move::Heartbeat(_) => (
            format!("a heartbeat interval passes at {node}"),
            Happening::Heartbeat,
        ),
        Move::Write(_) => {
            let nth = state.spent.of(Budget::Write) + 1;
            (
                format!("a client writes x={nth} to {node}"),
                Happening::Write(nth),
            )
        }
        Move::Restart(_) => {
            return format!("{node} crashes, and starts again on its disk");
        }
    };
    let after = world.after(state.seats[step.at], happening);
    let came: Vec<String> = consequences(&after);
    match came.is_empty() {
        true => begin,
        false => format!("{begin}: it {}", listed(&came)),
    }
}

fn consequences(after: &After) -> Vec<String> {
    let mut came: Vec<String> = after.events.iter().filter_map(happened).collect();
    came.extend(
        after
            .done
            .iter()
            .map(|id| format!("acknowledges the write {}", place(Some(id)))),
    );
    // What goes to several in the same words is said once.
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for envelope in &after.sent {
        let words = words(&envelope.message);
        match said.iter_mut().find(|(known, _)| *known == words) {
            Some((_, to)) => to.push(name(envelope.to)),
            None => said.push((words, vec![name(envelope.to)])),
        }
    }
    came.extend(
        said.into_iter()
            .map(|(words, to)| format!("sends {} {words}", listed(&to))),
    );
    came
}

fn happened(event: &Event) -> Option<String> {
    Some(match event {
        Event::Waiting { leader } => format!("waits for {leader}"),
        Event::Leader { term } => format!("leads term {term}"),
        Event::Following { leader, term } => format!("follows {leader} in term {term}"),
        Event::SteppedDown { term, .. } => format!("steps down in term {term}"),
        Event::NoQuorum { .. } => "leads no more".to_owned(),
        Event::Discarded { entries, .. } => format!("discards {entries} entries"),
        Event::Replicated { entries, .. } => format!("stores {entries} entries"),
        Event::Snapshot { index, .. } => format!("takes a snapshot as of entry {index}"),
        Event::Lost(loss) => format!("reports {} lost writes", loss.count),
        _ => return None,
    })
}

/// `a, b and c`
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn place(id: Option<&EntryId>) -> String {
    id.map_or_else(|| "nothing".to_owned(), |id| format!("{id:?}"))
}

/// A message in a few words that fit behind somebody's name.
fn words(message: &Message) -> String {
    match message {
        Message::Heartbeat { claim, .. } => format!("heartbeat of term {}", claim.term),
        Message::HeartbeatAck { known, last, .. } => {
            format!(
                "answer that it knows of term {} and holds {}",
                known.term,
                place(last.as_ref())
            )
        }
        Message::Append { entries, prev, .. } if entries.is_empty() => {
            format!("word of what is committed up to {}", place(prev.as_ref()))
        }
        Message::Append { entries, prev, .. } => {
            let ids: Vec<String> = entries.iter().map(|entry| place(Some(&entry.id))).collect();
            format!("append of {} behind {}", listed(&ids), place(prev.as_ref()))
        }
        Message::AppendAck { known, outcome, .. } => match outcome {
            AppendOutcome::Stored(upto) => format!("answer that it has everything up to {upto}"),
            AppendOutcome::Mismatch { last, .. } => {
                format!("answer that its log ends at {}", place(last.as_ref()))
            }
            AppendOutcome::Stale => format!("answer that it knows of term {}", known.term),
        },
        Message::InstallSnapshot { last, .. } => {
            format!("piece of a snapshot as of {}", place(last.as_ref()))
        }
        Message::SnapshotAck { progress, .. } => match progress {
            SnapshotProgress::Installed => "answer that it has the snapshot".to_owned(),
            SnapshotProgress::Upto(_) => "answer that it goes on with the snapshot".to_owned(),
            SnapshotProgress::Stale => "answer that the snapshot is outdated".to_owned(),
        },
        Message::Probe { .. } => "question whether it lives".to_owned(),
        Message::ProbeAck {
            known, heard_ago, ..
        } => match (&known.leader, heard_ago) {
            (Some(leader), Some(_)) => format!("answer that it lives, and {leader} leads"),
            _ => "answer that it lives".to_owned(),
        },
        Message::PreVote { term, .. } => format!("question who would vote for it in term {term}"),
        Message::Vote { term, .. } => format!("request for a vote in term {term}"),
        Message::VoteAck {
            term, pre, granted, ..
        } => match (granted, pre) {
            (true, true) => format!("answer that it would vote for it in term {term}"),
            (true, false) => format!("vote in term {term}"),
            (false, true) => format!("answer that it would not vote for it in term {term}"),
            (false, false) => format!("refusal to vote for it in term {term}"),
        },
        other => format!("{:?}", other.kind()),
    }
}
