//! How the nodes of a cluster die and come back.

use crate::engine::{Engine, EngineError, Harm};
use crate::event::Event;
use crate::runtime::cluster::Cluster;
use crate::runtime::slot::State;
use crate::runtime::sockets::{Reserved, taken};
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
                let (reserved, lost) = match reserved {
                    Ok(reserved) => (Some(reserved), Ok(())),
                    Err(error) => (None, Err(taken(slot.address.port(), error))),
                };
                *state = State::Killed(disk, reserved);
                harmed.map_err(system("cannot harm its disk"))?;
                lost.map_err(system("is dead, and cannot keep its port"))?;
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
                if let Err(source) = self.start(id, &slot, &mut state).await {
                    // Whoever heals what keeps it from starting starts it.
                    slot.owe_a_start(true);
                    self.forget_past(id);
                    return Err(EngineError::System {
                        node: id.clone(),
                        what: "cannot start again",
                        source,
                    });
                }
                self.report(Some(id.clone()), Event::Revived);
                self.tell_listening(id, &slot);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Engine;
    use crate::runtime::boot::Options;
    use crate::types::Mode;

    fn options() -> Options {
        Options {
            name: "life".to_owned(),
            nodes: Some(1),
            data_dir: None,
            host: [127, 0, 0, 1].into(),
            port: 0,
            mode: Mode::default(),
            safeguards: Default::default(),
            write_timeout: Duration::from_secs(1),
            snapshot_every: None,
            heartbeat: Duration::from_millis(50),
            election_timeout: Duration::from_millis(300),
            max_value: 1 << 10,
            course: false,
            lang: "en".to_owned(),
            tap: None,
        }
    }

    #[tokio::test]
    async fn a_node_whose_port_somebody_took_between_two_lives_is_dead_until_it_is_free_and_loses_nothing()
     {
        let cluster = Cluster::boot(options()).await.expect("a cluster");
        let id = NodeId::nth(1);
        assert_eq!(cluster.kill(&id, Harm::None).await.ok(), Some(true));
        let slot = cluster.slot(&id).expect("its place");
        match &mut *slot.state.lock().await {
            State::Killed(_, port) => *port = None,
            State::Running(_) | State::Gone => unreachable!("it was killed"),
        }
        let thief = std::net::TcpListener::bind(slot.address).expect("its port");
        for _ in 0..2 {
            let error = cluster.revive(&id, false).await.expect_err("no port");
            let said = error.to_string();
            assert!(said.contains("node-1: cannot start again"), "{said}");
            assert!(said.contains("holds port"), "{said}");
        }
        drop(thief);
        assert_eq!(cluster.revive(&id, false).await.ok(), Some(true));
        cluster.stop().await;
    }
}
