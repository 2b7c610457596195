//! How a scenario came out: whether its steps went as written, and whether the verdict is the one it names.

use crate::chaos::losses::{Losses, losses};
use crate::chaos::measures::{Measures, measure};
use crate::chaos::verdict::{Verdict, found};
use crate::scenario::format::Wanted;
use crate::scenario::{Failed, Played, Scenario};
use crate::sim::Plan;

/// How it came out.
#[derive(Debug)]
pub struct Outcome {
    /// What became of the promise.
    pub verdict: Verdict,
    /// Which acknowledged writes are gone.
    pub losses: Losses,
    /// What was measured.
    pub measures: Measures,
    /// Why it is not what the scenario says, if it is not.
    pub failed: Option<Failed>,
    /// Why nobody can tell, if nobody can.
    pub undecided: Option<String>,
}

impl Outcome {
    /// Whether it came out as written, if that can be told.
    pub fn is_as_written(&self) -> Option<bool> {
        match (&self.failed, &self.undecided) {
            (Some(_), _) => Some(false),
            (None, None) => Some(true),
            (None, Some(_)) => None,
        }
    }
}

/// Judges what was played.
pub fn judge(scenario: &Scenario, plan: &Plan, played: &Played) -> Outcome {
    let recording = &played.recording;
    let (losses, measures) = (losses(recording), measure(recording));
    let verdict = found(plan, recording, &losses, &measures);
    let failed = played.failed.clone().or_else(|| {
        let what = match &recording.end.unrest {
            Some(unrest) => Some(format!("everything is healed, and yet: {unrest}")),
            None if recording.end.is_cut_short => so_far(scenario.verdict, &verdict),
            None => other(scenario.verdict, &verdict, &losses),
        };
        what.map(|what| Failed { line: 0, what })
    });
    let undecided = undecided(scenario.verdict, played, &verdict);
    Outcome {
        undecided,
        verdict,
        losses,
        measures,
        failed,
    }
}

/// What was to show may have been to come; and what nobody can judge is neither as wanted nor other.
fn undecided(wanted: Wanted, played: &Played, verdict: &Verdict) -> Option<String> {
    match (wanted, verdict) {
        _ if played.recording.end.is_cut_short => Some("it was ended before its time".to_owned()),
        (Wanted::Kept | Wanted::Broken, Verdict::Unknown(why)) => Some(why.clone()),
        _ => None,
    }
}

/// What is other than wanted in the part that was played.
fn so_far(wanted: Wanted, verdict: &Verdict) -> Option<String> {
    match (wanted, verdict) {
        (Wanted::Kept, Verdict::Broken(_)) => other(wanted, verdict, &Losses::default()),
        _ => None,
    }
}

/// What is other than wanted.
fn other(wanted: Wanted, verdict: &Verdict, losses: &Losses) -> Option<String> {
    match (wanted, verdict) {
        (Wanted::Lost, _) => losses
            .gone
            .is_empty()
            .then(|| "expected acknowledged writes to be lost, but all are there".to_owned()),
        (Wanted::Kept, Verdict::Kept)
        | (Wanted::Broken, Verdict::Broken(_))
        | (_, Verdict::Unknown(_)) => None,
        (Wanted::Kept, Verdict::Broken(broken)) => Some(format!(
            "expected the promise to be kept, but {}: {}",
            broken.invariant, broken.what
        )),
        (Wanted::Broken, Verdict::Kept) => {
            Some("expected the promise to be broken, but it was kept".to_owned())
        }
    }
}
