//! Routes about what goes between nodes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::control::{Shared, json as answer, refuse};
use crate::engine::Engine;
use crate::wire::messages::LONGEST;

/// How many messages one answer tells.
const PAGE: usize = 5_000;

pub(super) async fn list<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    RawQuery(query): RawQuery,
) -> Response {
    let limit = match asked(query.as_deref(), "from") {
        Some(_) => PAGE,
        None => 0,
    };
    let from = asked(query.as_deref(), "from").unwrap_or(0);
    answer(StatusCode::OK, &shared.engine.messages(from, limit))
}

pub(super) async fn note<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(seconds) = asked(query.as_deref(), "seconds").filter(|n| *n <= LONGEST) else {
        let message = format!("say for how long: ?seconds=60, at most {LONGEST}, 0 to end it");
        return refuse(StatusCode::BAD_REQUEST, "usage", message, None);
    };
    shared.engine.note_messages(Duration::from_secs(seconds));
    answer(StatusCode::OK, &json!({"seconds": seconds}))
}

fn asked(query: Option<&str>, name: &str) -> Option<u64> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
}
