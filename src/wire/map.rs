//! The chapter's whole map: a JSON object whose order is kept.

use std::collections::HashMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::value::{Key, Value};

/// Writes pairs as an object.
pub(super) fn as_object<S: serde::Serializer>(
    data: &Option<&[(Key, Value)]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let pairs = data.unwrap_or_default();
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// A JSON object whose order is kept and in which, as in JavaScript, a repeated key keeps its place and takes the last
/// value.
pub(super) struct WholeMap(pub(super) Vec<(Key, Value)>);

impl<'de> Deserialize<'de> for WholeMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WholeMap, D::Error> {
        deserializer.deserialize_map(WholeMapVisitor)
    }
}

struct WholeMapVisitor;

impl<'de> Visitor<'de> for WholeMapVisitor {
    type Value = WholeMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WholeMap, A::Error> {
        let mut pairs: Vec<(Key, Value)> = Vec::new();
        let mut places: HashMap<Key, usize> = HashMap::new();
        while let Some((key, value)) = map.next_entry::<Key, Value>()? {
            match places.get(&key) {
                Some(at) => pairs[*at].1 = value,
                None => {
                    places.insert(key.clone(), pairs.len());
                    pairs.push((key, value));
                }
            }
        }
        Ok(WholeMap(pairs))
    }
}
