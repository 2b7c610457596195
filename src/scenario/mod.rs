//! Scenarios: files that say what is done to a cluster and what must come of it, played live or in virtual time.
//!
//! # The format
//!
//! A file is TOML. `name` says what it shows, `source` which public report it follows. [`Scenario::read`] checks all of it
//! before anything is done: a mistake names line and key, and what was expected.
//!
//! **`[cluster]`**: `nodes` (3), `election` (`lowest-id`, `bully`, `raft`), `replication` (`async`, `quorum`, `sync`),
//! `heartbeat`, `election-timeout`, `write-timeout`, and `fixed-timeout = true`, `pre-vote = false`, `check-quorum = false`.
//!
//! **`[[step]]`**: steps are taken one after another. `at = "2s"`: not before that time since the cluster stood; `after = …`:
//! not before that holds. Each does one thing at most; `remember = true` makes whoever leads then the `old-leader`.
//!
//! - A fault, in the words of the commands: `partition = "node-1,node-2 / node-3"` (or a table with `groups`, `one-way`,
//!   `random`, `bridge`, `ring`), `isolate` (`node`, `mute`, `deaf`), `cut = ["node-1", "node-2"]` (`from`, `to`, `one-way`),
//!   `link` (`from`, `to`, `both-ways`, `delay`, `jitter`, `loss`, `burst`, `duplicate`, `reorder`, `bandwidth`, `only`),
//!   `client` (`node`, `cut`, `delay`, `jitter`, `loss`, `burst`), `pause`, `skew` (`node`, `rate`, `jump`), `disk` (`node`, `slow`, `full`, `fail-fsync`, `corrupt-tail`).
//!   With `for = "2s"` it is undone by itself, with `name = "…"` by `heal = "…"`. Then `resume`, `heal = true`, `kill`
//!   (`node`, `disk = "lose-unsynced"` or `"wipe"`), `revive` (`node`, `bootstrap`), and with raft `add = true`, `remove`,
//!   `transfer`.
//! - An operation: `put = { key = "name", value = "Alice", node = "leader", expect = "done" }`, `get` (`consistency`), `delete`,
//!   `cas` (`from`). What is expected is `"done"`, `404`, `"unmet"`, `"not-leader"`, `"refused"` (the node cannot promise what is
//!   asked), `"unreachable"`, `"unknown"`, `{ value = … }`, or one of a list. Whoever asks the leader asks again, as long as that
//!   can do no harm.
//! - `eventually = …` waits until that holds, at most `within` (30 s). `always = …` must hold at every look: for the time of
//!   `for`, or from there to the end of the steps.
//!
//! A node is `node-2`, `leader`, `old-leader`, `follower`, `random`; several are `minority`, `majority`, `all`, or a list.
//!
//! A condition is `"leader"` (one, whom all obey), `"no-leader"`, `"equal"`, or a table: `leaders`, `max-leaders`, `leads`,
//! `not-leading`, `term` (a number, `"same"` or `"higher"` than was remembered), `up`, `equal`, `lost`, `min-lost`, and
//! `key` with `node` and `value` or `absent = true`.
//!
//! **The end**: everything is healed, the dead are revived, quiet is awaited, every key is read, and what clients saw is judged
//! as after chaos. `promise` is what it is held to ([`Expect`]), `verdict` how that comes out: `"kept"`;
//! `"broken"`, if the scenario shows a hole; `"lost"`, if acknowledged writes are gone.
//!
//! # Caveats
//!
//! - One client asks, one thing at a time.
//! - In virtual time a full disk is one whose next sync fails.
//! - Live nodes keep their data in memory; where a log's end is torn, on disks in a temporary directory.
//! - What holds between two looks and at neither of them is not seen.

mod acts;
mod asking;
pub mod brief;
mod cast;
mod conditions;
mod crowd;
mod deeds;
pub mod expected;
pub mod format;
pub(crate) mod ground;
pub(crate) mod live;
mod notes;
mod player;
mod rest;
pub mod script;
mod sense;
mod shapes;
pub mod tables;
pub mod verdict;
pub(crate) mod virtually;

use std::sync::Arc;

pub use player::{Failed, Played, Tell, Took};
pub use script::{Mistake, Scenario, Setup};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::client::control::ControlClient;
use crate::sim::plan::Scale;
use crate::sim::{Expect, Plan};

/// Plays a scenario on the cluster behind `control`, which is its own. With `stop` no step is taken any more: everything is
/// healed then, and what there is is recorded.
pub async fn live(
    scenario: &Scenario,
    control: ControlClient,
    seed: u64,
    tell: Tell<'_>,
    stop: &CancellationToken,
) -> Result<Played, String> {
    let ground = live::Live::open(control, &scenario.setup).await?;
    Ok(player::play(scenario, ground, seed, tell, stop).await.0)
}

/// Plays a scenario in virtual time: the same seed, the same run.
pub fn virtually(scenario: &Scenario, seed: u64, tell: Tell<'_>) -> Played {
    let ground = virtually::Virtual::new(&plan(scenario, seed));
    let never = CancellationToken::new();
    let played = player::play(scenario, ground, seed, tell, &never).now_or_never();
    played
        .expect("nothing is waited for where time is virtual")
        .0
}

/// The scenario's cluster as a plan in which nothing is planned: the judge goes by it, and the simulator.
pub fn plan(scenario: &Scenario, seed: u64) -> Arc<Plan> {
    Arc::new(plan_of(&scenario.setup, scenario.promise, seed))
}

/// A cluster as a plan in which nothing is planned.
pub(crate) fn plan_of(setup: &Setup, expect: Expect, seed: u64) -> Plan {
    let micros = |time: std::time::Duration| time.as_micros() as u64;
    Plan {
        seed,
        nodes: setup.nodes,
        mode: setup.mode,
        safeguards: setup.safeguards,
        scale: Scale {
            heartbeat: micros(setup.heartbeat),
            election_timeout: micros(setup.election_timeout),
            write_timeout: micros(setup.write_timeout),
            append_pause: 2_000,
            latency: 200,
            jitter: 300,
            disk: 0,
            disk_jitter: 0,
            log_window: 10_000,
            snapshot_every: None,
            append_bytes: 1 << 20,
            keys: 1,
        },
        kinds: Vec::new(),
        clients: 0,
        expect,
        steps: Vec::new(),
        until: 0,
        finale: None,
        fates: None,
    }
}
