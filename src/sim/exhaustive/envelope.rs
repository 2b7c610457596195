//! A message on its way, as a number and in words.

use crate::protocol::Message;
use crate::protocol::fingerprint::Sketch;
use crate::protocol::message::{AppendOutcome, Known, SnapshotProgress};
use crate::sim::exhaustive::table::Sketched;
use crate::types::NodeId;

/// A message on its way. Nodes are counted from 0 here.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) message: Message,
}

impl Envelope {
    /// The same message if `node-k` were called `names[k - 1]`, counted from 0. Ids are all that a message says of nodes, and
    /// no key or value here is called like one.
    pub(super) fn renamed(&self, names: &[u8]) -> Envelope {
        let said = serde_json::to_string(&self.message).expect("a message is JSON");
        let quoted = |k: usize| format!("\"{}\"", NodeId::nth(k + 1));
        let aside = |k: usize| format!("\"aside {k}\"");
        let set_aside = |said: String, k| said.replace(&quoted(k), &aside(k));
        let said = (0..names.len()).fold(said, set_aside);
        let call = |said: String, k: usize| said.replace(&aside(k), &quoted(names[k].into()));
        let said = (0..names.len()).fold(said, call);
        Envelope {
            from: names[self.from].into(),
            to: names[self.to].into(),
            message: serde_json::from_str(&said).expect("renaming keeps it one"),
        }
    }
}

impl Sketched for Envelope {
    fn sketch(&self, sketch: &mut Sketch<'_>) {
        sketch.nth(self.from);
        sketch.nth(self.to);
        sketch.number(self.message.kind() as u64);
        sketch_message(&self.message, sketch);
    }
}

fn sketch_known(known: &Known, sketch: &mut Sketch<'_>) {
    sketch.number(known.term);
    sketch.maybe(known.leader.as_ref(), Sketch::id);
}

/// Every field of every message: none may be forgotten.
fn sketch_message(message: &Message, sketch: &mut Sketch<'_>) {
    match message {
        Message::Heartbeat {
            claim,
            round,
            commit,
        } => {
            sketch.claim(claim);
            sketch.number(*round);
            sketch.position(commit.as_ref());
        }
        Message::HeartbeatAck {
            known,
            boot,
            round,
            last,
            applied,
            recovering,
        } => {
            sketch_known(known, sketch);
            sketch.number(*boot);
            sketch.number(*round);
            sketch.position(last.as_ref());
            sketch.position(applied.as_ref());
            sketch.flag(*recovering);
        }
        Message::Append {
            claim,
            round,
            prev,
            entries,
            commit,
        } => {
            sketch.claim(claim);
            sketch.number(*round);
            sketch.position(prev.as_ref());
            sketch.entries(entries.iter());
            sketch.position(commit.as_ref());
        }
        Message::AppendAck {
            known,
            boot,
            round,
            outcome,
        } => {
            sketch_known(known, sketch);
            sketch.number(*boot);
            sketch.number(*round);
            sketch_outcome(outcome, sketch);
        }
        Message::InstallSnapshot {
            claim,
            round,
            boot,
            last,
            history,
            members,
            after,
            items,
            done,
        } => {
            sketch.claim(claim);
            sketch.number(*round);
            sketch.number(*boot);
            sketch.position(last.as_ref());
            sketch.history(history);
            sketch.maybe(members.as_deref(), Sketch::members);
            sketch.maybe(*after, Sketch::number);
            sketch.number(items.len() as u64);
            items.iter().for_each(|item| sketch.piece(item));
            sketch.flag(*done);
        }
        Message::SnapshotAck {
            known,
            boot,
            round,
            last,
            progress,
        } => {
            sketch_known(known, sketch);
            sketch.number(*boot);
            sketch.number(*round);
            sketch.position(last.as_ref());
            match progress {
                SnapshotProgress::Upto(place) => {
                    sketch.number(1);
                    sketch.maybe(*place, Sketch::number);
                }
                SnapshotProgress::Installed => sketch.number(2),
                SnapshotProgress::Stale => sketch.number(3),
            }
        }
        Message::Probe { term } => sketch.number(*term),
        Message::ProbeAck {
            known,
            heard_ago,
            contends,
        } => {
            sketch_known(known, sketch);
            sketch.maybe(heard_ago.map(|ago| ago.as_secs()), Sketch::number);
            sketch.flag(*contends);
        }
        Message::PreVote { term, last } => {
            sketch.number(*term);
            sketch.position(last.as_ref());
        }
        Message::Vote {
            term,
            last,
            transfer,
        } => {
            sketch.number(*term);
            sketch.position(last.as_ref());
            sketch.flag(*transfer);
        }
        Message::VoteAck {
            known,
            term,
            pre,
            granted,
            heard_ago,
        } => {
            sketch_known(known, sketch);
            sketch.number(*term);
            sketch.flag(*pre);
            sketch.flag(*granted);
            sketch.maybe(heard_ago.map(|ago| ago.as_secs()), Sketch::number);
        }
        Message::TimeoutNow { claim } | Message::BareHeartbeat { claim } => sketch.claim(claim),
        Message::ReadIndex { id } => sketch.number(*id),
        Message::ReadAt { claim, id, commit } => {
            sketch.claim(claim);
            sketch.number(*id);
            sketch.position(commit.as_ref());
        }
        Message::Restored {
            boot,
            claim,
            commit,
        } => {
            sketch.number(*boot);
            sketch.claim(claim);
            sketch.position(commit.as_ref());
        }
        Message::WholeMap { claim, data } => {
            sketch.claim(claim);
            sketch.number(data.len() as u64);
            for (key, value) in data.iter() {
                sketch.text(key.as_str());
                sketch.text(value.as_str());
            }
        }
        Message::BareAck { to } => sketch.number(*to as u64),
    }
}

fn sketch_outcome(outcome: &AppendOutcome, sketch: &mut Sketch<'_>) {
    match outcome {
        AppendOutcome::Stored(upto) => {
            sketch.number(1);
            sketch.number(*upto);
        }
        AppendOutcome::Mismatch { last, applied } => {
            sketch.number(2);
            sketch.position(last.as_ref());
            sketch.position(applied.as_ref());
        }
        AppendOutcome::Stale => sketch.number(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Entry;
    use crate::store::Command;
    use crate::types::{EntryId, Leadership};
    use crate::value::{Key, Value};

    #[test]
    fn a_renamed_message_looks_under_other_names_as_the_message_does() {
        let id = |index, k| EntryId {
            index,
            term: 3,
            leader: NodeId::nth(k),
            boot: 1,
        };
        let envelope = Envelope {
            from: 0,
            to: 2,
            message: Message::Append {
                claim: Leadership {
                    term: 4,
                    leader: NodeId::nth(1),
                },
                round: 2,
                prev: Some(id(1, 2)),
                entries: vec![Entry {
                    id: id(2, 1),
                    command: Command::put(Key::new("x"), Value::string("1")),
                }],
                commit: Some(id(1, 3)),
            },
        };
        let (own, names) = ([0, 1, 2], [2, 0, 1]);
        let renamed = envelope.renamed(&names);
        assert_eq!((renamed.from, renamed.to), (2, 1));
        assert_eq!(renamed.print(&own), envelope.print(&names));
        assert_ne!(renamed.print(&own), envelope.print(&own));
        assert_eq!(envelope.renamed(&own).print(&own), envelope.print(&own));
    }
}
