//! The control server of a cluster: JSON over HTTP for everything the commands do, server-sent events for who watches.
//!
//! It listens on loopback. Reads are open there; what changes the cluster needs the token from its state file; a foreign
//! Host header is refused, so that no web page reaches it by a name of its own (DNS rebinding); there is no CORS.

mod faults;
mod guard;
mod members;
mod messages;
mod stream;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::data::DataClient;
use crate::client::gather;
use crate::engine::{Engine, EngineError, Harm};
use crate::types::NodeId;
use crate::wire::control::{
    ClusterInfoBrief, ErrorBody, ErrorDetail, NodeChanged, NodeState, VERSION_HEADER,
};

/// How long a node may take to say what it is.
const NODE_PATIENCE: Duration = Duration::from_secs(1);

/// How long open streams may take to end once the cluster is down.
const FAREWELL: Duration = Duration::from_millis(300);

/// How the commands reach a cluster.
pub struct Access {
    /// What allows changes.
    pub token: String,
    /// Called when nodes have come or gone, before who asked for it is answered.
    pub members_changed: Box<dyn Fn() + Send + Sync>,
}

/// What the routes share.
pub(crate) struct Shared<E> {
    engine: Arc<E>,
    nodes: DataClient,
    access: Access,
    hosts: Vec<String>,
    down: CancellationToken,
    stop: CancellationToken,
}

/// Serves until `stop`; `down` is cancelled when somebody asks the cluster to end.
pub async fn serve<E: Engine>(
    engine: Arc<E>,
    listener: TcpListener,
    access: Access,
    down: CancellationToken,
    stop: CancellationToken,
) -> io::Result<()> {
    let nodes = DataClient::observer(NODE_PATIENCE).map_err(io::Error::other)?;
    let hosts = guard::hosts(listener.local_addr()?);
    let shared = Arc::new(Shared {
        engine,
        nodes,
        access,
        hosts,
        down,
        stop: stop.clone(),
    });
    let server = axum::serve(listener, router(shared))
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let farewell = async {
        stop.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        result = server.into_future() => result,
        () = farewell => Ok(()),
    }
}

fn router<E: Engine>(shared: Arc<Shared<E>>) -> Router {
    Router::new()
        .route("/api/info", get(info::<E>))
        .route("/api/status", get(status::<E>))
        .route("/api/events", get(stream::events::<E>))
        .route("/api/nodes/{id}/kill", post(kill::<E>))
        .route("/api/nodes/{id}/revive", post(revive::<E>))
        .route("/api/nodes/{id}/pause", post(faults::pause::<E>))
        .route("/api/nodes/{id}/resume", post(faults::resume::<E>))
        .route("/api/faults", get(faults::list::<E>).post(faults::set::<E>))
        .route("/api/heal", post(faults::heal::<E>))
        .route("/api/members", post(members::add::<E>))
        .route("/api/members/{id}/remove", post(members::remove::<E>))
        .route(
            "/api/messages",
            get(messages::list::<E>).post(messages::note::<E>),
        )
        .route("/api/transfer", post(members::transfer::<E>))
        .route("/api/down", post(down::<E>))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_route)
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            guard::check::<E>,
        ))
        .with_state(shared)
}

async fn info<E: Engine>(State(shared): State<Arc<Shared<E>>>) -> Response {
    json(StatusCode::OK, &shared.engine.info())
}

async fn status<E: Engine>(State(shared): State<Arc<Shared<E>>>) -> Response {
    let info = shared.engine.info();
    // Events first: who goes on watching from this number misses nothing that the rows do not show.
    let last_event = shared.engine.last_event();
    let rows = gather::rows(&shared.nodes, shared.engine.wanted()).await;
    let brief = ClusterInfoBrief {
        program: info.program.clone(),
        name: info.name.clone(),
        pid: Some(info.pid),
        started_at: Some(info.started_at.clone()),
        mode: Some(info.mode.clone()),
        storage: Some(info.storage.clone()),
    };
    let mut status = gather::status(brief, rows, shared.engine.lost(), last_event);
    status.faults = shared.engine.faults();
    json(StatusCode::OK, &status)
}

async fn kill<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let harm = match query.as_deref() {
        None | Some("") => Harm::None,
        Some("disk=lose-unsynced") => Harm::LoseUnsynced,
        Some("disk=wipe") => Harm::Wipe,
        Some("disk=tear-tail") => Harm::TearTail,
        Some(other) => {
            let message =
                format!("{other:?} is no harm: disk=lose-unsynced, disk=tear-tail or disk=wipe");
            return refuse(StatusCode::BAD_REQUEST, "usage", message, None);
        }
    };
    let engine = shared.engine.clone();
    change(&shared, &name, NodeState::Killed, |id| async move {
        engine.kill(&id, harm).await
    })
    .await
}

async fn revive<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let trust = query.as_deref() == Some("bootstrap=yes");
    let engine = shared.engine.clone();
    change(&shared, &name, NodeState::Up, |id| async move {
        engine.revive(&id, trust).await
    })
    .await
}

async fn change<E: Engine, F: Future<Output = Result<bool, EngineError>> + Send + 'static>(
    shared: &Shared<E>,
    name: &str,
    state: NodeState,
    perform: impl FnOnce(NodeId) -> F,
) -> Response {
    let Ok(node) = NodeId::new(name) else {
        return unknown_node(shared, name);
    };
    // In a task of its own: a client that goes away must not leave a node half killed.
    match tokio::spawn(perform(node.clone())).await {
        Ok(Ok(changed)) => json(
            StatusCode::OK,
            &NodeChanged {
                node,
                changed,
                state,
            },
        ),
        Ok(Err(error)) => failed(shared, &error),
        Err(_) => panicked(name),
    }
}

/// A change that its engine could not make.
fn failed<E: Engine>(shared: &Shared<E>, error: &EngineError) -> Response {
    let (status, code) = match error {
        EngineError::UnknownNode(name) => return unknown_node(shared, name),
        EngineError::UnknownFaults { .. } => (StatusCode::NOT_FOUND, "unknown-fault"),
        EngineError::Senseless(_) => (StatusCode::BAD_REQUEST, "usage"),
        EngineError::System { .. } | EngineError::HealedInPart { .. } => {
            (StatusCode::INTERNAL_SERVER_ERROR, "system")
        }
        EngineError::Stopping => (StatusCode::CONFLICT, "stopping"),
        EngineError::Refused(_) => (StatusCode::CONFLICT, "refused"),
        EngineError::Unknown(_) => (StatusCode::GATEWAY_TIMEOUT, "outcome-unknown"),
        EngineError::Unsupported(_) => (StatusCode::NOT_IMPLEMENTED, "unsupported"),
    };
    let hint = match error {
        EngineError::Unsupported(_) => Some("cluster up --raft can".to_owned()),
        EngineError::UnknownFaults { .. } => Some("see what is: cluster faults".to_owned()),
        _ => None,
    };
    refuse(status, code, error.to_string(), hint)
}

fn panicked(what: &str) -> Response {
    let message = format!("{what}: the change failed; the program's own log says why");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal", message, None)
}

async fn down<E: Engine>(State(shared): State<Arc<Shared<E>>>) -> Response {
    #[derive(Serialize)]
    struct Stopping {
        stopping: bool,
    }
    shared.down.cancel();
    json(StatusCode::OK, &Stopping { stopping: true })
}

async fn unknown_route() -> Response {
    let message = "no such route, or another method is needed".to_owned();
    let hint = "the README lists the control server's routes".to_owned();
    refuse(StatusCode::NOT_FOUND, "unknown-route", message, Some(hint))
}

fn unknown_node<E: Engine>(shared: &Shared<E>, name: &str) -> Response {
    let ids: Vec<String> = shared
        .engine
        .wanted()
        .into_iter()
        .map(|w| w.id.to_string())
        .collect();
    let those = match ids.as_slice() {
        [first, .., last] if ids.len() > 12 => format!("{first} to {last}"),
        few => few.join(", "),
    };
    let name: String = name.chars().take(80).collect();
    let message = format!("no node is called {name:?}; there are {those}");
    refuse(StatusCode::NOT_FOUND, "unknown-node", message, None)
}

pub(crate) fn refuse(
    status: StatusCode,
    code: &str,
    message: String,
    hint: Option<String>,
) -> Response {
    json(
        status,
        &ErrorBody {
            error: ErrorDetail {
                code: code.to_owned(),
                message,
                hint,
            },
        },
    )
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("answers are always JSON");
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header(VERSION_HEADER, env!("CARGO_PKG_VERSION"))
        .body(Body::from(body))
        .expect("these headers are valid")
}
