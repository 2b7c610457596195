//! What a node loses when another history replaces its own.

use std::collections::BTreeMap;

use crate::event::{Loss, LostWrite};
use crate::protocol::history::divergence;
use crate::protocol::log::Log;
use crate::protocol::record::Snapshot;
use crate::store::{Command, Store};
use crate::types::{EntryId, Index, NodeId, index_of};
use crate::value::Key;

/// The writes in `store`, which holds `log` up to `applied`, that `snapshot`, from `leader`, does not know of, one a key: its last put behind the
/// last common entry, or its delete there, if the key is back now. Equal identity means equal prefix, so what lies
/// before is in both histories and what lies behind is in one.
///
/// Caveat: a delete that was compacted already, of a key that the other history has overwritten since, is not seen.
pub fn loss(
    log: &Log,
    (store, applied): (&Store, Index),
    snapshot: &Snapshot,
    leader: Option<&NodeId>,
) -> Loss {
    let their_last = index_of(snapshot.last.as_ref());
    let common = divergence(
        &log.history_upto(applied),
        applied,
        &snapshot.history,
        their_last,
    );
    let mut lost: BTreeMap<Key, Option<EntryId>> = BTreeMap::new();
    for (key, slot) in store.iter().filter(|(_, slot)| slot.version.index > common) {
        lost.insert(key.clone(), Some(slot.version.as_ref().clone()));
    }
    let is_back = |key: &Key| store.get(key.as_str()).is_none();
    // A key that both had at the last common entry, and only the other has now, was deleted here …
    let shared = snapshot
        .store
        .iter()
        .filter(|(_, slot)| slot.version.index <= common);
    for (key, _) in shared.filter(|(key, _)| is_back(key)) {
        lost.insert(key.clone(), None);
    }
    // … and the log still says by which entry, unless that is compacted.
    let applied = log
        .iter()
        .filter(|entry| (common + 1..=applied).contains(&entry.id.index));
    for entry in applied {
        if let Command::Delete { key, .. } = &entry.command
            && is_back(key)
            && snapshot.store.get(key.as_str()).is_some()
        {
            lost.insert(key.clone(), Some(entry.id.clone()));
        }
    }
    let writes: Vec<LostWrite> = lost
        .into_iter()
        .map(|(key, entry)| LostWrite { key, entry })
        .collect();
    Loss {
        count: writes.len() as u64,
        writes,
        to: leader.cloned(),
    }
}
