//! Values that can be told apart: what is not the same must not pass for the same.
//!
//! A number is read as 64 bits or as a double. Beyond what those hold neighbours are the same: such a number is refused. Two
//! fractions that are the same double are the same. An object that names a key twice is refused, since only one of the two
//! would be looked at.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

/// A value of which nothing was left out.
#[derive(Default)]
pub(super) struct Whole(pub(super) Json);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Whole, D::Error> {
        deserializer.deserialize_any(Reader).map(Whole)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(Whole(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some((key, Whole(value))) = pairs.next_entry::<String, Whole>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("{key:?} is named twice")));
            }
            map.insert(key, value);
        }
        Ok(map.into())
    }
}

/// The least number that a double cannot tell from the next one.
const BLURRED: f64 = 9_007_199_254_740_992.0;

/// Refuses numbers that cannot be told from their neighbours: what is not the same could pass for the same.
pub(super) fn exact(json: &Json) -> Result<(), String> {
    match json {
        Json::Number(number) if number.is_f64() => match number.as_f64() {
            Some(number) if number.abs() >= BLURRED => Err(format!(
                "a number near {number:e} is too large to be told from its neighbours; write it as a string"
            )),
            _ => Ok(()),
        },
        Json::Array(list) => list.iter().try_for_each(exact),
        Json::Object(map) => map.values().try_for_each(exact),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::history::History;

    #[test]
    fn numbers_that_cannot_be_told_from_their_neighbours_are_refused() {
        for (number, is_exact) in [
            ("18446744073709551615", true),
            ("-9223372036854775808", true),
            ("0.5", true),
            ("18446744073709551616", false),
            ("-9223372036854775809", false),
            ("1e300", false),
        ] {
            let value = format!(
                r#"{{"process":1,"type":"invoke","f":"write","key":"k","value":[{{"a":{number}}}]}}"#
            );
            let key = format!(r#"{{"process":1,"type":"invoke","f":"read","key":{number}}}"#);
            let edn = format!("{{:process 0 :type :invoke :f :write :value {number}}}");
            for text in [value, key, edn] {
                let read = History::read(&text);
                assert_eq!(read.is_ok(), is_exact, "{text}: {read:?}");
                assert!(
                    read.err()
                        .is_none_or(|error| error.what.contains("as a string"))
                );
            }
        }
    }

    #[test]
    fn a_value_that_names_a_key_twice_is_refused() {
        let json = r#"{"process":1,"type":"invoke","f":"write","key":"k","value":[{"a":1,"a":2}]}"#;
        let edn = "{:process 0 :type :invoke :f :write :value {:a 1 :a 2}}";
        for text in [json, edn] {
            let refused = History::read(text).unwrap_err().what;
            assert!(refused.contains("\"a\" is named twice"), "{refused}");
            let other = text
                .replacen("a\":2", "b\":2", 1)
                .replacen(":a 2", ":b 2", 1);
            assert!(History::read(&other).is_ok(), "{other}");
        }
    }

    #[test]
    fn maps_with_other_keys_are_not_the_same() {
        let read = |key: &str| {
            let text = format!("{{:process 0 :type :invoke :f :write :value {{{key} 1}}}}");
            History::read(&text).unwrap().operations
        };
        assert_ne!(read("2"), read("3"));
        assert_eq!(read("2"), read("2"));
    }
}
