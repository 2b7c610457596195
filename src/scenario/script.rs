//! A scenario that was read and makes sense: what is done, step by step.

use std::ops::Range;
use std::time::Duration;

use crate::engine::Harm;
use crate::scenario::expected::{ConditionTable, Reply};
use crate::scenario::format::{File, StepTable, Wanted};
use crate::scenario::{deeds, sense};
use crate::sim::Expect;
use crate::sim::plan::Micros;
use crate::types::{Config, Mode, Safeguards};
use crate::value::{Key, Value};
use crate::wire::data::Consistency;
use crate::wire::faults::{Trouble, Who};

/// How long anything is awaited that says nothing else. Long: only what is broken needs it.
pub const WITHIN: Duration = Duration::from_secs(30);

/// A scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it shows, in a line.
    pub name: String,
    /// The public report it follows, if it follows one.
    pub source: Option<String>,
    /// What the run is held to in the end.
    pub promise: Expect,
    /// How that is expected to come out.
    pub verdict: Wanted,
    /// The cluster.
    pub setup: Setup,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// The cluster of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// How many nodes.
    pub nodes: usize,
    /// The rules.
    pub mode: Mode,
    /// What keeps raft elections calm.
    pub safeguards: Safeguards,
    /// How often a leader shows that it lives.
    pub heartbeat: Duration,
    /// How long a follower waits for it.
    pub election_timeout: Duration,
    /// How long a write waits for its acknowledgements.
    pub write_timeout: Duration,
}

/// When, and one thing that is done.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it is written.
    pub line: usize,
    /// Not before this time.
    pub at: Option<Micros>,
    /// Not before this holds.
    pub after: Option<ConditionTable>,
    /// How long what is awaited may take.
    pub within: Micros,
    /// How long it lasts.
    pub lasts: Option<Micros>,
    /// By which it can be healed.
    pub name: Option<String>,
    /// Who leads is remembered.
    pub remember: bool,
    /// What is done.
    pub deed: Deed,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Nothing: only something is awaited, or remembered.
    Nothing,
    /// A fault begins.
    Trouble(Trouble),
    /// Nodes that stand still go on.
    Resume(Vec<Who>),
    /// This fault is undone; none: all are.
    Heal(Option<String>),
    /// Nodes die.
    Kill(Vec<Who>, Harm),
    /// Nodes start again, or vote even if their disk was lost.
    Revive(Vec<Who>, bool),
    /// One more node.
    Add,
    /// One node less.
    Remove(Who),
    /// Another leader.
    Transfer(Who),
    /// A client asks.
    Ask(Asking),
    /// Something is awaited.
    Eventually(ConditionTable),
    /// Something is to hold.
    Always(ConditionTable),
}

/// What a client asks, and what it is to be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// Which key.
    pub key: Key,
    /// Who is asked.
    pub node: Who,
    /// For what.
    pub call: Call,
    /// One of these; none: anything.
    pub expect: Vec<Reply>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// The value.
    Read(Consistency),
    /// A new value.
    Put(Value),
    /// A new value, if it holds that one; if it holds none.
    Cas(Option<Value>, Value),
    /// No value.
    Delete,
}

/// What is wrong with a scenario, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The key, if it is about one.
    pub key: Option<String>,
    /// What is wrong, and what was expected.
    pub what: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            Some(key) => write!(f, "line {}, {key}: {}", self.line, self.what),
            None => write!(f, "line {}: {}", self.line, self.what),
        }
    }
}

impl Scenario {
    /// Reads and checks a scenario.
    pub fn read(text: &str) -> Result<Scenario, Mistake> {
        let file: File = toml::from_str(text).map_err(|error| mistaken(text, &error))?;
        let setup = setup(text, &file)?;
        let within = file
            .within
            .map_or(WITHIN.as_micros() as Micros, |within| within.micros());
        let mut steps = Vec::new();
        for step in &file.steps {
            let place = Place {
                text,
                from: step.span().start,
            };
            steps.push(read_step(&place, step.get_ref(), within)?);
        }
        let scenario = Scenario {
            name: file.name,
            source: file.source,
            promise: file.promise,
            verdict: file.verdict,
            setup,
            steps,
        };
        sense::check(text, &scenario, &file.steps)?;
        Ok(scenario)
    }

    /// Whether it does what only a disk can suffer: what is in memory has no end that could be torn.
    pub fn needs_disks(&self) -> bool {
        let is_torn = |step: &Step| matches!(step.deed, Deed::Trouble(Trouble::CorruptTail { .. }));
        self.steps.iter().any(is_torn)
    }
}

fn read_step(place: &Place, table: &StepTable, within: Micros) -> Result<Step, Mistake> {
    Ok(Step {
        line: place.line(None),
        at: table.at.as_ref().map(|at| at.get_ref().micros()),
        after: table.after.clone(),
        within: table.within.map_or(within, |within| within.micros()),
        lasts: table.lasts.map(|lasts| lasts.micros()),
        name: table.name.clone(),
        remember: table.remember,
        deed: deeds::of(place, table)?,
    })
}

fn setup(text: &str, file: &File) -> Result<Setup, Mistake> {
    let table = &file.cluster;
    let nodes = table.nodes.as_ref().map_or(3, |nodes| *nodes.get_ref());
    if !(1..=9).contains(&nodes) {
        let span = table.nodes.as_ref().map(|nodes| nodes.span());
        return Err(at(text, span, "nodes", "expected 1 to 9 nodes"));
    }
    let heartbeat = table.heartbeat.map(|time| time.0);
    let heartbeat = heartbeat.unwrap_or_else(|| Config::default_heartbeat(nodes));
    let timeout = table.election_timeout.as_ref();
    let election_timeout = timeout.map(|time| time.get_ref().0);
    let election_timeout =
        election_timeout.unwrap_or_else(|| Config::default_election_timeout(heartbeat));
    if election_timeout <= heartbeat {
        let span = timeout.map(|timeout| timeout.span());
        let what = format!("expected more than the heartbeat of {heartbeat:?}");
        return Err(at(text, span, "election-timeout", &what));
    }
    Ok(Setup {
        nodes,
        mode: Mode {
            election: table.election,
            replication: table.replication,
        },
        safeguards: Safeguards {
            random_timeout: !table.fixed_timeout,
            pre_vote: table.pre_vote.unwrap_or(true),
            check_quorum: table.check_quorum.unwrap_or(true),
        },
        heartbeat,
        election_timeout,
        write_timeout: table
            .write_timeout
            .map_or(Config::WRITE_TIMEOUT, |time| time.0),
    })
}

fn at(text: &str, span: Option<Range<usize>>, key: &str, what: &str) -> Mistake {
    Mistake {
        line: line(text, span.map_or(0, |span| span.start)),
        key: Some(key.to_owned()),
        what: what.to_owned(),
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// What the parser says, as a line and a key.
fn mistaken(text: &str, error: &toml::de::Error) -> Mistake {
    let offset = error.span().map_or(0, |span| span.start);
    let number = line(text, offset);
    let written = text.lines().nth(number - 1).unwrap_or_default();
    let key = written.split('=').next().unwrap_or_default().trim();
    let is_key = !key.is_empty() && written.contains('=');
    Mistake {
        line: number,
        key: is_key.then(|| key.to_owned()),
        what: error.message().trim().replace('\n', ": "),
    }
}

/// A step's place in the text.
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    pub(super) from: usize,
}

impl Place<'_> {
    /// The line of a key of this step, or of the step.
    fn line(&self, key: Option<&str>) -> usize {
        let first = line(self.text, self.from);
        let Some(key) = key else { return first };
        let own = self.text.lines().skip(first - 1).enumerate();
        let own = own.take_while(|(at, line)| *at == 0 || !line.starts_with('['));
        let is_it = |line: &str| {
            line.split('=')
                .next()
                .is_some_and(|name| name.trim() == key)
        };
        let found = own
            .filter(|(_, line)| is_it(line))
            .map(|(at, _)| first + at);
        found.min().unwrap_or(first)
    }

    /// A mistake at a key of this step.
    pub(super) fn mistake(&self, key: &str, what: impl Into<String>) -> Mistake {
        Mistake {
            line: self.line(Some(key)),
            key: Some(key.to_owned()),
            what: what.into(),
        }
    }

    /// A mistake of the step as a whole.
    pub(super) fn wrong(&self, what: impl Into<String>) -> Mistake {
        Mistake {
            line: self.line(None),
            key: None,
            what: what.into(),
        }
    }
}
