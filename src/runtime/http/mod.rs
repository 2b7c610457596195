//! A node's server: the course's API, exactly, and the routes its peers use.

mod answer;
mod clients;
mod data;
mod gate;
mod internal;
pub mod key;
mod reads;
mod stream;
pub mod terms;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::Method;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::runtime::call::Call;
use crate::runtime::http::gate::Gate;
use crate::runtime::http::stream::KillableStream;
use crate::runtime::ice::Ice;
use crate::runtime::seat::World;
use crate::runtime::view::Window;
use crate::types::{Config, Mode, NodeId};

/// How long a client may take to send its request's head, and then its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// After a failed accept (no descriptors left, most likely): no busy loop.
const BREATH: Duration = Duration::from_millis(50);

/// What answering takes.
#[derive(Clone)]
pub struct Service {
    id: NodeId,
    mode: Mode,
    world: World,
    window: Window,
    inbox: mpsc::Sender<Call>,
    gate: Gate,
    /// How many messages of peers have arrived.
    received: Arc<AtomicU64>,
}

impl Service {
    /// The service of the node of `config`.
    pub(super) fn new(
        config: &Config,
        world: &World,
        window: Window,
        inbox: mpsc::Sender<Call>,
    ) -> Service {
        let (id, mode) = (config.id.clone(), config.mode);
        Service {
            id,
            mode,
            world: world.clone(),
            window,
            inbox,
            gate: Gate::default(),
            received: Arc::default(),
        }
    }

    /// Asks the node's task; `None` if it is gone.
    async fn try_ask<T>(
        &self,
        call: impl FnOnce(tokio::sync::oneshot::Sender<T>) -> Call,
    ) -> Option<T> {
        let (answer, wait) = tokio::sync::oneshot::channel();
        self.inbox.send(call(answer)).await.ok()?;
        wait.await.ok()
    }

    /// Asks the node's task. Of a node that is gone nobody gets an answer: the connection is about to be reset.
    async fn ask<T>(&self, call: impl FnOnce(tokio::sync::oneshot::Sender<T>) -> Call) -> T {
        match self.try_ask(call).await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

/// Serves until `stop`, when every connection is reset.
pub(super) async fn serve(
    listener: TcpListener,
    service: Service,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let ice = service.world.standstill.ports.clone();
    let router = Router::new().fallback(route).with_state(Arc::new(service));
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let stream = KillableStream::new(stream, stop.clone());
                    let (router, stop, ice) = (router.clone(), stop.clone(), ice.clone());
                    tasks.spawn(converse(stream, router, stop, ice));
                }
                Err(error) if is_connections_own(&error) => {}
                Err(_) => tokio::time::sleep(BREATH).await,
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = ice.hold(accept) => {}
    }
}

async fn converse(stream: KillableStream, router: Router, stop: CancellationToken, ice: Ice) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(64 << 10)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        // A client that misbehaves or goes away is no news.
        _ = ice.hold(connection) => {}
    }
}

fn is_connections_own(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// One handler for all: a router would fold paths, and what does not match must be the chapter's 404.
async fn route(State(service): State<Arc<Service>>, request: Request) -> Response {
    match service.world.net.is_perfect() {
        true => answer_to(service, request).await,
        false => clients::answer(service, request).await,
    }
}

async fn answer_to(service: Arc<Service>, request: Request) -> Response {
    let path = request.uri().path();
    if request.method() == Method::OPTIONS {
        return answer::preflight();
    }
    if path.starts_with("/internal/") {
        return internal::answer(service, request).await;
    }
    match *request.method() {
        Method::GET | Method::HEAD if path == "/status" => reads::status(&service, &request),
        Method::GET | Method::HEAD if path.starts_with("/key/") => {
            reads::get(service, request).await
        }
        Method::PUT if path.starts_with("/key/") => data::put(service, request).await,
        Method::DELETE if path.starts_with("/key/") => data::delete(service, request).await,
        _ => {
            data::discard(request, service.world.max_value).await;
            answer::not_found()
        }
    }
}
