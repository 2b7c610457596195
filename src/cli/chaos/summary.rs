//! The same for programs: one object.

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::chaos::recording::Struck;
use crate::chaos::verdict::{Broken, Verdict};
use crate::chaos::words;
use crate::cli::chaos::report::Report;
use crate::cli::sim::asked::name_of;
use crate::views::intervals;

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    verdict: &'a str,
    expect: String,
    mode: String,
    nodes: usize,
    seed: u64,
    simulated: bool,
    interrupted: bool,
    acknowledged: usize,
    lost: usize,
    lost_reported: u64,
    lost_unreported: usize,
    ambiguous: usize,
    faults: Vec<Json>,
    leader_changes: usize,
    unavailable_ms: f64,
    #[serde(flatten)]
    measures: Json,
    judging_ms: u64,
    broken: Option<Json>,
    unknown: Option<&'a str>,
    again: String,
}

impl Report<'_> {
    /// What it came to, as an object.
    pub(super) fn summary(&self) -> Summary<'_> {
        let measures = self.measures;
        Summary {
            verdict: self.verdict(),
            expect: name_of(self.plan.expect),
            mode: self.plan.mode.to_string(),
            nodes: self.plan.nodes,
            seed: self.plan.seed,
            simulated: self.args.sim,
            interrupted: self.recording.end.is_cut_short,
            acknowledged: measures.acknowledged,
            lost: self.losses.gone.len(),
            lost_reported: self.recording.end.reported_count,
            lost_unreported: self.losses.unreported.len(),
            ambiguous: measures.ambiguous,
            faults: self
                .recording
                .struck
                .iter()
                .map(|struck| self.fault(struck))
                .collect(),
            leader_changes: measures.leader_changes,
            unavailable_ms: measures.unavailable_ms(),
            measures: json!({
                "operations": measures.operations,
                "left_out": measures.left_out,
                "outside_faults": measures.outside_faults,
                "availability_percent": measures.availability,
                "outages": measures.outages,
                "latency": {
                    "before": measures.latency[0],
                    "during": measures.latency[1],
                    "after": measures.latency[2],
                },
                "messages": measures.messages,
                "messages_per_operation": measures.messages_per_operation,
            }),
            judging_ms: self.judging.as_millis() as u64,
            broken: match self.verdict {
                Verdict::Broken(broken) => Some(shown(broken)),
                Verdict::Kept | Verdict::Unknown(_) if self.is_too_rare() => {
                    let what = format!("{:.2} % were answered", measures.availability);
                    Some(json!({"invariant": "availability", "what": what}))
                }
                Verdict::Kept | Verdict::Unknown(_) => None,
            },
            unknown: match self.verdict {
                Verdict::Unknown(why) => Some(why),
                Verdict::Kept | Verdict::Broken(_) => None,
            },
            again: self.again(),
        }
    }

    fn fault(&self, struck: &Struck) -> Json {
        json!({
            "number": struck.number,
            "planned": words::planned(&struck.planned, &self.recording.nodes),
            "what": struck.what,
            "whom": struck.whom,
            "from_ms": struck.from as f64 / 1e3,
            "until_ms": struck.until.map(|until| until as f64 / 1e3),
            "took_effect": struck.void.is_none(),
            "why_not": struck.void,
        })
    }
}

fn shown(broken: &Broken) -> Json {
    let operations = broken.explanation.as_ref().map(|explanation| {
        let told = explanation.operations.iter().map(|number| {
            let operation = &explanation.history.operations[*number];
            let what = intervals::of_key(&explanation.history, operation);
            json!({"process": operation.process, "what": what})
        });
        told.collect::<Vec<Json>>()
    });
    json!({
        "invariant": broken.invariant,
        "what": broken.what,
        "operations": operations,
    })
}
