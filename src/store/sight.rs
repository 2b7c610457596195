//! What readers see of a store.

use imbl::OrdMap;

use crate::store::Slot;
use crate::value::Key;

/// The keys of a store and what they hold, as of one moment. Cloning it is O(1). While it is kept, a write to the store
/// copies what it touches of the keys; a clone of the whole store would have it copy more, that no reader asks for.
#[derive(Debug, Clone, Default)]
pub struct Sight(pub(super) OrdMap<Key, Slot>);

impl Sight {
    /// What `key` holds.
    pub fn get(&self, key: &str) -> Option<&Slot> {
        self.0.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Command, Store};
    use crate::types::{EntryId, NodeId};
    use crate::value::Value;

    #[test]
    fn what_readers_saw_stays_as_it_was() {
        let mut store = Store::default();
        let mut put = |index, value| {
            let id = EntryId {
                index,
                term: 1,
                leader: NodeId::nth(1),
                boot: 7,
            };
            store.apply(&id, &Command::put(Key::new("k"), Value::string(value)));
            store.sight()
        };
        let (before, after) = (put(1, "a"), put(2, "b"));
        let value = |sight: &Sight| sight.get("k").map(|slot| slot.value.clone());
        assert_eq!(value(&before), Some(Value::string("a")));
        assert_eq!(value(&after), Some(Value::string("b")));
    }
}
