//! What a fault strikes, once its roles are resolved: nodes themselves, or links as blocks.

use std::collections::BTreeSet;

use crate::faults::shapes::{self, Block};
use crate::faults::{Fault, Traffic};
use crate::types::NodeId;
use crate::wire::faults::{Link, Trouble, Way, Who};

fn ids(names: &[String]) -> Vec<NodeId> {
    let ids = names.iter().filter_map(|name| NodeId::new(name).ok());
    ids.collect()
}

fn those_in(names: &[Who], all: &[NodeId]) -> Vec<Who> {
    let is_there = |name: &&Who| all.iter().any(|id| id.as_str() == **name);
    names.iter().filter(is_there).cloned().collect()
}

/// All groups of a partition: those named, as far as they are there, and one more of those that are named nowhere.
fn whole(named: &[Vec<Who>], all: &[NodeId]) -> Vec<Vec<Who>> {
    let is_unnamed = |id: &&NodeId| !named.iter().flatten().any(|name| name == id.as_str());
    let rest = all.iter().filter(is_unnamed).map(NodeId::to_string);
    let groups = named.iter().map(|group| those_in(group, all));
    let groups = groups.chain([rest.collect()]);
    groups.filter(|group| !group.is_empty()).collect()
}

/// Of the two halves of a bridge the smaller one is cut off from more nodes: whoever comes fares as one of that.
fn joins_a_half(links: &mut BTreeSet<Link>, node: &NodeId, all: &[NodeId]) {
    let unheard_by = |other: &&NodeId| links.iter().filter(|link| link.from == **other).count();
    let Some(like) = all
        .iter()
        .filter(|other| *other != node)
        .max_by_key(unheard_by)
    else {
        return;
    };
    let mut own = Vec::new();
    for link in links.iter() {
        let (from, to) = (link.from.clone(), link.to.clone());
        match (from == *like, to == *like) {
            (true, _) => own.push(Link {
                from: node.clone(),
                to,
            }),
            (_, true) => own.push(Link {
                from,
                to: node.clone(),
            }),
            (false, false) => {}
        }
    }
    links.extend(own);
}

/// The links that a fault strikes, as blocks, what becomes of their messages, and of which kinds of them.
pub type Struck = (Vec<Block<NodeId>>, Fault, Vec<Traffic>);

/// The links of `blocks`, each once. No node has one to itself.
pub fn links(blocks: &[Block<NodeId>]) -> BTreeSet<Link> {
    let mut links = BTreeSet::new();
    for (from, to) in blocks {
        for from in from {
            let to = to.iter().filter(|to| *to != from).cloned();
            links.extend(to.map(|to| Link {
                from: from.clone(),
                to,
            }));
        }
    }
    links
}

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

    /// Whether who comes later is struck by it too, by the place that it takes.
    pub fn has_shape(&self) -> bool {
        match self {
            Trouble::Links { .. } => false,
            _ => self.is_of_links(),
        }
    }

    /// The same fault, in a cluster of `all` nodes: those that are not named stand in the group that they form, and those that are
    /// no more stand nowhere.
    pub fn spelled_out(&self, all: &[NodeId]) -> Trouble {
        match self {
            Trouble::Partition { groups, one_way } => Trouble::Partition {
                groups: whole(groups, all),
                one_way: *one_way,
            },
            Trouble::Isolate { nodes, way } => Trouble::Isolate {
                nodes: those_in(nodes, all),
                way: *way,
            },
            other => other.clone(),
        }
    }

    /// The links that it strikes of a cluster of the nodes `now`, where of the nodes `before` it struck `links`. Who came
    /// fares as the shape of the fault says; of who went nothing is left; links that were spared stay so.
    pub fn reshaped(&self, links: &[Link], before: &[NodeId], now: &[NodeId]) -> Vec<Link> {
        let is_there = |link: &&Link| now.contains(&link.from) && now.contains(&link.to);
        let mut struck: BTreeSet<Link> = links.iter().filter(is_there).cloned().collect();
        match self {
            Trouble::Partition { .. } | Trouble::Isolate { .. } | Trouble::Ring => {
                // A ring of too few nodes is none: what is left of it stays.
                if let (Ok((was, ..)), Ok((is, ..))) = (self.blocks(before), self.blocks(now)) {
                    let (was, is) = (self::links(&was), self::links(&is));
                    struck.retain(|link| !was.contains(link) || is.contains(link));
                    // Those that heard each other do so still, or nobody could join a ring: its majorities are tight.
                    let is_new = |id: &NodeId| !before.contains(id);
                    let fresh = is.into_iter();
                    let fresh = fresh.filter(|link| is_new(&link.from) || is_new(&link.to));
                    struck.extend(fresh.filter(|link| is_there(&link)));
                }
            }
            Trouble::Bridge { .. } => {
                for node in now.iter().filter(|node| !before.contains(node)) {
                    joins_a_half(&mut struck, node, now);
                }
            }
            _ => {}
        }
        struck.into_iter().collect()
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
                let groups: Vec<Vec<NodeId>> = whole(groups, all).iter().map(|g| ids(g)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(numbers: &[usize]) -> Vec<NodeId> {
        numbers.iter().copied().map(NodeId::nth).collect()
    }

    fn names(numbers: &[usize]) -> Vec<Who> {
        nodes(numbers).iter().map(NodeId::to_string).collect()
    }

    fn set(trouble: &Trouble, all: &[usize]) -> Vec<Link> {
        let (blocks, ..) = trouble.blocks(&nodes(all)).expect("a shape");
        links(&blocks).into_iter().collect()
    }

    fn is_cut(links: &[Link], from: usize, to: usize) -> bool {
        let (from, to) = (NodeId::nth(from), NodeId::nth(to));
        links.contains(&Link { from, to })
    }

    #[test]
    fn who_joins_a_partition_is_of_those_that_are_not_named() {
        let (groups, one_way) = (vec![names(&[1]), names(&[2])], false);
        let trouble = Trouble::Partition { groups, one_way };
        let links = trouble.reshaped(
            &set(&trouble, &[1, 2, 3]),
            &nodes(&[1, 2, 3]),
            &nodes(&[1, 2, 3, 4]),
        );
        assert_eq!(links, set(&trouble, &[1, 2, 3, 4]));
        assert!(is_cut(&links, 4, 1) && is_cut(&links, 2, 4) && !is_cut(&links, 3, 4));
        // Where all are named, who joins is alone.
        let links = trouble.reshaped(&set(&trouble, &[1, 2]), &nodes(&[1, 2]), &nodes(&[1, 2, 3]));
        assert!(is_cut(&links, 3, 1) && is_cut(&links, 3, 2));
    }

    #[test]
    fn a_link_that_was_spared_stays_so_when_a_node_joins_and_of_one_that_goes_nothing_is_left() {
        let (groups, one_way) = (vec![names(&[1])], false);
        let trouble = Trouble::Partition { groups, one_way };
        let mut links = set(&trouble, &[1, 2, 3]);
        links.retain(|link| {
            *link
                != Link {
                    from: NodeId::nth(1),
                    to: NodeId::nth(2),
                }
        });
        let links = trouble.reshaped(&links, &nodes(&[1, 2, 3]), &nodes(&[1, 2, 3, 4]));
        assert!(!is_cut(&links, 1, 2) && is_cut(&links, 2, 1) && is_cut(&links, 1, 4));
        let links = trouble.reshaped(&links, &nodes(&[1, 2, 3, 4]), &nodes(&[2, 3, 4]));
        assert!(links.is_empty());
    }

    #[test]
    fn who_joins_a_bridge_goes_to_its_smaller_half_and_nobody_changes_sides() {
        let trouble = Trouble::Bridge {
            node: Some("node-3".to_owned()),
        };
        let five = set(&trouble, &[1, 2, 3, 4, 5]);
        let six = trouble.reshaped(&five, &nodes(&[1, 2, 3, 4, 5]), &nodes(&[1, 2, 3, 4, 5, 6]));
        let seven = trouble.reshaped(
            &six,
            &nodes(&[1, 2, 3, 4, 5, 6]),
            &nodes(&[1, 2, 3, 4, 5, 6, 7]),
        );
        for (one, other) in [(1, 6), (6, 2), (7, 4), (6, 7), (1, 4)] {
            assert!(
                is_cut(&seven, one, other) && is_cut(&seven, other, one),
                "{one} {other}"
            );
        }
        for (one, other) in [(6, 4), (7, 1), (3, 6), (3, 7), (4, 5)] {
            assert!(
                !is_cut(&seven, one, other) && !is_cut(&seven, other, one),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn who_joins_a_ring_stands_between_the_last_and_the_first_and_each_hears_a_majority_still() {
        let mut links = set(&Trouble::Ring, &[1, 2, 3, 4]);
        for n in 5..=9 {
            let all: Vec<usize> = (1..=n).collect();
            links = Trouble::Ring.reshaped(&links, &nodes(&all[..n - 1]), &nodes(&all));
            assert!(!is_cut(&links, n, n - 1) && !is_cut(&links, 1, n) && is_cut(&links, n, 3));
            for by in &all {
                let heard = all.iter().filter(|from| !is_cut(&links, **from, *by));
                assert!(2 * heard.count() > n, "{by} of {n}");
            }
        }
    }

    #[test]
    fn who_joins_those_that_are_alone_is_not_heard_by_them() {
        let (nodes_alone, way) = (names(&[1]), Way::Both);
        let alone = Trouble::Isolate {
            nodes: nodes_alone,
            way,
        };
        let links = alone.reshaped(&set(&alone, &[1, 2]), &nodes(&[1, 2]), &nodes(&[1, 2, 3]));
        assert_eq!(links, set(&alone, &[1, 2, 3]));
    }
}
