//! Answers, with the fields of the chapter's in their order, and its headers on every one.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderName, StatusCode};
use serde::Serialize;

use crate::types::EntryId;
use crate::value::{Key, MAX_KEY};

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Content-Type, If-Match, If-None-Match, Idempotency-Key"),
    ),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("ETag"),
    ),
];

#[derive(Serialize)]
struct Error<'a> {
    error: &'a str,
}

#[derive(Serialize)]
struct KeyError<'a> {
    error: &'a str,
    key: &'a Key,
}

#[derive(Serialize)]
struct ReasonError<'a> {
    error: &'a str,
    key: &'a Key,
    reason: &'a str,
}

#[derive(Serialize)]
struct VersionError<'a> {
    error: &'a str,
    key: &'a Key,
    version: Option<String>,
}

#[derive(Serialize)]
struct LimitError<'a> {
    error: &'a str,
    limit: usize,
}

/// Any JSON, already written.
pub(super) fn bytes(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.extend(HEADERS);
    response
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    bytes(
        status,
        serde_json::to_vec(body)
            .expect("answers are always JSON")
            .into(),
    )
}

pub(super) fn error(status: StatusCode, error: &str) -> Response {
    json(status, &Error { error })
}

pub(super) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    response.headers_mut().extend(HEADERS);
    response
}

pub(super) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "Not found")
}

pub(super) fn no_such_key(key: &Key) -> Response {
    json(
        StatusCode::NOT_FOUND,
        &KeyError {
            error: "Key not found",
            key,
        },
    )
}

pub(super) fn invalid_key() -> Response {
    error(StatusCode::BAD_REQUEST, "Invalid key")
}

pub(super) fn key_too_long() -> Response {
    json(
        StatusCode::URI_TOO_LONG,
        &LimitError {
            error: "Key too long",
            limit: MAX_KEY,
        },
    )
}

pub(super) fn too_large(limit: usize) -> Response {
    json(
        StatusCode::PAYLOAD_TOO_LARGE,
        &LimitError {
            error: "Value too large",
            limit,
        },
    )
}

pub(super) fn too_slow() -> Response {
    error(StatusCode::REQUEST_TIMEOUT, "The body did not come in time")
}

/// `response` with the version of the key that it is about.
pub(super) fn with_version(mut response: Response, version: &EntryId) -> Response {
    if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", version.tag())) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The condition did not hold: nothing happened.
pub(super) fn unmet(key: &Key, version: Option<&EntryId>) -> Response {
    let body = VersionError {
        error: "Precondition failed",
        key,
        version: version.map(EntryId::tag),
    };
    let response = json(StatusCode::PRECONDITION_FAILED, &body);
    match version {
        Some(version) => with_version(response, version),
        None => response,
    }
}

/// The Idempotency-Key named another write before: nothing happened.
pub(super) fn mistaken(key: &Key) -> Response {
    let error = "Idempotency-Key was used for another write";
    json(StatusCode::UNPROCESSABLE_ENTITY, &KeyError { error, key })
}

/// It may happen, or may have happened, and nobody can know.
pub(super) fn unknown(key: &Key, reason: &str) -> Response {
    let error = "Outcome unknown";
    json(
        StatusCode::GATEWAY_TIMEOUT,
        &ReasonError { error, key, reason },
    )
}

/// It did not happen; later it may.
pub(super) fn unavailable(key: &Key, reason: &str) -> Response {
    let error = "Unavailable";
    json(
        StatusCode::SERVICE_UNAVAILABLE,
        &ReasonError { error, key, reason },
    )
}

/// The mode cannot promise what was asked.
pub(super) fn not_promised(key: &Key, reason: &str) -> Response {
    let error = "Not promised";
    json(
        StatusCode::NOT_IMPLEMENTED,
        &ReasonError { error, key, reason },
    )
}
