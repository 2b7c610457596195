//! Whether a run kept what was expected of it, and why not. What clients saw is judged by the code that judges simulated
//! runs; only what a simulator can look up in its nodes' logs is found out from outside here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::chaos::losses::Losses;
use crate::chaos::measures::Measures;
use crate::chaos::recording::{Asked, Recording};
use crate::chaos::roles;
use crate::chaos::{available, enough, explaining};
use crate::check::history::Call;
use crate::check::{Budget, Explanation, History, explain_sequential};
use crate::event::Event;
use crate::sim::promise::{self, Breach, Claim, Judged};
use crate::sim::{Expect, Plan};
use crate::types::{Election, Leadership, NodeId, Term};

/// How long the judge may think, and as long again to explain.
pub const BUDGET: Duration = Duration::from_secs(60);

/// What was decided.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// What was expected is what happened.
    Kept,
    /// It is not.
    Broken(Broken),
    /// It cannot be told, and why.
    Unknown(String),
}

/// What is broken.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Its name.
    pub invariant: String,
    /// How that shows.
    pub what: String,
    /// The operations that show it, by their events' numbers in the history.
    pub events: Vec<usize>,
    /// The few that cannot be put in order, where that is what is broken.
    pub explanation: Option<Explanation>,
}

impl Broken {
    /// Something that is said in a sentence.
    pub fn new(invariant: &str, what: String) -> Broken {
        Broken {
            invariant: invariant.to_owned(),
            what,
            events: Vec::new(),
            explanation: None,
        }
    }
}

/// Judges a live run.
pub fn judge(plan: &Plan, recording: &Recording, losses: &Losses, measures: &Measures) -> Verdict {
    let verdict = found(plan, recording, losses, measures);
    match (verdict, enough::too_little(recording, measures)) {
        (Verdict::Kept, Some(why)) => Verdict::Unknown(why),
        (verdict, _) => verdict,
    }
}

/// The same of a run that shows what it is to show, however little was done.
pub fn found(plan: &Plan, recording: &Recording, losses: &Losses, measures: &Measures) -> Verdict {
    let broken = observed(plan, recording);
    if let Some(broken) = broken {
        return Verdict::Broken(broken);
    }
    let seen = clients(plan, recording);
    match seen {
        Verdict::Kept => {}
        other => return other,
    }
    if let Some(why) = &recording.end.unseen {
        return Verdict::Unknown(format!("how it ended was not seen: {why}"));
    }
    match overall(plan, recording, losses, measures) {
        Some(broken) => Verdict::Broken(broken),
        None => Verdict::Kept,
    }
}

/// What may never be, whatever clients read: two leaders of one term, or two that both acknowledge.
fn observed(plan: &Plan, recording: &Recording) -> Option<Broken> {
    let is_voted = plan.mode.election != Election::LowestId;
    if !is_voted && plan.expect != Expect::OneLeader {
        return None;
    }
    let mut led: BTreeMap<Term, &NodeId> = BTreeMap::new();
    for happened in &recording.happened {
        let (Event::Leader { term }, Some(node)) = (&happened.event, &happened.node) else {
            continue;
        };
        let other = *led.entry(*term).or_insert(node);
        if other != node {
            let what = format!("{other} and {node} both lead term {term}");
            return Some(Broken::new("election safety", what));
        }
    }
    if plan.expect != Expect::OneLeader {
        return None;
    }
    let patience = 2 * plan.scale.election_timeout;
    let both = roles::two_leaders(recording, patience).map(|(a, b, at)| {
        let at = at as f64 / 1e6;
        let what = format!("{a} and {b} both lead at {at:.3} s, and have for long");
        Broken::new("one leader", what)
    });
    both.or_else(|| two_acknowledge(recording))
}

/// A write that was asked for after a later leader had acknowledged one, and was acknowledged by an earlier leader.
fn two_acknowledge(recording: &Recording) -> Option<Broken> {
    let acknowledged = recording
        .asked
        .iter()
        .filter(|asked| asked.is_acknowledged());
    let claim = |asked: &Asked| {
        let entry = asked.entry.as_ref()?;
        let (term, leader) = (entry.term, entry.leader.clone());
        Some(Leadership { term, leader })
    };
    let mut claims: Vec<(&Asked, Leadership)> = acknowledged
        .filter_map(|asked| Some((asked, claim(asked)?)))
        .collect();
    claims.sort_by_key(|(asked, _)| asked.returned);
    let mut asked_late: Vec<&(&Asked, Leadership)> = claims.iter().collect();
    asked_late.sort_by_key(|(asked, _)| asked.invoked);
    let mut done = claims.iter().peekable();
    let mut greatest: Option<&(&Asked, Leadership)> = None;
    for later in asked_late {
        while let Some(earlier) = done.next_if(|(done, _)| done.returned < Some(later.0.invoked)) {
            if greatest.is_none_or(|greatest| greatest.1 < earlier.1) {
                greatest = Some(earlier);
            }
        }
        if let Some(first) = greatest.filter(|greatest| greatest.1 > later.1) {
            let mut broken = Broken::new(
                "one leader",
                format!(
                    "{} was acknowledged by {}, though {}, of a greater claim, had acknowledged {} before it was asked for",
                    told(recording, later.0),
                    later.1.leader,
                    first.1.leader,
                    told(recording, first.0)
                ),
            );
            broken.events = vec![first.0.invoked, later.0.invoked];
            return Some(broken);
        }
    }
    None
}

/// What clients saw.
fn clients(plan: &Plan, recording: &Recording) -> Verdict {
    let is_linearizable = plan.mode.is_linearizable();
    let strongest = recording.history(is_linearizable, true);
    let whole = recording.history(is_linearizable, false);
    let claim = plan.expect.claim(plan.mode);
    let until = Instant::now() + BUDGET;
    match promise::judge(claim, &strongest, &whole, Budget::from(until), until) {
        Judged::Kept => Verdict::Kept,
        Judged::Undecided(why) => Verdict::Unknown(why),
        Judged::Broken(breach) => {
            let history = match claim {
                Claim::Linearizable | Claim::Sequential => &strongest,
                Claim::Nothing | Claim::Has(_) => &whole,
            };
            Verdict::Broken(explained(history, breach))
        }
    }
}

fn explained(history: &History, breach: Breach) -> Broken {
    let deadline = Instant::now() + BUDGET;
    let explanation = match breach.key {
        Some(key) => explaining::shortest(history, key, deadline),
        None if !breach.order.is_empty() || breach.invariant == "sequential consistency" => Some(
            explain_sequential(history, &breach.operations, &breach.order, deadline),
        ),
        None => None,
    };
    let events = match &explanation {
        Some(e) => {
            let operation = |number: &usize| e.history.operations[*number].invoked;
            e.operations.iter().map(operation).collect()
        }
        None => {
            let operation = |number: &usize| history.operations[*number].invoked;
            breach.operations.iter().map(operation).collect()
        }
    };
    // Another key may show it in fewer operations.
    let key = explanation.as_ref().filter(|_| breach.key.is_some());
    let key = key.and_then(|explanation| explanation.history.keys.first());
    let what = key.map(|key| format!("no order explains what clients saw of {key}"));
    Broken {
        invariant: breach.invariant.to_owned(),
        what: what.unwrap_or(breach.what),
        events,
        explanation,
    }
}

/// What shows in the end: whether all is well again, and whether what was acknowledged is there.
fn overall(
    plan: &Plan,
    recording: &Recording,
    losses: &Losses,
    measures: &Measures,
) -> Option<Broken> {
    if let Some(why) = &recording.end.unrest {
        let what = format!("everything is healed, and yet: {why}");
        return Some(Broken::new("convergence", what));
    }
    if plan.expect == Expect::Available {
        return available::broken(plan, recording, measures)
            .map(|what| Broken::new("availability", what));
    }
    // A disk that is lost takes with it what only it held.
    let has_lost_disks = recording.happened.iter().any(|h| h.event == Event::Wiped);
    let missing = match plan.expect.may_lose(plan.mode, has_lost_disks) {
        true => &losses.unreported,
        false => &losses.gone,
    };
    let only_losses = matches!(plan.expect, Expect::Promised | Expect::NoLostAcks);
    let number = *missing.first().filter(|_| only_losses)?;
    let more = match missing.len() - 1 {
        0 => String::new(),
        more => format!(", and so are {more} more"),
    };
    let write = &recording.asked[number];
    let mut broken = Broken::new(
        "nothing acknowledged is missing",
        format!(
            "{} was acknowledged and is gone{more}",
            told(recording, write)
        ),
    );
    broken.events = missing
        .iter()
        .map(|n| recording.asked[*n].invoked)
        .collect();
    Some(broken)
}

/// A write in words, with the place in the log that it was told.
fn told(recording: &Recording, asked: &Asked) -> String {
    let key = &recording.keys[asked.key];
    let what = match &asked.call {
        Call::Write(value) | Call::Cas(_, value) => format!("{key}={value}"),
        _ => format!("a delete of {key}"),
    };
    let entry = asked.entry.as_ref();
    entry.map_or(what.clone(), |entry| format!("{what} ({entry:?})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::drawing::{self, Options};
    use crate::chaos::losses::losses;
    use crate::chaos::measures::measure;
    use crate::types::{Mode, Replication, Safeguards};

    fn plan() -> Plan {
        let options = Options {
            nodes: 3,
            mode: Mode {
                election: Election::Raft,
                replication: Replication::Quorum,
            },
            safeguards: Safeguards::default(),
            heartbeat: Duration::from_millis(150),
            election_timeout: Duration::from_millis(500),
            write_timeout: Duration::from_secs(2),
            snapshot_every: None,
            faults: Vec::new(),
            targets: Vec::new(),
            time: 1_000_000,
            clients: 1,
            rate: 1,
            keys: 1,
            expect: Expect::Promised,
        };
        drawing::draw(&options, 1)
    }

    #[test]
    fn an_end_that_nobody_saw_is_unknown_and_one_without_rest_is_broken() {
        let found = |recording: &Recording| {
            let (losses, measures) = (losses(recording), measure(recording));
            found(&plan(), recording, &losses, &measures)
        };
        let mut recording = Recording::default();
        assert!(matches!(found(&recording), Verdict::Kept));
        recording.end.unseen = Some("the control server does not answer".to_owned());
        assert!(matches!(found(&recording), Verdict::Unknown(_)));
        recording.end = Default::default();
        recording.end.unrest = Some("nobody answers a read of k0".to_owned());
        assert!(matches!(found(&recording), Verdict::Broken(_)));
    }
}
