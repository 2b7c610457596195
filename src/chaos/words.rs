//! Faults in words: as planned, and as they struck.

use crate::chaos::recording::Planned;
use crate::sim::plan::{Harm, Operation, Place, Who};
use crate::sim::words;
use crate::types::NodeId;

/// Who is meant by a fault of nodes.
pub fn who(harm: &Harm) -> Option<Who> {
    match harm {
        Harm::Crash { who, .. }
        | Harm::Pause(who)
        | Harm::Skew(who, _)
        | Harm::Jump(who, _)
        | Harm::SlowDisk(who, _)
        | Harm::FailSync(who)
        | Harm::Isolate { who, .. } => Some(*who),
        Harm::Partition(_) | Harm::Links { .. } => None,
    }
}

/// A node or a role.
pub fn role(who: Who) -> String {
    match who {
        Who::Node(place) => id(place).to_string(),
        Who::Leader => "the leader".to_owned(),
        Who::Follower(_) => "a follower".to_owned(),
    }
}

/// The node at a place.
pub fn id(place: Place) -> NodeId {
    NodeId::nth(usize::from(place) + 1)
}

/// A fault, of which `whom` is what it is about, in a cluster of `nodes`.
pub fn harm(harm: &Harm, whom: &str, nodes: usize) -> String {
    if let Harm::Links { from, to, fault } = harm {
        let fares = words::links(fault);
        return match (from.len() >= nodes, to.len() >= nodes) {
            (true, true) => format!("all messages are {fares}"),
            (true, false) => format!("messages to {} are {fares}", those(to)),
            (false, true) => format!("messages from {} are {fares}", those(from)),
            (false, false) => {
                format!("messages from {} to {} are {fares}", those(from), those(to))
            }
        };
    }
    let somebody = NodeId::nth(1);
    let told = words::harm(harm, &somebody);
    match who(harm) {
        Some(_) => told.replacen(somebody.as_str(), whom, 1),
        None => told,
    }
}

fn those(places: &[Place]) -> String {
    let names: Vec<String> = places.iter().map(|place| id(*place).to_string()).collect();
    names.join(", ")
}

/// What was planned: roles are not yet anybody.
pub fn planned(what: &Planned, nodes: usize) -> String {
    match what {
        Planned::Harm(what) => harm(what, &who(what).map_or(String::new(), role), nodes),
        Planned::Step(what) => what.clone(),
        Planned::Operation(Operation::Add) => "a node is added".to_owned(),
        Planned::Operation(Operation::Remove(who)) => format!("{} is removed", role(*who)),
        Planned::Operation(Operation::Transfer(None)) => "leadership is handed over".to_owned(),
        Planned::Operation(Operation::Transfer(Some(who))) => {
            format!("leadership is handed over to {}", role(*who))
        }
    }
}
