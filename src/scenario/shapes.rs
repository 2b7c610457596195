//! Faults of links in virtual time that have a shape, in which a node that joins takes its place.

use crate::types::NodeId;
use crate::wire::faults::{Link, Trouble};

/// Those that were set, whether they are in force still or not.
#[derive(Default)]
pub(super) struct Shapes(Vec<Shape>);

struct Shape {
    number: u32,
    trouble: Trouble,
    links: Vec<Link>,
    among: Vec<NodeId>,
}

impl Shapes {
    /// A fault was set; it is forgotten if who joins is none of its business.
    pub(super) fn set(
        &mut self,
        number: u32,
        trouble: &Trouble,
        links: Vec<Link>,
        among: Vec<NodeId>,
    ) {
        if trouble.has_shape() {
            let trouble = trouble.clone();
            self.0.push(Shape {
                number,
                trouble,
                links,
                among,
            });
        }
    }

    /// The nodes are these now: which faults strike other links than before, and which.
    pub(super) fn among(&mut self, now: &[NodeId]) -> Vec<(u32, Vec<Link>)> {
        let mut changed = Vec::new();
        for shape in &mut self.0 {
            let links = shape.trouble.reshaped(&shape.links, &shape.among, now);
            shape.among = now.to_vec();
            if links != shape.links {
                changed.push((shape.number, links.clone()));
                shape.links = links;
            }
        }
        changed
    }
}
