//! Faults of links: what they are to the verdicts.

use std::collections::BTreeSet;

use crate::engine::EngineError;
use crate::faults::shapes::Block;
use crate::faults::{Fault, Faults};
use crate::rng::mix;
use crate::runtime::cluster::Cluster;
use crate::runtime::troubles::nodes::check_burst;
use crate::runtime::troubles::{Entry, Ordered};
use crate::types::NodeId;
use crate::wire::faults::{FaultInForce, Healed, Link, Trouble};
use crate::wire::{fault_words, struck};

/// `links` in as few blocks as have chances of their own: where losses come in runs, they come so on
/// each link.
fn rules_of(links: &[Link], fault: Fault) -> Vec<Block<NodeId>> {
    let is_alike = |a: &Link, b: &Link| fault.burst == 0 && a.from == b.from;
    let block = |links: &[Link]| {
        let to = links.iter().map(|link| link.to.clone());
        (vec![links[0].from.clone()], to.collect())
    };
    links.chunk_by(is_alike).map(block).collect()
}

/// The nodes at the ends of `links`, in order.
fn ends(links: &[Link]) -> Vec<NodeId> {
    let ends = links.iter().flat_map(|link| [&link.from, &link.to]);
    let ends: BTreeSet<NodeId> = ends.cloned().collect();
    ends.into_iter().collect()
}

/// Cuts these links, and no others any more.
fn standing_on(faults: &mut Faults, number: u32, links: &[Link]) {
    faults.lift(number);
    for (from, to) in rules_of(links, Fault::CUT) {
        faults.set(number, &from, &to, Fault::CUT);
    }
}

impl Cluster {
    pub(super) fn set_links(
        &self,
        trouble: Trouble,
        ordered: &Ordered,
    ) -> Result<FaultInForce, EngineError> {
        let struck = trouble.blocks(&ordered.all);
        let (blocks, fault, only) = struck.map_err(EngineError::Senseless)?;
        let links: Vec<Link> = struck::links(&blocks).into_iter().collect();
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
        check_burst(&fault)?;
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
            struck: ends(&links),
            links,
            lasts: true,
        };
        Ok(self.book.enter(number, entry, ordered))
    }

    /// Nodes have come or gone: faults that have a shape are to have it still. Whoever calls holds `changes`.
    pub(in crate::runtime) fn reshape(&self) {
        let now = self.ids();
        for mut standing in self
            .book
            .all()
            .into_iter()
            .filter(|one| one.order.has_shape())
        {
            let before = std::mem::replace(&mut standing.among, now.clone());
            let shown = &mut standing.shown;
            let links = standing.order.reshaped(&shown.links, &before, &now);
            if links.is_empty() {
                self.change_faults(|faults| {
                    faults.lift(standing.number);
                });
                self.book.strike_out(&shown.name);
                self.tell_undone(shown, "the node was removed");
                continue;
            }
            if links != shown.links {
                self.change_faults(|faults| standing_on(faults, standing.number, &links));
                let plain = fault_words::what(&shown.trouble, before.len());
                let spared = shown
                    .what
                    .strip_prefix(&plain)
                    .unwrap_or_default()
                    .to_owned();
                shown.trouble = standing.order.spelled_out(&now);
                shown.what = fault_words::what(&shown.trouble, now.len()) + &spared;
                (shown.struck, shown.links) = (ends(&links), links);
                self.tell_set(shown);
            }
            self.book.rewrite(&standing);
        }
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
        // Held all the while: of two who heal parts of one fault the second is to see what the first has left of it.
        let _alone = self.book.changes.lock().await;
        for mut standing in self.book.all() {
            if !standing.shown.links.iter().any(is_between) {
                continue;
            }
            if standing.shown.links.iter().all(is_between) {
                undone.extend(self.undo_alone(&standing.shown.name, by).await?);
                continue;
            }
            self.change_faults(|faults| {
                faults.spare(standing.number, &a, &b);
                faults.spare(standing.number, &b, &a);
            });
            standing.shown.links.retain(|link| !is_between(link));
            standing.shown.what = fault_words::without(&standing.shown.what, &a, &b);
            self.book.rewrite(&standing);
            self.tell_set(&standing.shown);
            eased.push(standing.shown);
        }
        Ok(Healed { undone, eased })
    }
}
