//! A recorded history: what clients asked a store, what they saw, and when.
//!
//! JSON lines, one event each, in the order observed:
//!
//! ```json
//! {"process":3,"type":"invoke","f":"write","key":"r","value":4,"time":6000}
//! {"process":3,"type":"ok","f":"write","key":"r","value":4,"time":9000}
//! ```
//!
//! A process has one operation open at a time. `ok`: it happened. `fail`: it did not; of a `cas` that is an observation, its
//! expected value was not there. `info`, or no end at all: nobody knows, it may happen at any later time, or never.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::check::edn;
use crate::check::exact::{Whole, exact};

/// What was asked of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Call {
    /// Its value.
    Read,
    /// To have this value.
    Write(Text),
    /// To be gone.
    Delete,
    /// To have this text behind what it has.
    Append(Text),
    /// To have the second value if it has the first.
    Cas(Text, Text),
    /// To have this element among those it has.
    Add(Text),
}

/// A value, as canonical JSON text. Absent is `null`.
pub type Text = std::sync::Arc<str>;

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum End {
    /// It happened; a read saw this.
    Ok(Option<Text>),
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Unknown,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The client.
    pub process: String,
    /// The key, as an index into [`History::keys`].
    pub key: usize,
    /// What was asked.
    pub call: Call,
    /// How it ended.
    pub end: End,
    /// Its place among all events: it was asked then.
    pub invoked: usize,
    /// It ended then; `None` if it never did.
    pub returned: Option<usize>,
    /// When it was asked, in nanoseconds, if the history says so.
    pub invoked_at: Option<u64>,
    /// When it ended.
    pub returned_at: Option<u64>,
}

impl Operation {
    /// Whether it may or may not have happened.
    pub fn is_unknown(&self) -> bool {
        self.end == End::Unknown
    }
}

/// What clients saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The keys.
    pub keys: Vec<String>,
    /// The operations, in the order in which they were asked.
    pub operations: Vec<Operation>,
}

/// A history that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Unusable {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it, and what was expected.
    pub what: String,
}

/// What an event says happened to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// One event, whatever it was written in.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) process: String,
    pub(super) kind: Kind,
    pub(super) f: String,
    /// `None`: that of what the process began.
    pub(super) key: Option<String>,
    pub(super) value: Json,
    pub(super) time: Option<u64>,
}

/// The key of a history that names none.
pub(super) const ONLY_KEY: &str = "";

#[derive(Deserialize)]
struct Line {
    process: Whole,
    #[serde(rename = "type")]
    kind: Kind,
    f: String,
    #[serde(default)]
    key: Option<Whole>,
    #[serde(default)]
    value: Whole,
    #[serde(default)]
    time: Option<u64>,
}

/// A name, or a number, as text.
pub(super) fn name(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What is wrong with a line, and in which column.
fn told(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let what = text.strip_suffix(&format!(" at line {line} column {column}"));
    format!("{}, in column {column}", what.unwrap_or(&text))
}

impl History {
    /// Reads what is in a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<History, Unusable> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = &bytes[..error.valid_up_to()];
            Unusable {
                line: good.iter().filter(|byte| **byte == b'\n').count() + 1,
                what: "it is no text; expected UTF-8".to_owned(),
            }
        })?;
        History::read(text)
    }

    /// Reads JSON lines, or Jepsen's EDN.
    pub fn read(text: &str) -> Result<History, Unusable> {
        let text = text.trim_start_matches('\u{feff}');
        match edn::is_edn(text) {
            true => edn::read(text),
            false => History::from_json_lines(text),
        }
    }

    /// Reads JSON lines.
    pub fn from_json_lines(text: &str) -> Result<History, Unusable> {
        let mut builder = Builder::default();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let unusable = |what: String| Unusable { line: at + 1, what };
            let line: Line = serde_json::from_str(line).map_err(|error| {
                unusable(format!(
                    "it is no event ({}); expected {{\"process\":…,\"type\":\"invoke|ok|fail|info\",\"f\":…,\"key\":…,\"value\":…}}",
                    told(&error)
                ))
            })?;
            let key = line.key.map_or(ONLY_KEY.into(), |Whole(key)| key);
            for json in [&line.process.0, &key, &line.value.0] {
                exact(json).map_err(unusable)?;
            }
            let event = Event {
                process: name(&line.process.0),
                kind: line.kind,
                f: line.f,
                key: Some(name(&key)),
                value: line.value.0,
                time: line.time,
            };
            builder.add(event).map_err(unusable)?;
        }
        Ok(builder.finish())
    }
}

/// Puts events together to operations.
#[derive(Default)]
pub(super) struct Builder {
    history: History,
    keys: HashMap<String, usize>,
    /// What each process has under way.
    open: HashMap<String, usize>,
    /// So that equal values share their text.
    texts: HashMap<String, Text>,
    events: usize,
}

impl Builder {
    pub(super) fn add(&mut self, event: Event) -> Result<(), String> {
        let at = self.events;
        self.events += 1;
        match event.kind {
            Kind::Invoke => self.invoke(at, event),
            Kind::Ok | Kind::Fail | Kind::Info => self.end(at, event),
        }
    }

    fn invoke(&mut self, at: usize, event: Event) -> Result<(), String> {
        if self.open.contains_key(&event.process) {
            return Err(format!(
                "process {} has an operation open already; it can have one at a time",
                event.process
            ));
        }
        let call = self.call(&event)?;
        let number = self.keys.len();
        let name = event.key.unwrap_or_default();
        let key = *self.keys.entry(name.clone()).or_insert(number);
        if key == number {
            self.history.keys.push(name);
        }
        self.open
            .insert(event.process.clone(), self.history.operations.len());
        self.history.operations.push(Operation {
            process: event.process,
            key,
            call,
            end: End::Unknown,
            invoked: at,
            returned: None,
            invoked_at: event.time,
            returned_at: None,
        });
        Ok(())
    }

    fn end(&mut self, at: usize, event: Event) -> Result<(), String> {
        let Some(open) = self.open.remove(&event.process) else {
            return Err(format!(
                "process {} ends an operation that it did not begin; expected its invoke before",
                event.process
            ));
        };
        let is_read = self.history.operations[open].call == Call::Read;
        let seen = is_read.then(|| self.text(&event.value));
        let operation = &mut self.history.operations[open];
        let asked = match operation.call {
            Call::Read => "read",
            Call::Write(_) => "write",
            Call::Delete => "delete",
            Call::Append(_) => "append",
            Call::Cas(..) => "cas",
            Call::Add(_) => "add",
        };
        let began = &self.history.keys[operation.key];
        let key = event.key.as_ref().unwrap_or(began);
        if asked != event.f || key != began {
            return Err(format!(
                "process {} ends a {} of {key:?}, but what it began is a {asked} of {began:?}",
                event.process, event.f
            ));
        }
        operation.end = match event.kind {
            Kind::Ok => End::Ok(seen),
            Kind::Fail => End::Fail,
            Kind::Info | Kind::Invoke => return Ok(()),
        };
        operation.returned = Some(at);
        operation.returned_at = event.time;
        Ok(())
    }

    fn call(&mut self, event: &Event) -> Result<Call, String> {
        Ok(match event.f.as_str() {
            "read" => Call::Read,
            "write" if event.value.is_null() => Call::Delete,
            "write" => Call::Write(self.text(&event.value)),
            "delete" => Call::Delete,
            "append" if event.value.is_string() => Call::Append(self.text(&event.value)),
            "append" => return Err("append takes a string".to_owned()),
            "add" => Call::Add(self.text(&event.value)),
            "cas" => match &event.value {
                Json::Array(pair) if pair.len() == 2 => {
                    Call::Cas(self.text(&pair[0]), self.text(&pair[1]))
                }
                _ => return Err("cas takes [expected, new]".to_owned()),
            },
            other => {
                return Err(format!(
                    "no operation is called {other:?}; expected read, write, delete, append, cas or add"
                ));
            }
        })
    }

    fn text(&mut self, value: &Json) -> Text {
        let written = value.to_string();
        if let Some(text) = self.texts.get(&written) {
            return text.clone();
        }
        let text: Text = written.as_str().into();
        self.texts.insert(written, text.clone());
        text
    }

    pub(super) fn finish(self) -> History {
        self.history
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        History::from_json_lines(text).unwrap_err().to_string()
    }

    const INVOKE: &str = r#"{"process":1,"type":"invoke","f":"write","key":"k","value":1}"#;

    #[test]
    fn operations_are_put_together_and_what_never_ends_is_unknown() {
        let text = [
            INVOKE,
            r#"{"process":2,"type":"invoke","f":"read","key":"k","value":null,"time":5}"#,
            r#"{"process":2,"type":"ok","f":"read","key":"k","value":1,"time":9}"#,
        ];
        let history = History::from_json_lines(&text.join("\n")).unwrap();
        assert_eq!(history.keys, ["k"]);
        let [write, read] = &history.operations[..] else {
            panic!("{history:?}");
        };
        assert!(write.is_unknown() && write.returned.is_none());
        assert_eq!(read.end, End::Ok(Some("1".into())));
        assert_eq!((read.invoked_at, read.returned_at), (Some(5), Some(9)));
    }

    #[test]
    fn broken_lines_are_named_with_what_was_expected() {
        assert!(refused("{}").contains("line 1") && refused("{}").contains("expected"));
        let twice = [INVOKE, INVOKE].join("\n\n");
        assert!(refused(&twice).contains("line 3: process 1 has an operation open"));
        let end = INVOKE.replace("invoke", "ok");
        assert!(refused(&end).contains("did not begin"));
        let other = [INVOKE, &end.replace("write", "read")].join("\n");
        assert!(
            refused(&other).contains("ends a read"),
            "{}",
            refused(&other)
        );
        assert!(refused(&INVOKE.replace("write", "jump")).contains("\"jump\""));
        assert!(refused(&INVOKE.replace("write", "cas")).contains("[expected, new]"));
    }
}
