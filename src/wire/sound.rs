//! What no honest node could have said, as far as one message alone can tell.

use crate::protocol::Message;
use crate::protocol::history::is_history_of;
use crate::protocol::message::AppendOutcome;
use crate::store::Piece;
use crate::types::{EntryId, TERM_LIMIT, index_of};

/// Whether an honest node could have said it.
pub(super) fn is_sound(message: &Message) -> bool {
    let ids_are_sound = match message {
        Message::Append {
            prev,
            entries,
            commit,
            ..
        } => {
            let next = index_of(prev.as_ref()).saturating_add(1);
            let follow = entries
                .iter()
                .zip(next..)
                .all(|(entry, at)| entry.id.index == at);
            let sound = entries.iter().all(|entry| is_sound_id(&entry.id));
            follow && sound && all_sound([prev, commit])
        }
        Message::InstallSnapshot {
            last,
            history,
            after,
            items,
            ..
        } => {
            let versions = items.iter().all(|piece| is_sound_id(version(piece)));
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

fn version(piece: &Piece) -> &EntryId {
    match piece {
        Piece::Key(item) => &item.version,
        Piece::Session(session) => &session.by,
    }
}

fn all_sound<const N: usize>(ids: [&Option<EntryId>; N]) -> bool {
    ids.into_iter().flatten().all(is_sound_id)
}

fn is_sound_id(id: &EntryId) -> bool {
    (1..TERM_LIMIT).contains(&id.index) && id.term < TERM_LIMIT && id.boot < TERM_LIMIT
}
