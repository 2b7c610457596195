//! What a scenario is played on: a live cluster, or one in virtual time. Whoever plays knows only this.

use crate::chaos::recording::Happened;
use crate::engine::Harm;
use crate::sim::plan::Micros;
use crate::store::Condition;
use crate::types::{EntryId, NodeId, Term};
use crate::value::{Key, Value};
use crate::wire::data::Consistency;
use crate::wire::faults::Trouble;

/// What was seen of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: NodeId,
    pub(crate) state: State,
    /// It claims to lead.
    pub(crate) leads: bool,
    pub(crate) term: Term,
    /// Whom it obeys.
    pub(crate) leader: Option<NodeId>,
    /// Where its log ends.
    pub(crate) last: Option<EntryId>,
    /// It has applied all that.
    pub(crate) has_applied: bool,
    /// Its disk was lost, and it may not vote yet.
    pub(crate) is_recovering: bool,
    /// Its disk failed: it takes no part.
    pub(crate) has_failed: bool,
}

/// Whether it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Up,
    Dead,
    Silent,
}

/// What was seen of all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) nodes: Vec<Seen>,
    /// How many writes were reported lost.
    pub(crate) lost: u64,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Question {
    Read(Consistency),
    Put(Value, Option<Condition>),
    Delete,
}

/// What it is answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Value(Option<(Value, Option<EntryId>)>),
    Done(Option<EntryId>),
    NotFound,
    Unmet,
    NotLeader,
    Refused(String),
    Unreachable,
    Unknown(String),
}

/// A fault that was set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Set {
    /// What the ground calls it.
    pub(crate) names: Vec<String>,
    /// It in words.
    pub(crate) what: String,
}

/// What a scenario is played on. Whoever is meant is named: roles were resolved before.
pub(crate) trait Ground {
    /// The time since the cluster stands.
    fn now(&self) -> Micros;

    /// Lets time pass.
    async fn pass(&mut self, by: Micros);

    /// What the nodes say of themselves just now.
    async fn look(&mut self) -> Result<View, String>;

    /// What a node holds of a key; `Err`: it does not say.
    async fn held(&mut self, node: &NodeId, key: &Key) -> Result<Option<Value>, ()>;

    /// Sets a fault; `seed` decides its chances. With `lasts` it ends by itself, whatever is waited for meanwhile.
    async fn set(
        &mut self,
        trouble: &Trouble,
        seed: u64,
        lasts: Option<Micros>,
    ) -> Result<Set, String>;

    /// Undoes these.
    async fn heal(&mut self, names: &[String]) -> Result<(), String>;

    /// Undoes all.
    async fn heal_all(&mut self) -> Result<(), String>;

    /// A node dies.
    async fn kill(&mut self, node: &NodeId, harm: Harm) -> Result<(), String>;

    /// A node starts again.
    async fn revive(&mut self, node: &NodeId, trust: bool) -> Result<(), String>;

    /// One more node.
    async fn add(&mut self) -> Result<(), String>;

    /// One node less.
    async fn remove(&mut self, node: &NodeId) -> Result<(), String>;

    /// Another leader.
    async fn transfer(&mut self, to: &NodeId) -> Result<(), String>;

    /// A client asks a node, and waits for the answer.
    async fn ask(&mut self, node: &NodeId, key: &Key, question: &Question) -> Answer;

    /// What was reported so far; all of it, once the cluster is at rest.
    async fn happened(&mut self) -> Vec<Happened>;

    /// What must always hold and does not.
    fn violation(&self) -> Option<(String, String)>;
}

impl View {
    /// Who claims to lead; the greatest claim first.
    pub(crate) fn claims(&self) -> Vec<&Seen> {
        let mut claims: Vec<&Seen> = self.nodes.iter().filter(|seen| seen.leads).collect();
        claims.sort_by(|a, b| (b.term, &a.id).cmp(&(a.term, &b.id)));
        claims
    }

    /// Who leads, of several by the greatest claim.
    pub(crate) fn leader(&self) -> Option<&Seen> {
        self.claims().first().copied()
    }

    /// Those who answer.
    pub(crate) fn up(&self) -> impl Iterator<Item = &Seen> {
        self.nodes.iter().filter(|seen| seen.state == State::Up)
    }

    /// The highest term that anybody is in.
    pub(crate) fn term(&self) -> Term {
        self.nodes.iter().map(|seen| seen.term).max().unwrap_or(0)
    }

    /// One leads, and all that are up obey it.
    pub(crate) fn is_settled(&self) -> bool {
        let Some(leader) = self.leader() else {
            return false;
        };
        let obeys =
            |seen: &Seen| seen.leader.as_ref() == Some(&leader.id) && seen.term == leader.term;
        self.claims().len() == 1 && self.up().all(obeys)
    }

    /// All that are up hold the same.
    pub(crate) fn is_equal(&self) -> bool {
        let mut up = self.up();
        let Some(first) = up.next() else { return true };
        first.has_applied && up.all(|seen| seen.has_applied && seen.last == first.last)
    }

    /// What keeps the cluster from being at rest, when all should be well.
    pub(crate) fn unrest(&self) -> Option<String> {
        if let Some(away) = self.nodes.iter().find(|seen| seen.state != State::Up) {
            return Some(format!("{} does not answer", away.id));
        }
        if !self.is_settled() {
            return Some("they do not agree on a leader".to_owned());
        }
        if self.nodes.iter().any(|seen| seen.is_recovering) {
            return Some("a node whose disk was lost may not vote yet".to_owned());
        }
        (!self.is_equal()).then(|| "they do not hold the same".to_owned())
    }

    /// What was seen, in a line.
    pub(crate) fn told(&self) -> String {
        let told = |seen: &Seen| {
            let what = match seen.state {
                State::Dead => "dead".to_owned(),
                State::Silent => "silent".to_owned(),
                State::Up if seen.has_failed => "its disk failed".to_owned(),
                State::Up if seen.leads => format!("leads term {}", seen.term),
                State::Up => match &seen.leader {
                    Some(leader) => format!("obeys {leader}, term {}", seen.term),
                    None => format!("obeys nobody, term {}", seen.term),
                },
            };
            format!("{} {what}", seen.id)
        };
        let nodes: Vec<String> = self.nodes.iter().map(told).collect();
        format!("{}; {} lost", nodes.join(", "), self.lost)
    }
}
