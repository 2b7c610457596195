//! Plays a scenario, step by step, on whatever ground. What clients asked, which faults struck and what became of every
//! step is written down.

use tokio_util::sync::CancellationToken;

use crate::chaos::recording::Recording;
use crate::rng::{Rng, mix};
use crate::scenario::cast::Cast;
use crate::scenario::conditions::unmet;
use crate::scenario::expected::ConditionTable;
use crate::scenario::ground::{Ground, View};
use crate::scenario::notes::Notes;
use crate::scenario::rest;
use crate::scenario::script::{Deed, Scenario, Step};
use crate::sim::plan::Micros;

/// How often to look.
const GLANCE: Micros = 15_000;

/// Is told, a line each, what happens.
pub type Tell<'a> = &'a dyn Fn(&str);

/// How a scenario went.
#[derive(Debug)]
pub struct Played {
    /// What happened.
    pub recording: Recording,
    /// What became of each step.
    pub took: Vec<Took>,
    /// The step that did not go as written, and how.
    pub failed: Option<Failed>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Took {
    /// Where it is written.
    pub line: usize,
    /// When it was taken, in milliseconds.
    pub at_ms: u64,
    /// What was done, and what came.
    pub what: String,
}

/// A step that did not go as written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Failed {
    /// Where it is written; 0: the end.
    pub line: usize,
    /// What was expected, and what came.
    pub what: String,
}

/// A fault in force.
pub(super) struct InForce {
    pub(super) label: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) ends: Option<Micros>,
    /// Its place in the notes.
    pub(super) struck: usize,
    /// Who stands still by it.
    pub(super) still: Option<String>,
}

/// Whoever plays.
pub(super) struct Player<'a, G> {
    pub(super) ground: G,
    pub(super) notes: Notes,
    pub(super) cast: Cast,
    pub(super) in_force: Vec<InForce>,
    pub(super) seed: u64,
    tell: Tell<'a>,
    /// What must hold at every look from now on, and where that is written.
    always: Vec<(usize, ConditionTable)>,
    took: Vec<Took>,
}

/// What went wrong: a step's or a standing condition's.
pub(super) enum Stop {
    Here(String),
    At(usize, String),
}

impl From<String> for Stop {
    fn from(what: String) -> Stop {
        Stop::Here(what)
    }
}

/// Plays `scenario` on `ground`, until `stop`; what happened.
pub(super) async fn play<G: Ground>(
    scenario: &Scenario,
    ground: G,
    seed: u64,
    tell: Tell<'_>,
    stop: &CancellationToken,
) -> (Played, G) {
    let mut player = Player {
        notes: Notes::new(scenario),
        cast: Cast {
            remembered: None,
            rng: Rng::new(mix(seed ^ 0x5ce4)),
        },
        in_force: Vec::new(),
        seed,
        tell,
        always: Vec::new(),
        took: Vec::new(),
        ground,
    };
    if let Ok(view) = player.ground.look().await {
        player.notes.recording.first_leader = view.leader().map(|seen| seen.id.clone());
    }
    let mut failed = None;
    for step in &scenario.steps {
        // Half a step is no harm: whatever it has set is healed with everything else.
        let Some(taken) = stop.run_until_cancelled(player.step(step)).await else {
            player.notes.recording.end.is_cut_short = true;
            break;
        };
        if let Err(why) = taken {
            let (line, what) = match why {
                Stop::Here(what) => (step.line, what),
                Stop::At(line, what) => (line, what),
            };
            player.say(&format!("line {line}: {what}"));
            failed = Some(Failed { line, what });
            break;
        }
    }
    // What must hold is looked at behind every step, the last one too; healing is no step.
    player.always.clear();
    player.notes.recording.until = player.ground.now();
    let unrest = rest::rest(&mut player, scenario).await;
    player.notes.recording.end.unrest = unrest;
    let happened = player.ground.happened().await;
    let played = Played {
        recording: player.notes.finish(happened),
        took: player.took,
        failed,
    };
    (played, player.ground)
}

impl<G: Ground> Player<'_, G> {
    pub(super) fn say(&self, what: &str) {
        (self.tell)(&format!("{:7.3} s  {what}", self.ground.now() as f64 / 1e6));
    }

    async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        if let Some(at) = step.at {
            while self.ground.now() < at {
                let left = at - self.ground.now();
                self.glance(left).await?;
            }
        }
        let seen = match &step.after {
            Some(after) => Some(self.wait_for(after, step.within).await?),
            None => None,
        };
        if step.remember {
            // What was awaited may be over by now.
            let view = match seen {
                Some(view) => view,
                None => self.look().await?,
            };
            self.remember(&view)?;
        }
        let (at, what) = (self.ground.now(), self.deed(step).await?);
        if let Some(what) = what {
            self.say(&what);
            let at_ms = at / 1000;
            self.took.push(Took {
                line: step.line,
                at_ms,
                what,
            });
        }
        self.watch().await
    }

    fn remember(&mut self, view: &View) -> Result<(), Stop> {
        let leader = view
            .leader()
            .ok_or_else(|| format!("nobody leads: {}", view.told()))?;
        self.cast.remembered = Some((leader.id.clone(), view.term()));
        self.say(&format!("{} leads term {}", leader.id, leader.term));
        Ok(())
    }

    /// Lets a moment pass, at most `most`; what is over is undone, and what must hold is looked at.
    pub(super) async fn glance(&mut self, most: Micros) -> Result<(), Stop> {
        self.ground.pass(GLANCE.min(most.max(1))).await;
        self.undo_what_is_over().await?;
        if let Some((name, what)) = self.ground.violation() {
            return Err(Stop::Here(format!("{name}: {what}")));
        }
        self.watch().await
    }

    /// Looks at what must hold.
    async fn watch(&mut self) -> Result<(), Stop> {
        if self.always.is_empty() {
            return Ok(());
        }
        let view = self.ground.look().await?;
        for at in 0..self.always.len() {
            let (line, condition) = self.always[at].clone();
            if let Some(why) = unmet(&condition, &view, &mut self.cast, &mut self.ground).await {
                return Err(Stop::At(line, format!("it does not hold any more: {why}")));
            }
        }
        Ok(())
    }

    /// Waits until something holds; what was seen then.
    async fn wait_for(&mut self, condition: &ConditionTable, within: Micros) -> Result<View, Stop> {
        let end = self.ground.now() + within;
        loop {
            let view = self.ground.look().await?;
            let why = unmet(condition, &view, &mut self.cast, &mut self.ground).await;
            match why {
                None => return Ok(view),
                Some(why) if self.ground.now() >= end => {
                    let within = within as f64 / 1e6;
                    return Err(Stop::Here(format!("not within {within} s: {why}")));
                }
                Some(_) => self.glance(GLANCE).await?,
            }
        }
    }

    /// What is done, in words.
    async fn deed(&mut self, step: &Step) -> Result<Option<String>, Stop> {
        Ok(match &step.deed {
            Deed::Nothing => None,
            Deed::Trouble(trouble) => Some(self.trouble(trouble, step).await?),
            Deed::Resume(nodes) => Some(self.resume(nodes).await?),
            Deed::Heal(name) => Some(self.heal(name.as_deref()).await?),
            Deed::Kill(nodes, harm) => Some(self.kill(nodes, *harm).await?),
            Deed::Revive(nodes, trust) => Some(self.revive(nodes, *trust).await?),
            Deed::Add => {
                self.ground.add().await?;
                Some("a node is added".to_owned())
            }
            Deed::Remove(node) => {
                let node = self.one(node).await?;
                self.ground.remove(&node).await?;
                Some(format!("{node} is removed"))
            }
            Deed::Transfer(node) => {
                let node = self.one(node).await?;
                self.ground.transfer(&node).await?;
                Some(format!("leadership is handed over to {node}"))
            }
            Deed::Ask(asking) => Some(self.ask(asking, step.within).await?),
            Deed::Eventually(condition) => {
                let view = self.wait_for(condition, step.within).await?;
                Some(format!("it came: {}", view.told()))
            }
            Deed::Always(condition) => self.always(condition, step).await?,
        })
    }

    pub(super) async fn look(&mut self) -> Result<View, Stop> {
        Ok(self.ground.look().await?)
    }

    pub(super) async fn one(&mut self, who: &str) -> Result<crate::types::NodeId, Stop> {
        let view = self.look().await?;
        Ok(self.cast.one(who, &view)?)
    }

    async fn always(
        &mut self,
        condition: &ConditionTable,
        step: &Step,
    ) -> Result<Option<String>, Stop> {
        self.always.push((step.line, condition.clone()));
        let Some(lasts) = step.lasts else {
            return Ok(None);
        };
        let end = self.ground.now() + lasts;
        self.watch().await?;
        while self.ground.now() < end {
            let left = end - self.ground.now();
            self.glance(left).await?;
        }
        self.always.pop();
        Ok(Some(format!("it held for {} s", lasts as f64 / 1e6)))
    }
}
