//! A client of a cluster's control API.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::Harm;
use crate::types::NodeId;
use crate::wire::control::{
    ClusterInfo, ClusterStatus, ErrorBody, ErrorDetail, EventRecord, Handed, NodeAddress,
    NodeChanged, NodeRemoved, VERSION_HEADER,
};
use crate::wire::faults::{FaultInForce, FaultList, FaultOrder, FaultsSet, HealOrder, Healed};
use crate::wire::messages::{Counted, Messages};

/// How long an answer may take. A server that is suspended gives none.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long what may take long may take.
const LONG_PATIENCE: Duration = Duration::from_secs(120);

/// How long a stream of events may be silent: the server says something every ten seconds.
const STREAM_SILENCE: Duration = Duration::from_secs(25);

/// A client of one control server.
#[derive(Debug, Clone)]
pub struct ControlClient {
    http: Client,
    url: String,
    token: String,
    patience: Duration,
}

/// Why there is no result.
#[derive(Debug, Clone)]
pub enum ControlError {
    /// Nobody is there.
    Unreachable,
    /// Somebody is there and says nothing.
    Silent,
    /// It refused.
    Refused(ErrorDetail),
    /// It is no control server, or one of another version.
    Strange(String),
}

impl ControlClient {
    /// A client of the server at `url`, allowed by `token` to change things.
    pub fn new(url: &str, token: &str) -> Result<ControlClient, reqwest::Error> {
        let http = Client::builder()
            .no_proxy()
            .connect_timeout(PATIENCE)
            .read_timeout(LONG_PATIENCE.max(STREAM_SILENCE))
            .pool_max_idle_per_host(1)
            .tcp_nodelay(true)
            .build()?;
        Ok(ControlClient {
            http,
            url: url.to_owned(),
            token: token.to_owned(),
            patience: PATIENCE,
        })
    }

    /// What is fixed for the cluster's life.
    pub async fn info(&self) -> Result<ClusterInfo, ControlError> {
        self.call(Method::GET, "/api/info").await
    }

    /// The version of the program that serves.
    pub async fn version(&self) -> Result<String, ControlError> {
        let response = self.send(Method::GET, "/api/info").await?;
        let version = response.headers().get(VERSION_HEADER);
        let version = version.and_then(|version| version.to_str().ok());
        version
            .map(str::to_owned)
            .ok_or_else(|| ControlError::Strange(String::new()))
    }

    /// What the nodes say.
    pub async fn status(&self) -> Result<ClusterStatus, ControlError> {
        self.call(Method::GET, "/api/status").await
    }

    /// Kills a node, and harms its disk as asked.
    pub async fn kill(&self, node: &NodeId, harm: Harm) -> Result<NodeChanged, ControlError> {
        let query = match harm {
            Harm::None => "",
            Harm::LoseUnsynced => "?disk=lose-unsynced",
            Harm::Wipe => "?disk=wipe",
            Harm::TearTail => "?disk=tear-tail",
        };
        self.wait(&format!("/api/nodes/{node}/kill{query}")).await
    }

    /// Revives a node; with `trust` it votes even if its disk was lost.
    pub async fn revive(&self, node: &NodeId, trust: bool) -> Result<NodeChanged, ControlError> {
        let query = if trust { "?bootstrap=yes" } else { "" };
        self.wait(&format!("/api/nodes/{node}/revive{query}")).await
    }

    /// Makes one more node.
    pub async fn add(&self) -> Result<NodeAddress, ControlError> {
        self.wait("/api/members").await
    }

    /// Removes a node.
    pub async fn remove(&self, node: &NodeId) -> Result<NodeRemoved, ControlError> {
        self.wait(&format!("/api/members/{node}/remove")).await
    }

    /// Hands the leadership over.
    pub async fn transfer(&self, to: Option<&NodeId>) -> Result<Handed, ControlError> {
        let query = to.map(|to| format!("?to={to}")).unwrap_or_default();
        self.wait(&format!("/api/transfer{query}")).await
    }

    /// The faults in force.
    pub async fn faults(&self) -> Result<Vec<FaultInForce>, ControlError> {
        let list: FaultList = self.call(Method::GET, "/api/faults").await?;
        Ok(list.faults)
    }

    /// Sets a fault; what was set, and on whom.
    pub async fn disturb(&self, order: &FaultOrder) -> Result<Vec<FaultInForce>, ControlError> {
        let set: FaultsSet = self.order("/api/faults", order).await?;
        Ok(set.set)
    }

    /// Undoes faults.
    pub async fn heal(&self, order: &HealOrder) -> Result<Healed, ControlError> {
        self.order("/api/heal", order).await
    }

    /// Lets a node stand still.
    pub async fn pause(&self, node: &NodeId) -> Result<NodeChanged, ControlError> {
        self.wait(&format!("/api/nodes/{node}/pause")).await
    }

    /// Lets a node that stands still go on.
    pub async fn resume(&self, node: &NodeId) -> Result<NodeChanged, ControlError> {
        self.wait(&format!("/api/nodes/{node}/resume")).await
    }

    /// How many messages nodes sent each other so far.
    pub async fn counted(&self) -> Result<Counted, ControlError> {
        let messages: Messages = self.call(Method::GET, "/api/messages").await?;
        Ok(messages.counted)
    }

    /// Has messages between nodes noted for so many seconds; 0: not from now on.
    pub async fn note_messages(&self, seconds: u64) -> Result<(), ControlError> {
        let path = format!("/api/messages?seconds={seconds}");
        let noted = self.call::<serde_json::Value>(Method::POST, &path).await;
        noted.map(drop)
    }

    /// Messages noted from the `from`-th on: some of them, none if there are no more.
    pub async fn messages(&self, from: u64) -> Result<Messages, ControlError> {
        self.call(Method::GET, &format!("/api/messages?from={from}"))
            .await
    }

    /// Posts `order`. What it does may end a node and start it again, whose disk is read.
    async fn order<T: DeserializeOwned>(
        &self,
        path: &str,
        order: &impl Serialize,
    ) -> Result<T, ControlError> {
        let request = self.http.post(format!("{}{path}", self.url)).json(order);
        let client = ControlClient {
            patience: LONG_PATIENCE,
            ..self.clone()
        };
        let response = client.sent(request).await?;
        client.read(response).await
    }

    /// Asks for what may take long: an election, a copy of everything, a disk that is read meanwhile.
    async fn wait<T: DeserializeOwned>(&self, path: &str) -> Result<T, ControlError> {
        let client = ControlClient {
            patience: LONG_PATIENCE,
            ..self.clone()
        };
        client.call(Method::POST, path).await
    }

    /// Ends the cluster.
    pub async fn down(&self) -> Result<(), ControlError> {
        self.call::<serde_json::Value>(Method::POST, "/api/down")
            .await
            .map(drop)
    }

    /// The events numbered above `seq`: those there are, and with `follow` those to come.
    pub async fn events(&self, seq: u64, follow: bool) -> Result<Events, ControlError> {
        let ending = if follow { "" } else { "&follow=no" };
        let response = self
            .send(Method::GET, &format!("/api/events?from={seq}{ending}"))
            .await?;
        Ok(Events {
            response,
            buffer: Vec::new(),
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ControlError> {
        let response = self.send(method, path).await?;
        self.read(response).await
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, ControlError> {
        let body = tokio::time::timeout(self.patience, response.text()).await;
        let body = body
            .map_err(|_| ControlError::Silent)?
            .map_err(|_| ControlError::Silent)?;
        serde_json::from_str(&body).map_err(|_| ControlError::Strange(body))
    }

    async fn send(&self, method: Method, path: &str) -> Result<Response, ControlError> {
        self.sent(self.http.request(method, format!("{}{path}", self.url)))
            .await
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Response, ControlError> {
        let sent =
            tokio::time::timeout(self.patience, request.bearer_auth(&self.token).send()).await;
        let response = match sent {
            Err(_) => return Err(ControlError::Silent),
            Ok(Err(error)) if error.is_timeout() => return Err(ControlError::Silent),
            Ok(Err(_)) => return Err(ControlError::Unreachable),
            Ok(Ok(response)) => response,
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let body = response.text().await.unwrap_or_default();
        match serde_json::from_str::<ErrorBody>(&body) {
            Ok(refusal) => Err(ControlError::Refused(refusal.error)),
            Err(_) => Err(ControlError::Strange(body)),
        }
    }
}

/// A stream of events.
#[derive(Debug)]
pub struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    /// The next event; `None` when the stream has ended or broken.
    pub async fn next(&mut self) -> Option<EventRecord> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                // The rest of a server-sent event repeats what the record holds.
                if let Some(json) = line.strip_prefix(b"data: ")
                    && let Ok(record) = serde_json::from_slice(json)
                {
                    return Some(record);
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.buffer.extend_from_slice(&chunk);
        }
    }

    /// All that are left.
    pub async fn collect(mut self) -> Vec<EventRecord> {
        let mut records = Vec::new();
        while let Some(record) = self.next().await {
            records.push(record);
        }
        records
    }
}
