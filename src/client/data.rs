//! A client of one node's data API, which knows the difference between "it did not happen" and "nobody can know".

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};

use crate::value::{Key, Value};
use crate::wire::data::{Consistency, Found, NodeStatus, NotLeader, OBSERVER_HEADER, Unanswered};

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
    /// The node says why it cannot answer: nothing was done.
    Declined(String),
    /// Something came back that is no answer of the course's API.
    Strange(String),
}

/// The answer to a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It happened.
    Done {
        /// What the node said.
        said: String,
        /// The key's version now, if the node tells; after a delete there is none.
        version: Option<String>,
    },
    /// The key to delete is not there.
    NoSuchKey,
    /// The condition did not hold: nothing happened. The key's version, if there is such a key.
    Unmet(Option<String>),
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

/// On what terms a key is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Only if the key has this version.
    pub if_version: Option<String>,
    /// Only if there is no such key.
    pub if_absent: bool,
    /// The write's name: repeated under it, it happens once.
    pub idempotency_key: Option<String>,
}

impl Terms {
    fn add_to(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(version) = &self.if_version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        if self.if_absent {
            request = request.header("if-none-match", "*");
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        request
    }
}

impl DataClient {
    /// A client that waits `timeout` for every answer. It uses no proxy: nodes are on this machine or named by address.
    pub fn new(timeout: Duration) -> Result<DataClient, reqwest::Error> {
        DataClient::with(timeout, HeaderMap::new())
    }

    /// The same, of whoever shows what becomes of a cluster: faults between clients and nodes are not set for it.
    pub fn observer(timeout: Duration) -> Result<DataClient, reqwest::Error> {
        let mut headers = HeaderMap::new();
        headers.insert(OBSERVER_HEADER, HeaderValue::from_static("yes"));
        DataClient::with(timeout, headers)
    }

    fn with(timeout: Duration, headers: HeaderMap) -> Result<DataClient, reqwest::Error> {
        let client = Client::builder()
            .default_headers(headers)
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

    /// The value of `key` at the node at `url`, and its version if the node tells; `None` if it has no such key.
    pub async fn get(
        &self,
        url: &str,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Option<(Value, Option<String>)>, NoAnswer> {
        let query = match consistency {
            Consistency::Local => String::new(),
            other => format!("?consistency={}", other.as_str()),
        };
        let response = send(self.0.get(key_url(url, key) + &query)).await?;
        let (status, version) = (response.status(), version(&response));
        let body = text(response).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => serde_json::from_str(&body)
                .map(|found: Found| Some((found.value, version)))
                .map_err(|_| NoAnswer::Strange(shorten(&body))),
            _ => Err(declined(&body)),
        }
    }

    /// Asks the node at `url` to set `key` to the JSON text `value`.
    pub async fn put(
        &self,
        url: &str,
        key: &Key,
        value: &Value,
        terms: &Terms,
    ) -> Result<Written, NoAnswer> {
        let request = self.0.request(Method::PUT, key_url(url, key));
        let json = value.as_str().to_owned();
        let request = request.header("content-type", "application/json");
        written(terms.add_to(request).body(json)).await
    }

    /// Asks the node at `url` to remove `key`.
    pub async fn delete(&self, url: &str, key: &Key, terms: &Terms) -> Result<Written, NoAnswer> {
        let request = self.0.request(Method::DELETE, key_url(url, key));
        written(terms.add_to(request)).await
    }
}

async fn written(request: RequestBuilder) -> Result<Written, NoAnswer> {
    let response = send(request).await?;
    let (status, version) = (response.status(), version(&response));
    let body = text(response).await?;
    Ok(match status {
        StatusCode::OK => Written::Done {
            said: body,
            version,
        },
        StatusCode::NOT_FOUND => Written::NoSuchKey,
        StatusCode::PRECONDITION_FAILED => Written::Unmet(version),
        StatusCode::GATEWAY_TIMEOUT => {
            let unknown: Result<Unanswered, _> = serde_json::from_str(&body);
            let reason = unknown.map_or_else(|_| shorten(&body), |unknown| unknown.reason);
            return Err(NoAnswer::Silent(format!(
                "answered that nobody knows: {reason}"
            )));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            let refusal: NotLeader = serde_json::from_str(&body).map_err(|_| declined(&body))?;
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

fn declined(body: &str) -> NoAnswer {
    if let Ok(unanswered) = serde_json::from_str::<Unanswered>(body) {
        return NoAnswer::Declined(unanswered.reason);
    }
    match serde_json::from_str::<NotLeader>(body) {
        Ok(refusal) => {
            let leader = match refusal.leader_id.as_str() {
                "Unknown" => "nobody that it knows",
                leader => leader,
            };
            let role = refusal.current_role;
            NoAnswer::Declined(format!("it is a {role}; {leader} leads"))
        }
        Err(_) => NoAnswer::Strange(shorten(body)),
    }
}

fn version(response: &Response) -> Option<String> {
    let tag = response.headers().get("etag")?.to_str().ok()?;
    Some(tag.trim_matches('"').to_owned())
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
