//! The course's API: status, and get, put and delete of a key.

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
use crate::runtime::http::key::{self, InvalidKey};
use crate::runtime::http::{PATIENCE, Service, answer};
use crate::runtime::node_task::Call;
use crate::types::{NodeId, Role, index_of};
use crate::value::{Key, Value};
use crate::wire::data::{NodeDetail, NodeStatus};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FoundKey<'a> {
    key: &'a Key,
    value: &'a Value,
    node_role: Role,
}

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

pub(super) fn status(service: &Service, request: &Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let with_keys = !query.split('&').any(|pair| pair == "keys=no");
    let view = service.window.look(Clone::clone);
    let since = service.world.clock.now() - view.at;
    let status = view.status;
    let leads = status.role == Role::Leader;
    let heard_ago = status
        .heard_ago
        .map(|ago| if leads { ago } else { ago + since });
    let keys = with_keys.then(|| view.store.keys().cloned().collect());
    let body = NodeStatus {
        node_id: status.id,
        role: status.role,
        term: status.term,
        leader_id: status.leader,
        total_keys: status.keys as u64,
        keys,
        more: Some(NodeDetail {
            mode: status.mode.to_string(),
            last_index: index_of(status.last.as_ref()),
            last_entry: status.last,
            applied_index: status.applied,
            compacted_index: status.compacted,
            heard_ago_ms: heard_ago.map(|ago| ago.as_millis() as u64),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }),
    };
    answer::json(StatusCode::OK, &body)
}

pub(super) fn get(service: &Service, request: &Request) -> Response {
    let key = match key::decode(request.uri().path()) {
        Ok(key) => key,
        Err(invalid) => return refuse(invalid),
    };
    let (found, node_role) = service.window.look(|view| {
        let slot = view.store.get(key.as_str());
        (slot.map(|slot| slot.value.clone()), view.status.role)
    });
    if service.world.course {
        let value = found.as_ref().map(|value| value.as_str().to_owned());
        service.report(Event::Get {
            key: key.clone(),
            value,
        });
    }
    match found {
        Some(value) => answer::json(
            StatusCode::OK,
            &FoundKey {
                key: &key,
                value: &value,
                node_role,
            },
        ),
        None => answer::no_such_key(&key),
    }
}

pub(super) async fn put(service: Service, request: Request) -> Response {
    let key = match key::decode(request.uri().path()) {
        Ok(key) => key,
        Err(invalid) => return refuse(invalid),
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
    let reply = service.write(key.clone(), change).await;
    if let (Some(value), Reply::Done { .. }, true) = (&value, &reply, service.world.course) {
        let value = value.as_str().to_owned();
        service.report(Event::Set {
            key: key.clone(),
            value,
        });
    }
    written(&key, value.as_ref(), reply)
}

pub(super) async fn delete(service: Service, request: Request) -> Response {
    let key = match key::decode(request.uri().path()) {
        Ok(key) => key,
        Err(invalid) => return refuse(invalid),
    };
    discard(request, service.world.max_value).await;
    let reply = service.write(key.clone(), Change::Delete).await;
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
    async fn write(&self, key: Key, change: Change) -> Reply {
        self.ask(|answer| Call::Write {
            key,
            change,
            answer,
        })
        .await
    }

    fn report(&self, event: Event) {
        (self.world.events)(&self.id, event);
    }
}

fn written(key: &Key, value: Option<&Value>, reply: Reply) -> Response {
    match reply {
        Reply::Done { leader } => {
            let body = Written {
                success: true,
                key,
                value,
                leader_id: &leader,
            };
            answer::json(StatusCode::OK, &body)
        }
        Reply::NoSuchKey => answer::no_such_key(key),
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

fn not_the_leader(role: Role, leader: Option<&NodeId>) -> Response {
    let leader_id = leader.map_or("Unknown", NodeId::as_str);
    let body = NotTheLeader {
        error: "Not the leader",
        current_role: role,
        leader_id,
    };
    answer::json(StatusCode::SERVICE_UNAVAILABLE, &body)
}

fn refuse(invalid: InvalidKey) -> Response {
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
