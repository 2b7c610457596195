//! What no honest node could have said, as far as one message alone can tell.

use crate::protocol::history::is_history_of;
use crate::protocol::message::AppendOutcome;
use crate::protocol::{Entry, Message};
use crate::types::{EntryId, TERM_LIMIT, index_of};

/// Whether an honest node could have said it. Nothing else reaches a [`Node`](crate::protocol::Node).
pub fn is_sound(message: &Message) -> bool {
    let ids_are_sound = match message {
        Message::Append {
            prev,
            entries,
            commit,
            ..
        } => {
            // The first of these bounds what the others count from.
            all_sound([prev, commit])
                && entries.iter().all(|entry| entry.id.is_sound())
                && follow_each_other(prev.as_ref(), entries)
        }
        Message::InstallSnapshot {
            last,
            history,
            after,
            items,
            ..
        } => {
            let versions = items.iter().all(|piece| piece.version().is_sound());
            let history = after.is_some() || is_history_of(history, last.as_ref());
            all_sound([last]) && versions && history
        }
        Message::HeartbeatAck { last, applied, .. } => all_sound([last, applied]),
        Message::AppendAck {
            outcome: AppendOutcome::Mismatch { last, applied },
            ..
        } => all_sound([last, applied]),
        Message::SnapshotAck { last, .. }
        | Message::PreVote { last, .. }
        | Message::Vote { last, .. } => all_sound([last]),
        Message::Heartbeat { commit, .. }
        | Message::ReadAt { commit, .. }
        | Message::Restored { commit, .. } => all_sound([commit]),
        Message::AppendAck { .. }
        | Message::Probe { .. }
        | Message::ProbeAck { .. }
        | Message::VoteAck { .. }
        | Message::TimeoutNow { .. }
        | Message::ReadIndex { .. }
        | Message::BareHeartbeat { .. }
        | Message::WholeMap { .. }
        | Message::BareAck { .. } => true,
    };
    ids_are_sound && message.term() < TERM_LIMIT
}

fn follow_each_other(prev: Option<&EntryId>, entries: &[Entry]) -> bool {
    let mut numbered = entries.iter().zip(index_of(prev) + 1..);
    numbered.all(|(entry, index)| entry.id.index == index)
}

fn all_sound<const N: usize>(ids: [&Option<EntryId>; N]) -> bool {
    ids.into_iter().flatten().all(EntryId::is_sound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Command;
    use crate::types::{Leadership, NodeId};

    fn id(index: u64) -> EntryId {
        EntryId {
            index,
            term: 1,
            leader: NodeId::nth(1),
            boot: 7,
        }
    }

    fn append(prev: u64, first: u64) -> Message {
        let entry = |index| Entry {
            id: id(index),
            command: Command::Noop,
        };
        Message::Append {
            claim: Leadership {
                term: 1,
                leader: NodeId::nth(1),
            },
            round: 1,
            prev: Some(id(prev)),
            entries: vec![entry(first), entry(first + 1)],
            commit: None,
        }
    }

    #[test]
    fn entries_at_the_end_of_all_numbers_are_refused() {
        assert!(is_sound(&append(4, 5)));
        assert!(!is_sound(&append(u64::MAX, 5)));
        assert!(!is_sound(&append(u64::MAX - 2, u64::MAX - 1)));
        assert!(!is_sound(&append(TERM_LIMIT - 2, TERM_LIMIT - 1)));
        assert!(is_sound(&append(TERM_LIMIT - 4, TERM_LIMIT - 3)));
    }
}
