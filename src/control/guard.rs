//! Who may do what: the Host header, the token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode, header};

use crate::control::{Shared, refuse};
use crate::engine::Engine;

/// What a client of the server at `address` may call it.
pub(super) fn hosts(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let names = ["127.0.0.1", "localhost", "[::1]"];
    let loopback = names.iter().map(|name| format!("{name}:{port}"));
    loopback.chain([address.to_string()]).collect()
}

pub(super) async fn check<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    if !host.is_some_and(|host| {
        shared
            .hosts
            .iter()
            .any(|own| own.eq_ignore_ascii_case(host))
    }) {
        let message = "this server does not go by that name".to_owned();
        let hint = Some(format!("use http://{}", shared.hosts[0]));
        return refuse(StatusCode::FORBIDDEN, "foreign-host", message, hint);
    }
    let changes = request.method() == Method::POST;
    if changes && !is_allowed(&request, &shared.access.token) {
        let message = "what changes the cluster needs its token".to_owned();
        let hint = "send `Authorization: Bearer TOKEN`, with the token in the state file";
        return refuse(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            message,
            Some(hint.to_owned()),
        );
    }
    next.run(request).await
}

fn is_allowed(request: &Request, token: &str) -> bool {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .map(|given| given.as_bytes());
    let given = given.and_then(|given| given.strip_prefix(b"Bearer "));
    given.is_some_and(|given| is_equal(given, token.as_bytes()))
}

/// Compares without stopping at the first difference, which could be timed.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}
