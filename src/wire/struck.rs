//! What a fault strikes, once its roles are resolved: nodes themselves, or links as blocks.

use crate::faults::shapes::{self, Block};
use crate::faults::{Fault, Traffic};
use crate::types::NodeId;
use crate::wire::faults::{Trouble, Way, Who};

fn ids(names: &[String]) -> Vec<NodeId> {
    let ids = names.iter().filter_map(|name| NodeId::new(name).ok());
    ids.collect()
}

/// The links that a fault strikes, as blocks, what becomes of their messages, and of which kinds of them.
pub type Struck = (Vec<Block<NodeId>>, Fault, Vec<Traffic>);

/// The nodes that a fault is about, as they are borrowed; `None` if it is about links between nodes.
macro_rules! nodes_of {
    ($trouble:expr) => {
        match $trouble {
            Trouble::Links { .. }
            | Trouble::Partition { .. }
            | Trouble::Split { .. }
            | Trouble::Bridge { .. }
            | Trouble::Ring => None,
            Trouble::Isolate { nodes, .. }
            | Trouble::Client { nodes, .. }
            | Trouble::Pause { nodes }
            | Trouble::Skew { nodes, .. }
            | Trouble::Jump { nodes, .. }
            | Trouble::SlowDisk { nodes, .. }
            | Trouble::FullDisk { nodes }
            | Trouble::FailSync { nodes }
            | Trouble::CorruptTail { nodes } => Some(nodes),
        }
    };
}

impl Trouble {
    /// The nodes that it is about, each of them for itself; `None` if it is about links between nodes.
    pub fn nodes(&self) -> Option<&[Who]> {
        nodes_of!(self).map(Vec::as_slice)
    }

    /// The same, to put names in place of roles.
    pub fn nodes_mut(&mut self) -> Option<&mut Vec<Who>> {
        nodes_of!(self)
    }

    /// Whether it strikes links between nodes; otherwise it strikes nodes, or what is between them and clients.
    pub fn is_of_links(&self) -> bool {
        self.nodes().is_none() || matches!(self, Trouble::Isolate { .. })
    }

    /// The links that it strikes, of a cluster of `all` nodes; none if it strikes none. An error says why it makes no sense there.
    pub fn blocks(&self, all: &[NodeId]) -> Result<Struck, String> {
        let cut = |blocks| Ok((blocks, Fault::CUT, Vec::new()));
        match self {
            Trouble::Links {
                from,
                to,
                fault,
                only,
                one_way,
            } => {
                let (from, to) = (ids(from), ids(to));
                let mut blocks = vec![(from.clone(), to.clone())];
                // Links of all with all have their way back among them.
                if !one_way && from != to {
                    blocks.push((to, from));
                }
                Ok((blocks, *fault, only.clone()))
            }
            Trouble::Partition { groups, one_way } => {
                let groups: Vec<Vec<NodeId>> = groups.iter().map(|group| ids(group)).collect();
                cut(shapes::parted(&groups, *one_way))
            }
            Trouble::Bridge { node } => {
                let bridge = ids(node.as_slice());
                cut(bridge
                    .first()
                    .map_or_else(Vec::new, |bridge| shapes::bridged(all, bridge)))
            }
            Trouble::Ring => match shapes::ring(all) {
                Some(blocks) => cut(blocks),
                None => Err(format!(
                    "a ring needs at least 4 nodes: each of {} hears all others anyway",
                    all.len()
                )),
            },
            Trouble::Isolate { nodes, way } => {
                let alone = |node: &NodeId| {
                    let others = all.iter().filter(|other| *other != node);
                    let (node, others) = (vec![node.clone()], others.cloned().collect::<Vec<_>>());
                    match way {
                        Way::Both => vec![(node.clone(), others.clone()), (others, node)],
                        Way::Out => vec![(node, others)],
                        Way::In => vec![(others, node)],
                    }
                };
                cut(ids(nodes).iter().flat_map(alone).collect())
            }
            // It is resolved to a partition, and the others strike no links.
            _ => cut(Vec::new()),
        }
    }
}
