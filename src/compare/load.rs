//! How fast a cluster on ports answers: as many clients as keep it busy, each on a connection of its own, each asking the
//! leader anew as soon as it is answered.

use std::time::{Duration, Instant};

use crate::client::control::ControlClient;
use crate::client::data::{DataClient, Terms, Written};
use crate::compare::findings::Speed;
use crate::sim::plan::Micros;
use crate::value::{Key, Value};
use crate::wire::data::Consistency;

/// How many clients.
pub const CLIENTS: usize = 16;

/// How many keys each client uses.
const KEYS: usize = 50;

/// Whoever is not answered for that long has found something else than a speed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes at the leader.
pub(super) async fn put(
    control: &ControlClient,
    time: Duration,
    speed: &mut Speed,
) -> Result<(), String> {
    measure(control, time, speed, true).await
}

/// Reads at the leader.
pub(super) async fn get(
    control: &ControlClient,
    time: Duration,
    speed: &mut Speed,
) -> Result<(), String> {
    measure(control, time, speed, false).await
}

async fn measure(
    control: &ControlClient,
    time: Duration,
    speed: &mut Speed,
    writes: bool,
) -> Result<(), String> {
    let url = leader(control).await?;
    let began = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let url = url.clone();
        tokio::spawn(async move { busy(&url, client, began + time, writes).await })
    });
    let clients: Vec<_> = clients.collect();
    let mut answers = 0;
    for client in clients {
        let took = client.await.map_err(|error| error.to_string())??;
        answers += took.len();
        speed.add(took);
    }
    speed.per_second = Some(answers as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

async fn leader(control: &ControlClient) -> Result<String, String> {
    let status = control.status().await;
    let status = status.map_err(|_| "the cluster does not answer".to_owned())?;
    let leads = |row: &&crate::wire::control::NodeRow| Some(&row.id) == status.leader.as_ref();
    let leader = status.nodes.iter().find(leads);
    leader
        .map(|row| row.url.clone())
        .ok_or_else(|| "nobody leads".to_owned())
}

/// One client, until `end`: how long each answer took.
async fn busy(url: &str, client: usize, end: Instant, writes: bool) -> Result<Vec<Micros>, String> {
    let data = DataClient::new(PATIENCE).map_err(|error| error.to_string())?;
    let keys: Vec<Key> = (0..KEYS)
        .map(|k| Key::new(&format!("load-{client}-{k}")))
        .collect();
    let value = Value::string("what is written to measure how fast it is");
    let mut took = Vec::new();
    loop {
        let asked = Instant::now();
        if asked >= end {
            return Ok(took);
        }
        let key = &keys[took.len() % KEYS];
        match writes {
            true => match data.put(url, key, &value, &Terms::default()).await {
                Ok(Written::Done { .. }) => {}
                other => return Err(format!("a write under load was answered {other:?}")),
            },
            false => {
                let got = data.get(url, key, Consistency::Local).await;
                got.map_err(|why| format!("a read under load was answered {why:?}"))?;
            }
        }
        took.push(asked.elapsed().as_micros() as Micros);
    }
}
