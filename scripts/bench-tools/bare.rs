//! The other side of the benchmarks: a bare axum server that parses the JSON of a PUT and answers the same body as a node
//! does, with nothing behind it. Prints its port.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

type Map = Arc<Mutex<HashMap<String, Value>>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    success: bool,
    key: &'a str,
    value: &'a Value,
    leader_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    key: &'a str,
    value: &'a Value,
    node_role: &'a str,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let map = Map::default();
    let app = Router::new()
        .route("/key/{key}", get(read).put(write))
        .with_state(map);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?.port());
    axum::serve(listener, app).await
}

async fn write(State(map): State<Map>, Path(key): Path<String>, body: Bytes) -> Response {
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answer = Written {
        success: true,
        key: &key,
        value: &value,
        leader_id: "node-1",
    };
    let answer = serde_json::to_vec(&answer).unwrap_or_default();
    map.lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .insert(key, value);
    answer.into_response()
}

async fn read(State(map): State<Map>, Path(key): Path<String>) -> Response {
    let map = map.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(value) = map.get(&key) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let answer = Found {
        key: &key,
        value,
        node_role: "follower",
    };
    serde_json::to_vec(&answer)
        .unwrap_or_default()
        .into_response()
}
