//! The way between clients and a node, where it is not what it should be: requests and answers are late, or never come.
//! What peers say is not concerned: that is decided where it is sent.

use std::future::pending;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use tokio::time::sleep;

use crate::faults::Verdict;
use crate::runtime::http::{Service, answer_to};
use crate::wire::data::OBSERVER_HEADER;

/// Answers a request, if it comes through, and the answer does.
pub(super) async fn answer(service: Arc<Service>, request: Request) -> Response {
    let is_peers = request.uri().path().starts_with("/internal/");
    // Whoever shows what becomes of a cluster stands outside of it.
    if is_peers || request.headers().contains_key(OBSERVER_HEADER) {
        return answer_to(service, request).await;
    }
    let (net, id) = (service.world.net.clone(), service.id.clone());
    travel(net.request(&id)).await;
    let response = answer_to(service, request).await;
    travel(net.answer(&id)).await;
    response
}

/// Returns when it arrives: of what is lost nobody hears until the client gives up.
async fn travel(verdict: Verdict) {
    match verdict {
        Verdict::Drop => pending().await,
        Verdict::Deliver { after, .. } if !after.is_zero() => sleep(after).await,
        Verdict::Deliver { .. } => {}
    }
}
