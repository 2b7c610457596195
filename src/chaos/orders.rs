//! The plan's faults as orders to a cluster's control API.

use std::time::Duration;

use crate::chaos::words;
use crate::sim::plan::{Harm, Micros, Place};
use crate::types::NodeId;
use crate::wire::faults::{FaultOrder, Trouble, Way, Who};

/// Who orders, as the cluster shows it.
pub(super) const BY: &str = "chaos";

/// How much longer than planned a fault may last before the cluster undoes it by itself: nobody is to find a broken cluster
/// because chaos died.
const GRACE: Duration = Duration::from_secs(30);

/// Who is there, of those for whom a plan was drawn.
pub(super) struct Present {
    /// Those whom the plan knows, by their places.
    pub(super) cast: Vec<NodeId>,
    /// Who is there now.
    pub(super) nodes: Vec<NodeId>,
}

/// The order for `harm`, of which `whom` is the node it is about; `None` if it is a crash, which has a route of its own, or if
/// nobody is there of whom it would be.
pub(super) fn order(
    harm: &Harm,
    whom: Option<&NodeId>,
    present: &Present,
    seed: u64,
    lasts: Micros,
) -> Option<FaultOrder> {
    let trouble = trouble(harm, whom, present)?;
    let lasts = Duration::from_micros(lasts) + GRACE;
    let order = FaultOrder::new(trouble, BY).lasting(Some(lasts));
    // A number that JSON readers keep exactly.
    let seed = Some(seed >> 11);
    Some(FaultOrder { seed, ..order })
}

fn trouble(harm: &Harm, whom: Option<&NodeId>, present: &Present) -> Option<Trouble> {
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
        Harm::Partition(groups) => {
            let groups = groups.iter().filter_map(|group| present.names(group));
            let groups: Vec<Vec<Who>> = groups.collect();
            Trouble::Partition {
                groups: Some(groups).filter(|groups| !groups.is_empty())?,
                one_way: false,
            }
        }
        Harm::Isolate { out, into, .. } => Trouble::Isolate {
            nodes,
            way: match (out, into) {
                (true, false) => Way::Out,
                (false, true) => Way::In,
                _ => Way::Both,
            },
        },
        Harm::Links { from, to, fault } => Trouble::Links {
            from: present.names_or_all(from)?,
            to: present.names_or_all(to)?,
            fault: *fault,
            only: Vec::new(),
            one_way: true,
        },
    })
}

impl Present {
    /// Those of `places` that are there, if any is.
    fn names(&self, places: &[Place]) -> Option<Vec<Who>> {
        let here = places.iter().map(|place| words::at(*place, &self.cast));
        let here = here.filter(|id| self.nodes.contains(id));
        let names: Vec<Who> = here.map(|id| id.to_string()).collect();
        Some(names).filter(|names| !names.is_empty())
    }

    /// The same; whoever is meant by all is all that there are.
    fn names_or_all(&self, places: &[Place]) -> Option<Vec<Who>> {
        match places.len() >= self.cast.len() {
            true => Some(vec!["all".to_owned()]),
            false => self.names(places),
        }
    }
}
