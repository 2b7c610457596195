//! What peers post: decoded, checked, and answered by the node's task.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::response::Response;
use http::{Method, StatusCode, header};
use serde::Serialize;

use crate::protocol::Message;
use crate::runtime::call::{Answer, Call};
use crate::runtime::http::{Service, answer, data};
use crate::wire::peer::{self, MAX_BODY, Received, Rejected};

const ROUTES: [&str; 8] = [
    "/internal/heartbeat",
    "/internal/replicate",
    "/internal/append",
    "/internal/snapshot",
    "/internal/probe",
    "/internal/vote",
    "/internal/read",
    "/internal/restored",
];

#[derive(Serialize)]
struct OtherRules {
    error: &'static str,
    mode: String,
    hint: &'static str,
}

pub(super) async fn answer(service: Arc<Service>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if request.method() != Method::POST || !ROUTES.contains(&path.as_str()) {
        data::discard(request, service.world.max_value).await;
        return answer::not_found();
    }
    // The data API is open to every web page; leading a cluster is not.
    if request.headers().contains_key(header::ORIGIN) {
        return answer::error(StatusCode::FORBIDDEN, "Not for web pages");
    }
    let body = match data::read(request, MAX_BODY).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    match peer::decode(&path, service.mode, &body) {
        Ok(received) if is_bare(&received.message) && service.mode.needs_majority() => {
            other_rules(&service)
        }
        Ok(received) if received.from != service.id => ask(&service, received).await,
        // Nobody else bears this node's name.
        Ok(_) | Err(Rejected::Invalid) => invalid(),
        Err(Rejected::OtherRules { from, rules }) => {
            // Said once a peer; if the task is busy, the next message says it.
            let _ = service
                .inbox
                .try_send(Call::OtherRules { peer: from, rules });
            other_rules(&service)
        }
    }
}

/// A program that counts no votes leads nobody where leaders are voted for.
fn is_bare(message: &Message) -> bool {
    matches!(
        message,
        Message::BareHeartbeat { .. } | Message::WholeMap { .. }
    )
}

fn other_rules(service: &Service) -> Response {
    let body = OtherRules {
        error: "This node plays by other rules",
        mode: service.mode.to_string(),
        hint: "start all nodes of a cluster with the same program and mode",
    };
    answer::json(StatusCode::CONFLICT, &body)
}

async fn ask(service: &Service, received: Received) -> Response {
    service.received.fetch_add(1, Ordering::Relaxed);
    let Received { from, message } = received;
    match service
        .ask(|answer| Call::Request {
            from,
            message,
            answer,
        })
        .await
    {
        Answer::Success(message) => {
            answer::bytes(StatusCode::OK, peer::encode_answer(&service.id, message))
        }
        Answer::Unbelievable => invalid(),
        Answer::Gone => answer::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "The disk of this node failed",
        ),
    }
}

fn invalid() -> Response {
    answer::error(StatusCode::BAD_REQUEST, "Invalid request")
}
