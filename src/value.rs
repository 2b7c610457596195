//! What clients store: [`Key`]s, and [`Value`]s kept as the JSON text they came in, so that a number of a hundred digits
//! or an object with a key twice is given back exactly as it was put.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The longest key, in bytes after percent-decoding.
pub const MAX_KEY: usize = 4095;

/// How deep arrays and objects may nest. Readers of our answers recurse; ours must not be what breaks them.
pub const MAX_DEPTH: usize = 128;

/// A key: any text, the empty one included.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key(Arc<str>);

impl Key {
    /// The key named `text`.
    pub fn new(text: &str) -> Key {
        Key(text.into())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX_KEY {
            return Err(serde::de::Error::custom("a key of more than 4095 bytes"));
        }
        Ok(Key(text.into()))
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A JSON value as its own text, without the white space around it. Always valid JSON and UTF-8, nested at most
/// [`MAX_DEPTH`] deep, without lone surrogates.
#[derive(Clone)]
pub struct Value(Arc<RawValue>);

/// Why a text is no [`Value`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Not JSON, or not UTF-8.
    #[error("it is not JSON: {0}")]
    Syntax(String),
    /// Nested more than [`MAX_DEPTH`] deep.
    #[error("it nests more than {MAX_DEPTH} arrays or objects")]
    TooDeep,
    /// A `\ud800` without its other half: no text that could be written in UTF-8.
    #[error("it holds half a surrogate pair")]
    LoneSurrogate,
}

impl Value {
    /// The value that was stored as `text` once; what it must be was checked then. `None` if that is not even JSON.
    pub fn stored(text: &str) -> Option<Value> {
        let raw = RawValue::from_string(text.to_owned()).ok()?;
        Some(Value(raw.into()))
    }

    /// Takes the JSON text `text`, outer white space removed.
    pub fn parse(text: &[u8]) -> Result<Value, InvalidValue> {
        let raw: Box<RawValue> = serde_json::from_slice(text)
            .map_err(|error| InvalidValue::Syntax(error.to_string()))?;
        Value::check(raw)
    }

    /// The JSON string that says `text`.
    pub fn string(text: &str) -> Value {
        let json = serde_json::value::to_raw_value(text).expect("a string is always JSON");
        Value(json.into())
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    fn check(raw: Box<RawValue>) -> Result<Value, InvalidValue> {
        scan(raw.get().as_bytes())?;
        Ok(Value(raw.into()))
    }
}

/// Looks through text that is JSON already for what JSON allows and we do not. Iterative: depth cannot hurt it.
fn scan(json: &[u8]) -> Result<(), InvalidValue> {
    let mut depth = 0;
    let mut at = 0;
    while at < json.len() {
        match json[at] {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(InvalidValue::TooDeep);
                }
            }
            b']' | b'}' => depth -= 1,
            b'"' => at = scan_string(json, at + 1)?,
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// From the first byte inside a string to the quote that ends it.
fn scan_string(json: &[u8], mut at: usize) -> Result<usize, InvalidValue> {
    while json[at] != b'"' {
        if json[at] != b'\\' {
            at += 1;
            continue;
        }
        match surrogate(json, at) {
            Some(0xD800..=0xDBFF) => match surrogate(json, at + 6) {
                Some(0xDC00..=0xDFFF) => at += 12,
                _ => return Err(InvalidValue::LoneSurrogate),
            },
            Some(0xDC00..=0xDFFF) => return Err(InvalidValue::LoneSurrogate),
            _ => at += 2,
        }
    }
    Ok(at)
}

/// The code unit that `\uXXXX` at `at` stands for, if that is what stands there.
fn surrogate(json: &[u8], at: usize) -> Option<u32> {
    let escape = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()
}

impl PartialEq for Value {
    /// The same text. `1.0` and `1` are different values here, as they are to who reads them back.
    fn eq(&self, other: &Value) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Value::check(raw).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_exactly_but_for_outer_space() {
        let long = "9".repeat(100);
        for text in [
            "null",
            "false",
            "0",
            "\"\"",
            "18446744073709551615",
            &long,
            "1e999",
            r#"{"a":1,"a" : 2}"#,
        ] {
            let padded = format!(" \n{text}\t ");
            assert_eq!(Value::parse(padded.as_bytes()).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            &b""[..],
            b" ",
            b"{",
            b"nul",
            b"1 2",
            b"\"\xff\"",
            b"'a'",
            b"NaN",
        ] {
            assert!(
                matches!(Value::parse(text), Err(InvalidValue::Syntax(_))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_hundred_thousand_brackets_are_refused_without_a_stack_overflow() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(Value::parse(deep.as_bytes()), Err(InvalidValue::TooDeep));
        let allowed = "[".repeat(128) + &"]".repeat(128);
        assert!(Value::parse(allowed.as_bytes()).is_ok());
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_and_a_whole_one_is_not() {
        for bad in [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\n""#,
            r#""\ud800\ud800""#,
            r#"{"\ud800":1}"#,
        ] {
            assert_eq!(
                Value::parse(bad.as_bytes()),
                Err(InvalidValue::LoneSurrogate),
                "{bad}"
            );
        }
        for good in [r#""\ud83d\ude00""#, r#""\\ud800""#, r#""é☃""#, r#""[\"]""#] {
            assert!(Value::parse(good.as_bytes()).is_ok(), "{good}");
        }
    }
}
