//! The end of a scenario: everything is healed, the dead are revived, quiet is awaited, and every key is read.

use crate::engine::Harm;
use crate::scenario::ground::{Answer, Ground, State, View};
use crate::scenario::player::{Player, Stop};
use crate::scenario::script::{Asking, Call, Scenario};
use crate::sim::plan::Micros;
use crate::value::Key;
use crate::wire::data::Consistency;

/// How long a cluster may take to come to rest. Long: only a broken one needs it.
const REST: Micros = 60_000_000;

/// How often to look.
const GLANCE: Micros = 25_000;

/// Ends it; what keeps the cluster from being at rest, if anything.
pub(super) async fn rest<G: Ground>(
    player: &mut Player<'_, G>,
    scenario: &Scenario,
) -> Option<String> {
    player.say("everything is healed; waiting for quiet");
    let told = |stop| match stop {
        Stop::Here(what) | Stop::At(_, what) => what,
    };
    if let Err(stop) = player.heal_everything().await {
        return Some(told(stop));
    }
    let view = match quiet(player).await {
        Ok(view) => view,
        Err(why) => return Some(why),
    };
    player.notes.rests(&view);
    read_all(player, scenario).await.err()
}

async fn quiet<G: Ground>(player: &mut Player<'_, G>) -> Result<View, String> {
    let end = player.ground.now() + REST;
    loop {
        if let Some((name, what)) = player.ground.violation() {
            return Err(format!("{name}: {what}"));
        }
        let view = player.ground.look().await?;
        revive(player, &view).await?;
        match view.unrest() {
            None => return Ok(view),
            Some(why) if player.ground.now() >= end => return Err(why),
            Some(_) => player.ground.pass(GLANCE).await,
        }
    }
}

async fn revive<G: Ground>(player: &mut Player<'_, G>, view: &View) -> Result<(), String> {
    for seen in &view.nodes {
        if seen.has_failed {
            player.ground.kill(&seen.id, Harm::None).await?;
        }
        if seen.has_failed || seen.state == State::Dead {
            player.ground.revive(&seen.id, false).await?;
        }
    }
    Ok(())
}

/// Reads every key at the leader, as strongly as the mode can.
async fn read_all<G: Ground>(
    player: &mut Player<'_, G>,
    scenario: &Scenario,
) -> Result<(), String> {
    let consistency = match scenario.setup.mode.is_linearizable() {
        true => Consistency::Linearizable,
        false => Consistency::Leader,
    };
    let end = player.ground.now() + REST;
    for name in player.notes.recording.keys.clone() {
        let asking = Asking {
            key: Key::new(&name),
            node: "leader".to_owned(),
            call: Call::Read(consistency),
            expect: Vec::new(),
        };
        loop {
            let view = player.ground.look().await?;
            if let Ok(node) = player.cast.one("leader", &view) {
                let answer = player.ask_node(&node, &asking).await;
                let number = player.notes.recording.asked.len() - 1;
                player.notes.is_final(number);
                if matches!(answer, Answer::Value(_)) {
                    break;
                }
            }
            if player.ground.now() >= end {
                return Err(format!("{name} cannot be read"));
            }
            player.ground.pass(GLANCE).await;
        }
    }
    Ok(())
}
