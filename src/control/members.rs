//! Routes that change who belongs to the cluster, and who leads it.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;

use crate::control::{Shared, failed, json, panicked, unknown_node};
use crate::engine::Engine;
use crate::types::NodeId;
use crate::wire::control::{Handed, NodeRemoved};

pub(super) async fn add<E: Engine>(State(shared): State<Arc<Shared<E>>>) -> Response {
    let engine = shared.engine.clone();
    // In a task of its own: a client that goes away must not leave half a member.
    let added = tokio::spawn(async move { engine.add().await }).await;
    // Also where nobody knows whether it is a member: it is there.
    (shared.access.members_changed)();
    match added {
        Ok(Ok(address)) => json(StatusCode::OK, &address),
        Ok(Err(error)) => failed(&shared, &error),
        Err(_) => panicked("add"),
    }
}

pub(super) async fn remove<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    Path(name): Path<String>,
) -> Response {
    let Ok(node) = NodeId::new(&name) else {
        return unknown_node(&shared, &name);
    };
    let (engine, id) = (shared.engine.clone(), node.clone());
    match tokio::spawn(async move { engine.remove(&id).await }).await {
        Ok(Ok(())) => {
            (shared.access.members_changed)();
            json(StatusCode::OK, &NodeRemoved { node })
        }
        Ok(Err(error)) => failed(&shared, &error),
        Err(_) => panicked(&name),
    }
}

pub(super) async fn transfer<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    RawQuery(query): RawQuery,
) -> Response {
    let name = query.as_deref().and_then(|query| query.strip_prefix("to="));
    let to = match name.map(NodeId::new) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return unknown_node(&shared, name.unwrap_or_default()),
    };
    let engine = shared.engine.clone();
    match tokio::spawn(async move { engine.transfer(to).await }).await {
        Ok(Ok(leader)) => json(StatusCode::OK, &Handed { leader }),
        Ok(Err(error)) => failed(&shared, &error),
        Err(_) => panicked("transfer"),
    }
}
