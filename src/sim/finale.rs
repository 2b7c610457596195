//! Safety, then liveness: how a run ends. A random quorum is healed, and what is wrong outside it stays so for ever; it
//! must become available. Then everybody is healed, and all must come to hold the same.

use crate::check::history::Text;
use crate::faults::Fault;
use crate::protocol::Node;
use crate::rng::Rng;
use crate::sim::expect::Expect;
use crate::sim::moment::{FOR_EVER, What};
use crate::sim::plan::{Call, Finale, Harm, Place, Who};
use crate::sim::promise::READER;
use crate::sim::queue::Nanos;
use crate::sim::words;
use crate::sim::world::{PLACES, World};
use crate::types::{Election, NodeId, Replication};

impl World {
    /// Ends a run.
    pub(super) fn finale(&mut self, finale: Finale) {
        let mut rng = Rng::new(self.plan.seed ^ finale.pick);
        if finale.part_first
            && let Some(quorum) = self.quorum(&mut rng)
        {
            self.heal_quorum(&quorum, &mut rng);
            self.note(0, || What::Healed {
                quorum: quorum.clone(),
            });
            if !self.becomes_available() {
                let names: Vec<String> = quorum
                    .iter()
                    .map(|p| self.ids[*p as usize].to_string())
                    .collect();
                let what = format!(
                    "{} can reach each other, and no write is done",
                    names.join(", ")
                );
                return self.fail("availability", what);
            }
        }
        self.heal_all();
        self.note(0, || What::Healed { quorum: Vec::new() });
        if !self.becomes_available() {
            let what = "everything is healed, and no write is done".to_owned();
            return self.fail("availability", what);
        }
        if !self.becomes_equal() {
            let what = format!("everything is healed, and yet: {}", self.disagreement());
            return self.fail("convergence", what);
        }
        self.look_at_all(true);
        self.read_all();
    }

    /// Who is to go on alone; `None`: nothing is promised of a part.
    fn quorum(&self, rng: &mut Rng) -> Option<Vec<Place>> {
        let needs_all = self.plan.mode.replication == Replication::Sync;
        let has_grown = self.seats.len() > self.plan.nodes
            || self.seats.iter().any(|seat| seat.is_gone)
            || self.watch.has_changed_members();
        if (needs_all && self.plan.expect != Expect::Available) || has_grown {
            return None;
        }
        let mut places: Vec<Place> = self.places().collect();
        rng.shuffle(&mut places);
        // Whoever lost its disk may not vote before a majority of others has led it.
        let is_intact = |place: &Place| {
            let seat = self.seat(*place);
            !seat.disk.is_damaged && !seat.disk.kept().is_recovering()
        };
        let majority = self.plan.nodes / 2 + 1;
        let quorum: Vec<Place> = places
            .into_iter()
            .filter(is_intact)
            .take(majority)
            .collect();
        (quorum.len() == majority).then_some(quorum)
    }

    fn end_faults(&mut self) {
        self.faults.heal();
        self.in_force.clear();
        self.troubled_until = self.now;
    }

    fn heal_quorum(&mut self, quorum: &[Place], rng: &mut Rng) {
        self.end_faults();
        self.troubled_until = Nanos::MAX;
        let one_way = self.plan.mode.election == Election::Raft
            && self.plan.safeguards.pre_vote
            && self.plan.safeguards.check_quorum;
        let outside: Vec<Place> = self
            .places()
            .filter(|place| !quorum.contains(place))
            .collect();
        for place in outside {
            match rng.below(if one_way { 5 } else { 3 }) {
                0 => self.kill(place, true),
                1 if self.seat(place).is_up() => {
                    self.seat_mut(place).is_paused = true;
                    self.note(place, || What::Paused);
                }
                1 => {}
                2 => self.cut_off_for_ever(place, true, true),
                3 => self.cut_off_for_ever(place, true, false),
                _ => self.cut_off_for_ever(place, false, true),
            }
        }
        self.mend(quorum);
    }

    fn cut_off_for_ever(&mut self, place: Place, out: bool, into: bool) {
        let number = FOR_EVER + u32::from(place);
        let all: Vec<Place> = (0..PLACES as Place).collect();
        if out {
            self.faults.set(number, &[place], &all, Fault::CUT);
        }
        if into {
            self.faults.set(number, &all, &[place], Fault::CUT);
        }
        let who = Who::Node(place);
        let harm = Harm::Isolate { who, out, into };
        let what = words::harm(&harm, &self.ids[place as usize]);
        self.note(place, || What::Harmed { number, harm, what });
    }

    fn heal_all(&mut self) {
        self.end_faults();
        let all: Vec<Place> = self.places().collect();
        self.mend(&all);
    }

    /// Whether a write is done, in a time that is long for all that may have to happen first.
    fn becomes_available(&mut self) -> bool {
        let scale = self.plan.scale;
        let round = 2 * scale.election_timeout + 2 * scale.write_timeout + 100_000;
        let bound = 1000 * (round * (8 + self.seats.len() as u64)) + 20 * self.slowest();
        let bound = bound + self.catching_up();
        let (client, end) = (self.clients.last(), self.now + bound);
        while self.now < end && self.violation.is_none() {
            let number = self.clients.asked.len();
            let key = 0;
            self.ask(client, Call::Put { key, named: false });
            // Whoever is still busy with an earlier one asks for it afterwards.
            let is_done = |world: &World| world.clients.is_done(client, number);
            self.play_until_that((self.now + 1000 * round).min(end), is_done);
            if self.clients.has_written(client, number) {
                return true;
            }
            self.play_until((self.now + 1000 * scale.heartbeat).min(end));
        }
        // What broke meanwhile is the news.
        self.violation.is_some()
    }

    fn slowest(&self) -> Nanos {
        let slow = self.seats.iter().map(|seat| seat.slow).max().unwrap_or(0);
        slow + 1000 * (self.plan.scale.disk + self.plan.scale.disk_jitter)
    }

    /// How long it takes at most to send somebody everything, where appends hold one entry.
    fn catching_up(&self) -> Nanos {
        let scale = self.plan.scale;
        let there_and_back = 2 * (scale.latency + scale.jitter) + scale.disk + scale.disk_jitter;
        let nodes = self.seats.iter().filter_map(|seat| seat.node.as_ref());
        let longest = nodes.map(|node| node.log().last_index()).max();
        1000 * there_and_back * longest.unwrap_or(0)
    }

    fn becomes_equal(&mut self) -> bool {
        let scale = self.plan.scale;
        let bound = 1000 * (60 * scale.election_timeout + 4 * scale.write_timeout + 5_000_000);
        let end = self.now + bound + self.catching_up();
        let is_equal = self.play_until_that(end, |world| {
            world.clients.is_idle() && world.is_of_one_mind()
        });
        is_equal || self.violation.is_some()
    }

    /// Whether nothing keeps the cluster from being of one mind. It is asked often, and stores are long: they are compared
    /// only when nothing else differs.
    fn is_of_one_mind(&self) -> bool {
        let Some(leading) = self.leading() else {
            return false;
        };
        let mut nodes = self.led_by(leading);
        nodes.all(|(_, node)| lags(leading, node).is_none()) && self.disagreement().is_empty()
    }

    /// What keeps the cluster from being of one mind, in words; empty if nothing does.
    pub(super) fn disagreement(&self) -> String {
        let Some(leading) = self.leading() else {
            return "nobody leads".to_owned();
        };
        let differs = |(id, node): (&NodeId, &Node)| {
            let holds = || (node.store() != leading.store()).then_some("holds something else");
            let what = lags(leading, node).or_else(holds)?;
            Some(format!("{id} {what}"))
        };
        self.led_by(leading).find_map(differs).unwrap_or_default()
    }

    fn leading(&self) -> Option<&Node> {
        self.seat(self.leader()?).node.as_ref()
    }

    /// The members that live, as `leading` counts them.
    fn led_by<'a>(&'a self, leading: &'a Node) -> impl Iterator<Item = (&'a NodeId, &'a Node)> {
        let all = self
            .seats
            .iter()
            .filter_map(|seat| Some((&seat.id, seat.node.as_ref()?)));
        all.filter(move |(id, _)| leading.members().contains(id))
    }

    /// One reads every key when all is quiet: what it sees belongs to the history. Where all are to be equal in the end,
    /// every node is read.
    fn read_all(&mut self) {
        let Some(leader) = self.leader() else {
            return;
        };
        self.read_at(leader, READER);
        let others = self.places().filter(|place| *place != leader);
        let others: Vec<Place> = match self.plan.expect {
            Expect::Eventual => others.filter(|place| self.is_member(*place)).collect(),
            _ => Vec::new(),
        };
        for place in others {
            self.read_at(place, READER + 1 + usize::from(place));
        }
    }

    /// Whether whoever leads counts it among the members.
    fn is_member(&self, place: Place) -> bool {
        let leading = self
            .leader()
            .and_then(|leader| self.seat(leader).node.as_ref());
        leading.is_some_and(|leading| leading.members().contains(&self.seat(place).id))
    }

    fn read_at(&mut self, place: Place, reader: usize) {
        if self.seat(place).node.is_none() {
            return;
        }
        for key in 0..self.clients.keys().len() as u16 {
            let slot = self.seat(place).find(self.clients.key(key));
            let seen: Text = slot.map_or("null".into(), |slot| slot.value.as_str().into());
            let (now, name) = (self.now, self.clients.key(key).clone());
            self.note(place, || What::Found {
                key: name,
                seen: seen.clone(),
            });
            self.clients.read_by(reader, key, seen, now);
        }
    }
}

/// How `node` differs from its leader, but for what it holds.
fn lags(leading: &Node, node: &Node) -> Option<&'static str> {
    let (a, b) = (leading.log(), node.log());
    if node.leader() != Some(&leading.config().id) {
        Some("obeys somebody else")
    } else if a.last() != b.last() {
        Some("has another log")
    } else if node.applied_index() != leading.log().last_index() {
        Some("has not applied everything")
    } else if node.is_recovering() {
        Some("may not vote yet")
    } else {
        None
    }
}
