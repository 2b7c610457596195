//! Faults of a running cluster: a book of what is in force, each under a name of its own, and what it takes to set and to
//! undo it.

mod links;
mod nodes;
mod resolve;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::engine::{Engine, EngineError};
use crate::event::Event;
use crate::rng::Rng;
use crate::runtime::cluster::Cluster;
use crate::types::NodeId;
use crate::wire::fault_words;
use crate::wire::faults::{FaultInForce, FaultOrder, HealOrder, Healed, Link, Meant, Trouble};

/// What is in force.
#[derive(Debug, Default)]
pub(super) struct Book {
    inner: Mutex<Inner>,
    /// Held by whoever sets or undoes faults.
    pub(super) changes: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many of each kind there were.
    counts: BTreeMap<&'static str, u32>,
    last: u32,
    standing: Vec<Standing>,
}

/// A fault in force.
#[derive(Debug, Clone)]
struct Standing {
    /// What the verdicts know it by.
    number: u32,
    /// What was ordered, with nodes in place of roles: who comes later is struck by that.
    order: Trouble,
    /// Who was there when it was set, or when somebody last came or went.
    among: Vec<NodeId>,
    shown: FaultInForce,
}

/// What is to be written down of a new fault.
struct Entry {
    trouble: Trouble,
    struck: Vec<NodeId>,
    links: Vec<Link>,
    lasts: bool,
}

/// What all faults of one order share.
struct Ordered {
    roles: Vec<Meant>,
    until: Option<Duration>,
    by: String,
    seed: u64,
    /// Who is there.
    all: Vec<NodeId>,
}

impl Book {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn list(&self) -> Vec<FaultInForce> {
        let inner = self.inner();
        inner.standing.iter().map(|one| one.shown.clone()).collect()
    }

    /// Whether one in force is so.
    fn has(&self, is_so: impl Fn(&FaultInForce) -> bool) -> bool {
        let inner = self.inner();
        inner.standing.iter().any(|one| is_so(&one.shown))
    }

    fn number(&self) -> u32 {
        let mut inner = self.inner();
        inner.last += 1;
        inner.last
    }

    /// Writes a fault down, under a name that none had before.
    fn enter(&self, number: u32, entry: Entry, ordered: &Ordered) -> FaultInForce {
        let mut inner = self.inner();
        let word = fault_words::word(&entry.trouble);
        let count = inner.counts.entry(word).or_default();
        *count += 1;
        let name = format!("{word}-{count}");
        let now = SystemTime::now();
        let trouble = entry.trouble.spelled_out(&ordered.all);
        let shown = FaultInForce {
            what: fault_words::what(&trouble, ordered.all.len()),
            expect: fault_words::expect(&entry.trouble).to_owned(),
            undo: fault_words::undo(&entry.trouble, &name),
            struck: entry.struck,
            links: entry.links,
            trouble,
            roles: ordered.roles.clone(),
            since: shown_at(now),
            until: match (entry.lasts, ordered.until) {
                (true, Some(time)) => Some(shown_at(now + time)),
                _ => None,
            },
            by: ordered.by.clone(),
            lasts: entry.lasts,
            name,
        };
        if entry.lasts {
            inner.standing.push(Standing {
                number,
                order: entry.trouble,
                among: ordered.all.clone(),
                shown: shown.clone(),
            });
        }
        shown
    }

    fn all(&self) -> Vec<Standing> {
        self.inner().standing.clone()
    }

    fn find(&self, name: &str) -> Option<Standing> {
        let inner = self.inner();
        let mut standing = inner.standing.iter();
        standing.find(|one| one.shown.name == name).cloned()
    }

    fn strike_out(&self, name: &str) {
        let mut inner = self.inner();
        inner.standing.retain(|one| one.shown.name != name);
    }

    fn rewrite(&self, standing: &Standing) {
        let mut inner = self.inner();
        let mut all = inner.standing.iter_mut();
        if let Some(one) = all.find(|one| one.number == standing.number) {
            *one = standing.clone();
        }
    }
}

fn shown_at(moment: SystemTime) -> String {
    humantime::format_rfc3339_millis(moment).to_string()
}

/// The longest that a fault can be ordered to last, in milliseconds: a day.
const LONGEST: u64 = 86_400_000;

/// How long to wait before a fault whose time is over, and which could not be undone, is tried to be undone again.
const AGAIN: Duration = Duration::from_secs(1);

fn check_time(for_ms: Option<u64>) -> Result<(), EngineError> {
    let why = match for_ms {
        Some(0) => "a fault that lasts no time does nothing",
        Some(time) if time > LONGEST => "a fault lasts a day at most, or until it is undone",
        _ => return Ok(()),
    };
    Err(EngineError::Senseless(why.to_owned()))
}

impl Cluster {
    /// Sets what is ordered, and sees to it that it ends in time.
    pub(super) async fn set_faults(
        &self,
        order: FaultOrder,
    ) -> Result<Vec<FaultInForce>, EngineError> {
        let _alone = self.book.changes.lock().await;
        check_time(order.for_ms)?;
        let seed = order.seed.unwrap_or_else(|| self.seeds().draw());
        let (trouble, roles) = self.resolve(order.trouble, &mut Rng::new(seed)).await?;
        let ordered = Ordered {
            roles,
            until: order.for_ms.map(Duration::from_millis),
            by: order.by,
            seed,
            all: self.ids(),
        };
        let set = match trouble.is_of_links() {
            true => vec![self.set_links(trouble, &ordered)?],
            false => self.set_on_nodes(trouble, &ordered).await?,
        };
        for fault in &set {
            self.tell_set(fault);
        }
        if let Some(time) = ordered.until {
            let lasting = set.iter().filter(|fault| fault.lasts);
            self.undo_in(time, lasting.map(|fault| fault.name.clone()).collect());
        }
        Ok(set)
    }

    fn tell_set(&self, fault: &FaultInForce) {
        let (name, what, by) = (fault.name.clone(), fault.what.clone(), fault.by.clone());
        let until = fault.until.clone();
        let event = Event::FaultSet {
            name,
            what,
            until,
            by,
        };
        self.report(None, event);
    }

    /// Undoes each of these when their time is over, whatever becomes of whoever ordered them, and of the others.
    fn undo_in(&self, time: Duration, names: Vec<String>) {
        for name in names {
            let cluster = self.myself();
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                // Somebody may have undone it before; who cannot be restarted now may be later.
                while let Some(cluster) = cluster.upgrade()
                    && let Err(error) = cluster.undo(&name, "its time is over").await
                    && !matches!(error, EngineError::Stopping)
                {
                    drop(cluster);
                    tokio::time::sleep(AGAIN).await;
                }
            });
        }
    }

    /// Undoes what is ordered; what is not in force is refused before anything is undone. What cannot be undone keeps
    /// nothing else in force; it is told when all others are.
    pub(super) async fn heal_faults(&self, order: HealOrder) -> Result<Healed, EngineError> {
        if let Some((a, b)) = &order.between {
            return self.heal_between(a, b, &order.by).await;
        }
        let in_force: Vec<String> = self.book.list().into_iter().map(|one| one.name).collect();
        let is_all = order.names.is_none();
        let names = order.names.unwrap_or_else(|| in_force.clone());
        let is_unknown = |name: &&String| !in_force.contains(name);
        let unknown: Vec<String> = names.iter().filter(is_unknown).cloned().collect();
        if !unknown.is_empty() {
            return Err(EngineError::UnknownFaults {
                names: unknown,
                in_force,
            });
        }
        let (mut undone, mut failed): (Vec<FaultInForce>, _) = (Vec::new(), None);
        for name in names {
            match self.undo(&name, &order.by).await {
                // One whose time was over in this moment is undone as well.
                Ok(fault) => undone.extend(fault),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if is_all {
            self.lift_what_nobody_knows().await;
        }
        let eased = Vec::new();
        match failed {
            None => Ok(Healed { undone, eased }),
            Some(source) => Err(EngineError::HealedInPart {
                undone: undone.into_iter().map(|fault| fault.name).collect(),
                source: Box::new(source),
            }),
        }
    }

    /// What no name stands for could be undone by nobody: whoever heals everything heals that too.
    async fn lift_what_nobody_knows(&self) {
        let _alone = self.book.changes.lock().await;
        let known: Vec<u32> = self.book.all().iter().map(|one| one.number).collect();
        self.change_faults(|faults| faults.lift_all_but(&known));
    }

    async fn undo(&self, name: &str, by: &str) -> Result<Option<FaultInForce>, EngineError> {
        let _alone = self.book.changes.lock().await;
        self.undo_alone(name, by).await
    }

    /// Whoever calls holds `changes`.
    async fn undo_alone(&self, name: &str, by: &str) -> Result<Option<FaultInForce>, EngineError> {
        let Some(standing) = self.book.find(name) else {
            return Ok(None);
        };
        match standing.shown.trouble.is_of_links() {
            true => self.change_faults(|faults| {
                faults.lift(standing.number);
            }),
            false => {
                self.undo_on_nodes(&standing.shown, standing.number).await?;
            }
        }
        // A node that was started again for it has told so already.
        if self.book.find(name).is_some() {
            self.book.strike_out(name);
            self.tell_undone(&standing.shown, by);
        }
        Ok(Some(standing.shown))
    }

    fn tell_undone(&self, fault: &FaultInForce, by: &str) {
        let (name, what, by) = (fault.name.clone(), fault.what.clone(), by.to_owned());
        self.report(None, Event::FaultUndone { name, what, by });
    }
}

/// `nodes` in an order that chance decides.
fn shuffled(mut nodes: Vec<NodeId>, rng: &mut Rng) -> Vec<NodeId> {
    rng.shuffle(&mut nodes);
    nodes
}
