//! What is done to a cluster, in words.

use crate::faults::Fault;
use crate::sim::plan::{Harm, Place};
use crate::types::NodeId;

/// A fault, of which `whom` is the node that it struck, if it struck one.
pub fn harm(harm: &Harm, whom: &NodeId) -> String {
    let seconds = |micros: u64| format!("{} ms", micros as f64 / 1000.0);
    match harm {
        Harm::Crash { damaged: true, .. } => format!("{whom} crashes, and its disk is damaged"),
        Harm::Crash { writing: true, .. } => format!("{whom} loses power at its next write"),
        Harm::Crash { power: true, .. } => format!("{whom} loses power"),
        Harm::Crash { .. } => format!("{whom} is killed"),
        Harm::Pause(_) => format!("{whom} stands still"),
        Harm::Skew(_, rate) => {
            format!(
                "the clock of {whom} runs at {} of the true speed",
                f64::from(*rate) / 1e6
            )
        }
        Harm::Jump(_, by) => format!("the clock of {whom} jumps ahead by {}", seconds(*by)),
        Harm::SlowDisk(_, by) => format!("the disk of {whom} is slower by {}", seconds(*by)),
        Harm::FailSync(_) => format!("the next sync of {whom} is to fail"),
        Harm::Partition(groups) => {
            let groups: Vec<String> = groups.iter().map(|group| those(group)).collect();
            format!("the network splits: {}, and the rest", groups.join(" / "))
        }
        Harm::Isolate { out, into, .. } => match (out, into) {
            (true, true) => format!("{whom} is cut off"),
            (true, false) => format!("nobody hears {whom}"),
            _ => format!("{whom} hears nobody"),
        },
        Harm::Links { from, to, fault } => format!(
            "messages from {} to {} are {}",
            those(from),
            those(to),
            links(fault)
        ),
    }
}

/// What becomes of messages on faulty links.
pub fn links(fault: &Fault) -> String {
    let mut what = Vec::new();
    let permille = |chance: u16| f64::from(chance) / 10.0;
    if fault.cut {
        what.push("lost".to_owned());
    }
    if !fault.delay.is_zero() || !fault.jitter.is_zero() {
        let (least, more) = (fault.delay.as_micros(), fault.jitter.as_micros());
        what.push(format!(
            "late by {} to {} ms",
            least as f64 / 1e3,
            (least + more) as f64 / 1e3
        ));
    }
    if fault.loss > 0 {
        what.push(format!("lost with {} %", permille(fault.loss)));
    }
    if fault.duplicate > 0 {
        what.push(format!("doubled with {} %", permille(fault.duplicate)));
    }
    if fault.reorder > 0 {
        what.push(format!("overtaken with {} %", permille(fault.reorder)));
    }
    what.join(", ")
}

fn those(places: &[Place]) -> String {
    let name = |place: &Place| NodeId::nth(usize::from(*place) + 1).to_string();
    places.iter().map(name).collect::<Vec<String>>().join(", ")
}
