//! A scenario in virtual time: the simulator, driven by hand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chaos::recording::Happened;
use crate::engine;
use crate::event::Event;
use crate::protocol::{Change, Node, Refusal, Reply};
use crate::scenario::ground::{Answer, Ground, Question, Seen, Set, State, View};
use crate::scenario::shapes::Shapes;
use crate::sim::hand::{Errand, Hand, Told};
use crate::sim::plan::{Harm, Micros, Operation, Place, Who};
use crate::sim::{Moment, Plan, What};
use crate::types::{EntryId, NodeId};
use crate::value::{Key, Value};
use crate::wire::data::Consistency;
use crate::wire::faults::{Link, Trouble, Way};
use crate::wire::{fault_words, struck};

/// How long an operator waits for an answer, and how often one asks anew.
const OPERATOR: Micros = 5_000_000;
const TRIES: usize = 20;

/// What the simulator told so far.
#[derive(Debug, Default)]
struct Heard {
    happened: Vec<Happened>,
    /// How many writes were reported lost, each counted once.
    lost: u64,
    named: BTreeSet<EntryId>,
    operator: Option<Reply>,
}

impl Heard {
    fn take(&mut self, moment: Moment) {
        let node = Some(id(moment.place));
        let event = match moment.what {
            What::Reported(event) => event,
            What::Died { .. } => Event::Killed,
            What::Started if moment.at > 0 => Event::Revived,
            What::DiskLost => Event::Wiped,
            What::OperatorAnswered { reply } => {
                self.operator = Some(reply);
                return;
            }
            _ => return,
        };
        if let Event::Lost(loss) = &event {
            let named: Vec<&EntryId> = loss
                .writes
                .iter()
                .filter_map(|w| w.entry.as_ref())
                .collect();
            let unnamed = loss.count.saturating_sub(named.len() as u64);
            let fresh = named
                .into_iter()
                .filter(|entry| self.named.insert((*entry).clone()));
            self.lost += unnamed + fresh.count() as u64;
        }
        let at = moment.at / 1000;
        self.happened.push(Happened { at, node, event });
    }
}

/// A cluster in virtual time.
pub(crate) struct Virtual {
    hand: Hand,
    heard: Arc<Mutex<Heard>>,
    shapes: Shapes,
    patience: Micros,
}

impl Virtual {
    pub(crate) fn new(plan: &Arc<Plan>) -> Virtual {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let sink = heard.clone();
        let sink = move |moment| lock(&sink).take(moment);
        Virtual {
            hand: Hand::new(plan, Some(Box::new(sink))),
            heard,
            shapes: Shapes::default(),
            patience: plan.scale.write_timeout + 2_000_000,
        }
    }

    fn place(&self, name: &str) -> Result<Place, String> {
        let place = NodeId::new(name).ok().and_then(|id| place_of(&id));
        let place = place.filter(|place| self.hand.places().contains(place));
        place.ok_or_else(|| format!("there is no {name}"))
    }

    fn places(&self, names: &[String]) -> Result<Vec<Place>, String> {
        names.iter().map(|name| self.place(name)).collect()
    }

    fn each(&mut self, nodes: &[String], harm: impl Fn(Who) -> Harm) -> Result<Vec<u32>, String> {
        let places = self.places(nodes)?;
        Ok(places
            .into_iter()
            .map(|place| self.hand.harm(&harm(Who::Node(place))))
            .collect())
    }

    /// Strikes links.
    fn block(&mut self, trouble: &Trouble) -> Result<u32, String> {
        let among = self.nodes();
        let (blocks, fault, only) = trouble.blocks(&among)?;
        let links: Vec<Link> = struck::links(&blocks).into_iter().collect();
        if links.is_empty() {
            return Err("there is no link between these nodes".to_owned());
        }
        let places = |ids: &[NodeId]| {
            let places = ids.iter().map(|id| self.place(id.as_str()));
            places.collect::<Result<Vec<Place>, String>>()
        };
        let blocks = blocks
            .iter()
            .map(|(from, to)| Ok((places(from)?, places(to)?)));
        let blocks = blocks.collect::<Result<Vec<_>, String>>()?;
        let number = self.hand.block(&blocks, fault, &only);
        self.shapes.set(number, trouble, links, among);
        Ok(number)
    }

    /// One more node is to come: partitions in force are its too, before it says a word.
    fn reshape(&mut self) {
        let mut now = self.nodes();
        now.extend(self.hand.next_place().map(id));
        for (number, links) in self.shapes.among(&now) {
            let ends = |link: &Link| Some((place_of(&link.from)?, place_of(&link.to)?));
            let links: Vec<(Place, Place)> = links.iter().filter_map(ends).collect();
            self.hand.cut_instead(number, &links);
        }
    }

    fn nodes(&self) -> Vec<NodeId> {
        self.hand.places().into_iter().map(id).collect()
    }

    fn strike(&mut self, trouble: &Trouble) -> Result<Vec<u32>, String> {
        Ok(match trouble {
            Trouble::Links { .. }
            | Trouble::Partition { .. }
            | Trouble::Bridge { .. }
            | Trouble::Ring => vec![self.block(trouble)?],
            Trouble::Split { .. } => return Err("two halves were not drawn".to_owned()),
            Trouble::Isolate { nodes, way } => self.each(nodes, |who| Harm::Isolate {
                who,
                out: *way != Way::In,
                into: *way != Way::Out,
            })?,
            Trouble::Client { nodes, fault } => {
                let places = self.places(nodes)?;
                vec![self.hand.between_clients(&places, *fault)]
            }
            Trouble::Pause { nodes } => self.each(nodes, Harm::Pause)?,
            Trouble::Skew { nodes, rate_ppm } => {
                self.each(nodes, |who| Harm::Skew(who, *rate_ppm))?
            }
            Trouble::Jump { nodes, by } => {
                self.each(nodes, |who| Harm::Jump(who, by.as_micros() as Micros))?
            }
            Trouble::SlowDisk { nodes, by } => {
                self.each(nodes, |who| Harm::SlowDisk(who, by.as_micros() as Micros))?
            }
            Trouble::FullDisk { nodes } | Trouble::FailSync { nodes } => {
                self.each(nodes, Harm::FailSync)?
            }
            Trouble::CorruptTail { nodes } => {
                for place in self.places(nodes)? {
                    self.hand.kill(place, engine::Harm::TearTail);
                }
                Vec::new()
            }
        })
    }

    async fn operate(&mut self, operation: Operation) -> Result<(), String> {
        let mut why = "nobody leads".to_owned();
        for _ in 0..TRIES {
            lock(&self.heard).operator = None;
            if operation == Operation::Add {
                self.reshape();
            }
            self.hand.operate(operation);
            let end = self.hand.now() + OPERATOR;
            while self.hand.now() < end && lock(&self.heard).operator.is_none() {
                self.hand.pass(1_000);
            }
            match lock(&self.heard).operator.take() {
                Some(Reply::Changed) => return Ok(()),
                Some(Reply::Refused {
                    refusal: Refusal::Denied,
                    reason,
                }) => return Err(reason),
                Some(Reply::Refused { reason, .. }) => why = reason,
                Some(Reply::GivenUp { reason }) => return Err(reason),
                // Nobody knows whether it is a member: one more would make two.
                Some(Reply::Unknown { reason }) if operation == Operation::Add => {
                    return Err(reason);
                }
                None if operation == Operation::Add => {
                    return Err("no answer came in time".to_owned());
                }
                Some(_) | None => {}
            }
            self.hand.pass(100_000);
        }
        Err(why)
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ground for Virtual {
    fn now(&self) -> Micros {
        self.hand.now()
    }

    async fn pass(&mut self, by: Micros) {
        self.hand.pass(by);
    }

    async fn look(&mut self) -> Result<View, String> {
        let places = self.hand.places();
        Ok(View {
            nodes: places
                .into_iter()
                .map(|place| seen(&self.hand, place))
                .collect(),
            lost: lock(&self.heard).lost,
        })
    }

    async fn held(&mut self, node: &NodeId, key: &Key) -> Result<Option<Value>, ()> {
        let place = self.place(node.as_str()).map_err(drop)?;
        self.hand.held(place, key).ok_or(())
    }

    async fn set(
        &mut self,
        trouble: &Trouble,
        _seed: u64,
        lasts: Option<Micros>,
    ) -> Result<Set, String> {
        let (names, all) = (self.strike(trouble)?, self.nodes());
        for number in names.iter().copied() {
            if let Some(time) = lasts {
                self.hand.lift_in(number, time);
            }
        }
        Ok(Set {
            names: names.iter().map(ToString::to_string).collect(),
            what: fault_words::what(&trouble.spelled_out(&all), all.len()),
        })
    }

    async fn heal(&mut self, names: &[String]) -> Result<(), String> {
        for number in names.iter().filter_map(|name| name.parse().ok()) {
            self.hand.lift(number);
        }
        Ok(())
    }

    async fn heal_all(&mut self) -> Result<(), String> {
        self.hand.heal();
        Ok(())
    }

    async fn kill(&mut self, node: &NodeId, harm: engine::Harm) -> Result<(), String> {
        let place = self.place(node.as_str())?;
        self.hand.kill(place, harm);
        Ok(())
    }

    async fn revive(&mut self, node: &NodeId, trust: bool) -> Result<(), String> {
        if trust {
            return Err("in virtual time nobody trusts a disk that was lost".to_owned());
        }
        let place = self.place(node.as_str())?;
        self.hand.revive(place);
        Ok(())
    }

    async fn add(&mut self) -> Result<(), String> {
        self.operate(Operation::Add).await
    }

    async fn remove(&mut self, node: &NodeId) -> Result<(), String> {
        let place = self.place(node.as_str())?;
        self.operate(Operation::Remove(Who::Node(place))).await
    }

    async fn transfer(&mut self, to: &NodeId) -> Result<(), String> {
        let place = self.place(to.as_str())?;
        self.operate(Operation::Transfer(Some(Who::Node(place))))
            .await
    }

    async fn ask(&mut self, node: &NodeId, key: &Key, question: &Question) -> Answer {
        let Ok(place) = self.place(node.as_str()) else {
            return Answer::Unreachable;
        };
        let errand = match question {
            Question::Read(Consistency::Local) => Errand::Local,
            Question::Read(Consistency::Leader) => Errand::AtLeader,
            Question::Read(Consistency::Linearizable) => Errand::Linearizable,
            Question::Put(value, condition) => {
                Errand::Write(Change::Put(value.clone()), condition.clone())
            }
            Question::Delete => Errand::Write(Change::Delete, None),
        };
        let is_read = matches!(question, Question::Read(_));
        match self.hand.ask(place, key, errand, self.patience) {
            Some(told) => answer(told, is_read),
            None => Answer::Unknown("no answer came in time".to_owned()),
        }
    }

    async fn happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut lock(&self.heard).happened)
    }

    fn violation(&self) -> Option<(String, String)> {
        let violation = self.hand.violation()?;
        Some((violation.invariant.to_owned(), violation.what.clone()))
    }
}

fn answer(told: Told, is_read: bool) -> Answer {
    match told {
        Told::Found(found) => Answer::Value(found.map(|(value, version)| (value, Some(version)))),
        Told::NotLeader => Answer::Refused("it does not lead".to_owned()),
        Told::Unreachable => Answer::Unreachable,
        Told::Broken => Answer::Unknown("the connection broke before an answer came".to_owned()),
        Told::Reply(reply) => match reply {
            Reply::Done { version, .. } => Answer::Done(Some(version)),
            Reply::NoSuchKey => Answer::NotFound,
            Reply::Unmet { .. } => Answer::Unmet,
            Reply::NotLeader { .. } if !is_read => Answer::NotLeader,
            Reply::NotLeader { .. } => Answer::Refused("it does not lead".to_owned()),
            Reply::Unknown { reason } | Reply::GivenUp { reason } => Answer::Unknown(reason),
            Reply::Unavailable { reason } | Reply::Refused { reason, .. } => {
                Answer::Refused(reason)
            }
            Reply::Mistaken | Reply::Unusable | Reply::Readable | Reply::Changed => {
                Answer::Refused("it is no answer to that".to_owned())
            }
            Reply::Unsupported => Answer::Refused("the mode cannot promise that".to_owned()),
        },
    }
}

fn place_of(node: &NodeId) -> Option<Place> {
    Place::try_from(node.number()?.checked_sub(1)?).ok()
}

fn id(place: Place) -> NodeId {
    NodeId::nth(usize::from(place) + 1)
}

fn seen(hand: &Hand, place: Place) -> Seen {
    let (node, is_paused, has_failed) = hand.node(place);
    let state = match node {
        None => State::Dead,
        Some(_) if is_paused => State::Silent,
        Some(_) => State::Up,
    };
    let node = node.filter(|_| !is_paused);
    Seen {
        id: id(place),
        state,
        leads: node.is_some_and(Node::leads) && !has_failed,
        term: node.map_or(0, Node::term),
        leader: node.and_then(Node::leader).cloned(),
        last: node.and_then(|node| node.log().last()),
        has_applied: node.is_some_and(|node| node.applied_index() == node.log().last_index()),
        is_recovering: node.is_some_and(Node::is_recovering),
        has_failed,
    }
}
