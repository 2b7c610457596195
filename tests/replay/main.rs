//! A node is its inputs. Clusters live on real ports under faults, while everything that goes through their nodes' doors
//! is recorded; then every life is lived again by a fresh core, and must say the same, byte for byte. What runs on ports
//! is thus the very code that is simulated, and hides no clock, no chance and no memory of its own.

mod recording;
mod said;
mod singles;
mod stage;

use std::path::Path;

use cluster::engine::{Engine, Harm};
use cluster::protocol::{Action, Input, MessageKind, Record, Reply};
use cluster::types::{Election, Mode, Replication};
use recording::{Life, Recorder};
use stage::{ELECTION_TIMEOUT, Stage};
use tempfile::TempDir;

/// What every story has in it.
const ALWAYS: [&str; 18] = [
    "in Start",
    "in Tick",
    "in Heartbeat",
    "in HeartbeatAck",
    "in Append",
    "in AppendAck",
    "in Refused",
    "in Write",
    "persist Ballot",
    "persist Append",
    "persist Compact",
    "reply Done",
    "reply NotLeader",
    "reply NoSuchKey",
    "reply Unmet",
    "report Election",
    "report Leader",
    "report Following",
];

fn mode(election: Election, replication: Replication) -> Mode {
    Mode {
        election,
        replication,
    }
}

/// Writes, while the leader dies and returns, is cut off from everybody and reached again, and a follower loses power.
async fn hard_times(mode: Mode, directory: Option<&Path>, recorder: &Recorder) -> Stage {
    let stage = Stage::boot(mode, directory, recorder).await;
    stage.acknowledge(50).await;
    let leader = stage.leader().await;
    stage.kill(&leader, Harm::None).await;
    stage.leader_of(&stage.others(&[&leader])).await;
    without_one(mode, &stage).await;
    stage.revive(&leader).await;
    stage.acknowledge(20).await;
    let leader = stage.leader().await;
    stage.cut_off(&leader);
    stage.leader_of(&stage.others(&[&leader])).await;
    without_one(mode, &stage).await;
    stage.heal();
    stage.acknowledge(20).await;
    let follower = stage.follower().await;
    stage.kill(&follower, Harm::LoseUnsynced).await;
    without_one(mode, &stage).await;
    stage.revive(&follower).await;
    stage.acknowledge(20).await;
    stage
}

/// Goes on while a node is away: where all must have a write, none is acknowledged then.
async fn without_one(mode: Mode, stage: &Stage) {
    match mode.replication {
        Replication::Async | Replication::Quorum => stage.acknowledge(20).await,
        Replication::Sync => stage.see_again("reply Unknown").await,
    }
}

/// What no story of a mode can do without.
fn kinds_of(mode: Mode) -> Vec<&'static str> {
    let of_elections: &[&str] = match mode.election {
        Election::LowestId => &["in Probe", "in ProbeAck"],
        Election::Bully => &["in Vote", "in VoteAck"],
        Election::Raft => &["in PreVote", "in Vote", "in VoteAck"],
    };
    let of_commits: &[&str] = match mode.replication {
        Replication::Async => &[],
        Replication::Quorum => &["persist Commit"],
        Replication::Sync => &["persist Commit", "reply Unknown"],
    };
    let of_reads: &[&str] = match mode.is_linearizable() {
        true => &["in Read", "in ReadIndex", "in ReadAt", "reply Readable"],
        false => &[],
    };
    [&ALWAYS, of_elections, of_commits, of_reads].concat()
}

async fn is_the_same_again(mode: Mode) {
    let recorder = Recorder::default();
    hard_times(mode, None, &recorder).await.stop().await;
    recorder.assert_same_again(&kinds_of(mode));
}

/// One test for each pair of modes.
macro_rules! a_life_on_ports_is_the_same_again_in {
    ($($name:ident: $election:ident + $replication:ident,)*) => {
        mod a_life_on_ports_is_the_same_again_in {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    is_the_same_again(mode(Election::$election, Replication::$replication)).await;
                }
            )*
        }
    };
}

a_life_on_ports_is_the_same_again_in! {
    lowest_id_async: LowestId + Async,
    lowest_id_quorum: LowestId + Quorum,
    lowest_id_sync: LowestId + Sync,
    bully_async: Bully + Async,
    bully_quorum: Bully + Quorum,
    bully_sync: Bully + Sync,
    raft_async: Raft + Async,
    raft_quorum: Raft + Quorum,
    raft_sync: Raft + Sync,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_on_files_and_after_a_restart_of_everything_is_the_same_again() {
    let directory = TempDir::new().expect("a directory");
    let recorder = Recorder::default();
    let stage = hard_times(Mode::RAFT, Some(directory.path()), &recorder).await;
    stage.stop().await;
    let stage = Stage::boot(Mode::RAFT, Some(directory.path()), &recorder).await;
    stage.acknowledge(20).await;
    stage.stop().await;
    recorder.assert_same_again(&kinds_of(Mode::RAFT));
    let lives = recorder.lives();
    let found = lives.iter().filter(|life| is_found_on_disk(life)).count();
    assert!(found >= 5, "two were revived and three booted again");
}

fn is_found_on_disk(life: &Life) -> bool {
    let found = &life.birth.recovered;
    found.snapshot.last.is_some() && found.ballot.term > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn raft_is_the_same_again_with_members_transfers_lost_disks_and_a_leader_that_stands_still() {
    let recorder = Recorder::default();
    let stage = hard_times(Mode::RAFT, None, &recorder).await;
    let cluster = stage.cluster.clone();
    stage
        .insist("a transfer", async || cluster.transfer(None).await)
        .await;
    let added = stage.insist("a member", async || cluster.add().await).await;
    stage.acknowledge(10).await;
    stage
        .insist("a member less", async || cluster.remove(&added.id).await)
        .await;
    // What a follower missed is gone from the log when it returns without its disk.
    let follower = stage.follower().await;
    stage.kill(&follower, Harm::Wipe).await;
    stage.acknowledge(30).await;
    stage.revive(&follower).await;
    stage::await_that("it votes again", async || {
        recorder.seen("report Restored") > 0
    })
    .await;
    let leader = stage.leader().await;
    recorder.stall(&leader, ELECTION_TIMEOUT);
    stage::await_that("it stood still", async || recorder.seen("in Resumed") > 0).await;
    stage.acknowledge(10).await;
    lose_a_majority_and_trust(&stage).await;
    stage.stop().await;
    let kinds = [
        "in Members",
        "in Transfer",
        "in TimeoutNow",
        "in InstallSnapshot",
        "in SnapshotAck",
        "in Restored",
        "in Resumed",
        "in Trust",
        "persist Install",
        "persist Recovering",
        "reply Changed",
        "report MembersChanged",
        "report Snapshot",
        "report Restored",
    ];
    recorder.assert_same_again(&[kinds_of(Mode::RAFT), kinds.to_vec()].concat());
}

/// Two of three disks are lost at once, and an operator gives up what only they held.
async fn lose_a_majority_and_trust(stage: &Stage) {
    let leader = stage.leader().await;
    let others = stage.others(&[&leader]);
    for other in &others {
        stage.kill(other, Harm::Wipe).await;
    }
    for other in &others {
        stage.cluster.revive(other, true).await.expect("to revive");
    }
    stage.acknowledge(10).await;
}

/// A life in which a leader died and another took over, for the tests of the comparison itself.
async fn a_short_story() -> Vec<Life> {
    let recorder = Recorder::default();
    let stage = Stage::boot(Mode::RAFT, None, &recorder).await;
    stage.acknowledge(20).await;
    let leader = stage.leader().await;
    stage.kill(&leader, Harm::None).await;
    stage.acknowledge(20).await;
    stage.revive(&leader).await;
    stage.acknowledge(20).await;
    stage.stop().await;
    recorder.assert_same_again(&["in Append"]);
    recorder.lives()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_comparison_notices_whatever_is_changed() {
    let lives = a_short_story().await;
    let obeys = |life: &&Life| {
        life.steps
            .iter()
            .any(|step| is_in(&step.input, MessageKind::Heartbeat))
    };
    let draws: Vec<&Life> = lives.iter().filter(obeys).collect();
    assert!(draws.len() >= 3, "most nodes obeyed somebody");
    for life in draws {
        let mut life = life.clone();
        life.birth.seed ^= 1;
        assert!(life.again().is_err(), "another seed draws other timeouts");
    }
    for life in &lives {
        let mut late = life.clone();
        late.steps[0].now = late.steps[0].now + std::time::Duration::from_nanos(1);
        assert!(late.again().is_err(), "a start one nanosecond later");
        let mut other = life.clone();
        other.birth.recovered.ballot.term += 1;
        assert!(other.again().is_err(), "another term on the disk");
    }
    let is_stored = |action: &Action| matches!(action, Action::Persist(Record::Append(_)));
    left_out(&lives, "an append that was stored", |input, actions| {
        is_in(input, MessageKind::Append) && actions.iter().any(is_stored)
    });
    left_out(&lives, "a write that was taken", |input, actions| {
        matches!(input, Input::Write { .. }) && actions.iter().any(is_stored)
    });
    let is_ballot = |action: &Action| matches!(action, Action::Persist(Record::Ballot(_)));
    left_out(&lives, "a vote that was given", |input, actions| {
        is_in(input, MessageKind::Vote) && actions.iter().any(is_ballot)
    });
    left_out(&lives, "a tick that began something", |input, actions| {
        matches!(input, Input::Tick) && !actions.is_empty()
    });
    another_boot_is_noticed(&lives);
}

fn is_in(input: &Input, kind: MessageKind) -> bool {
    matches!(input, Input::Message { message, .. } if message.kind() == kind)
}

/// Leaves out the first input of each life that is `such`.
fn left_out(lives: &[Life], what: &str, such: impl Fn(&Input, &[Action]) -> bool) {
    let mut found = 0;
    for life in lives {
        let is_such = |step: &cluster::runtime::Step| such(&step.input, &step.actions);
        let Some(at) = life.steps.iter().position(is_such) else {
            continue;
        };
        let mut less = life.clone();
        less.steps.remove(at);
        assert!(
            less.again().is_err(),
            "{what}: left out, and nobody noticed"
        );
        found += 1;
    }
    assert!(found > 0, "{what}: there was none");
}

/// `Debug` leaves out the life of a disk, the comparison does not: in an answer, and in an entry.
fn another_boot_is_noticed(lives: &[Life]) {
    let mut changed = 0;
    for life in lives {
        for at in 0..life.steps.len() {
            let mut other = Life {
                steps: life.steps[..=at].to_vec(),
                ..life.clone()
            };
            let boot = other.steps[at].actions.iter_mut().find_map(boot_in);
            if let Some(boot) = boot {
                *boot ^= 1;
                let (was, is) = (life, &other);
                let debug = |life: &Life| format!("{:?}", life.steps[at].actions);
                assert_eq!(debug(was), debug(is), "Debug would do");
                assert!(other.again().is_err(), "another boot, and nobody noticed");
                changed += 1;
                break;
            }
        }
    }
    assert!(changed > 0, "nothing had a boot in it");
}

fn boot_in(action: &mut Action) -> Option<&mut u64> {
    match action {
        Action::Reply {
            reply: Reply::Done { version, .. },
            ..
        } => Some(&mut version.boot),
        Action::Persist(Record::Append(entries)) => {
            entries.first_mut().map(|entry| &mut entry.id.boot)
        }
        _ => None,
    }
}
