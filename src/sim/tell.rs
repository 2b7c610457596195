//! A trace: a line for each thing that happens. Nothing in it depends on a machine, a library or a clock, so equal runs
//! have equal traces, byte for byte.

use crate::event::Event;
use crate::sim::moment::{FOR_EVER, Moment, What};
use crate::sim::plan::{Operation, Place};
use crate::sim::words;
use crate::types::NodeId;
use crate::wire::said::said;

/// What happened, as a line that begins with the time in seconds.
pub fn line(moment: &Moment) -> String {
    let (seconds, nanos) = (moment.at / 1_000_000_000, moment.at % 1_000_000_000);
    format!("{seconds:>4}.{nanos:09} {}", what(moment))
}

/// Whether it belongs into a short story: what was done to nodes, what they became, what clients were told.
pub fn matters(moment: &Moment) -> bool {
    match &moment.what {
        What::Sent { .. } | What::Arrived { .. } | What::Kept(_) => false,
        What::Requested { .. } | What::Replied { .. } => false,
        What::Reported(event) => {
            !matches!(event, Event::Replicated { .. } | Event::Election { .. })
        }
        _ => true,
    }
}

fn what(moment: &Moment) -> String {
    let id = name(moment.place);
    match &moment.what {
        What::Sent {
            to,
            message,
            fated,
            nth,
        } => {
            let fate = match (fated.arrives, fated.again) {
                (None, _) => "  (lost)",
                (Some(_), Some(_)) => "  (twice)",
                (Some(_), None) => "",
            };
            format!("  {id} → {} #{nth}: {}{fate}", name(*to), said(message))
        }
        What::Arrived { from, nth } => format!("  {id} ← {} #{nth}", name(*from)),
        What::Kept(records) => format!("  {id} keeps {}", words::kept(records)),
        What::Reported(event) => words::happened(&id, event),
        What::Started => format!("{id} starts on its disk"),
        What::Died { power: true } => format!("{id} dies, as in a power cut"),
        What::Died { power: false } => format!("{id} dies"),
        What::DiskLost => format!("{id} finds its disk unreadable, and gets an empty one"),
        What::DiskFailed => format!("{id} cannot sync its disk, and takes no part any more"),
        What::Paused => format!("{id} stands still"),
        What::Resumed => format!("{id} goes on"),
        What::Harmed { number, what, .. } => match *number < FOR_EVER {
            true => format!("FAULT {number}: {what}"),
            false => format!("FAULT FOR EVER: {what}"),
        },
        What::Lifted { number } => format!("fault {number} is over"),
        What::Healed { quorum } if quorum.is_empty() => "ALL IS HEALED".to_owned(),
        What::Healed { quorum } => {
            let names: Vec<String> = quorum.iter().map(|p| name(*p).to_string()).collect();
            format!(
                "FAULTS END FOR {}; the others stay as they are",
                names.join(", ")
            )
        }
        What::Operated { operation, whom } => {
            format!("an operator asks {id} to {}", wish(*operation, *whom))
        }
        What::OperatorAnswered { reply } => format!("  of {id}: {}", words::replied(&id, reply)),
        What::LeftOut { client } => format!("client {client} is busy, and leaves out one more"),
        What::Asked {
            operation,
            client,
            what,
            ..
        } => format!("client {client} asks (operation {operation}): {what}"),
        What::Requested { operation } => format!("  {id} ← operation {operation}"),
        What::Replied {
            operation, what, ..
        } => format!("  {id} answers operation {operation}: {what}"),
        What::Answered {
            operation,
            client,
            what,
            ..
        } => format!("client {client} knows (operation {operation}): {what}"),
        What::Found { key, seen } => format!("{id} holds in the end {}={seen}", key.as_str()),
        What::Violated { invariant, what } => format!("BROKEN: {invariant}: {what}"),
    }
}

fn wish(operation: Operation, whom: Option<Place>) -> String {
    match (operation, whom) {
        (Operation::Add, Some(new)) => format!("add {}", name(new)),
        (Operation::Add, None) => "add a member".to_owned(),
        (Operation::Remove(_), Some(whom)) => format!("remove {}", name(whom)),
        (Operation::Remove(_), None) => "remove a member".to_owned(),
        (Operation::Transfer(_), Some(whom)) => format!("hand over to {}", name(whom)),
        (Operation::Transfer(_), None) => "hand over".to_owned(),
    }
}

fn name(place: Place) -> NodeId {
    NodeId::nth(usize::from(place) + 1)
}
