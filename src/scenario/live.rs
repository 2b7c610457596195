//! A scenario on a live cluster: faults are ordered through its control API, clients ask its ports.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::chaos::recording::Happened;
use crate::chaos::stage::Stage;
use crate::client::control::{ControlClient, ControlError};
use crate::client::data::{DataClient, NoAnswer, Terms, Written};
use crate::engine::Harm;
use crate::scenario::ground::{Answer, Ground, Question, Seen, Set, State, View};
use crate::scenario::script::Setup;
use crate::sim::plan::Micros;
use crate::store::Condition;
use crate::types::{EntryId, NodeId, Role};
use crate::value::{Key, Value};
use crate::wire::control::{NodeRow, NodeState};
use crate::wire::data::Consistency;
use crate::wire::faults::{FaultOrder, HealOrder, Trouble};

/// Who orders, as the cluster shows it.
const BY: &str = "cluster run";

/// A live cluster.
pub(crate) struct Live {
    stage: Arc<Stage>,
    /// Clients ask by this.
    data: DataClient,
    /// Whoever only looks asks by this.
    eye: DataClient,
    over: CancellationToken,
    followed: JoinHandle<()>,
    last_event: u64,
}

impl Live {
    /// The cluster behind `control`, which is set up like this.
    pub(crate) async fn open(control: ControlClient, setup: &Setup) -> Result<Live, String> {
        let stage = Stage::open(control, setup.mode.is_linearizable()).await;
        let stage = Arc::new(stage.map_err(told)?);
        let over = CancellationToken::new();
        let (follower, following) = (stage.clone(), over.clone());
        let followed = tokio::spawn(async move { follower.follow(following).await });
        let cannot = |error: reqwest::Error| format!("cannot start a client: {error}");
        // Whoever asks a node that lives waits until it knows what became of it.
        let patience = setup.write_timeout + Duration::from_secs(2);
        Ok(Live {
            stage,
            data: DataClient::new(patience).map_err(cannot)?,
            eye: DataClient::observer(Duration::from_secs(2)).map_err(cannot)?,
            over,
            followed,
            last_event: 0,
        })
    }

    fn url(&self, node: &NodeId) -> Option<String> {
        let nodes = self.stage.nodes();
        nodes
            .into_iter()
            .find(|other| other.id == *node)
            .map(|node| node.url)
    }

    async fn read(&self, url: &str, key: &Key, consistency: Consistency) -> Answer {
        match self.data.get(url, key, consistency).await {
            Ok(found) => Answer::Value(found.map(|(value, tag)| {
                let version = tag.as_deref().and_then(EntryId::from_tag);
                (value, version)
            })),
            Err(NoAnswer::Declined(why)) => Answer::Refused(why),
            Err(NoAnswer::Refused) => Answer::Unreachable,
            Err(NoAnswer::Silent(why) | NoAnswer::Strange(why)) => Answer::Unknown(why),
        }
    }
}

impl Ground for Live {
    fn now(&self) -> Micros {
        self.stage.clock.now()
    }

    async fn pass(&mut self, by: Micros) {
        tokio::time::sleep(Duration::from_micros(by)).await;
    }

    async fn look(&mut self) -> Result<View, String> {
        let status = self.stage.control.status().await.map_err(told)?;
        self.last_event = status.last_event;
        Ok(View {
            nodes: status.insiders().map(seen).collect(),
            lost: status.lost.count,
        })
    }

    async fn held(&mut self, node: &NodeId, key: &Key) -> Result<Option<Value>, ()> {
        let url = self.url(node).ok_or(())?;
        let found = self.eye.get(&url, key, Consistency::Local).await;
        found
            .map(|found| found.map(|(value, _)| value))
            .map_err(drop)
    }

    async fn set(
        &mut self,
        trouble: &Trouble,
        seed: u64,
        lasts: Option<Micros>,
    ) -> Result<Set, String> {
        let order = FaultOrder::new(trouble.clone(), BY);
        let order = FaultOrder {
            // A number that JSON readers keep exactly.
            seed: Some(seed >> 11),
            ..order.lasting(lasts.map(Duration::from_micros))
        };
        let set = self.stage.control.disturb(&order).await.map_err(told)?;
        let what: Vec<String> = set.iter().map(|fault| fault.what.clone()).collect();
        Ok(Set {
            what: what.join("; "),
            names: set.into_iter().map(|fault| fault.name).collect(),
        })
    }

    async fn heal(&mut self, names: &[String]) -> Result<(), String> {
        let order = HealOrder {
            names: Some(names.to_vec()),
            by: BY.to_owned(),
            ..HealOrder::default()
        };
        match self.stage.control.heal(&order).await {
            // It has ended by itself.
            Err(ControlError::Refused(detail)) if detail.code == "unknown-fault" => Ok(()),
            healed => healed.map(drop).map_err(told),
        }
    }

    async fn heal_all(&mut self) -> Result<(), String> {
        let order = HealOrder {
            by: BY.to_owned(),
            ..HealOrder::default()
        };
        self.stage
            .control
            .heal(&order)
            .await
            .map(drop)
            .map_err(told)
    }

    async fn kill(&mut self, node: &NodeId, harm: Harm) -> Result<(), String> {
        let killed = self.stage.control.kill(node, harm).await;
        killed.map(drop).map_err(told)
    }

    async fn revive(&mut self, node: &NodeId, trust: bool) -> Result<(), String> {
        let revived = self.stage.control.revive(node, trust).await;
        revived.map(drop).map_err(told)
    }

    async fn add(&mut self) -> Result<(), String> {
        let added = self.stage.control.add().await.map_err(told)?;
        self.stage.joins(added);
        Ok(())
    }

    async fn remove(&mut self, node: &NodeId) -> Result<(), String> {
        self.stage
            .control
            .remove(node)
            .await
            .map(drop)
            .map_err(told)
    }

    async fn transfer(&mut self, to: &NodeId) -> Result<(), String> {
        self.stage
            .control
            .transfer(Some(to))
            .await
            .map(drop)
            .map_err(told)
    }

    async fn ask(&mut self, node: &NodeId, key: &Key, question: &Question) -> Answer {
        let Some(url) = self.url(node) else {
            return Answer::Unreachable;
        };
        let written = match question {
            Question::Read(consistency) => return self.read(&url, key, *consistency).await,
            Question::Put(value, condition) => {
                self.data
                    .put(&url, key, value, &terms(condition.as_ref()))
                    .await
            }
            Question::Delete => self.data.delete(&url, key, &Terms::default()).await,
        };
        match written {
            Ok(Written::Done { version, .. }) => {
                Answer::Done(version.as_deref().and_then(EntryId::from_tag))
            }
            Ok(Written::NoSuchKey) => Answer::NotFound,
            Ok(Written::Unmet(_)) => Answer::Unmet,
            Ok(Written::NotLeader { .. }) => Answer::NotLeader,
            Ok(Written::Rejected(status, why)) => Answer::Refused(format!("{status}: {why}")),
            Err(NoAnswer::Declined(why)) => Answer::Refused(why),
            Err(NoAnswer::Refused) => Answer::Unreachable,
            Err(NoAnswer::Silent(why) | NoAnswer::Strange(why)) => Answer::Unknown(why),
        }
    }

    async fn happened(&mut self) -> Vec<Happened> {
        let (stage, last) = (self.stage.clone(), self.last_event);
        let all = async {
            while stage.last_event() < last {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(Duration::from_secs(10), all).await;
        self.over.cancel();
        let _ = (&mut self.followed).await;
        self.stage.happened()
    }

    fn violation(&self) -> Option<(String, String)> {
        None
    }
}

impl Drop for Live {
    /// Nobody follows a cluster that nobody looks at any more.
    fn drop(&mut self) {
        self.over.cancel();
    }
}

fn terms(condition: Option<&Condition>) -> Terms {
    let mut terms = Terms::default();
    match condition {
        Some(Condition::Absent) => terms.if_absent = true,
        Some(Condition::Is(versions)) => terms.if_version = versions.first().map(EntryId::tag),
        Some(Condition::Present | Condition::IsNot(_)) | None => {}
    }
    terms
}

fn seen(row: &NodeRow) -> Seen {
    let answer = row.answer.as_ref();
    let more = answer.and_then(|answer| answer.more.as_ref());
    Seen {
        id: row.id.clone(),
        state: match row.state {
            NodeState::Up => State::Up,
            NodeState::Killed | NodeState::Down => State::Dead,
            NodeState::Silent | NodeState::Paused => State::Silent,
        },
        leads: answer.is_some_and(|answer| answer.role == Role::Leader),
        term: answer.map_or(0, |answer| answer.term),
        leader: answer.and_then(|answer| answer.leader_id.clone()),
        last: more.and_then(|more| more.last_entry.clone()),
        has_applied: more.is_some_and(|more| more.applied_index == more.last_index),
        is_recovering: more.is_some_and(|more| more.recovering),
        has_failed: more.is_some_and(|more| more.disk.is_some()),
    }
}

fn told(error: ControlError) -> String {
    match error {
        ControlError::Refused(detail) => detail.message,
        ControlError::Unreachable => "the control server is gone".to_owned(),
        ControlError::Silent => "the control server does not answer".to_owned(),
        ControlError::Strange(answer) => answer.chars().take(80).collect(),
    }
}
