//! The end of a live run: the dead live, quiet is awaited, and every key is read.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::chaos::desk::Desk;
use crate::chaos::recording::Asked;
use crate::check::history::{self, End};
use crate::client::data::DataClient;
use crate::client::gather;
use crate::sim::Plan;
use crate::sim::plan::{Place, Reading};
use crate::sim::promise::READER;
use crate::types::EntryId;
use crate::wire::control::{ClusterStatus, NodeState};
use crate::wire::data::Consistency;

/// How long a cluster may take to come to rest. Long: only a broken one needs it.
const REST: Duration = Duration::from_secs(60);

/// How often to look.
const GLANCE: Duration = Duration::from_millis(25);

/// Why a cluster did not come to rest.
pub(super) enum Restless {
    /// It does not, though all is healed.
    Unrest(String),
    /// Nobody is there who could tell.
    Unseen(String),
}

/// Revives the dead and waits until everybody is of one mind; what the cluster says then, or what is wrong.
pub(super) async fn rest(desk: &Desk) -> Result<ClusterStatus, Restless> {
    let end = Instant::now() + REST;
    loop {
        let why = match desk.stage.control.status().await {
            Ok(status) => {
                revive(desk, &status).await;
                match unrest(&status) {
                    None => return Ok(status),
                    Some(why) => Restless::Unrest(why),
                }
            }
            Err(_) => Restless::Unseen("the control server does not answer".to_owned()),
        };
        if Instant::now() > end {
            return Err(why);
        }
        sleep(GLANCE).await;
    }
}

async fn revive(desk: &Desk, status: &ClusterStatus) {
    for row in &status.nodes {
        let has_failed = row.has_failed_disk();
        if has_failed {
            // It takes no part until it is started anew.
            let _ = desk.stage.control.kill(&row.id, Default::default()).await;
        }
        if has_failed || row.state == NodeState::Killed {
            // Whether it worked shows at the next glance.
            let _ = desk.stage.control.revive(&row.id, false).await;
        }
    }
}

fn unrest(status: &ClusterStatus) -> Option<String> {
    let away = status.nodes.iter().find(|row| row.state != NodeState::Up);
    if let Some(row) = away {
        return Some(format!("{} does not answer", row.id));
    }
    if gather::settled(status).is_none() {
        return Some("they do not agree on a leader".to_owned());
    }
    if gather::any_recovers(status) {
        return Some("a node whose disk was lost may not vote yet".to_owned());
    }
    (!gather::equal(status)).then(|| "they do not hold the same".to_owned())
}

/// Where the leader's log ends.
pub(super) fn last_entry(status: &ClusterStatus) -> Option<EntryId> {
    let leader = status.leader.as_ref()?;
    let row = status.nodes.iter().find(|row| row.id == *leader)?;
    row.answer.as_ref()?.more.as_ref()?.last_entry.clone()
}

/// Reads every key, as strongly as the mode can; and at every node, if all reads count. Ends at the first that nobody answers.
pub(super) async fn read_all(
    desk: &Desk,
    data: &DataClient,
    plan: &Plan,
    is_weak: bool,
) -> Result<(), Restless> {
    let strongest = match plan.mode.is_linearizable() {
        true => Reading::Linearizable(0),
        false => Reading::Leader,
    };
    for key in 0..desk.keys.len() {
        read(desk, data, READER, key, strongest).await?;
        for place in 0..desk.stage.nodes().len() * usize::from(is_weak) {
            let reading = Reading::Local(place as Place);
            read(desk, data, READER + 1 + place, key, reading).await?;
        }
    }
    Ok(())
}

/// A key that nobody reads to us: the cluster's fault, if there still is one.
async fn unread(desk: &Desk, key: usize) -> Restless {
    let why = format!("nobody answers a read of {}", desk.keys[key].as_str());
    match desk.stage.control.status().await {
        Ok(_) => Restless::Unrest(why),
        Err(_) => Restless::Unseen(format!("{why}, and the control server is silent")),
    }
}

async fn read(
    desk: &Desk,
    data: &DataClient,
    process: usize,
    key: usize,
    reading: Reading,
) -> Result<(), Restless> {
    let at = desk.begin(Asked {
        process,
        key,
        call: history::Call::Read,
        reading: Some(reading),
        end: End::Unknown,
        is_void: false,
        invoked: desk.tick(),
        returned: None,
        due_at: desk.stage.clock.now(),
        invoked_at: desk.stage.clock.now(),
        returned_at: 0,
        entry: None,
        is_final: true,
    });
    let end = Instant::now() + REST / 6;
    loop {
        let leader = desk.stage.leader();
        let leader = leader.and_then(|leader| desk.stage.place(leader.as_str()));
        let (place, consistency) = match reading {
            Reading::Local(place) => (place.into(), Consistency::Local),
            Reading::Leader => (leader.unwrap_or(0), Consistency::Leader),
            Reading::Linearizable(_) => (leader.unwrap_or(0), Consistency::Linearizable),
        };
        let Some(node) = desk.stage.node(place) else {
            return Err(unread(desk, key).await);
        };
        if let Ok(found) = data.get(&node.url, &desk.keys[key], consistency).await {
            let tag = found.as_ref().and_then(|(_, tag)| tag.clone());
            let seen = found.map_or("null".into(), |(value, _)| value.as_str().into());
            desk.conclude(at, |asked| {
                asked.end = End::Ok(Some(seen));
                asked.entry = tag.as_deref().and_then(EntryId::from_tag);
            });
            return Ok(());
        }
        if Instant::now() > end {
            return Err(unread(desk, key).await);
        }
        sleep(GLANCE).await;
    }
}
