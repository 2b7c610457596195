//! Exercise 2: replication is late, and whoever reads from a follower at once sees the past.

use std::time::{Duration, Instant};

use crate::cli::exercise::tour::{Ingredient, Tour};
use crate::cli::exercise::words::{Label, Scene};
use crate::cli::failure::Failure;
use crate::cli::target::{self, NODE_PATIENCE};
use crate::client::data::{DataClient, Terms, Written};
use crate::value::{Key, Value};
use crate::wire::control::NodeAddress;
use crate::wire::data::Consistency;

/// The fault of this exercise.
const LATE: &str = "link from leader --only replicate --delay 100ms";

/// Its delay.
const DELAY: Duration = Duration::from_millis(100);

/// Clocks round, each in its own way.
const ROUNDING: Duration = Duration::from_millis(3);

/// How often it is written and read.
const ROUNDS: usize = 3;

/// On a busy machine a reader may come too late to see the past: it tries again, so often at most.
const PATIENT_ROUNDS: usize = 30;

pub(super) async fn play(tour: &mut Tour) -> Result<(), Failure> {
    begin(tour, Scene::Delay, "").await?;
    tour.close(Scene::Delay).await?;
    stale(tour).await?;
    begin(tour, Scene::DelaySync, "--replication sync").await?;
    held(tour).await?;
    begin(tour, Scene::DelayRaft, "--raft").await?;
    fresh(tour).await
}

/// A cluster whose replication is late, and which holds a value everywhere.
async fn begin(tour: &mut Tour, scene: Scene, flags: &str) -> Result<(), Failure> {
    tour.open(scene)?;
    tour.boot(flags).await?;
    tour.done("put color red").await?;
    tour.done("wait equal").await?;
    tour.fault(Ingredient::Delay, LATE).await
}

/// The leader, and one that follows it.
struct Pair {
    leader: NodeAddress,
    follower: NodeAddress,
    client: DataClient,
    key: Key,
}

/// What a round of writing and reading saw.
struct Round {
    /// From the question to the answer of the write.
    written: Duration,
    /// What the follower showed right after.
    at_once: String,
    /// From the question to the follower's showing it.
    converged: Duration,
    is_stale: bool,
}

impl Pair {
    async fn find(tour: &Tour) -> Result<Pair, Failure> {
        let status = tour.stage.status().await?;
        let address = |leads: bool| {
            let mut rows = status.nodes.iter();
            let row = rows.find(|row| (Some(&row.id) == status.leader.as_ref()) == leads);
            row.map(|row| NodeAddress {
                id: row.id.clone(),
                url: row.url.clone(),
            })
        };
        let nobody = || Failure::new("no-leader", "nobody leads");
        Ok(Pair {
            leader: address(true).ok_or_else(nobody)?,
            follower: address(false).ok_or_else(nobody)?,
            client: target::data_client(NODE_PATIENCE)?,
            key: Key::new("color"),
        })
    }

    async fn read(&self) -> Result<String, Failure> {
        let got = self
            .client
            .get(&self.follower.url, &self.key, Consistency::Local)
            .await;
        let got = got.map_err(|error| Failure::new("silent", format!("{error:?}")))?;
        Ok(got.map_or_else(String::new, |(value, _)| value.as_str().to_owned()))
    }

    /// Writes to the leader, reads from the follower at once, and then until it shows what was written.
    async fn round(&self, tour: &Tour, value: &str) -> Result<Round, Failure> {
        let json = format!("\"{value}\"");
        let wanted = Value::string(value);
        let began = Instant::now();
        let put = self
            .client
            .put(&self.leader.url, &self.key, &wanted, &Terms::default())
            .await;
        let written = began.elapsed();
        let at_once = self.read().await?;
        let is_stale = at_once != json;
        while self.read().await? != json {
            tour.claim(began.elapsed() < Duration::from_secs(30), "…")?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let converged = began.elapsed();
        let (is_done, said) = match put {
            Ok(Written::Done { said, .. }) => (true, said),
            other => (false, format!("{other:?}")),
        };
        tour.claim(is_done, &said)?;
        let (leader, follower) = (&self.leader.url, &self.follower.id);
        tour.typed(&format!("curl -X PUT {leader}/key/color -d '{json}'"))?;
        tour.saw(&said)?;
        tour.typed(&format!("cluster get color --from {follower}"))?;
        tour.saw(at_once.trim_matches('"'))?;
        Ok(Round {
            written,
            at_once,
            converged,
            is_stale,
        })
    }
}

async fn stale(tour: &mut Tour) -> Result<(), Failure> {
    tour.open(Scene::Stale)?;
    let pair = Pair::find(tour).await?;
    let (mut rounds, mut is_seen) = (0, false);
    while rounds < ROUNDS || (!is_seen && rounds < PATIENT_ROUNDS) {
        rounds += 1;
        let round = pair.round(tour, &format!("blue-{rounds}")).await?;
        let line = tour.lang.label(Label::Converged);
        let (written, converged) = (round.written.as_millis(), round.converged.as_millis());
        tour.saw(&fill(
            line,
            &[("written", written), ("converged", converged)],
        ))?;
        is_seen |= round.is_stale;
        tour.claim(
            round.converged + ROUNDING >= DELAY,
            &format!("{} ({converged} ms)", round.at_once),
        )?;
    }
    tour.claim(is_seen, tour.lang.label(Label::NeverStale))?;
    tour.close(Scene::Stale).await
}

/// With sync the answer waits until every node holds the write.
async fn held(tour: &mut Tour) -> Result<(), Failure> {
    let pair = Pair::find(tour).await?;
    for n in 1..=ROUNDS {
        let round = pair.round(tour, &format!("blue-{n}")).await?;
        let line = tour.lang.label(Label::Held);
        let written = round.written.as_millis();
        let after = round.converged.saturating_sub(round.written).as_millis();
        tour.saw(&fill(line, &[("written", written), ("after", after)]))?;
        tour.claim(round.written + ROUNDING >= DELAY, &format!("{written} ms"))?;
    }
    tour.close(Scene::DelaySync).await
}

/// A linearizable read answers with the last acknowledged write, whoever is asked.
async fn fresh(tour: &mut Tour) -> Result<(), Failure> {
    let pair = Pair::find(tour).await?;
    let from = &pair.follower.id;
    for value in ["blue", "green"] {
        tour.done(&format!("put color {value}")).await?;
        let read = format!("get color --from {from} --consistency linearizable");
        let read = tour.done(&read).await?;
        tour.claim(read == value, &read)?;
    }
    tour.close(Scene::DelayRaft).await
}

fn fill(text: &str, values: &[(&str, u128)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), &value.to_string())
    })
}
