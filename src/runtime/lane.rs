//! One lane to one peer: takes messages in turn, posts each over a kept-alive connection, and hands the answer in.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::faults::{Faults, Verdict};
use crate::protocol::message::Known;
use crate::protocol::{Message, MessageKind};
use crate::runtime::call::Call;
use crate::runtime::clock::Clock;
use crate::types::{Mode, NodeId, Role};
use crate::wire::data::NodeStatus;
use crate::wire::peer;

/// How long a connection without messages is kept: after an election most are not needed again.
const IDLE: Duration = Duration::from_secs(5);

/// The largest answer read. A status with its keys may be long; the part before is what is asked for.
const MAX_ANSWER: usize = 4 << 20;

/// What all lanes of a node share.
pub(super) struct Road {
    pub(super) from: NodeId,
    pub(super) mode: Mode,
    pub(super) faults: Arc<RwLock<Faults>>,
    pub(super) inbox: mpsc::Sender<Call>,
    pub(super) stop: CancellationToken,
}

pub(super) struct Lane {
    road: Arc<Road>,
    to: NodeId,
    authority: Arc<str>,
    timeout: Duration,
    connection: Option<Connection>,
    /// Whether a peer known by address was asked for its name.
    asked_name: bool,
}

/// A connection; dropping it closes it.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Why there was no answer.
enum Silence {
    /// The port refused: nobody lives there.
    Refused,
    /// The connection broke before an answer came.
    Broken,
    /// Something else, or nothing in time.
    Other,
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
        let stop = road.stop.clone();
        let lane = Lane {
            road,
            to: to.clone(),
            authority: authority.into(),
            timeout,
            connection: None,
            asked_name: false,
        };
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = lane.run(messages) => {}
            }
        });
        sender
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
        match self.verdict(&self.road.from, &self.to) {
            Verdict::Drop => return,
            Verdict::Deliver { after, .. } => pause(after).await,
        }
        let body = peer::encode(
            &self.road.from,
            self.road.mode,
            &message,
            Clock::unix_millis(),
        );
        let answer = match timeout(self.timeout, self.post(kind, body)).await {
            Ok(answer) => answer,
            Err(_) => {
                // An answer that comes after all would be taken for that to the next message.
                self.connection = None;
                Err(Silence::Other)
            }
        };
        match answer {
            Ok((StatusCode::OK, body)) => self.hand_in(kind, &body).await,
            Ok((StatusCode::NOT_FOUND, _)) if kind == MessageKind::Probe => {
                self.ask_chapter_program().await;
            }
            Err(Silence::Refused) => {
                self.tell(Call::Refused {
                    peer: self.to.clone(),
                    message: kind,
                })
                .await;
            }
            Ok(_) | Err(Silence::Broken | Silence::Other) => {}
        }
    }

    async fn hand_in(&mut self, kind: MessageKind, body: &[u8]) {
        let Some((from, message)) = peer::decode_answer(kind, body) else {
            return;
        };
        match self.verdict(&self.to, &self.road.from) {
            Verdict::Drop => return,
            Verdict::Deliver { after, .. } => pause(after).await,
        }
        let from = match from {
            Some(from) => self.learn(from).await,
            None if self.to.is_address() && !self.asked_name => {
                self.asked_name = true;
                match self.status().await {
                    Some(status) => self.learn(status.node_id).await,
                    None => self.to.clone(),
                }
            }
            None => self.to.clone(),
        };
        self.tell(Call::Response { from, message }).await;
    }

    /// A program of the chapter knows no probes. Its status tells whether it lives and whom it obeys; but it would not
    /// take the lead as we do, so nobody waits for it unless it leads.
    async fn ask_chapter_program(&mut self) {
        let Some(status) = self.status().await else {
            return;
        };
        let leads = status.role == Role::Leader;
        let from = self.learn(status.node_id).await;
        let known = Known {
            term: status.term,
            leader: status.leader_id,
        };
        let heard_ago = leads.then_some(Duration::ZERO);
        let message = Message::ProbeAck {
            known,
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

    async fn status(&mut self) -> Option<NodeStatus> {
        let request = self.request(Method::GET, "/status?keys=no", Bytes::new())?;
        let answer = timeout(self.timeout, self.exchange(request)).await;
        match answer {
            Ok(Ok((StatusCode::OK, body))) => serde_json::from_slice(&body).ok(),
            Ok(_) | Err(_) => None,
        }
    }

    async fn post(
        &mut self,
        kind: MessageKind,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Silence> {
        let reused = self.connection.is_some();
        let build = |lane: &Lane| {
            lane.request(Method::POST, peer::route(kind), body.clone())
                .ok_or(Silence::Other)
        };
        match self.exchange(build(self)?).await {
            // A connection kept from an earlier life of the peer. Our messages do no harm twice.
            Err(Silence::Broken) if reused => self.exchange(build(self)?).await,
            answer => answer,
        }
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Option<Request<Full<Bytes>>> {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &*self.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .ok()
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), Silence> {
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.sender.is_closed() => connection,
            _ => connect(&self.authority).await?,
        };
        let broken = |_| Silence::Broken;
        connection.sender.ready().await.map_err(broken)?;
        let response = connection
            .sender
            .send_request(request)
            .await
            .map_err(broken)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|_| Silence::Other)?;
        self.connection = Some(connection);
        Ok((head.status, body.to_bytes()))
    }

    fn verdict(&self, from: &NodeId, to: &NodeId) -> Verdict {
        self.road
            .faults
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .verdict(from, to)
    }

    async fn tell(&self, call: Call) {
        // A node that is gone needs to know nothing.
        let _ = self.road.inbox.send(call).await;
    }
}

async fn connect(authority: &str) -> Result<Connection, Silence> {
    let stream = TcpStream::connect(authority)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Silence::Refused,
            _ => Silence::Other,
        })?;
    // Without it a small message may wait for the answer to the one before.
    stream.set_nodelay(true).map_err(|_| Silence::Other)?;
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(16 << 10)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Silence::Broken)?;
    let driver = tokio::spawn(async move {
        // How a connection ends shows in the exchange on it.
        let _ = connection.await;
    });
    Ok(Connection { sender, driver })
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
