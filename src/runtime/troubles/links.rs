//! Faults of links: what they are to the verdicts.

use std::collections::BTreeSet;

use crate::engine::EngineError;
use crate::faults::Fault;
use crate::faults::shapes::Block;
use crate::rng::mix;
use crate::runtime::cluster::Cluster;
use crate::runtime::troubles::{Entry, Ordered};
use crate::types::NodeId;
use crate::wire::fault_words;
use crate::wire::faults::{FaultInForce, Healed, Link, Trouble};

fn links_of(blocks: &[Block<NodeId>]) -> Vec<Link> {
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
    links.into_iter().collect()
}

/// The same links, none twice, in as few blocks as have chances of their own: where losses come in runs, they come so on
/// each link.
fn rules_of(links: &[Link], fault: Fault) -> Vec<Block<NodeId>> {
    let is_alike = |a: &Link, b: &Link| fault.burst == 0 && a.from == b.from;
    let block = |links: &[Link]| {
        let to = links.iter().map(|link| link.to.clone());
        (vec![links[0].from.clone()], to.collect())
    };
    links.chunk_by(is_alike).map(block).collect()
}

impl Cluster {
    pub(super) fn set_links(
        &self,
        trouble: Trouble,
        ordered: &Ordered,
    ) -> Result<FaultInForce, EngineError> {
        let all: Vec<NodeId> = self.slots().into_iter().map(|(id, _)| id).collect();
        let struck = trouble.blocks(&all).map_err(EngineError::Senseless)?;
        let (blocks, fault, only) = struck;
        let links = links_of(&blocks);
        if links.is_empty() {
            return Err(EngineError::Senseless(
                "there is no link between these nodes".to_owned(),
            ));
        }
        if fault == Fault::default() {
            return Err(EngineError::Senseless(
                "nothing is to become of the messages: say delay, loss, …".to_owned(),
            ));
        }
        if fault.burst > 0 && fault.loss == 0 {
            return Err(EngineError::Senseless(
                "losses come in runs only where there are losses: say loss, too".to_owned(),
            ));
        }
        let ends = links.iter().flat_map(|link| [&link.from, &link.to]);
        let struck: BTreeSet<NodeId> = ends.cloned().collect();
        let number = self.book.number();
        let rules = rules_of(&links, fault);
        self.change_faults(|faults| {
            for (nth, (from, to)) in rules.iter().enumerate() {
                let seed = mix(ordered.seed ^ mix(nth as u64));
                faults.set_seeded(number, seed, from, to, fault, &only);
            }
        });
        let entry = Entry {
            trouble,
            struck: struck.into_iter().collect(),
            links,
            lasts: true,
        };
        Ok(self.book.enter(number, entry, ordered))
    }

    /// Everything between two nodes becomes well again.
    pub(super) async fn heal_between(
        &self,
        a: &str,
        b: &str,
        by: &str,
    ) -> Result<Healed, EngineError> {
        let (a, b) = (self.one(a).await?, self.one(b).await?);
        if a == b {
            return Err(EngineError::Senseless(format!(
                "there is no link between {a} and itself"
            )));
        }
        let (mut undone, mut eased) = (Vec::new(), Vec::new());
        let is_between =
            |link: &Link| (link.from == a && link.to == b) || (link.from == b && link.to == a);
        for fault in self.book.list() {
            if !fault.links.iter().any(is_between) {
                continue;
            }
            if fault.links.iter().all(is_between) {
                undone.extend(self.undo(&fault.name, by).await?);
                continue;
            }
            let _alone = self.book.changes.lock().await;
            let Some(mut standing) = self.book.find(&fault.name) else {
                continue;
            };
            self.change_faults(|faults| {
                faults.spare(standing.number, &a, &b);
                faults.spare(standing.number, &b, &a);
            });
            standing.shown.links.retain(|link| !is_between(link));
            standing.shown.what = fault_words::without(&standing.shown.what, &a, &b);
            self.book.rewrite(&standing.shown);
            self.tell_set(&standing.shown);
            eased.push(standing.shown);
        }
        Ok(Healed { undone, eased })
    }
}
