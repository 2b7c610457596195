//! Whether the groups of a partition can be: no node is in two of them, and each has somebody on another side.

use std::collections::BTreeSet;

/// What is wrong with `groups` of a cluster of so many nodes, whoever fills the roles.
pub(super) fn check(groups: &[Vec<String>], nodes: usize) -> Result<(), String> {
    let mut named = BTreeSet::new();
    for who in groups.iter().flatten() {
        if who == "all" {
            return Err(
                "all are everybody: expected nodes that somebody is left out of".to_owned(),
            );
        }
        // Chance and whoever follows fill a role anew each time.
        let is_open = ["follower", "random", "minority", "majority"].contains(&who.as_str());
        if !is_open && !named.insert(who) {
            return Err(format!(
                "{who} is named twice: expected each node in one group"
            ));
        }
    }
    let count = |who: &String| match who.as_str() {
        "minority" => nodes.saturating_sub(1) / 2,
        "majority" => nodes / 2 + 1,
        // Whoever leads may be named beside, and is in two groups only then.
        "leader" | "old-leader" => 0,
        _ => 1,
    };
    let most: usize = groups.iter().flatten().map(count).sum();
    match (most, groups) {
        (most, _) if most > nodes => Err(format!("these are {most} nodes, and there are {nodes}")),
        (most, [_]) if most == nodes => {
            Err("that is everybody: expected somebody left on the other side".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, nodes: usize) -> Result<(), String> {
        let group = |group: &str| group.split(',').map(|who| who.trim().to_owned()).collect();
        let groups: Vec<Vec<String>> = text.split('/').map(group).collect();
        check(&groups, nodes)
    }

    #[test]
    fn groups_are_refused_that_no_nodes_can_fill() {
        for (text, why) in [
            ("all", "everybody"),
            ("node-1 / node-1", "node-1 is named twice"),
            ("leader / leader", "leader is named twice"),
            ("majority / majority", "these are 4 nodes, and there are 3"),
            ("node-1,node-2,node-3", "that is everybody"),
        ] {
            let refused = said(text, 3).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
        for text in [
            "minority / majority",
            "random / random / random",
            "leader / minority",
            "node-1 / leader",
        ] {
            assert_eq!(said(text, 3), Ok(()), "{text}");
        }
    }
}
