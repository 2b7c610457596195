//! The data API's parsers: keys in paths, values in bodies, terms in headers.

use cluster::runtime::http::key::{self, InvalidKey};
use cluster::runtime::http::terms::{self, IDEMPOTENCY_KEY};
use cluster::store::{Condition, Proviso};
use cluster::types::EntryId;
use cluster::value::{InvalidValue, Key, MAX_KEY, Value};
use cluster::wire::data::Found;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => key_in(rest),
        1 => value_in(rest),
        _ => terms_in(rest),
    }
}

fn key_in(path: &[u8]) {
    let Ok(path) = std::str::from_utf8(path) else {
        return;
    };
    let path = format!("/key/{path}");
    match key::decode(&path) {
        Ok(key) => {
            assert!(key.as_str().len() <= MAX_KEY);
            assert_eq!(key::decode(&encoded(&key)), Ok(key));
        }
        Err(InvalidKey::TooLong) => assert!(path.len() > MAX_KEY),
        Err(InvalidKey::Encoding) => assert!(path.contains('%')),
    }
}

/// The path of `key`, every byte of it written as `%XX`.
fn encoded(key: &Key) -> String {
    let bytes = key.as_str().bytes().map(|byte| format!("%{byte:02x}"));
    format!("/key/{}", bytes.collect::<String>())
}

fn value_in(body: &[u8]) {
    // What others make of the same text. Theirs, unlike ours, refuses numbers beyond a double's range, and one level of
    // nesting less.
    let theirs = serde_json::from_slice::<serde_json::Value>(body);
    match Value::parse(body) {
        Ok(value) => {
            let text = value.as_str();
            assert_eq!(text, text.trim_matches([' ', '\t', '\n', '\r']));
            assert_eq!(Value::parse(text.as_bytes()), Ok(value.clone()));
            assert_eq!(Value::stored(text), Some(value.clone()));
            if let Err(error) = &theirs {
                let why = error.to_string();
                let is_theirs = ["number out of range", "recursion limit"];
                assert!(
                    is_theirs.iter().any(|theirs| why.contains(theirs)),
                    "{text}: {why}"
                );
            }
            let answer = serde_json::to_vec(&(&value, [&value])).expect("JSON");
            let read: (Value, [Value; 1]) = serde_json::from_slice(&answer).expect("our own JSON");
            assert_eq!(read, (value.clone(), [value.clone()]));
            let found: Found = serde_json::from_str(&format!("{{\"key\":\"k\",\"value\":{text}}}"))
                .expect("an answer's body");
            assert_eq!(found.value, value);
        }
        // Refused for what we allow less of than they do.
        Err(InvalidValue::TooDeep) => assert!(body.len() > 128),
        Err(_) => assert!(theirs.is_err(), "{body:?}"),
    }
}

const NAMES: [HeaderName; 4] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    IDEMPOTENCY_KEY,
    header::CONTENT_TYPE,
];

/// Headers, a line each: a byte that says which, and the value.
fn terms_in(lines: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if let Some((name, value)) = line.split_first()
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            headers.append(&NAMES[usize::from(*name) % NAMES.len()], value);
        }
    }
    let texts = headers.values().filter_map(|value| value.to_str().ok());
    for tag in texts.flat_map(|text| text.split(['"', ',', ' '])) {
        if let Some(version) = EntryId::from_tag(tag) {
            assert_eq!(version.tag(), tag);
        }
    }
    if let Ok(Some(proviso)) = terms::read(&headers) {
        assert_eq!(terms::read(&written(&proviso)), Ok(Some(proviso)));
    }
}

/// The headers by which a client sets these terms.
fn written(proviso: &Proviso) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name, value: &str| {
        headers.append(name, value.parse().expect("ASCII"));
    };
    match &proviso.condition {
        None => {}
        Some(Condition::Absent) => add(header::IF_NONE_MATCH, "*"),
        Some(Condition::Present) => add(header::IF_MATCH, "*"),
        Some(Condition::Is(versions)) => add(header::IF_MATCH, &tags(versions)),
        Some(Condition::IsNot(versions)) => add(header::IF_NONE_MATCH, &tags(versions)),
    }
    if let Some(token) = &proviso.token {
        add(IDEMPOTENCY_KEY, &format!("\"{}\"", token.as_str()));
    }
    headers
}

fn tags(versions: &[EntryId]) -> String {
    let tags = versions
        .iter()
        .map(|version| format!("\"{}\"", version.tag()));
    tags.collect::<Vec<String>>().join(", ")
}
