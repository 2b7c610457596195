//! Single messages to which something happens, in a run of which that was decided message by message: there it matters.

use std::collections::BTreeSet;

use crate::protocol::Message;
use crate::protocol::message::AppendOutcome;
use crate::sim::What;
use crate::sim::moment::Fated;
use crate::sim::plan::{Place, Plan};
use crate::views::story::digest::About;
use crate::views::story::names::{deed, node, some, span};
use crate::views::story::{Teller, Tone, stamp};

/// More messages than these are no story: what became of each is left out.
const MANY: usize = 30;

/// The messages that something was decided of.
#[derive(Debug, Default)]
pub(super) struct Letters {
    decided: BTreeSet<(Place, Place, u32)>,
    /// Those that are late: where that is told.
    late: Vec<((Place, Place, u32), usize)>,
}

impl Letters {
    pub(super) fn of(plan: &Plan) -> Letters {
        let fates = plan
            .fates
            .iter()
            .filter(|fates| fates.len() <= MANY)
            .flatten();
        Letters {
            decided: fates.map(|fate| (fate.from, fate.to, fate.nth)).collect(),
            late: Vec::new(),
        }
    }
}

impl Teller<'_> {
    pub(super) fn tell_letter(&mut self, place: Place, what: &What) {
        match what {
            What::Sent {
                to,
                nth,
                message,
                fated,
            } if self.letters.decided.contains(&(place, *to, *nth)) => {
                self.tell_fate((place, *to, *nth), message, *fated);
            }
            What::Arrived { from, nth } => self.tell_late((*from, place, *nth)),
            _ => {}
        }
    }

    fn tell_fate(&mut self, which: (Place, Place, u32), message: &Message, fated: Fated) {
        let latency = self.plan.scale.latency * 1000;
        let (from, to, _) = which;
        let kind = format!("{}'s {} to {}", node(from), noun(message), node(to));
        let (fate, how) = match (fated.arrives, fated.again) {
            (None, _) => ("is lost", String::new()),
            (Some(first), Some(second)) => {
                ("arrives twice", format!(", {} apart", span(second - first)))
            }
            (Some(arrives), None) => {
                let late = arrives.saturating_sub(self.now.1 + latency);
                ("is late", format!(" by {}", span(late)))
            }
        };
        let text = format!("{kind} {fate}{how}.");
        let beat = self.say(Tone::Fault, About::Letter { kind, fate }, text);
        if fate == "is late" {
            self.letters.late.push((which, beat));
        }
    }

    /// What was late arrives, after other things.
    fn tell_late(&mut self, which: (Place, Place, u32)) {
        let Some(at) = self
            .letters
            .late
            .iter()
            .position(|(late, _)| *late == which)
        else {
            return;
        };
        let (_, beat) = self.letters.late.remove(at);
        let (from, to, nth) = which;
        let happened = self.beats[beat + 1..]
            .iter()
            .any(|beat| matches!(beat.about, About::Course | About::Aside));
        if let (true, Some(letter)) = (happened, self.scene.letter(from, to, nth)) {
            let (what, sent) = (noun(letter.message), stamp(letter.sent));
            let text = format!(
                "Only now {}'s {what} of {sent} reaches {}.",
                node(from),
                node(to)
            );
            self.say(Tone::Fault, About::Aside, text);
        }
    }
}

/// What a message is to somebody who does not know its name.
fn noun(message: &Message) -> String {
    let noun = match message {
        Message::Append { entries, .. } if !entries.is_empty() => {
            let deeds: Vec<String> = entries.iter().map(deed).collect();
            return format!("copy of {}", some(&deeds));
        }
        Message::Append { .. } => "note of what is committed",
        Message::Heartbeat { .. } | Message::BareHeartbeat { .. } => "heartbeat",
        Message::HeartbeatAck { .. } | Message::BareAck { .. } => "answer to a heartbeat",
        Message::AppendAck { outcome, .. } => match outcome {
            AppendOutcome::Stored(_) => "confirmation",
            AppendOutcome::Mismatch { .. } => "answer that something is missing before",
            AppendOutcome::Stale => "answer that somebody else leads",
        },
        Message::InstallSnapshot { .. } => "piece of a snapshot",
        Message::SnapshotAck { .. } => "answer to a piece of a snapshot",
        Message::Probe { .. } => "\"do you live?\"",
        Message::ProbeAck { .. } => "\"I live\"",
        Message::PreVote { .. } => "\"would you vote for me?\"",
        Message::Vote { .. } => "request for a vote",
        Message::VoteAck { granted: false, .. } => "refusal of a vote",
        Message::VoteAck { pre: true, .. } => "\"I would vote for you\"",
        Message::VoteAck { .. } => "vote",
        Message::TimeoutNow { .. } => "request to take over",
        Message::ReadIndex { .. } => "question up to where it may read",
        Message::ReadAt { .. } => "answer up to where it may read",
        Message::Restored { .. } => "leave to vote again",
        Message::WholeMap { .. } => "whole map",
    };
    noun.to_owned()
}
