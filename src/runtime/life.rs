//! How the nodes of a cluster die and come back.

use crate::engine::{Engine, EngineError, Harm};
use crate::event::Event;
use crate::runtime::cluster::Cluster;
use crate::runtime::slot::State;
use crate::runtime::sockets::Reserved;
use crate::types::NodeId;

impl Cluster {
    pub(super) async fn kill_node(&self, id: &NodeId, harm: Harm) -> Result<bool, EngineError> {
        let slot = self.slot(id)?;
        let _alone = match harm {
            Harm::Wipe => Some(self.wipes.lock().await),
            Harm::None | Harm::LoseUnsynced | Harm::TearTail => None,
        };
        let _hurried = self.hurry(id);
        let mut state = slot.state.lock().await;
        // Whoever kills it wants it dead; who wants it started again says so behind that.
        slot.owe_a_start(false);
        let system = |what| {
            move |source| EngineError::System {
                node: id.clone(),
                what,
                source,
            }
        };
        match std::mem::replace(&mut *state, State::Gone) {
            State::Gone => Err(EngineError::Stopping),
            State::Killed(mut disk, reserved) => {
                // The dead can still lose what they left.
                let harmed = self.harm(id, &mut disk, harm).await;
                *state = State::Killed(disk, reserved);
                harmed.map_err(system("cannot destroy its disk"))?;
                Ok(harm == Harm::Wipe)
            }
            State::Running(node) => {
                self.forget_pause(id);
                // Marked before its port refuses: who sees it refuse must not think it died by itself.
                slot.want(false);
                let disk = node.kill().await;
                let reserved = Reserved::again(slot.address).await;
                let reserved = reserved.map_err(system("cannot keep its port"))?;
                self.report(Some(id.clone()), Event::Killed);
                let mut disk = match disk {
                    Some(disk) => disk,
                    // Its task had panicked, and what was in memory is gone with it.
                    None => self
                        .new_disk(id, true)
                        .map_err(std::io::Error::other)
                        .map_err(system("cannot keep its disk"))?,
                };
                let harmed = self.harm(id, &mut disk, harm).await;
                *state = State::Killed(disk, reserved);
                harmed.map_err(system("cannot harm its disk"))?;
                Ok(true)
            }
        }
    }

    pub(super) async fn revive_node(&self, id: &NodeId, trust: bool) -> Result<bool, EngineError> {
        let slot = self.slot(id)?;
        let mut state = slot.state.lock().await;
        let was_dead = match &*state {
            State::Running(_) => false,
            State::Gone => return Err(EngineError::Stopping),
            State::Killed(..) => {
                self.forget_past(id);
                self.report(Some(id.clone()), Event::Revived);
                let started = self.start(id, &slot, &mut state).await;
                started.map_err(|source| EngineError::System {
                    node: id.clone(),
                    what: "cannot start again",
                    source,
                })?;
                slot.want(true);
                slot.owe_a_start(false);
                true
            }
        };
        if let State::Running(node) = &*state {
            if was_dead {
                node.begin(false).await;
            }
            if trust && node.window().look(|view| view.status.recovering) {
                node.trust().await;
                return Ok(true);
            }
        }
        Ok(was_dead)
    }
}
