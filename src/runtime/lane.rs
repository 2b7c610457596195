//! One lane to one peer: takes messages in turn, posts each over a kept-alive connection, and hands the answer in.
//!
//! What becomes of a message is asked when it leaves, and of its answer when that does. One that is late travels alone, by
//! a courier, so that it holds nobody back: however late messages are, they leave as fast as before. Only a narrow link
//! makes those behind wait, as it does in truth.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::faults::Verdict;
use crate::protocol::message::Known;
use crate::protocol::{Message, MessageKind};
use crate::runtime::call::Call;
use crate::runtime::clock::Clock;
use crate::runtime::courier::Couriers;
use crate::runtime::ice::Ice;
use crate::runtime::line::{Line, Silence};
use crate::runtime::mail::{Mail, Note};
use crate::runtime::net::{Net, Passage};
use crate::types::{Mode, NodeId, Role};
use crate::wire::data::NodeStatus;
use crate::wire::messages::Fate;
use crate::wire::peer;

/// How long a connection without messages is kept: after an election most are not needed again.
const IDLE: Duration = Duration::from_secs(5);

/// The least that a timer can wait.
const TICK: Duration = Duration::from_millis(1);

/// How often a message that waits at a narrow link looks whether it still is.
const GLANCE: Duration = Duration::from_millis(50);

/// What all lanes of a node share.
pub(super) struct Road {
    pub(super) from: NodeId,
    pub(super) mode: Mode,
    pub(super) net: Net,
    pub(super) ice: Ice,
    pub(super) inbox: mpsc::Sender<Call>,
    pub(super) stop: CancellationToken,
}

/// A lane, or a courier's share of it.
pub(super) struct Lane {
    road: Arc<Road>,
    to: NodeId,
    pub(super) line: Line,
    couriers: Arc<Couriers>,
    /// Those of the answers on their way back.
    answers: Arc<Couriers>,
    /// Whether a peer known by address was asked for its name.
    asked_name: bool,
}

/// A message, ready to be posted.
#[derive(Clone)]
pub(super) struct Letter {
    kind: MessageKind,
    body: Bytes,
    note: Note,
}

impl Lane {
    /// Opens a lane to `to`, in which `queue` messages may wait. It closes when it is idle for a while.
    pub(super) fn open(
        road: Arc<Road>,
        to: &NodeId,
        authority: &str,
        timeout: Duration,
        queue: usize,
    ) -> mpsc::Sender<Message> {
        let (sender, messages) = mpsc::channel(queue);
        let (stop, ice) = (road.stop.clone(), road.ice.clone());
        let lane = Lane {
            road,
            to: to.clone(),
            line: Line::to(authority.into(), timeout),
            couriers: Arc::default(),
            answers: Arc::default(),
            asked_name: false,
        };
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = ice.hold(lane.run(messages)) => {}
            }
        });
        sender
    }

    /// The same lane on a line of its own.
    pub(super) fn another(&self) -> Lane {
        Lane {
            road: self.road.clone(),
            to: self.to.clone(),
            line: self.line.another(),
            couriers: self.couriers.clone(),
            answers: self.answers.clone(),
            asked_name: self.asked_name,
        }
    }

    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        while let Ok(Some(message)) = timeout(IDLE, messages.recv()).await {
            self.carry(message).await;
        }
        // What was sent in this very moment still goes.
        messages.close();
        while let Some(message) = messages.recv().await {
            self.carry(message).await;
        }
    }

    async fn carry(&mut self, message: Message) {
        let kind = message.kind();
        let (from, mode) = (&self.road.from, self.road.mode);
        let letter = Letter {
            kind,
            body: peer::encode(from, mode, &message, Clock::unix_millis()),
            note: self.mail().sent(from, &self.to, &message),
        };
        let passage = self
            .road
            .net
            .passage(from, &self.to, kind, letter.body.len());
        let Verdict::Deliver { after, copy } = passage.verdict else {
            return self.loses(&letter);
        };
        self.wait_turn(passage.turn).await;
        if let Some(later) = copy {
            let copy = Letter {
                note: self.mail().copied(letter.note),
                ..letter.clone()
            };
            self.couriers.send(self, after + later, copy);
        }
        match after.is_zero() {
            true => self.deliver(letter).await,
            false => self.couriers.send(self, after, letter),
        }
    }

    /// Waits as long as those before it need on a narrow link, and no longer than it is narrow.
    async fn wait_turn(&self, turn: Duration) {
        let turn = Instant::now() + turn;
        loop {
            let left = turn.saturating_duration_since(Instant::now());
            if left < TICK || !self.road.net.is_narrow(&self.road.from, &self.to) {
                return;
            }
            sleep(left.min(GLANCE)).await;
        }
    }

    fn mail(&self) -> &Mail {
        self.road.net.mail()
    }

    /// The network loses a message.
    pub(super) fn loses(&self, letter: &Letter) {
        self.mail().ends(letter.note, Fate::Lost);
    }

    /// The message arrives, now.
    pub(super) async fn deliver(&mut self, letter: Letter) {
        let Letter { kind, body, note } = letter;
        self.mail().comes_in(note, Duration::ZERO);
        let posted = self.line.post(kind, body).await;
        self.mail().ends(
            note,
            match posted {
                Ok(_) => Fate::Arrived,
                Err(Silence::Refused) => Fate::Unheard,
                Err(Silence::Broken | Silence::Other) => Fate::Unanswered,
            },
        );
        match posted {
            Ok((StatusCode::OK, body)) => self.hand_in(kind, &body).await,
            Ok((StatusCode::NOT_FOUND, _)) if kind == MessageKind::Probe => {
                self.ask_chapter_program().await;
            }
            // That the port refuses is an answer too.
            Err(Silence::Refused) if !self.road.net.is_cut(&self.to, &self.road.from) => {
                self.tell(Call::Refused {
                    peer: self.to.clone(),
                    message: kind,
                })
                .await;
            }
            Ok(_) | Err(Silence::Refused | Silence::Broken | Silence::Other) => {}
        }
    }

    async fn hand_in(&mut self, kind: MessageKind, body: &[u8]) {
        let Some((from, message)) = peer::decode_answer(kind, body) else {
            return;
        };
        let note = self.mail().sent(&self.to, &self.road.from, &message);
        let passage = self.way_back(kind, body.len());
        let Verdict::Deliver { after, copy } = passage.verdict else {
            return self.mail().ends(note, Fate::Lost);
        };
        let from = match from {
            Some(from) => self.learn(from).await,
            None if self.to.is_address() && !self.asked_name => {
                self.asked_name = true;
                match self.line.status().await {
                    Some(status) => self.learn(status.node_id).await,
                    None => self.to.clone(),
                }
            }
            None => self.to.clone(),
        };
        let after = after + passage.turn;
        self.answered(note, after);
        if let Some(later) = copy {
            self.answered(self.mail().copied(note), after + later);
            self.tell_in(after + later, from.clone(), message.clone());
        }
        match after.is_zero() {
            true => self.tell(Call::Response { from, message }).await,
            false => self.tell_in(after, from, message),
        }
    }

    /// An answer is in, in a while.
    fn answered(&self, note: Note, after: Duration) {
        self.mail().comes_in(note, after);
        self.mail().ends(note, Fate::Arrived);
    }

    /// What becomes of the answer to a message of that kind.
    fn way_back(&self, kind: MessageKind, bytes: usize) -> Passage {
        let net = &self.road.net;
        net.passage(&self.to, &self.road.from, kind, bytes)
    }

    /// Hands an answer in later, unless too many are under way.
    fn tell_in(&self, after: Duration, from: NodeId, message: Message) {
        let (road, answers) = (self.road.clone(), self.answers.clone());
        let Some(network) = answers.leaves(self.network()) else {
            return;
        };
        tokio::spawn(async move {
            tokio::select! {
                () = road.stop.cancelled() => {}
                () = sleep(after) => {
                    let _ = road.inbox.send(Call::Response { from, message }).await;
                }
            }
            answers.arrived(network);
        });
    }

    /// Which network it is on: how often its faults were changed.
    pub(super) fn network(&self) -> u64 {
        self.road.net.changes()
    }

    /// A program of the chapter knows no probes. Its status tells whether it lives and whom it obeys; but it would not
    /// take the lead as we do, so nobody waits for it unless it leads.
    async fn ask_chapter_program(&mut self) {
        let Some(status) = self.line.status().await else {
            return;
        };
        let NodeStatus {
            node_id,
            term,
            role,
            leader_id: leader,
            ..
        } = status;
        let from = self.learn(node_id).await;
        let heard_ago = (role == Role::Leader).then_some(Duration::ZERO);
        let message = Message::ProbeAck {
            known: Known { term, leader },
            heard_ago,
            contends: false,
        };
        self.tell(Call::Response { from, message }).await;
    }

    /// Tells the node the name of a peer that it knows by address only.
    async fn learn(&self, id: NodeId) -> NodeId {
        if self.to.is_address() && !id.is_address() {
            let (address, id) = (self.to.clone(), id.clone());
            self.tell(Call::Identified { address, id }).await;
        }
        id
    }

    async fn tell(&self, call: Call) {
        // A node that is gone needs to know nothing.
        let _ = self.road.inbox.send(call).await;
    }
}
