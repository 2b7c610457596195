//! Shapes of a broken network: which nodes do not hear which others. Each is a list of blocks: nothing that one of the
//! first says reaches one of the second.

/// Those who say, and those who do not hear it.
pub type Block<N> = (Vec<N>, Vec<N>);

/// Nodes of different groups do not hear each other; with `one_way` only what a group says to those after it is lost.
pub fn parted<N: Clone>(groups: &[Vec<N>], one_way: bool) -> Vec<Block<N>> {
    let mut blocks = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let later: Vec<N> = groups[at + 1..].concat();
        if !later.is_empty() {
            blocks.push((group.clone(), later.clone()));
            if !one_way {
                blocks.push((later, group.clone()));
            }
        }
    }
    blocks
}

/// Two halves, and `bridge`, which hears both.
pub fn bridged<N: Clone + PartialEq>(all: &[N], bridge: &N) -> Vec<Block<N>> {
    let others: Vec<N> = all.iter().filter(|n| *n != bridge).cloned().collect();
    let (one, other) = others.split_at(others.len() / 2);
    parted(&[one.to_vec(), other.to_vec()], false)
}

/// A ring in which each node hears only its nearest neighbours, as many as make a majority with it; `None` if those would
/// be all: below four nodes.
pub fn ring<N: Clone>(all: &[N]) -> Option<Vec<Block<N>>> {
    let n = all.len();
    let majority = n / 2 + 1;
    let reach = (majority - 1).div_ceil(2);
    if n < 4 || 2 * reach + 1 >= n {
        return None;
    }
    let far = |at: usize| (reach + 1..n - reach).map(move |ahead| (at + ahead) % n);
    let block = |at: usize| {
        let unheard = far(at).map(|other| all[other].clone()).collect();
        (vec![all[at].clone()], unheard)
    };
    Some((0..n).map(block).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hears(blocks: &[Block<u8>], by: u8, from: u8) -> bool {
        !blocks
            .iter()
            .any(|(say, hear)| say.contains(&from) && hear.contains(&by))
    }

    #[test]
    fn in_a_ring_each_hears_a_majority_and_no_two_the_same() {
        assert!(ring(&[1, 2, 3]).is_none());
        for n in 4..12u8 {
            let all: Vec<u8> = (0..n).collect();
            let blocks = ring(&all).expect("a ring");
            let heard = |by: &u8| -> Vec<u8> {
                let heard = all.iter().filter(|from| hears(&blocks, *by, **from));
                heard.copied().collect()
            };
            let mut sets: Vec<Vec<u8>> = all.iter().map(heard).collect();
            assert!(sets.iter().all(|set| 2 * set.len() > all.len()), "{sets:?}");
            sets.sort();
            sets.dedup();
            assert_eq!(sets.len(), all.len());
        }
    }

    #[test]
    fn a_bridge_hears_all_and_the_halves_hear_only_it() {
        let blocks = bridged(&[1, 2, 3, 4, 5], &3);
        assert!(
            [1, 2, 4, 5]
                .iter()
                .all(|n| hears(&blocks, 3, *n) && hears(&blocks, *n, 3))
        );
        assert!(hears(&blocks, 1, 2) && hears(&blocks, 5, 4));
        assert!(!hears(&blocks, 1, 4) && !hears(&blocks, 5, 2));
    }

    #[test]
    fn a_one_way_partition_loses_what_the_first_group_says() {
        let blocks = parted(&[vec![1], vec![2, 3]], true);
        assert!(!hears(&blocks, 2, 1) && hears(&blocks, 1, 2) && hears(&blocks, 2, 3));
    }
}
