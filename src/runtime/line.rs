//! A line to one peer: a connection that is kept alive, over which one request at a time goes and is answered.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::protocol::MessageKind;
use crate::wire::data::NodeStatus;
use crate::wire::peer;

/// The largest answer read. A status with its keys may be long; the part before is what is asked for.
const MAX_ANSWER: usize = 4 << 20;

/// A line.
pub(super) struct Line {
    authority: Arc<str>,
    timeout: Duration,
    connection: Option<Connection>,
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
pub(super) enum Silence {
    /// The port refused: nobody lives there.
    Refused,
    /// The connection broke before an answer came.
    Broken,
    /// Something else, or nothing in time.
    Other,
}

impl Line {
    /// A line to `authority` (`host:port`), on which nothing is waited for longer than `timeout`.
    pub(super) fn to(authority: Arc<str>, timeout: Duration) -> Line {
        Line {
            authority,
            timeout,
            connection: None,
        }
    }

    /// Another line to the same.
    pub(super) fn another(&self) -> Line {
        Line::to(self.authority.clone(), self.timeout)
    }

    /// Posts a message of that kind; what was answered.
    pub(super) async fn post(
        &mut self,
        kind: MessageKind,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Silence> {
        match timeout(self.timeout, self.post_twice(kind, body)).await {
            Ok(answer) => answer,
            Err(_) => {
                // An answer that comes after all would be taken for that to the next message.
                self.connection = None;
                Err(Silence::Other)
            }
        }
    }

    async fn post_twice(
        &mut self,
        kind: MessageKind,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Silence> {
        let reused = self.connection.is_some();
        let build = |line: &Line| {
            line.request(Method::POST, peer::route(kind), body.clone())
                .ok_or(Silence::Other)
        };
        match self.exchange(build(self)?).await {
            // A connection kept from an earlier life of the peer. Our messages do no harm twice.
            Err(Silence::Broken) if reused => self.exchange(build(self)?).await,
            answer => answer,
        }
    }

    /// What the peer says of itself.
    pub(super) async fn status(&mut self) -> Option<NodeStatus> {
        let request = self.request(Method::GET, "/status?keys=no", Bytes::new())?;
        let answer = timeout(self.timeout, self.exchange(request)).await;
        match answer {
            Ok(Ok((StatusCode::OK, body))) => serde_json::from_slice(&body).ok(),
            Ok(_) | Err(_) => None,
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
