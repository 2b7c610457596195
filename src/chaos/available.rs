//! Whether writes were answered whenever a majority of the nodes lived and was connected.

use std::collections::BTreeSet;

use crate::chaos::measures::Measures;
use crate::chaos::recording::{Planned, Recording, Struck};
use crate::sim::Plan;
use crate::sim::plan::{Harm, Micros};
use crate::types::{NodeId, Replication};

/// The longest time without an acknowledged write though a majority was well, if it is too long.
pub(super) fn broken(plan: &Plan, recording: &Recording, measures: &Measures) -> Option<String> {
    let scale = plan.scale;
    let patience = scale.write_timeout + 10 * scale.election_timeout;
    measures.outages.iter().find_map(|outage| {
        let from = (outage.from_ms * 1e3) as Micros;
        let until = from + (outage.lasted_ms * 1e3) as Micros;
        let well = longest_well(plan, recording, from, until);
        (well > patience).then(|| {
            format!(
                "from {:.3} s on no write was acknowledged for {:.1} s, though for {:.1} s of them a majority was well",
                from as f64 / 1e6,
                (until - from) as f64 / 1e6,
                well as f64 / 1e6
            )
        })
    })
}

/// The longest time between two moments in which a majority was well throughout.
fn longest_well(plan: &Plan, recording: &Recording, from: Micros, until: Micros) -> Micros {
    let struck = recording.struck.iter().filter(|s| s.void.is_none());
    let changes = struck.flat_map(|s| [Some(s.from), s.until]).flatten();
    let mut moments: Vec<Micros> = changes.filter(|at| (from..until).contains(at)).collect();
    moments.extend([from, until]);
    moments.sort_unstable();
    let (mut longest, mut well) = (0, 0);
    for pair in moments.windows(2) {
        well = match is_well(plan, recording, pair[0]) {
            true => well + pair[1] - pair[0],
            false => 0,
        };
        longest = longest.max(well);
    }
    longest
}

/// Whether a majority is surely well: what strikes links strikes anybody.
fn is_well(plan: &Plan, recording: &Recording, at: Micros) -> bool {
    let in_force: Vec<&Struck> = recording
        .struck
        .iter()
        .filter(|s| s.is_in_force(at))
        .collect();
    let of_links = |s: &Struck| {
        matches!(
            s.planned,
            Planned::Harm(Harm::Partition(_) | Harm::Links { .. })
        )
    };
    let nodes: BTreeSet<&NodeId> = in_force.iter().flat_map(|s| &s.whom).collect();
    let most = match plan.mode.replication {
        Replication::Sync => 0,
        _ => (plan.nodes - 1) / 2,
    };
    nodes.len() <= most && !in_force.iter().copied().any(of_links)
}
