//! That dead letters are dead: tried, of every message and every state of a node that was met.
//!
//! Take any run within the bounds. The same run without the arrivals of dead letters leads through the same states of all nodes, if
//! three things hold of all that was met in the search, and of what that would be if the nodes had each other's names: no node
//! ever goes back to an earlier epoch; a dead letter that arrives changes nothing, and is answered, if at all, by letters that
//! are dead as well; and its sender does not care if it is refused. The first is seen at every outcome
//! ([`World::outcome`]); the others are tried here. What is answered counts as met, and is tried too.

use std::collections::{BTreeMap, HashSet};

use crate::protocol::MessageKind;
use crate::sim::exhaustive::cause::Cause;
use crate::sim::exhaustive::envelope::Envelope;
use crate::sim::exhaustive::letter::{Epoch, Letter, epoch};
use crate::sim::exhaustive::seat::Seat;
use crate::sim::exhaustive::table::Sketched;
use crate::sim::exhaustive::world::World;
use crate::sim::scatter::Plain;

/// From which epoch on a node does not care that a port refuses such a message.
type Refusals = BTreeMap<(usize, usize, MessageKind), Epoch>;

/// Whether all letters that `world` takes for dead are.
pub(super) fn dead_letters_are_dead(world: &World) -> bool {
    let mut met: HashSet<u128, Plain> = HashSet::default();
    let all = (0..world.envelopes.len() as u32).map(|at| world.envelopes.get(at));
    let mut waiting: Vec<Envelope> = all.flat_map(|one| fresh(one, &mut met, world)).collect();
    let (mut seats, mut refusals) = (one_of_each(world), Refusals::new());
    while let Some(envelope) = waiting.pop() {
        let letter = Letter::new(&envelope, world.election());
        if letter.dead_there == Epoch::MAX {
            continue;
        }
        if !letter.is_answer {
            let lane = (letter.from, letter.to, letter.kind);
            let since = refusals.entry(lane).or_insert(Epoch::MAX);
            *since = letter.dead_here.min(*since);
        }
        for tried in seats[letter.to]
            .iter_mut()
            .filter(|seat| seat.epoch >= letter.dead_there)
        {
            let Some(answers) = tried.answers(&envelope, letter, world) else {
                return false;
            };
            for answer in answers {
                let back = Letter::new(&answer, world.election());
                let dies = back.to == letter.from && back.dead_there <= letter.dead_here;
                if !dies || back.dead_here > 0 {
                    return false;
                }
                waiting.extend(fresh(&answer, &mut met, world));
            }
        }
    }
    refusals.into_iter().all(|((from, to, kind), since)| {
        let mut late = seats[from].iter_mut().filter(|seat| seat.epoch >= since);
        late.all(|seat| {
            seat.try_out(Cause::Refusal(to, kind), world)
                .is_some_and(|said| said.is_empty())
        })
    })
}

/// What `envelope` would be if the nodes had each other's names, as far as that was not met.
fn fresh(envelope: &Envelope, met: &mut HashSet<u128, Plain>, world: &World) -> Vec<Envelope> {
    let new = world
        .names()
        .filter(|names| met.insert(envelope.print(names)));
    new.map(|names| envelope.renamed(names)).collect()
}

/// A state of a node, to try things on.
struct Tried<'a> {
    seat: &'a Seat,
    epoch: Epoch,
    look: u128,
    /// As good as the same; spent by a trial, unless that changes nothing.
    copy: Option<Seat>,
}

/// Of all states of running nodes that were met, and differ in more than names, one; by node.
fn one_of_each(world: &World) -> Vec<Vec<Tried<'_>>> {
    let mut met: HashSet<u128, Plain> = HashSet::default();
    let mut seats: Vec<Vec<Tried<'_>>> = (0..world.nodes()).map(|_| Vec::new()).collect();
    for at in 0..world.seats.len() as u32 {
        let (seat, looks) = (world.seats.get(at), world.seats.prints(at));
        if seat.node().is_some() && met.insert(looks.iter().copied().min().unwrap_or(0)) {
            seats[seat.at()].push(Tried {
                seat,
                epoch: epoch(seat),
                look: looks[0],
                copy: None,
            });
        }
    }
    seats
}

impl Tried<'_> {
    /// What it answers to a message, whenever that arrives, if it stays as it is.
    fn answers(
        &mut self,
        envelope: &Envelope,
        letter: Letter,
        world: &World,
    ) -> Option<Vec<Envelope>> {
        let now = Cause::Arrival {
            envelope,
            late: false,
        };
        let mut answers = self.try_out(now, world)?;
        if letter.asks_who_is_heard && self.seat.obeys() {
            let late = Cause::Arrival {
                envelope,
                late: true,
            };
            answers.extend(self.try_out(late, world)?);
        }
        Some(answers)
    }

    /// What it says to `cause`, if it stays as it is.
    fn try_out(&mut self, cause: Cause<'_>, world: &World) -> Option<Vec<Envelope>> {
        let copy = self.copy.take().unwrap_or_else(|| self.seat.clone());
        let after = copy.becomes(cause, &world.rules);
        let own = world.names().next().unwrap_or(&[]);
        let stays = after.seat.print(own) == self.look;
        self.copy = stays.then_some(after.seat);
        stays.then_some(after.sent)
    }
}
