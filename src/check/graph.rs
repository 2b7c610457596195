//! What comes before what: chains of events, and edges between them; who is before whom is known at any time, by a clock
//! for each (Fidge and Mattern 1988) that counts how many of each chain come before it.

/// An event: its number.
pub(super) type Node = usize;

/// A partial order that grows by edges.
#[derive(Debug)]
pub(super) struct Graph {
    chains: usize,
    /// The chain of each, and how many of it come before.
    places: Vec<(usize, u32)>,
    clocks: Vec<u32>,
    successors: Vec<Vec<Node>>,
    /// Something would have to come before itself.
    pub(super) is_torn: bool,
}

impl Graph {
    /// Chains of these lengths; their events are numbered one after the other.
    pub(super) fn new(lengths: &[usize]) -> Graph {
        let chains = lengths.len();
        let mut graph = Graph {
            chains,
            places: Vec::new(),
            clocks: Vec::new(),
            successors: Vec::new(),
            is_torn: false,
        };
        for (chain, length) in lengths.iter().enumerate() {
            for at in 0..*length {
                let node = graph.places.len();
                graph.places.push((chain, at as u32));
                graph.clocks.resize((node + 1) * chains, 0);
                graph.clocks[node * chains + chain] = at as u32;
                let next = (at + 1 < *length).then_some(node + 1);
                graph.successors.push(next.into_iter().collect());
            }
        }
        graph
    }

    /// The chain of `node`, and how many of it come before it.
    pub(super) fn place(&self, node: Node) -> (usize, usize) {
        let (chain, at) = self.places[node];
        (chain, at as usize)
    }

    /// How many of `chain` come before `node`.
    pub(super) fn count_before(&self, node: Node, chain: usize) -> usize {
        self.clocks[node * self.chains + chain] as usize
    }

    /// Whether `a` comes before `b`.
    pub(super) fn is_before(&self, a: Node, b: Node) -> bool {
        let (chain, at) = self.place(a);
        self.count_before(b, chain) > at
    }

    /// From now on `a` comes before `b`; says whether that is new.
    pub(super) fn put_before(&mut self, a: Node, b: Node) -> bool {
        if self.is_before(a, b) {
            return false;
        }
        if a == b || self.is_before(b, a) {
            self.is_torn = true;
            return true;
        }
        self.successors[a].push(b);
        let mut open = vec![(a, b)];
        while let Some((a, b)) = open.pop() {
            if self.join(a, b) {
                open.extend(self.successors[b].iter().map(|next| (b, *next)));
            }
            if self.is_torn {
                break;
            }
        }
        true
    }

    /// What comes before `a`, and `a`, comes before `b`; says whether anything of that is new.
    fn join(&mut self, a: Node, b: Node) -> bool {
        let (chain, at) = self.places[a];
        let (low, high) = (a.min(b), a.max(b));
        let (lower, higher) = self.clocks.split_at_mut(high * self.chains);
        let lower = &mut lower[low * self.chains..][..self.chains];
        let higher = &mut higher[..self.chains];
        let (from, to) = if a < b {
            (lower, higher)
        } else {
            (higher, lower)
        };
        let mut is_new = false;
        for (known, count) in to.iter_mut().zip(from.iter()) {
            is_new |= *known < *count;
            *known = (*known).max(*count);
        }
        is_new |= to[chain] <= at;
        to[chain] = to[chain].max(at + 1);
        self.is_torn |= self.is_before(b, b);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_before_is_known_across_chains_and_a_circle_is_seen() {
        let mut graph = Graph::new(&[3, 2, 1]);
        assert!(graph.is_before(0, 2) && !graph.is_before(2, 0) && !graph.is_before(0, 3));
        assert!(graph.put_before(1, 3) && !graph.put_before(0, 4));
        assert!(graph.put_before(4, 5));
        assert!(graph.is_before(0, 5) && !graph.is_before(2, 5));
        assert_eq!((graph.place(4), graph.count_before(5, 0)), ((1, 1), 2));
        graph.put_before(5, 2);
        assert!(graph.is_before(3, 2) && !graph.is_torn);
        graph.put_before(2, 3);
        assert!(graph.is_torn);
    }
}
