//! The plan's faults as orders to a cluster's control API.

use std::time::Duration;

use crate::chaos::words::id;
use crate::sim::plan::{Harm, Micros, Place};
use crate::types::NodeId;
use crate::wire::faults::{FaultOrder, Trouble, Way, Who};

/// Who orders, as the cluster shows it.
pub(super) const BY: &str = "chaos";

/// How much longer than planned a fault may last before the cluster undoes it by itself: nobody is to find a broken cluster
/// because chaos died.
const GRACE: Duration = Duration::from_secs(30);

/// The order for `harm`, of which `whom` is the node it is about; `None` if it is a crash, which has a route of its own.
pub(super) fn order(
    harm: &Harm,
    whom: Option<&NodeId>,
    seed: u64,
    lasts: Micros,
) -> Option<FaultOrder> {
    let trouble = trouble(harm, whom)?;
    let lasts = Duration::from_micros(lasts) + GRACE;
    let order = FaultOrder::new(trouble, BY).lasting(Some(lasts));
    // A number that JSON readers keep exactly.
    let seed = Some(seed >> 11);
    Some(FaultOrder { seed, ..order })
}

fn trouble(harm: &Harm, whom: Option<&NodeId>) -> Option<Trouble> {
    let nodes: Vec<Who> = whom.map(NodeId::to_string).into_iter().collect();
    Some(match harm {
        Harm::Crash { writing: true, .. } => Trouble::CorruptTail { nodes },
        Harm::Crash { .. } => return None,
        Harm::Pause(_) => Trouble::Pause { nodes },
        Harm::Skew(_, rate) => Trouble::Skew {
            nodes,
            rate_ppm: *rate,
        },
        Harm::Jump(_, by) => Trouble::Jump {
            nodes,
            by: Duration::from_micros(*by),
        },
        Harm::SlowDisk(_, by) => Trouble::SlowDisk {
            nodes,
            by: Duration::from_micros(*by),
        },
        Harm::FailSync(_) => Trouble::FailSync { nodes },
        Harm::Partition(groups) => Trouble::Partition {
            groups: groups.iter().map(|group| names(group)).collect(),
            one_way: false,
        },
        Harm::Isolate { out, into, .. } => Trouble::Isolate {
            nodes,
            way: match (out, into) {
                (true, false) => Way::Out,
                (false, true) => Way::In,
                _ => Way::Both,
            },
        },
        Harm::Links { from, to, fault } => Trouble::Links {
            from: names(from),
            to: names(to),
            fault: (*fault).into(),
            only: Vec::new(),
            one_way: true,
        },
    })
}

fn names(places: &[Place]) -> Vec<Who> {
    places.iter().map(|place| id(*place).to_string()).collect()
}
