//! Exercise 3: a better election. Each improvement is shown by one fault, without it and with it.

use std::time::{Duration, Instant};

use crate::cli::exercise::stage::{highest_term, row};
use crate::cli::exercise::tour::{Ingredient, Tour};
use crate::cli::exercise::words::{Label, Scene};
use crate::cli::failure::Failure;
use crate::client::gather;
use crate::types::Role;
use crate::wire::control::ClusterStatus;

/// Slow enough for a person to follow, and for a busy machine not to depose anybody by itself.
const TIMING: &str = "--heartbeat 100ms --election-timeout 600ms";

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many terms are to pass in vain.
const IN_VAIN: u64 = 3;

/// A machine that stands still for 100 ms breaks the step of two nodes: then it is done again, so often at most.
const ATTEMPTS: usize = 6;

/// What came of a fault.
struct Seen {
    from: u64,
    to: u64,
    took: Duration,
    leader: Option<String>,
    lost: u64,
}

pub(super) async fn play(tour: &mut Tour) -> Result<(), Failure> {
    timeouts(tour).await?;
    votes(tour).await?;
    returning(tour).await
}

async fn timeouts(tour: &mut Tour) -> Result<(), Failure> {
    let without = split(tour).await?;
    tour.close(Scene::SplitVote).await?;
    tour.open(Scene::RandomTimeouts)?;
    tour.boot(&format!("--raft --no-pre-vote {TIMING}")).await?;
    let (from, began) = (late_votes(tour).await?, Instant::now());
    let led = tour.until(Label::UntilLed, LIMIT, |status| settled_above(status, from));
    let led = led.await?;
    tour.run("status").await?;
    tour.claim(led.is_some(), tour.lang.label(Label::NobodyLed))?;
    let with = led.map(|status| Seen::at(&status, from, began.elapsed()));
    beside(tour, "--fixed-timeout", Some(&without), with.as_ref())?;
    tour.close(Scene::RandomTimeouts).await
}

/// Votes are split until enough terms have passed.
async fn split(tour: &mut Tour) -> Result<Seen, Failure> {
    tour.open(Scene::SplitVote)?;
    for _ in 0..ATTEMPTS {
        let flags = format!("--raft --fixed-timeout --no-pre-vote {TIMING}");
        tour.boot(&flags).await?;
        let (from, began) = (late_votes(tour).await?, Instant::now());
        let over = tour.until(Label::UntilInVain, LIMIT, |status| {
            settled_above(status, from) || highest_term(status) >= from + IN_VAIN
        });
        let over = over.await?;
        if let Some(status) = over.filter(|status| gather::settled(status).is_none()) {
            tour.run("status").await?;
            return Ok(Seen::at(&status, from, began.elapsed()));
        }
    }
    let message = tour.run("status").await?.said;
    tour.claim(false, &message)?;
    Err(Failure::silent(1))
}

/// Votes travel slowly, and the leader stops. Its term.
async fn late_votes(tour: &mut Tour) -> Result<u64, Failure> {
    tour.fault(Ingredient::Votes, "link all --only votes --delay 100ms")
        .await?;
    let before = tour.stage.status().await?;
    let is_set = !before.faults.is_empty();
    tour.claim(is_set, "cluster faults: no delay")?;
    tour.fault(Ingredient::Kill, "kill leader").await?;
    let after = tour.stage.status().await?;
    tour.claim(after.up < after.total, "3 of 3 up")?;
    Ok(highest_term(&before))
}

fn settled_above(status: &ClusterStatus, term: u64) -> bool {
    gather::settled(status).is_some() && status.term.is_some_and(|now| now > term)
}

/// The same partition, under the lowest id and under votes.
async fn votes(tour: &mut Tour) -> Result<(), Failure> {
    tour.open(Scene::LostWrite)?;
    let without = lost(tour).await?;
    tour.close(Scene::LostWrite).await?;
    tour.open(Scene::RealVotes)?;
    let with = kept(tour).await?;
    tour.saw(tour.lang.label(Label::Beside))?;
    let line = |seen: &Seen| seen.told(tour, Label::Lost);
    tour.saw(&format!("  lowest-id + async   {}", line(&without)))?;
    tour.saw(&format!("  raft + quorum       {}", line(&with)))?;
    tour.close(Scene::RealVotes).await
}

async fn lost(tour: &mut Tour) -> Result<Seen, Failure> {
    tour.boot("").await?;
    let (from, began) = (cut(tour).await?, Instant::now());
    let two = "wait node-1=leader node-2=leader --timeout 20s";
    tour.done(two).await?;
    tour.done("put balance 100 --to node-1").await?;
    tour.done("put balance 50 --to node-2").await?;
    tour.done("status").await?;
    let after = healed(tour).await?;
    tour.claim(after.lost.count > 0, "0")?;
    Ok(Seen::at(&after, from, began.elapsed()))
}

async fn kept(tour: &mut Tour) -> Result<Seen, Failure> {
    tour.boot(&format!("--raft {TIMING}")).await?;
    tour.done("transfer node-1").await?;
    let (from, began) = (cut(tour).await?, Instant::now());
    let put = tour.run("put balance 100 --to node-1 --timeout 5s").await?;
    tour.claim(put.code != 0, &put.said)?;
    let leads = |status: &ClusterStatus, n| {
        let answer = row(status, n).and_then(|row| row.answer.as_ref());
        answer.is_some_and(|answer| answer.role == Role::Leader)
    };
    let majority = |status: &ClusterStatus| [2, 3].into_iter().find(|n| leads(status, *n));
    let led = tour.until(Label::UntilMajority, LIMIT, |status| {
        majority(status).is_some()
    });
    let leader = led.await?.and_then(|status| majority(&status));
    tour.claim(leader.is_some(), tour.lang.label(Label::NobodyLed))?;
    let leader = leader.unwrap_or_default();
    tour.done(&format!("put balance 50 --to node-{leader}"))
        .await?;
    let after = healed(tour).await?;
    let read = tour.stage.run(vec!["get".to_owned(), "balance".to_owned()]);
    let read = read.await?.said;
    tour.claim(read == "50" && after.lost.count == 0, &read)?;
    Ok(Seen::at(&after, from, began.elapsed()))
}

/// Cuts node-1 from the others, which all hold the same. The term until then.
async fn cut(tour: &Tour) -> Result<u64, Failure> {
    tour.done("put balance 0").await?;
    tour.done("wait equal").await?;
    let term = highest_term(&tour.stage.status().await?);
    tour.fault(Ingredient::Partition, "partition node-1 / node-2,node-3")
        .await?;
    Ok(term)
}

/// All hear each other again, and agree.
async fn healed(tour: &Tour) -> Result<ClusterStatus, Failure> {
    tour.done("heal").await?;
    tour.done("wait leader equal --timeout 60s").await?;
    tour.done("status").await?;
    tour.done("get balance").await?;
    tour.stage.status().await
}

async fn returning(tour: &mut Tour) -> Result<(), Failure> {
    tour.open(Scene::Returning)?;
    let began = begin_without_three(tour, "--no-pre-vote ").await?;
    let away = |status: &ClusterStatus| term_of_three(status) >= began + IN_VAIN;
    let left = Instant::now();
    let limit = Duration::from_secs(15);
    let raised = tour.until(Label::UntilRaised, limit, away).await?;
    let absence = left.elapsed();
    tour.done("status").await?;
    tour.claim(raised.is_some(), &format!("node-3: term {began}"))?;
    let without = returned(tour, began, began + IN_VAIN).await?;
    tour.close(Scene::Returning).await?;
    tour.open(Scene::PreVote)?;
    for attempt in 1..=ATTEMPTS {
        let began = begin_without_three(tour, "").await?;
        // It is away for as long as the other was.
        let wait = tour.lang.label(Label::UntilAsLong);
        tour.saw(&wait.replace("{ms}", &absence.as_millis().to_string()))?;
        tokio::time::sleep(absence).await;
        let deaf = |status: &ClusterStatus| {
            row(status, 3)
                .and_then(|row| row.answer.as_ref())
                .is_some_and(|answer| answer.leader_id.is_none())
        };
        let deaf = tour.stage.once(LIMIT, deaf).await?;
        tour.done("status").await?;
        tour.claim(deaf.is_some(), "node-3")?;
        let with = returned(tour, began, began).await?;
        let is_calm = with.to == began && with.leader.as_deref() == Some("node-1");
        if is_calm || attempt == ATTEMPTS {
            beside(tour, "--no-pre-vote", Some(&without), Some(&with))?;
            tour.claim(is_calm, &format!("{} -> {}", with.from, with.to))?;
            break;
        }
    }
    tour.close(Scene::PreVote).await
}

/// Boots, lets node-1 lead, and isolates node-3. The term until then.
async fn begin_without_three(tour: &mut Tour, flags: &str) -> Result<u64, Failure> {
    tour.boot(&format!("--raft {flags}{TIMING}")).await?;
    tour.done("transfer node-1").await?;
    tour.done("wait leader equal").await?;
    let term = highest_term(&tour.stage.status().await?);
    tour.fault(Ingredient::Isolate, "isolate node-3").await?;
    Ok(term)
}

fn term_of_three(status: &ClusterStatus) -> u64 {
    let answer = row(status, 3).and_then(|row| row.answer.as_ref());
    answer.map_or(0, |answer| answer.term)
}

/// node-3 is back: in what term, and under whom, the cluster settles, which is to be `term` at least.
async fn returned(tour: &mut Tour, from: u64, term: u64) -> Result<Seen, Failure> {
    let began = Instant::now();
    tour.done("heal").await?;
    let settled = tour.until(Label::UntilSettled, LIMIT, |status| {
        gather::settled(status).is_some() && status.term.is_some_and(|now| now >= term)
    });
    let settled = settled.await?;
    tour.done("status").await?;
    let Some(status) = settled else {
        tour.claim(false, tour.lang.label(Label::NobodyLed))?;
        return Err(Failure::silent(1));
    };
    Ok(Seen::at(&status, from, began.elapsed()))
}

impl Seen {
    fn at(status: &ClusterStatus, from: u64, took: Duration) -> Seen {
        Seen {
            from,
            to: highest_term(status),
            took,
            leader: gather::settled(status).map(|claim| claim.0.to_string()),
            lost: status.lost.count,
        }
    }

    fn told(&self, tour: &Tour, line: Label) -> String {
        let nobody = tour.lang.label(Label::NobodyLed);
        let leader = self.leader.as_deref().unwrap_or(nobody);
        let line = tour.lang.label(line);
        let line = line.replace("{lost}", &self.lost.to_string());
        let line = line.replace("{from}", &self.from.to_string());
        let line = line.replace("{to}", &self.to.to_string());
        let line = line.replace("{ms}", &self.took.as_millis().to_string());
        line.replace("{leader}", leader)
    }
}

/// What came of the same fault, with a flag that takes an improvement away, and without that flag.
fn beside(
    tour: &Tour,
    flag: &str,
    taken: Option<&Seen>,
    kept: Option<&Seen>,
) -> Result<(), Failure> {
    let told = |seen: Option<&Seen>| {
        seen.map(|seen| seen.told(tour, Label::Terms))
            .unwrap_or_default()
    };
    let (with, without) = (
        tour.lang.label(Label::With),
        tour.lang.label(Label::Without),
    );
    tour.saw(tour.lang.label(Label::Beside))?;
    tour.saw(&format!("  {with:7} {flag:15}  {}", told(taken)))?;
    tour.saw(&format!("  {without:7} {flag:15}  {}", told(kept)))
}
