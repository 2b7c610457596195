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
pub fn role(who: Who, cast: &[NodeId]) -> String {
    match who {
        Who::Node(place) => at(place, cast).to_string(),
        Who::Leader => "the leader".to_owned(),
        Who::Follower(_) => "a follower".to_owned(),
    }
}

/// The node at a place in virtual time.
pub fn id(place: Place) -> NodeId {
    NodeId::nth(usize::from(place) + 1)
}

/// The node at a place of `cast`, the nodes for whom a plan was drawn: where some were removed, names have gaps. Whoever joined
/// later stands behind them.
pub fn at(place: Place, cast: &[NodeId]) -> NodeId {
    let named = cast.get(usize::from(place)).cloned();
    named.unwrap_or_else(|| id(place))
}

/// A fault, of which `whom` is what it is about, in a cluster of these nodes.
pub fn harm(harm: &Harm, whom: &str, cast: &[NodeId]) -> String {
    let those = |places: &[Place]| {
        let names = places.iter().map(|place| at(*place, cast).to_string());
        names.collect::<Vec<String>>().join(", ")
    };
    if let Harm::Partition(groups) = harm {
        let groups: Vec<String> = groups.iter().map(|group| those(group)).collect();
        return format!("the network splits: {}, and the rest", groups.join(" / "));
    }
    if let Harm::Links { from, to, fault } = harm {
        let (fares, nodes) = (words::links(fault), cast.len());
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

/// What was planned for these nodes: roles are not yet anybody.
pub fn planned(what: &Planned, cast: &[NodeId]) -> String {
    let role = |who| role(who, cast);
    match what {
        Planned::Harm(what) => harm(what, &who(what).map_or(String::new(), role), cast),
        Planned::Step(what) => what.clone(),
        Planned::Operation(Operation::Add) => "a node is added".to_owned(),
        Planned::Operation(Operation::Remove(who)) => format!("{} is removed", role(*who)),
        Planned::Operation(Operation::Transfer(None)) => "leadership is handed over".to_owned(),
        Planned::Operation(Operation::Transfer(Some(who))) => {
            format!("leadership is handed over to {}", role(*who))
        }
    }
}
