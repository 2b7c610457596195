//! A client of one node's data API, which knows the difference between "it did not happen" and "nobody can know".

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};

use crate::value::{Key, Value};
use crate::wire::data::{Found, NodeStatus, NotLeader};

/// A client for any number of nodes.
#[derive(Debug, Clone)]
pub struct DataClient(Client);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The port refused the connection: nothing was sent.
    Refused,
    /// Nothing came back: the request may have been carried out, or may yet be.
    Silent(String),
    /// Something came back that is no answer of the course's API.
    Strange(String),
}

/// The answer to a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It happened. What the node said.
    Done(String),
    /// The key to delete is not there.
    NoSuchKey,
    /// The node does not lead: it did not happen.
    NotLeader {
        /// What the node is.
        role: String,
        /// Who leads, as far as it knows.
        leader: Option<String>,
    },
    /// The node refused it for good: the status, and what it said.
    Rejected(u16, String),
}

impl DataClient {
    /// A client that waits `timeout` for every answer. It uses no proxy: nodes are on this machine or named by address.
    pub fn new(timeout: Duration) -> Result<DataClient, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(2))
            .tcp_nodelay(true)
            .build()?;
        Ok(DataClient(client))
    }

    /// What the node at `url` says of itself; with its keys, or without.
    pub async fn status(&self, url: &str, keys: bool) -> Result<NodeStatus, NoAnswer> {
        let query = if keys { "" } else { "?keys=no" };
        let response = send(self.0.get(format!("{url}/status{query}"))).await?;
        let body = text(response).await?;
        serde_json::from_str(&body).map_err(|_| NoAnswer::Strange(shorten(&body)))
    }

    /// The value of `key` at the node at `url`; `None` if it has none.
    pub async fn get(&self, url: &str, key: &Key) -> Result<Option<Value>, NoAnswer> {
        let response = send(self.0.get(key_url(url, key))).await?;
        let status = response.status();
        let body = text(response).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => serde_json::from_str(&body)
                .map(|found: Found| Some(found.value))
                .map_err(|_| NoAnswer::Strange(shorten(&body))),
            _ => Err(NoAnswer::Strange(shorten(&body))),
        }
    }

    /// Asks the node at `url` to set `key` to the JSON text `value`.
    pub async fn put(&self, url: &str, key: &Key, value: &Value) -> Result<Written, NoAnswer> {
        let request = self.0.request(Method::PUT, key_url(url, key));
        let json = value.as_str().to_owned();
        written(
            request
                .header("content-type", "application/json")
                .body(json),
        )
        .await
    }

    /// Asks the node at `url` to remove `key`.
    pub async fn delete(&self, url: &str, key: &Key) -> Result<Written, NoAnswer> {
        written(self.0.request(Method::DELETE, key_url(url, key))).await
    }
}

async fn written(request: RequestBuilder) -> Result<Written, NoAnswer> {
    let response = send(request).await?;
    let status = response.status();
    let body = text(response).await?;
    Ok(match status {
        StatusCode::OK => Written::Done(body),
        StatusCode::NOT_FOUND => Written::NoSuchKey,
        StatusCode::SERVICE_UNAVAILABLE => {
            let refusal: NotLeader =
                serde_json::from_str(&body).map_err(|_| NoAnswer::Strange(shorten(&body)))?;
            let leader = Some(refusal.leader_id).filter(|leader| leader != "Unknown");
            Written::NotLeader {
                role: refusal.current_role,
                leader,
            }
        }
        status if status.is_client_error() => Written::Rejected(status.as_u16(), shorten(&body)),
        _ => {
            return Err(NoAnswer::Silent(format!(
                "it answered {status}: {}",
                shorten(&body)
            )));
        }
    })
}

async fn send(request: RequestBuilder) -> Result<Response, NoAnswer> {
    request.send().await.map_err(no_answer)
}

async fn text(response: Response) -> Result<String, NoAnswer> {
    response.text().await.map_err(no_answer)
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    match error.is_connect() && !error.is_timeout() {
        true => NoAnswer::Refused,
        false if error.is_timeout() => NoAnswer::Silent("no answer came in time".to_owned()),
        false => NoAnswer::Silent("the connection broke before an answer came".to_owned()),
    }
}

fn shorten(body: &str) -> String {
    body.trim().chars().take(200).collect()
}

/// The URL of `key`: everything but letters, digits and `-._~` is percent-encoded, so any key survives.
fn key_url(url: &str, key: &Key) -> String {
    let mut path = format!("{url}/key/");
    for byte in key.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => path.push(byte.into()),
            // A dot too: clients fold `..` in paths.
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}
