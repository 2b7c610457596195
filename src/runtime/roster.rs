//! Who starts with a cluster, and who its members are if no log says otherwise.

use std::collections::BTreeSet;
use std::path::Path;

use crate::runtime::boot::{BootError, Options};
use crate::storage::DiskError;
use crate::storage::meta::{self, Found};
use crate::types::NodeId;

/// Who starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// The nodes, in order.
    pub nodes: Vec<NodeId>,
    /// The members of the cluster when it was new. Who came and went since, the logs say.
    pub members: Vec<NodeId>,
    /// The nodes whose disks are gone, though others' are there.
    pub bereft: Vec<NodeId>,
    /// The highest number that a node's name ever had: a removed node's name is not given again.
    pub highest: usize,
    /// The mode that their disks were last used in, if they agree.
    pub mode: Option<String>,
}

impl Roster {
    fn new(members: Vec<NodeId>, found: &Found) -> Roster {
        let census = found.census.as_ref();
        let listed = census.map_or(&members, |census| &census.nodes);
        let left = listed.iter().filter(|id| !found.removed.contains(id));
        let nodes: BTreeSet<NodeId> = left.chain(&found.nodes).cloned().collect();
        let bereft = nodes.iter().filter(|id| !found.nodes.contains(id));
        let known = nodes.iter().chain(&found.removed).chain(&members);
        Roster {
            bereft: match found.nodes.is_empty() {
                true => Vec::new(),
                false => bereft.cloned().collect(),
            },
            highest: known
                .filter_map(number)
                .chain(census.map(|census| census.highest))
                .max()
                .unwrap_or(0),
            mode: found.mode.clone(),
            nodes: nodes.into_iter().collect(),
            members,
        }
    }

    /// Those whose disks are in `directory`, with those whose disks should be; `None` if there are none.
    pub fn on_disk(directory: &Path) -> Result<Option<Roster>, DiskError> {
        let found = meta::nodes_in(directory)?;
        let members = found.members.iter().filter(|id| !id.is_address());
        let members: Vec<NodeId> = members.cloned().collect();
        Ok((!found.nodes.is_empty()).then(|| Roster::new(members, &found)))
    }

    /// Those on disk if there are any, otherwise as many as are wanted.
    pub fn of(options: &Options) -> Result<Roster, BootError> {
        let on_disk = match &options.data_dir {
            Some(directory) => Roster::on_disk(directory)?,
            None => None,
        };
        match (on_disk, options.nodes) {
            (Some(roster), Some(wanted)) if wanted != roster.nodes.len() => {
                let names: Vec<&str> = roster.nodes.iter().map(NodeId::as_str).collect();
                Err(BootError::OtherMembers {
                    directory: options.data_dir.clone().unwrap_or_default(),
                    found: names.join(", "),
                    wanted,
                })
            }
            (Some(roster), _) => Ok(roster),
            (None, wanted) => {
                let members = (1..=wanted.unwrap_or(3)).map(NodeId::nth).collect();
                Ok(Roster::new(members, &Found::default()))
            }
        }
    }
}

/// The number in a name as we give it.
pub(super) fn number(id: &NodeId) -> Option<usize> {
    id.as_str().strip_prefix("node-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::meta::Census;

    fn ids(numbers: &[usize]) -> Vec<NodeId> {
        numbers.iter().copied().map(NodeId::nth).collect()
    }

    #[test]
    fn who_was_added_starts_who_was_removed_does_not_and_who_lost_its_disk_is_known() {
        let found = Found {
            nodes: ids(&[1, 4]),
            removed: ids(&[2, 5]),
            members: ids(&[1, 2, 3]).into_iter().collect(),
            ..Found::default()
        };
        let roster = Roster::new(ids(&[1, 2, 3]), &found);
        assert_eq!(roster.nodes, ids(&[1, 3, 4]));
        assert_eq!(roster.members, ids(&[1, 2, 3]));
        assert_eq!(roster.bereft, ids(&[3]));
        assert_eq!(roster.highest, 5);
        // The launcher knows of those whose disks are gone, whoever added them.
        let census = Census {
            nodes: ids(&[1, 3, 4, 6]),
            highest: 7,
        };
        let found = Found {
            census: Some(census),
            ..found
        };
        let roster = Roster::new(ids(&[1, 2, 3]), &found);
        assert_eq!(roster.nodes, ids(&[1, 3, 4, 6]));
        assert_eq!((roster.bereft, roster.highest), (ids(&[3, 6]), 7));
    }
}
