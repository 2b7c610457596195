//! Routes that set, show and undo faults.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;

use crate::control::{Shared, change, failed, json, panicked, refuse};
use crate::engine::{Engine, EngineError};
use crate::types::NodeId;
use crate::wire::control::NodeState;
use crate::wire::faults::{FaultList, FaultOrder, FaultsSet, HealOrder, Trouble};

pub(super) async fn list<E: Engine>(State(shared): State<Arc<Shared<E>>>) -> Response {
    let faults = shared.engine.faults();
    json(StatusCode::OK, &FaultList { faults })
}

pub(super) async fn set<E: Engine>(State(shared): State<Arc<Shared<E>>>, body: Bytes) -> Response {
    let order = match FaultOrder::read(&body) {
        Ok(order) => order,
        Err(error) => return misread(&error),
    };
    let engine = shared.engine.clone();
    // In a task of its own: a client that goes away must not leave half a fault.
    match tokio::spawn(async move { engine.disturb(order).await }).await {
        Ok(Ok(set)) => json(StatusCode::OK, &FaultsSet { set }),
        Ok(Err(error)) => failed(&shared, &error),
        Err(_) => panicked("the fault"),
    }
}

pub(super) async fn heal<E: Engine>(State(shared): State<Arc<Shared<E>>>, body: Bytes) -> Response {
    // Without a body, as with an empty one: everything.
    let body = if body.is_empty() { b"{}" } else { &body[..] };
    let order: HealOrder = match serde_json::from_slice(body) {
        Ok(order) => order,
        Err(error) => return misread(&error),
    };
    let engine = shared.engine.clone();
    match tokio::spawn(async move { engine.heal(order).await }).await {
        Ok(Ok(healed)) => json(StatusCode::OK, &healed),
        Ok(Err(error)) => failed(&shared, &error),
        Err(_) => panicked("heal"),
    }
}

fn misread(error: &serde_json::Error) -> Response {
    let message = format!("this is no order: {error}");
    let hint = "the README shows one of each kind".to_owned();
    refuse(StatusCode::BAD_REQUEST, "usage", message, Some(hint))
}

pub(super) async fn pause<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    Path(name): Path<String>,
) -> Response {
    let engine = shared.engine.clone();
    change(&shared, &name, NodeState::Paused, |id| async move {
        if is_paused(&*engine, &id).is_some() {
            return Ok(false);
        }
        let nodes = vec![id.to_string()];
        let order = FaultOrder::new(Trouble::Pause { nodes }, "");
        engine.disturb(order).await.map(|_| true)
    })
    .await
}

pub(super) async fn resume<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    Path(name): Path<String>,
) -> Response {
    let engine = shared.engine.clone();
    change(&shared, &name, NodeState::Up, |id| async move {
        if !engine.wanted().iter().any(|wanted| wanted.id == id) {
            return Err(EngineError::UnknownNode(id.to_string()));
        }
        let Some(fault) = is_paused(&*engine, &id) else {
            return Ok(false);
        };
        let names = Some(vec![fault]);
        let order = HealOrder {
            names,
            ..HealOrder::default()
        };
        engine.heal(order).await.map(|_| true)
    })
    .await
}

/// The fault by which `id` stands still.
fn is_paused<E: Engine>(engine: &E, id: &NodeId) -> Option<String> {
    let mut faults = engine.faults().into_iter();
    let pauses = faults
        .find(|fault| matches!(fault.trouble, Trouble::Pause { .. }) && fault.struck.contains(id));
    pauses.map(|fault| fault.name)
}
