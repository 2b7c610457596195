//! Breadth first through all states, so that the first violation met is one with the shortest way to it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::sim::exhaustive::bounds::Bounds;
use crate::sim::exhaustive::invariant::Broken;
use crate::sim::exhaustive::judge::judge;
use crate::sim::exhaustive::level::Level;
use crate::sim::exhaustive::proof::dead_letters_are_dead;
use crate::sim::exhaustive::seat::Seat;
use crate::sim::exhaustive::seen::Seen;
use crate::sim::exhaustive::state::{Here, MOST_TORN, Move, State, Step};
use crate::sim::exhaustive::story::tell;
use crate::sim::exhaustive::view::Past;
use crate::sim::exhaustive::world::World;
use crate::sim::exhaustive::{End, Explored, Violation};
use crate::sim::scatter::Plain;

/// How many states lie between two words of progress.
const WORD: u64 = 1 << 14;

/// Who is told how far it is, and may end it.
pub(super) type Progress<'a> = &'a mut dyn FnMut(&Explored) -> ControlFlow<()>;

/// How a state was first reached.
#[derive(Debug, Clone, Copy)]
struct Link {
    parent: u32,
    moved: u32,
}

/// Why a search ends early.
enum Stop {
    Broken(Broken, Link),
    Early(End),
}

pub(super) struct Search<'a> {
    bounds: &'a Bounds,
    /// Whether dead letters leave the wire.
    buries: bool,
    world: World,
    seen: Seen,
    links: Vec<Link>,
    coming: Level,
    /// The state that is left, and one it leads to …
    here: State,
    there: State,
    /// … and what these look like under each renaming: the sum of what their parts look like, for their order is nothing.
    here_looks: Vec<u128>,
    there_looks: Vec<u128>,
    configurations: HashSet<u128, Plain>,
    found: Explored,
}

impl<'a> Search<'a> {
    pub(super) fn new(bounds: &'a Bounds, buries: bool) -> Search<'a> {
        let world = World::new(bounds);
        let ways = world.ways();
        Search {
            bounds,
            buries,
            world,
            seen: Seen::new(),
            links: Vec::new(),
            coming: Level::default(),
            here: State::default(),
            there: State::default(),
            here_looks: vec![0; ways],
            there_looks: vec![0; ways],
            configurations: HashSet::default(),
            found: Explored::default(),
        }
    }

    /// Looks at everything. `None` if letters were taken for dead that are not.
    pub(super) fn run(mut self, progress: Progress<'_>) -> Option<Explored> {
        let start = self.start();
        let stopped = self.levels(progress);
        // What was ended early proves nothing anyway.
        let is_early = matches!(stopped, Some(Stop::Early(End::Full | End::Stopped)));
        if self.buries && !is_early && !(self.world.goes_on && dead_letters_are_dead(&self.world)) {
            return None;
        }
        match stopped {
            None => self.found.end = End::Exhausted,
            Some(Stop::Early(end)) => self.found.end = end,
            Some(Stop::Broken(broken, link)) => {
                self.found.end = End::Violated;
                let path = self.path(link);
                let steps = tell(start, &path, &mut self.world, self.bounds);
                self.found.violation = Some(Violation {
                    invariant: broken.invariant,
                    why: broken.why,
                    steps,
                });
            }
        }
        self.found.configurations = self.configurations.len() as u64;
        self.found.node_states = self.world.seats.len() as u64;
        self.found.messages = self.world.envelopes.len() as u64;
        self.found.buried = self.buries;
        let terms = self.world.glances.iter().map(|glance| glance.term);
        self.found.term = terms.max().unwrap_or(0);
        Some(self.found)
    }

    fn start(&mut self) -> State {
        for at in 0..self.bounds.nodes {
            let seat = Seat::fresh(at, &self.world.rules);
            self.there.seats[at] = self.world.seat(seat);
        }
        self.there.past = self.world.past(Past::default());
        self.here = self.there.clone();
        self.look();
        self.there_looks.clone_from(&self.here_looks);
        self.settle(Link {
            parent: u32::MAX,
            moved: 0,
        });
        self.there.clone()
    }

    fn levels(&mut self, progress: Progress<'_>) -> Option<Stop> {
        let (mut first, mut moves) = (0, Vec::new());
        loop {
            let level = std::mem::take(&mut self.coming);
            if level.len() == 0 {
                return None;
            }
            if self.bounds.depth == Some(self.found.depth) {
                return Some(Stop::Early(End::Depth));
            }
            for at in 0..level.len() {
                level.read(at, self.bounds.nodes, &mut self.here);
                let number = first + at as u32;
                if let ControlFlow::Break(stop) = self.leave(number, &mut moves) {
                    return Some(stop);
                }
                if self.found.states >= self.bounds.most_states {
                    return Some(Stop::Early(End::Full));
                }
                let is_word = u64::from(number).is_multiple_of(WORD);
                if is_word && progress(&self.found).is_break() {
                    return Some(Stop::Early(End::Stopped));
                }
            }
            first += level.len() as u32;
            self.found.depth += u32::from(self.coming.len() > 0);
        }
    }

    /// Goes everywhere from here.
    fn leave(&mut self, number: u32, moves: &mut Vec<Move>) -> ControlFlow<Stop> {
        self.look();
        self.place().moves(moves);
        for moved in moves.drain(..) {
            let records = self.go(moved, number)?;
            if let Move::Deliver {
                message,
                late,
                again,
            } = moved
                && again == self.bounds.keeps_all()
            {
                for kept in 1..records.min(MOST_TORN + 1) {
                    let torn = Move::Tear {
                        message,
                        late,
                        kept,
                    };
                    self.go(torn, number)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn place(&mut self) -> Here<'_> {
        Here {
            state: &self.here,
            world: &mut self.world,
            bounds: self.bounds,
        }
    }

    fn look(&mut self) {
        let (looks, world) = (&mut self.here_looks, &self.world);
        looks.clone_from_slice(world.pasts.prints(self.here.past));
        for seat in &self.here.seats[..self.bounds.nodes] {
            add(looks, world.seats.prints(*seat));
        }
        for message in &self.here.wire {
            add(looks, world.envelopes.prints(*message));
        }
    }

    /// Goes where `moved` leads, if that is anywhere new. How many records that wrote.
    fn go(&mut self, moved: Move, number: u32) -> ControlFlow<Stop, usize> {
        let Some(step) = self.place().step(moved) else {
            return ControlFlow::Continue(0);
        };
        if self.bounds.keeps_all() && self.says_nothing_new(step) {
            return ControlFlow::Continue(0);
        }
        self.found.transitions += 1;
        let link = Link {
            parent: number,
            moved: moved.pack(),
        };
        self.enter(step);
        let judged = judge(
            &self.here,
            &self.there,
            step,
            &mut self.world,
            self.bounds.mode,
        );
        match judged {
            Ok(past) => self.there.past = past,
            Err(broken) => return ControlFlow::Break(Stop::Broken(broken, link)),
        }
        if self.there.past != self.here.past {
            take(
                &mut self.there_looks,
                self.world.pasts.prints(self.here.past),
            );
            add(
                &mut self.there_looks,
                self.world.pasts.prints(self.there.past),
            );
        }
        self.settle(link);
        let outcome = step
            .outcome
            .map(|outcome| &self.world.outcomes[outcome as usize]);
        ControlFlow::Continue(outcome.map_or(0, |outcome| outcome.records))
    }

    fn sent(&self, step: Step) -> &[u32] {
        let outcome = step
            .outcome
            .map(|outcome| &self.world.outcomes[outcome as usize]);
        outcome.map_or(&[], |outcome| &self.world.sent[outcome.sent.clone()])
    }

    /// Whether the step changes nothing where every message that was ever sent stays.
    fn says_nothing_new(&self, step: Step) -> bool {
        let is_said = |message| self.here.wire.binary_search(message).is_ok();
        step.seat == self.here.seats[step.at] && self.sent(step).iter().all(is_said)
    }

    /// Makes `there` what `step` makes of `here`, but for the past.
    fn enter(&mut self, step: Step) {
        let (here, there, looks) = (&self.here, &mut self.there, &mut self.there_looks);
        let world = &self.world;
        looks.clone_from(&self.here_looks);
        (there.seats, there.past, there.spent) = (here.seats, here.past, step.spent);
        for (at, seat) in [(step.at, step.seat)].into_iter().chain(step.down) {
            take(looks, world.seats.prints(there.seats[at]));
            add(looks, world.seats.prints(seat));
            there.seats[at] = seat;
        }
        let outcome = step
            .outcome
            .map(|outcome| world.outcomes[outcome as usize].sent.clone());
        let sent = &world.sent[outcome.unwrap_or(0..0)];
        let is_dead = |message: u32, seats: &[u32]| {
            let letter = world.letters[message as usize];
            let epoch = |at: usize| world.glances[seats[at] as usize].epoch;
            self.buries
                && epoch(letter.to) >= letter.dead_there
                && epoch(letter.from) >= letter.dead_here
        };
        there.wire.clear();
        let (mut gone, mut next) = (step.gone, 0);
        for message in &here.wire {
            while next < sent.len() && sent[next] < *message {
                push(sent[next], there, looks, world, &is_dead);
                next += 1;
            }
            if gone == Some(*message) || is_dead(*message, &there.seats) {
                gone = gone.filter(|gone| gone != message);
                take(looks, world.envelopes.prints(*message));
                continue;
            }
            if self.bounds.keeps_all() && sent.get(next) == Some(message) {
                next += 1;
            }
            there.wire.push(*message);
        }
        for message in &sent[next..] {
            push(*message, there, looks, world, &is_dead);
        }
    }

    /// Keeps `there`, unless it was seen, by whatever names.
    fn settle(&mut self, link: Link) {
        let looks = &mut self.there_looks;
        let key = looks.iter().copied().min().unwrap_or(0);
        if !self.seen.is_new(key, self.there.spent) {
            return;
        }
        looks.sort_unstable();
        let distinct = 1 + looks.windows(2).filter(|two| two[0] != two[1]).count();
        self.found.represented += distinct as u64;
        self.found.states += 1;
        self.links.push(link);
        self.coming.push(&self.there, self.bounds.nodes);
        looks.fill(0);
        for seat in &self.there.seats[..self.bounds.nodes] {
            add(looks, self.world.seats.prints(*seat));
        }
        self.configurations
            .insert(looks.iter().copied().min().unwrap_or(0));
    }

    /// The moves that lead to the one in `link`, and it.
    fn path(&self, link: Link) -> Vec<Move> {
        let mut path = vec![Move::unpack(link.moved)];
        let mut at = link.parent;
        while let Some(link) = self.links.get(at as usize).filter(|_| at > 0) {
            path.push(Move::unpack(link.moved));
            at = link.parent;
        }
        path.reverse();
        path
    }
}

fn push(
    message: u32,
    there: &mut State,
    looks: &mut [u128],
    world: &World,
    is_dead: &dyn Fn(u32, &[u32]) -> bool,
) {
    if !is_dead(message, &there.seats) {
        there.wire.push(message);
        add(looks, world.envelopes.prints(message));
    }
}

fn add(sums: &mut [u128], prints: &[u128]) {
    for (sum, print) in sums.iter_mut().zip(prints) {
        *sum = sum.wrapping_add(*print);
    }
}

fn take(sums: &mut [u128], prints: &[u128]) {
    for (sum, print) in sums.iter_mut().zip(prints) {
        *sum = sum.wrapping_sub(*print);
    }
}
