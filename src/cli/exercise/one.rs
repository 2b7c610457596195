//! Exercise 1: nodes are stopped one by one, until two of three are gone.

use std::time::Duration;

use crate::cli::exercise::tour::{Ingredient, Tour};
use crate::cli::exercise::words::Scene;
use crate::cli::failure::Failure;
use crate::cli::rules::ModeFlags;
use crate::types::{Mode, Replication, Safeguards};

/// Whether writes are acknowledged with so many of three nodes alive.
fn writes(mode: Mode, alive: usize) -> bool {
    let leads = alive >= 2 || !mode.needs_majority();
    let acknowledged = match mode.replication {
        Replication::Async => true,
        Replication::Quorum => alive >= 2,
        Replication::Sync => alive == 3,
    };
    leads && acknowledged
}

/// In the chosen mode, and then under raft.
pub(super) async fn play(tour: &mut Tour, mode: Mode) -> Result<(), Failure> {
    in_mode(tour, mode, Scene::Tolerance).await?;
    match mode {
        Mode::RAFT => Ok(()),
        _ => in_mode(tour, Mode::RAFT, Scene::ToleranceRaft).await,
    }
}

async fn in_mode(tour: &mut Tour, mode: Mode, first: Scene) -> Result<(), Failure> {
    tour.open(first)?;
    let flags = match mode == Mode::default() {
        true => String::new(),
        false => ModeFlags::typed(mode, Safeguards::default()),
    };
    tour.boot(&flags).await?;
    tour.done("put name Alice").await?;
    tour.done("wait equal").await?;
    tour.done("status").await?;
    tour.close(first).await?;
    let scene = match writes(mode, 2) {
        true => Scene::OneGone,
        false => Scene::OneGoneStops,
    };
    stop_one(tour, mode, scene, 2).await?;
    let scene = match writes(mode, 1) {
        true => Scene::TwoGone,
        false => Scene::TwoGoneStops,
    };
    stop_one(tour, mode, scene, 1).await?;
    back(tour).await
}

/// Stops the leader, so that `left` are left.
async fn stop_one(tour: &mut Tour, mode: Mode, scene: Scene, left: usize) -> Result<(), Failure> {
    tour.open(scene)?;
    let leads = left >= 2 || !mode.needs_majority();
    let wait = if leads { " --wait" } else { "" };
    tour.fault(Ingredient::Kill, &format!("kill leader{wait}"))
        .await?;
    let status = tour.stage.once(Duration::from_secs(10), |status| {
        status.up == left && (status.leader.is_some() == leads)
    });
    let seen = status.await?;
    tour.run("status").await?;
    tour.claim(seen.is_some(), &format!("{left} of 3"))?;
    // Whoever is left answers with its own copy.
    let alive = seen.and_then(|status| {
        let mut rows = status.nodes.into_iter();
        rows.find(|row| row.answer.is_some()).map(|row| row.id)
    });
    let from = alive.map(|id| id.to_string()).unwrap_or_default();
    let read = tour.done(&format!("get name --from {from}")).await?;
    tour.claim(read == "Alice", &read)?;
    let put = tour
        .run(&format!("put city NYC-{left} --timeout 4s"))
        .await?;
    tour.claim((put.code == 0) == writes(mode, left), &put.said)?;
    tour.close(scene).await
}

async fn back(tour: &mut Tour) -> Result<(), Failure> {
    tour.open(Scene::Back)?;
    tour.done("revive all --wait").await?;
    tour.done("wait leader --timeout 60s").await?;
    tour.done("put city Paris").await?;
    tour.done("wait equal --timeout 60s").await?;
    tour.done("status").await?;
    tour.close(Scene::Back).await
}
