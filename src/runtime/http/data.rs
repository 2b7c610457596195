//! What a client may change: put and delete of a key, and what becomes of its body.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use tokio::time::timeout;

use crate::event::Event;
use crate::protocol::{Change, Reply};
use crate::runtime::call::Call;
use crate::runtime::http::key::{self, InvalidKey};
use crate::runtime::http::terms::terms;
use crate::runtime::http::{PATIENCE, Service, answer};
use crate::store::Proviso;
use crate::types::{NodeId, Role};
use crate::value::{Key, Value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    success: bool,
    key: &'a Key,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
    leader_id: &'a NodeId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotTheLeader<'a> {
    error: &'a str,
    current_role: Role,
    leader_id: &'a str,
}

pub(super) async fn put(service: Arc<Service>, request: Request) -> Response {
    let key = match key::decode(request.uri().path()) {
        Ok(key) => key,
        Err(invalid) => return refuse(invalid),
    };
    let proviso = match terms(request.headers()) {
        Ok(proviso) => proviso,
        Err(response) => return *response,
    };
    // As in the chapter, who leads is asked before the body is read; and again by the node, in case it changed.
    if let Some(response) = refuse_unless_leader(&service) {
        discard(request, service.world.max_value).await;
        return response;
    }
    let limit = service.world.max_value;
    let body = match read(request, limit).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let value = Value::parse(&body).ok();
    let change = value.clone().map_or(Change::Unusable, Change::Put);
    let reply = service.write(key.clone(), change, proviso).await;
    if let (Some(value), Reply::Done { .. }, true) = (&value, &reply, service.world.course) {
        let value = value.as_str().to_owned();
        service.report(Event::Set {
            key: key.clone(),
            value,
        });
    }
    written(&key, value.as_ref(), reply)
}

pub(super) async fn delete(service: Arc<Service>, request: Request) -> Response {
    let key = match key::decode(request.uri().path()) {
        Ok(key) => key,
        Err(invalid) => return refuse(invalid),
    };
    let proviso = match terms(request.headers()) {
        Ok(proviso) => proviso,
        Err(response) => return *response,
    };
    discard(request, service.world.max_value).await;
    let reply = service.write(key.clone(), Change::Delete, proviso).await;
    let existed = matches!(reply, Reply::Done { .. });
    if service.world.course && (existed || reply == Reply::NoSuchKey) {
        service.report(Event::Delete {
            key: key.clone(),
            existed,
        });
    }
    written(&key, None, reply)
}

impl Service {
    async fn write(&self, key: Key, change: Change, proviso: Option<Arc<Proviso>>) -> Reply {
        self.ask(|answer| Call::Write {
            key,
            change,
            proviso,
            answer,
        })
        .await
    }

    pub(super) fn report(&self, event: Event) {
        (self.world.events)(&self.id, event);
    }
}

fn written(key: &Key, value: Option<&Value>, reply: Reply) -> Response {
    match reply {
        Reply::Done { leader, version } => {
            let body = Written {
                success: true,
                key,
                value,
                leader_id: &leader,
            };
            let response = answer::json(StatusCode::OK, &body);
            match value {
                Some(_) => answer::with_version(response, &version),
                // What was removed has no version.
                None => response,
            }
        }
        Reply::NoSuchKey => answer::no_such_key(key),
        Reply::Unmet { version } => answer::unmet(key, version.as_ref()),
        Reply::Mistaken => answer::mistaken(key),
        Reply::Unknown { reason } => answer::unknown(key, &reason),
        Reply::Unavailable { reason } => answer::unavailable(key, &reason),
        Reply::Unsupported
        | Reply::Readable
        | Reply::Changed
        | Reply::Refused { .. }
        | Reply::GivenUp { .. } => {
            answer::unknown(key, "the node gave an answer to another question")
        }
        Reply::Unusable => answer::error(StatusCode::BAD_REQUEST, "Invalid JSON"),
        Reply::NotLeader { role, leader } => not_the_leader(role, leader.as_ref()),
    }
}

fn refuse_unless_leader(service: &Service) -> Option<Response> {
    let (role, leader) = service
        .window
        .look(|view| (view.status.role, view.status.leader.clone()));
    (role != Role::Leader).then(|| not_the_leader(role, leader.as_ref()))
}

pub(super) fn not_the_leader(role: Role, leader: Option<&NodeId>) -> Response {
    let leader_id = leader.map_or("Unknown", NodeId::as_str);
    let body = NotTheLeader {
        error: "Not the leader",
        current_role: role,
        leader_id,
    };
    answer::json(StatusCode::SERVICE_UNAVAILABLE, &body)
}

pub(super) fn refuse(invalid: InvalidKey) -> Response {
    match invalid {
        InvalidKey::Encoding => answer::invalid_key(),
        InvalidKey::TooLong => answer::key_too_long(),
    }
}

/// The body of `request`, if it comes in time and is at most `limit` bytes long.
pub(super) async fn read(request: Request, limit: usize) -> Result<Bytes, Response> {
    if announced(request.headers()).is_some_and(|length| length > limit as u64) {
        return Err(answer::too_large(limit));
    }
    let body: Limited<Body> = Limited::new(request.into_body(), limit);
    match timeout(PATIENCE, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(answer::too_large(limit)),
        // The client is gone or breaks the protocol: it will hardly read this.
        Ok(Err(_)) => Err(answer::error(StatusCode::BAD_REQUEST, "Invalid request")),
        Err(_) => Err(answer::too_slow()),
    }
}

/// Reads a body that nobody needs, so that the connection can be used again. One too long or too slow costs its sender
/// the connection.
pub(super) async fn discard(request: Request, limit: usize) {
    let _ = read(request, limit).await;
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
