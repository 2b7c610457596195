//! A plan, played on a running cluster.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::chaos::clients::{self, ANSWER, PATIENCE};
use crate::chaos::desk::Desk;
use crate::chaos::eavesdrop::Eavesdropper;
use crate::chaos::finale::{self, Restless};
use crate::chaos::nemesis::Nemesis;
use crate::chaos::part::{Due, Part};
use crate::chaos::recording::{Ending, Recording};
use crate::chaos::stage::Stage;
use crate::client::control::{ControlClient, ControlError};
use crate::client::data::{DataClient, Terms};
use crate::event::Event;
use crate::sim::plan::{Step, Timed};
use crate::sim::{Expect, Plan};
use crate::value::Key;

/// Is told, a line each, what is done to the cluster.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// How often whoever watches is told how far it is.
const GLANCE: Duration = Duration::from_secs(1);

/// A run that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The control server gives no answer, or none that is understood.
    #[error("the cluster's control server does not answer")]
    Control(ControlError),
    /// The system refused a client.
    #[error("cannot start a client: {0}")]
    Client(#[from] reqwest::Error),
}

/// How a run is played.
pub struct Live {
    /// What is played.
    pub plan: Arc<Plan>,
    /// The cluster.
    pub control: ControlClient,
    /// What keeps this run's keys apart from others of the same cluster.
    pub prefix: String,
    /// Is told what happens.
    pub tell: Tell,
    /// Is told how far it is: operations asked, and answered.
    pub progress: Box<dyn Fn(usize, u64) + Send + Sync>,
    /// Whether messages between nodes are noted, for a drawing.
    pub is_drawn: bool,
    /// Ends the run early: everything is healed then, and what there is is recorded.
    pub interrupted: CancellationToken,
}

impl Live {
    /// Plays it; what happened.
    pub async fn play(&self) -> Result<Recording, LiveError> {
        let stage = Stage::open(self.control.clone(), self.plan.mode.is_linearizable()).await;
        let stage = Arc::new(stage.map_err(LiveError::Control)?);
        let keys = (0..self.plan.scale.keys).map(|k| Key::new(&format!("{}k{k}", self.prefix)));
        let desk = Arc::new(Desk::new(
            stage.clone(),
            keys.collect(),
            format!("{}chaos", self.prefix),
        ));
        let first_leader = stage.leader();
        let nodes = stage.nodes().into_iter().map(|node| node.id).collect();
        let mut heard = Eavesdropper::begin(&stage, self.plan.until, self.is_drawn).await;
        let over = CancellationToken::new();
        let (follower, following) = (stage.clone(), over.clone());
        let followed = tokio::spawn(async move { follower.follow(following).await });
        let nemesis = Arc::new(Nemesis::new(&self.plan, stage.clone(), self.tell.clone()));
        self.break_it(&desk, &nemesis).await?;
        let until = stage.clock.now().min(self.plan.until);
        heard.end_counting().await;
        (self.tell)("everything is healed; waiting for quiet");
        nemesis.lift_all().await;
        let end = self.come_to_rest(&desk).await?;
        over.cancel();
        let _ = followed.await;
        let keys = desk.keys.iter().map(|key| key.as_str().to_owned());
        let mut recording = Recording {
            keys: keys.collect(),
            asked: desk.take(),
            left_out: desk.left_out(),
            struck: nemesis.take(),
            happened: stage.happened(),
            nodes,
            first_leader,
            until,
            end,
            ..Recording::default()
        };
        heard.report(&stage, &mut recording).await;
        Ok(recording)
    }

    /// Clients ask and faults strike, until the schedule is over or the run is interrupted.
    async fn break_it(&self, desk: &Arc<Desk>, nemesis: &Arc<Nemesis>) -> Result<(), LiveError> {
        let stop = self.interrupted.child_token();
        let mut clients = JoinSet::new();
        for (client, part) in parts(&self.plan).into_iter().enumerate() {
            let data = DataClient::new(ANSWER)?;
            clients.spawn(clients::play(
                desk.clone(),
                data,
                client,
                Part::new(part),
                stop.clone(),
            ));
        }
        let faults: Vec<Timed> = self.plan.steps.iter().filter(is_fault).cloned().collect();
        let nemesis = tokio::spawn(nemesis.clone().play(faults, stop.clone()));
        // Whoever still waits for an answer behind the end waits no longer than a client does.
        let end = Duration::from_micros(self.plan.until) + PATIENCE + ANSWER;
        let _ = timeout(end, async {
            loop {
                match timeout(GLANCE, clients.join_next()).await {
                    Ok(Some(_)) => {}
                    Ok(None) => return,
                    Err(_) => {
                        let (asked, answered) = desk.so_far();
                        (self.progress)(asked, answered);
                    }
                }
            }
        })
        .await;
        stop.cancel();
        // Whoever is stopped still says what it did not come to.
        while clients.join_next().await.is_some() {}
        let _ = nemesis.await;
        Ok(())
    }

    async fn come_to_rest(&self, desk: &Desk) -> Result<Ending, LiveError> {
        let data = DataClient::new(ANSWER)?;
        let status = finale::rest(desk).await;
        let is_weak = matches!(
            self.plan.expect,
            Expect::ReadYourWrites | Expect::MonotonicReads | Expect::Eventual
        );
        let read = match &status {
            Ok(_) => finale::read_all(desk, &data, &self.plan, is_weak).await,
            Err(_) => Ok(()),
        };
        let mut end = Ending {
            is_cut_short: self.interrupted.is_cancelled(),
            ..Ending::default()
        };
        if let Ok(status) = &status {
            end.last_entry = finale::last_entry(status);
            self.catch_up(desk, status.last_event).await;
        }
        match status.and(read) {
            Ok(()) => {}
            Err(Restless::Unrest(why)) => end.unrest = Some(why),
            Err(Restless::Unseen(why)) => end.unseen = Some(why),
        }
        for happened in desk.stage.happened() {
            if let Event::Lost(loss) = &happened.event {
                end.reported_count += loss.count;
                let writes = loss.writes.iter();
                let named = writes.map(|w| (w.key.as_str().to_owned(), w.entry.clone()));
                end.reported.extend(named);
            }
        }
        self.tidy(desk, &data).await;
        Ok(end)
    }

    /// Waits until everything that was reported is here.
    async fn catch_up(&self, desk: &Desk, last_event: u64) {
        let all = async {
            while desk.stage.last_event() < last_event {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(Duration::from_secs(5), all).await;
    }

    /// Removes the keys of this run.
    async fn tidy(&self, desk: &Desk, data: &DataClient) {
        let leader = desk.stage.leader();
        let leader = leader.and_then(|leader| desk.stage.place(leader.as_str()));
        let Some(node) = leader.and_then(|leader| desk.stage.node(leader)) else {
            return;
        };
        for key in &desk.keys {
            // Nobody needs them any more; that they stay does no harm.
            let _ = data.delete(&node.url, key, &Terms::default()).await;
        }
    }
}

fn is_fault(timed: &&Timed) -> bool {
    !matches!(timed.step, Step::Ask { .. })
}

/// What each client is to ask.
fn parts(plan: &Plan) -> Vec<Vec<Due>> {
    let mut parts = vec![Vec::new(); plan.clients];
    let asks = plan.steps.iter().filter_map(|timed| match timed.step {
        Step::Ask { client, call } => Some((timed.at, client, call)),
        _ => None,
    });
    for (number, (at, client, call)) in asks.enumerate() {
        parts[usize::from(client)].push(Due { at, number, call });
    }
    parts
}
