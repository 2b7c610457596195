//! A state of the whole, the moves there are in it, and what each leads to.

use crate::sim::exhaustive::bounds::{Bounds, Budget, MOST_NODES, Spent};
use crate::sim::exhaustive::world::{Glance, Happening, World};

/// A state of the whole: the nodes, what is on the wire, and what it took to get here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Each node with its disk, as [`World::seats`] numbers them.
    pub(super) seats: [u32; MOST_NODES],
    /// What happened on the way, as [`World::pasts`] numbers it.
    pub(super) past: u32,
    pub(super) spent: Spent,
    /// The messages on their way, in the order of their numbers in [`World::envelopes`].
    pub(super) wire: Vec<u32>,
}

/// One step of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// A message arrives; `late`: after the leader was silent for an election timeout; `again`: it will once more.
    Deliver {
        message: u32,
        late: bool,
        again: bool,
    },
    /// A message arrives, and its receiver crashes with only so many records of what that wrote on its disk.
    Tear {
        message: u32,
        late: bool,
        kept: usize,
    },
    /// A message is lost.
    Lose(u32),
    /// A message meets a closed port: its receiver is down, from now on if it was not.
    Refuse(u32),
    /// A node's patience ends.
    Timeout(usize),
    /// A leader lets a heartbeat interval pass.
    Heartbeat(usize),
    /// A client writes to a leader.
    Write(usize),
    /// A node crashed, and starts now.
    Restart(usize),
}

impl Move {
    /// It as 32 bits.
    pub(super) fn pack(self) -> u32 {
        let (kind, about) = match self {
            Move::Deliver {
                message,
                late,
                again,
            } => (u32::from(late) | u32::from(again) << 1, message),
            Move::Lose(message) => (4, message),
            Move::Refuse(message) => (5, message),
            Move::Timeout(at) => (6, at as u32),
            Move::Heartbeat(at) => (7, at as u32),
            Move::Write(at) => (8, at as u32),
            Move::Restart(at) => (9, at as u32),
            Move::Tear {
                message,
                late,
                kept,
            } => (8 + u32::from(late) + 2 * kept as u32, message),
        };
        about << 4 | kind
    }

    /// What [`Move::pack`] made.
    pub(super) fn unpack(packed: u32) -> Move {
        let about = packed >> 4;
        match packed & 15 {
            4 => Move::Lose(about),
            5 => Move::Refuse(about),
            6 => Move::Timeout(about as usize),
            7 => Move::Heartbeat(about as usize),
            8 => Move::Write(about as usize),
            9 => Move::Restart(about as usize),
            kind @ 0..4 => Move::Deliver {
                message: about,
                late: kind & 1 == 1,
                again: kind & 2 == 2,
            },
            kind => Move::Tear {
                message: about,
                late: kind & 1 == 1,
                kept: (kind as usize - 8) / 2,
            },
        }
    }
}

/// The most records of one step of which a part may be on the disk.
pub(super) const MOST_TORN: usize = 3;

/// What a move changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The node that does something, what it is then, and the outcome that says so.
    pub(super) at: usize,
    pub(super) seat: u32,
    pub(super) outcome: Option<u32>,
    /// The node that goes down along with it.
    pub(super) down: Option<(usize, u32)>,
    /// The message that goes off the wire.
    pub(super) gone: Option<u32>,
    pub(super) spent: Spent,
}

/// A state with all that is needed to find what follows from it.
pub(super) struct Here<'a> {
    pub(super) state: &'a State,
    pub(super) world: &'a mut World,
    pub(super) bounds: &'a Bounds,
}

impl Here<'_> {
    fn spend(&self, what: Budget) -> Option<Spent> {
        self.state.spent.and(what, self.bounds)
    }

    fn may(&self, what: Budget) -> bool {
        self.spend(what).is_some()
    }

    fn glance(&self, at: usize) -> &Glance {
        &self.world.glances[self.state.seats[at] as usize]
    }

    /// All moves that may change something.
    pub(super) fn moves(&self, moves: &mut Vec<Move>) {
        moves.clear();
        let mut before = None;
        for message in self.state.wire.iter().copied() {
            // Of two messages that say the same to the same, either may come first.
            if before.replace(message) != Some(message) {
                self.moves_of(message, moves);
            }
        }
        for at in 0..self.bounds.nodes {
            let glance = self.glance(at);
            let leads = glance.leads.is_some();
            let can = [
                (
                    self.may(Budget::Timeout) && glance.can_time_out,
                    Move::Timeout(at),
                ),
                (self.may(Budget::Heartbeat) && leads, Move::Heartbeat(at)),
                (self.may(Budget::Write) && leads, Move::Write(at)),
                (self.may(Budget::Crash) || !glance.is_up, Move::Restart(at)),
            ];
            moves.extend(
                can.into_iter()
                    .filter_map(|(can, which)| can.then_some(which)),
            );
        }
    }

    fn moves_of(&self, message: u32, moves: &mut Vec<Move>) {
        let letter = self.world.letters[message as usize];
        let (receiver, sender) = (self.glance(letter.to), self.glance(letter.from));
        let lates = 1 + usize::from(letter.asks_who_is_heard && receiver.obeys);
        for late in [false, true]
            .into_iter()
            .take(lates)
            .filter(|_| receiver.is_up)
        {
            let deliver = |again| Move::Deliver {
                message,
                late,
                again,
            };
            if !self.bounds.keeps_all() {
                moves.push(deliver(false));
            }
            if self.bounds.keeps_all() || self.may(Budget::Duplicate) {
                moves.push(deliver(true));
            }
        }
        let can_be_down = !receiver.is_up || self.may(Budget::Crash);
        if can_be_down && sender.is_up && !letter.is_answer {
            moves.push(Move::Refuse(message));
        }
        if self.may(Budget::Loss) {
            moves.push(Move::Lose(message));
        }
    }

    /// What a move does; `None`: nothing that could ever matter.
    pub(super) fn step(&mut self, moved: Move) -> Option<Step> {
        let spent = self.state.spent;
        match moved {
            Move::Deliver {
                message,
                late,
                again,
            } => {
                let costs = again && !self.bounds.keeps_all();
                let spent = if costs {
                    self.spend(Budget::Duplicate)?
                } else {
                    spent
                };
                let happening = Happening::Arrival { message, late };
                let gone = (!again).then_some(message);
                self.happens(self.receiver(message), happening, gone, spent)
            }
            Move::Tear {
                message,
                late,
                kept,
            } => {
                let happening = Happening::Tear {
                    message,
                    late,
                    kept,
                };
                let gone = (!self.bounds.keeps_all()).then_some(message);
                let spent = self.spend(Budget::Crash)?;
                self.happens(self.receiver(message), happening, gone, spent)
            }
            Move::Lose(message) => Some(Step {
                at: 0,
                seat: self.state.seats[0],
                outcome: None,
                down: None,
                gone: Some(message),
                spent: self.spend(Budget::Loss)?,
            }),
            Move::Refuse(message) => self.refuse(message),
            Move::Timeout(at) => {
                let spent = self.spend(Budget::Timeout)?;
                self.happens(at, Happening::Timeout, None, spent)
            }
            Move::Heartbeat(at) => {
                let spent = self.spend(Budget::Heartbeat)?;
                self.happens(at, Happening::Heartbeat, None, spent)
            }
            Move::Write(at) => {
                let (nth, spent) = (spent.of(Budget::Write) + 1, self.spend(Budget::Write)?);
                self.happens(at, Happening::Write(nth), None, spent)
            }
            Move::Restart(at) => {
                let is_up = self.glance(at).is_up;
                let spent = if is_up {
                    self.spend(Budget::Crash)?
                } else {
                    spent
                };
                let crashed = self.crashed(at);
                let outcome = self.world.outcome(crashed, Happening::Start);
                self.changed(at, outcome, None, spent)
            }
        }
    }

    fn receiver(&self, message: u32) -> usize {
        self.world.letters[message as usize].to
    }

    fn happens(
        &mut self,
        at: usize,
        happening: Happening,
        gone: Option<u32>,
        spent: Spent,
    ) -> Option<Step> {
        let outcome = self.world.outcome(self.state.seats[at], happening);
        self.changed(at, outcome, gone, spent)
    }

    /// The node at `at` without what is not on its disk.
    fn crashed(&mut self, at: usize) -> u32 {
        let seat = self.state.seats[at];
        if !self.glance(at).is_up {
            return seat;
        }
        let outcome = self.world.outcome(seat, Happening::Crash);
        self.world.outcomes[outcome as usize].seat
    }

    fn refuse(&mut self, message: u32) -> Option<Step> {
        let letter = self.world.letters[message as usize];
        let spent = match self.glance(letter.to).is_up {
            true => self.spend(Budget::Crash)?,
            false => self.state.spent,
        };
        let gone = (!self.bounds.keeps_all()).then_some(message);
        // Nobody learns of a crash that no refusal tells of: it may as well happen right before the restart.
        let happening = Happening::Refusal(letter.to, letter.kind);
        let mut step = self.happens(letter.from, happening, gone, spent)?;
        step.down = Some((letter.to, self.crashed(letter.to)));
        Some(step)
    }

    /// The step, unless the node stays as it is and says nothing: what did nothing now may do something later.
    fn changed(&self, at: usize, outcome: u32, gone: Option<u32>, spent: Spent) -> Option<Step> {
        let happened = &self.world.outcomes[outcome as usize];
        let is_same = happened.seat == self.state.seats[at] && happened.sent.is_empty();
        (!is_same).then_some(Step {
            at,
            seat: happened.seat,
            outcome: Some(outcome),
            down: None,
            gone,
            spent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_is_read_back_from_its_number() {
        let message = 77;
        let mut all = vec![
            Move::Lose(message),
            Move::Refuse(message),
            Move::Timeout(2),
            Move::Heartbeat(0),
            Move::Write(4),
            Move::Restart(1),
        ];
        for late in [false, true] {
            all.extend([false, true].map(|again| Move::Deliver {
                message,
                late,
                again,
            }));
            all.extend((1..=MOST_TORN).map(|kept| Move::Tear {
                message,
                late,
                kept,
            }));
        }
        for moved in all {
            assert_eq!(Move::unpack(moved.pack()), moved);
        }
    }
}
