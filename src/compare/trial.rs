//! What is done to every pair, on ports and in virtual time alike: it is read right after it was written, its leaders are
//! killed under writes, its nodes are killed one by one.

use crate::compare::LATE;
use crate::compare::findings::{Answered, Findings};
use crate::engine::Harm;
use crate::faults::{Fault, Traffic};
use crate::scenario::Setup;
use crate::scenario::ground::{Answer, Ground, Question, Set, View};
use crate::sim::plan::Micros;
use crate::types::{Mode, NodeId};
use crate::value::{Key, Value};
use crate::wire::data::Consistency;
use crate::wire::faults::Trouble;

/// How often to look.
const GLANCE: Micros = 5_000;

/// How long everybody may take to be back and to agree.
const REST: Micros = 60_000_000;

/// How long after a leader's death a write is tried until it counts as never acknowledged.
pub const FAILOVER: Micros = 2_000_000;

/// How many writes a leader acknowledges before it dies.
pub const WRITES: usize = 5;

/// How many reads right after a write.
const READS: usize = 8;

/// How often each kind of operation is tried with nodes gone.
const TRIES: usize = 2;

/// How many calls are timed where there is no load.
const CALLS: usize = 20;

/// A cluster, and what is done to it.
pub(super) struct Trial<G> {
    ground: G,
    mode: Mode,
    nodes: usize,
    written: usize,
}

impl<G: Ground> Trial<G> {
    pub(super) fn on(ground: G, setup: &Setup) -> Trial<G> {
        Trial {
            ground,
            mode: setup.mode,
            nodes: setup.nodes,
            written: 0,
        }
    }

    /// All of it, with so many deaths.
    pub(super) async fn play(mut self, deaths: usize, found: &mut Findings) -> Result<(), String> {
        self.read_at_once(found).await?;
        for _ in 0..deaths {
            self.kill_the_leader(found).await?;
        }
        self.kill_one_by_one(found).await?;
        match self.ground.violation() {
            None => Ok(()),
            Some((invariant, what)) => Err(format!("{invariant} does not hold: {what}")),
        }
    }

    /// How long a write and a read take when nothing else is asked.
    pub(super) async fn time_calls(&mut self, found: &mut Findings) -> Result<(), String> {
        let leader = self.rest().await?;
        let (mut puts, mut gets) = (Vec::new(), Vec::new());
        for _ in 0..CALLS {
            let began = self.ground.now();
            let key = self.put(&leader).await;
            let written = self.ground.now();
            let key = key.ok_or("a write in quiet times was not acknowledged")?;
            let question = Question::Read(Consistency::Local);
            self.ground.ask(&leader, &key, &question).await;
            puts.push(written - began);
            gets.push(self.ground.now() - written);
        }
        found.put.add(puts);
        found.get.add(gets);
        Ok(())
    }

    /// Each write is read at once: from a follower's own copy, and in the strongest way the pair offers.
    async fn read_at_once(&mut self, found: &mut Findings) -> Result<(), String> {
        let leader = self.rest().await?;
        let late = self.delay(&leader).await?;
        let view = self.ground.look().await?;
        let others = view.nodes.iter().map(|seen| &seen.id);
        let followers: Vec<&NodeId> = others.filter(|id| **id != leader).collect();
        let key = Key::new("read-at-once");
        for n in 0..READS {
            let value = Value::string(&n.to_string());
            let write = Question::Put(value.clone(), None);
            let answer = self.ground.ask(&leader, &key, &write).await;
            if !matches!(answer, Answer::Done(_)) {
                continue;
            }
            let follower = followers[n % followers.len()];
            let is_stale = |answer: &Answer| {
                let shown = match answer {
                    Answer::Value(shown) => shown.as_ref().map(|(value, _)| value),
                    Answer::NotFound => None,
                    _ => return None,
                };
                Some(shown != Some(&value))
            };
            let copy = Question::Read(Consistency::Local);
            if let Some(stale) = is_stale(&self.ground.ask(follower, &key, &copy).await) {
                found.stale.reads += 1;
                found.stale.stale += usize::from(stale);
            }
            let (strongest, at) = self.strongest(&leader, follower);
            if let Some(stale) = is_stale(&self.ground.ask(&at, &key, &strongest).await) {
                found.stale.strongest_reads += 1;
                found.stale.strongest_stale += usize::from(stale);
            }
        }
        self.ground.heal(&late.names).await
    }

    /// The strongest read there is, and who is asked: where reads can be linearizable, any node.
    fn strongest(&self, leader: &NodeId, follower: &NodeId) -> (Question, NodeId) {
        match self.mode.is_linearizable() {
            true => (Question::Read(Consistency::Linearizable), follower.clone()),
            false => (Question::Read(Consistency::Leader), leader.clone()),
        }
    }

    /// A leader whose replication is late acknowledges some writes and dies; somebody else must take over. Then it comes
    /// back, and what was acknowledged is looked for.
    async fn kill_the_leader(&mut self, found: &mut Findings) -> Result<(), String> {
        let leader = self.rest().await?;
        let late = self.delay(&leader).await?;
        let mut acknowledged = Vec::new();
        for _ in 0..WRITES {
            acknowledged.extend(self.put(&leader).await);
        }
        let died = self.ground.now();
        self.ground.kill(&leader, Harm::None).await?;
        self.ground.heal(&late.names).await?;
        let next = self.put_somewhere(died + FAILOVER).await?;
        let took = next.as_ref().map(|_| self.ground.now() - died);
        let took = took.filter(|took| *took <= FAILOVER);
        acknowledged.extend(next);
        found.failover.add(took);
        self.ground.revive(&leader, false).await?;
        let leader = self.rest().await?;
        found.deaths.deaths += 1;
        found.deaths.acknowledged += acknowledged.len();
        for key in acknowledged {
            found.deaths.lost += usize::from(!self.has(&leader, &key).await?);
        }
        Ok(())
    }

    /// Nodes die one by one, the leader first, and each time it is seen what is still answered.
    async fn kill_one_by_one(&mut self, found: &mut Findings) -> Result<(), String> {
        self.rest().await?;
        let mut dead = Vec::new();
        while dead.len() <= self.nodes / 2 {
            let view = self.ground.look().await?;
            let victim = view.leader().or(view.up().next());
            let victim = victim.ok_or("nobody is left to be killed")?.id.clone();
            self.ground.kill(&victim, Harm::None).await?;
            dead.push(victim);
            self.await_leader(dead.len()).await?;
            if dead.len() == 1 {
                self.try_all(&mut found.one_gone).await?;
            }
        }
        self.try_all(&mut found.majority_gone).await?;
        for node in &dead {
            self.ground.revive(node, false).await?;
        }
        self.rest().await.map(drop)
    }

    /// Writes and reads of each kind are tried, at whoever is left.
    async fn try_all(&mut self, answered: &mut Answered) -> Result<(), String> {
        let key = Key::new("read-at-once");
        for _ in 0..TRIES {
            answered.writes_tried += 1;
            let written = self.put_somewhere(self.ground.now()).await?;
            answered.writes += usize::from(written.is_some());
            let view = self.ground.look().await?;
            let up = in_order(&view);
            let strongest = match self.mode.is_linearizable() {
                true => Consistency::Linearizable,
                false => Consistency::Leader,
            };
            answered.reads_tried += 1;
            answered.reads += usize::from(self.is_read(&up, &key, strongest).await);
            answered.copies_tried += 1;
            answered.copies += usize::from(self.is_read(&up, &key, Consistency::Local).await);
        }
        Ok(())
    }

    async fn is_read(&mut self, nodes: &[NodeId], key: &Key, consistency: Consistency) -> bool {
        for node in nodes {
            let question = Question::Read(consistency);
            let answer = self.ground.ask(node, key, &question).await;
            if matches!(answer, Answer::Value(_) | Answer::NotFound) {
                return true;
            }
        }
        false
    }

    /// Writes a new key at a node; the key, if that is acknowledged.
    async fn put(&mut self, node: &NodeId) -> Option<Key> {
        self.written += 1;
        let key = Key::new(&format!("write-{}", self.written));
        let write = Question::Put(Value::string("it is there"), None);
        let answer = self.ground.ask(node, &key, &write).await;
        matches!(answer, Answer::Done(_)).then_some(key)
    }

    /// Writes new keys at whoever is there, until one is acknowledged or it is too late; everybody is asked once.
    async fn put_somewhere(&mut self, until: Micros) -> Result<Option<Key>, String> {
        loop {
            let view = self.ground.look().await?;
            for node in in_order(&view) {
                if let Some(key) = self.put(&node).await {
                    return Ok(Some(key));
                }
            }
            if self.ground.now() >= until {
                return Ok(None);
            }
            self.ground.pass(GLANCE).await;
        }
    }

    async fn has(&mut self, node: &NodeId, key: &Key) -> Result<bool, String> {
        let question = Question::Read(Consistency::Leader);
        match self.ground.ask(node, key, &question).await {
            Answer::Value(found) => Ok(found.is_some()),
            Answer::NotFound => Ok(false),
            other => Err(format!("{node} led, and answered a read {other:?}")),
        }
    }

    /// What a leader tells others of writes is late from now on.
    async fn delay(&mut self, leader: &NodeId) -> Result<Set, String> {
        let view = self.ground.look().await?;
        let ids = view.nodes.iter().map(|seen| seen.id.to_string());
        let trouble = Trouble::Links {
            from: vec![leader.to_string()],
            to: ids.filter(|id| *id != leader.as_str()).collect(),
            fault: Fault {
                delay: LATE,
                ..Fault::default()
            },
            only: vec![Traffic::Replicate],
            one_way: true,
        };
        self.ground.set(&trouble, 1, None).await
    }

    /// Waits until all are there and agree; who leads then.
    async fn rest(&mut self) -> Result<NodeId, String> {
        let end = self.ground.now() + REST;
        loop {
            let view = self.ground.look().await?;
            let unrest = view.unrest();
            if let (None, Some(leader)) = (&unrest, view.leader()) {
                return Ok(leader.id.clone());
            }
            if self.ground.now() >= end {
                let why = unrest.unwrap_or_default();
                return Err(format!("after {} s still: {why}", REST / 1_000_000));
            }
            self.ground.pass(GLANCE).await;
        }
    }

    /// Gives those who are left the time in which they should find a leader: much, where they are a majority.
    async fn await_leader(&mut self, dead: usize) -> Result<(), String> {
        let patience = match 2 * dead < self.nodes {
            true => REST,
            false => FAILOVER,
        };
        let end = self.ground.now() + patience;
        while self.ground.now() < end && !self.ground.look().await?.is_settled() {
            self.ground.pass(GLANCE).await;
        }
        Ok(())
    }
}

/// Whoever answers, those first who claim to lead.
fn in_order(view: &View) -> Vec<NodeId> {
    let mut up: Vec<_> = view.up().collect();
    up.sort_by_key(|seen| !seen.leads);
    up.into_iter().map(|seen| seen.id.clone()).collect()
}
