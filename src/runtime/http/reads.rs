//! What a client may read: a node's status, and keys, as consistently as it asks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::event::Event;
use crate::protocol::{Reply, Status};
use crate::runtime::http::data::{not_the_leader, refuse};
use crate::runtime::http::{Service, answer, key};
use crate::types::{Members, NodeId, Role, index_of};
use crate::value::{Key, Value};
use crate::wire::data::{Consistency, LISTED, MemberState, NodeDetail, NodeStatus};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FoundKey<'a> {
    key: &'a Key,
    value: &'a Value,
    node_role: Role,
}

fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

pub(super) fn status(service: &Service, request: &Request) -> Response {
    let with_keys = query(request, "keys") != Some("no");
    let view = service.window.look(Clone::clone);
    let since = service.world.clock.now() - view.at;
    let status = view.status;
    let leads = status.role == Role::Leader;
    let heard_ago = status
        .heard_ago
        .map(|ago| if leads { ago } else { ago + since });
    let keys = with_keys.then(|| view.store.keys().cloned().collect());
    let members = members(&status);
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
            commit_index: status.commit,
            applied_index: status.applied,
            compacted_index: status.compacted,
            snapshot_index: status.snapshot,
            voted_for: status.vote,
            recovering: status.recovering,
            disk: view.disk,
            syncs: view.syncs,
            received: service.received.load(Ordering::Relaxed),
            members,
            heard_ago_ms: heard_ago.map(|ago| ago.as_millis() as u64),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }),
    };
    answer::json(StatusCode::OK, &body)
}

/// The members a node knows, and what the leader knows of each.
fn members(status: &Status) -> Vec<MemberState> {
    let Members { voters, learners } = &*status.members;
    let progress = |id: &NodeId| status.followers.iter().find(|f| f.id == *id);
    let state = |(id, voter): (&NodeId, bool)| {
        let progress = progress(id);
        MemberState {
            id: id.clone(),
            voter,
            match_index: progress.and_then(|progress| progress.matched),
            missing: progress.and_then(|progress| progress.missing),
            snapshot: progress.is_some_and(|progress| progress.snapshot),
        }
    };
    let voters = voters.iter().map(|id| (id, true));
    let all = voters.chain(learners.iter().map(|id| (id, false)));
    all.take(LISTED).map(state).collect()
}

pub(super) async fn get(service: Arc<Service>, request: Request) -> Response {
    let key = match key::decode(request.uri().path()) {
        Ok(key) => key,
        Err(invalid) => return refuse(invalid),
    };
    let consistency = query(&request, "consistency").unwrap_or("local").parse();
    let refusal = match consistency {
        Ok(Consistency::Local) => None,
        Ok(Consistency::Leader) => unless_leader(&service),
        Ok(Consistency::Linearizable) => unless_confirmed(&service, &key).await,
        Err(()) => Some(answer::error(
            StatusCode::BAD_REQUEST,
            "Invalid consistency: it is local, leader or linearizable",
        )),
    };
    refusal.unwrap_or_else(|| found(&service, &key))
}

fn unless_leader(service: &Service) -> Option<Response> {
    let (role, leader) = service
        .window
        .look(|view| (view.status.role, view.status.leader.clone()));
    (role != Role::Leader).then(|| not_the_leader(role, leader.as_ref()))
}

/// Waits until the node may answer from its store, or says why it may not.
async fn unless_confirmed(service: &Service, key: &Key) -> Option<Response> {
    // What every answer would be needs no turn of the node's.
    if !service.mode.is_linearizable() {
        let promise = format!("{} cannot promise linearizable reads", service.mode);
        return Some(answer::not_promised(key, &promise));
    }
    match service.confirmed().await {
        Reply::Readable => None,
        Reply::Unavailable { reason } => Some(answer::unavailable(key, &reason)),
        _ => Some(answer::unavailable(key, "this node takes no part just now")),
    }
}

fn found(service: &Service, key: &Key) -> Response {
    let (found, node_role) = service.window.look(|view| {
        let slot = view.store.get(key.as_str());
        let found = slot.map(|slot| (slot.value.clone(), slot.version.clone()));
        (found, view.status.role)
    });
    if service.world.course {
        let value = found.as_ref().map(|(value, _)| value.as_str().to_owned());
        let key = key.clone();
        service.report(Event::Get { key, value });
    }
    let Some((value, version)) = found else {
        return answer::no_such_key(key);
    };
    let body = FoundKey {
        key,
        value: &value,
        node_role,
    };
    answer::with_version(answer::json(StatusCode::OK, &body), &version)
}
