//! Where a value came from, if it is known: the operation that set it, and those that put text behind it, one after the
//! other.

use crate::check::memory::{Map, Set};
use crate::check::problem::{Effect, Problem};
use crate::check::values::{ABSENT, State, inner};

/// One of a problem's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Maker {
    /// By its number among those that surely happened.
    Sure(usize),
    /// The only one of a group that may have happened.
    Perhaps(usize),
}

/// What is known of a value's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Exactly these made it, in this order, with nothing between them.
    Only {
        /// What set it; `None`: it grew from nothing, or was never there.
        base: Option<Maker>,
        /// What put text behind it.
        grown: Vec<Maker>,
    },
    /// It may have come about in more than one way.
    Several,
    /// Nothing can have made it.
    Nothing,
}

/// At most one of some operations, or that there are several.
#[derive(Debug, Clone, Copy)]
enum One {
    This(Maker),
    Several,
}

/// The origins of one key's values.
pub(super) struct Origins<'a> {
    problem: &'a Problem,
    makers: Map<State, One>,
    /// Who puts each text behind the value, and the lengths that there are.
    adders: Map<&'a str, One>,
    lengths: Vec<usize>,
}

fn add<K: std::hash::Hash + Eq>(ones: &mut Map<K, One>, key: K, maker: Maker, count: usize) {
    let one = if count == 1 {
        One::This(maker)
    } else {
        One::Several
    };
    ones.entry(key)
        .and_modify(|known| *known = One::Several)
        .or_insert(one);
}

impl<'a> Origins<'a> {
    pub(super) fn new(problem: &'a Problem) -> Origins<'a> {
        let mut origins = Origins {
            problem,
            makers: Map::default(),
            adders: Map::default(),
            lengths: Vec::new(),
        };
        for (at, sure) in problem.sure.iter().enumerate() {
            origins.count(sure.effect, Maker::Sure(at), 1);
        }
        for (group, perhaps) in problem.perhaps.iter().enumerate() {
            let count = if perhaps.is_free {
                2
            } else {
                perhaps.asked.len()
            };
            origins.count(perhaps.effect, Maker::Perhaps(group), count);
        }
        let lengths: Set<usize> = origins.adders.keys().map(|text| text.len()).collect();
        origins.lengths = lengths.into_iter().collect();
        origins
    }

    fn count(&mut self, effect: Effect, maker: Maker, count: usize) {
        if let Some(value) = effect.makes() {
            add(&mut self.makers, value, maker, count);
        }
        if let Effect::Append(argument) = effect
            && let Some(text) = inner(self.problem.values.element(argument))
        {
            add(&mut self.adders, text, maker, count);
        }
    }

    /// Where `value` came from.
    pub(super) fn of(&self, value: State) -> Origin {
        let text = self.problem.values.content(value);
        match text {
            // Text of no length can be put behind anything any number of times.
            Some(_) if self.lengths.contains(&0) => Origin::Several,
            Some(text) if !self.adders.is_empty() && !text.is_empty() => self.grown(text),
            _ => self.set(value),
        }
    }

    fn set(&self, value: State) -> Origin {
        let only = |base| Origin::Only {
            base,
            grown: Vec::new(),
        };
        match (self.makers.get(&value), value) {
            (None, ABSENT) => only(None),
            (None, _) => Origin::Nothing,
            (Some(One::This(maker)), value) if value != ABSENT => only(Some(*maker)),
            (Some(_), _) => Origin::Several,
        }
    }

    /// The ways to put a text together, counted from its beginning to each of its places.
    fn grown(&self, text: &str) -> Origin {
        let mut ways: Vec<Ways> = vec![Ways::None; text.len() + 1];
        // It may grow from nothing, be there of a sudden, or grow from something that was.
        ways[0].add(Step::Nothing);
        if self.makers.contains_key(&ABSENT) {
            ways[0] = Ways::Several;
        }
        for (root, one) in &self.makers {
            let Some(begin) = self.problem.values.content(*root) else {
                continue;
            };
            if text.starts_with(begin) {
                match one {
                    One::This(maker) => ways[begin.len()].add(Step::Set(*maker)),
                    One::Several => ways[begin.len()] = Ways::Several,
                }
            }
        }
        for at in 0..text.len() {
            let before = ways[at];
            if before == Ways::None {
                continue;
            }
            for length in &self.lengths {
                let piece = text.get(at..at + length);
                match piece.and_then(|piece| self.adders.get(piece)) {
                    None => {}
                    Some(One::This(maker)) if before != Ways::Several => {
                        ways[at + length].add(Step::Added(*maker, at));
                    }
                    Some(_) => ways[at + length] = Ways::Several,
                }
            }
        }
        back(&ways)
    }
}

/// How many ways lead to a place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ways {
    None,
    /// One, with this last step.
    One(Step),
    Several,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    Set(Maker),
    /// A text was put behind what was there up to this place.
    Added(Maker, usize),
}

impl Ways {
    fn add(&mut self, step: Step) {
        *self = match self {
            Ways::None => Ways::One(step),
            Ways::One(_) | Ways::Several => Ways::Several,
        };
    }
}

/// Follows the only way back.
fn back(ways: &[Ways]) -> Origin {
    let (mut at, mut grown) = (ways.len() - 1, Vec::new());
    loop {
        let base = match ways[at] {
            Ways::None => return Origin::Nothing,
            Ways::Several => return Origin::Several,
            Ways::One(Step::Nothing) => None,
            Ways::One(Step::Set(maker)) => Some(maker),
            Ways::One(Step::Added(maker, before)) => {
                grown.push(maker);
                at = before;
                continue;
            }
        };
        grown.reverse();
        let distinct: Set<Maker> = grown.iter().copied().collect();
        return match distinct.len() == grown.len() {
            true => Origin::Only { base, grown },
            // It would take one of them twice.
            false => Origin::Nothing,
        };
    }
}
