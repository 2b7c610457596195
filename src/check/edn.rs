//! Jepsen's histories: operations as EDN maps, one behind the other or in one vector.
//!
//! ```text
//! {:process 0, :type :invoke, :f :write, :value 3, :time 12, :index 0}
//! ```
//!
//! With independent keys, as `jepsen.independent` writes them, a value is `[key value]`: a history is taken so if every
//! read asks with such a pair, or, where nobody reads, every cas with `[key [expected new]]` and everything else with a
//! pair. What a process that is no number does (`:nemesis`) is no operation.

use serde_json::{Map, Value as Json};

use crate::check::exact::exact;
use crate::check::history::{Builder, Event, History, Kind, ONLY_KEY, Unusable, name};

/// A form as JSON: keywords are strings, lists and sets are arrays, the keys of maps are text.
struct Reader<'a> {
    rest: &'a str,
    text: &'a str,
    /// How much of the text was counted, and its lines.
    counted: usize,
    lines: usize,
}

/// How deep forms may be nested.
const DEEPEST: usize = 64;

impl<'a> Reader<'a> {
    fn line(&mut self) -> usize {
        let read = self.text.len() - self.rest.len();
        let new = &self.text.as_bytes()[self.counted..read];
        self.lines += new.iter().filter(|byte| **byte == b'\n').count();
        self.counted = read;
        self.lines + 1
    }

    fn unusable(&mut self, what: impl Into<String>) -> Unusable {
        Unusable {
            line: self.line(),
            what: what.into(),
        }
    }

    /// Goes to the next form, past comments and forms that `#_` discards.
    fn skip(&mut self, depth: usize) -> Result<(), Unusable> {
        loop {
            self.rest = self
                .rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(comment) = self.rest.strip_prefix(';') {
                self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(discarded) = self.rest.strip_prefix("#_") {
                self.rest = discarded;
                self.form(depth + 1)?;
            } else {
                return Ok(());
            }
        }
    }

    fn form(&mut self, depth: usize) -> Result<Json, Unusable> {
        if depth > DEEPEST {
            return Err(self.unusable("it is nested too deeply"));
        }
        self.skip(depth)?;
        let Some(first) = self.rest.chars().next() else {
            return Err(self.unusable("it ends within a form"));
        };
        match first {
            '{' => self.map(depth),
            '[' => self.list(']', 1, depth),
            '(' => self.list(')', 1, depth),
            '#' if self.rest.starts_with("#{") => self.list('}', 2, depth),
            // ##Inf and the like are values, not tags.
            '#' if self.rest.starts_with("##") => Ok(Json::String(self.word().to_owned())),
            '#' => {
                // A tag, as of a record: what it marks is what counts.
                self.word();
                self.form(depth + 1)
            }
            '"' => self.string(),
            '}' | ']' | ')' => Err(self.unusable(format!("a {first} closes nothing"))),
            _ => Ok(atom(self.word())),
        }
    }

    fn word(&mut self) -> &'a str {
        let ends = |c: char| c.is_whitespace() || ",;\"{}[]()".contains(c);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn string(&mut self) -> Result<Json, Unusable> {
        let mut escaped = false;
        let closes = |(_, c): &(usize, char)| {
            let is_end = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            is_end
        };
        let Some((end, _)) = self.rest.char_indices().skip(1).find(closes) else {
            return Err(self.unusable("a string is not closed"));
        };
        let (string, rest) = self.rest.split_at(end + 1);
        let read = serde_json::from_str(&string.replace('\n', "\\n"));
        let Ok(value) = read else {
            return Err(self.unusable(format!("{string} is no string")));
        };
        self.rest = rest;
        Ok(value)
    }

    /// The forms up to `close`, behind an opening of `skip` characters.
    fn items(&mut self, close: char, skip: usize, depth: usize) -> Result<Vec<Json>, Unusable> {
        self.rest = &self.rest[skip..];
        let mut items = Vec::new();
        loop {
            self.skip(depth)?;
            if let Some(rest) = self.rest.strip_prefix(close) {
                self.rest = rest;
                return Ok(items);
            }
            items.push(self.form(depth + 1)?);
        }
    }

    /// All forms, with the line where each begins: one behind the other, or in a vector or a list.
    fn forms(&mut self) -> Result<Vec<(usize, Json)>, Unusable> {
        let (mut forms, mut close) = (Vec::new(), None);
        loop {
            self.skip(0)?;
            let next = self.rest.chars().next();
            match (next, close) {
                (None, None) => return Ok(forms),
                (Some(c), None) if c == '[' || c == '(' => {
                    close = Some(if c == '[' { ']' } else { ')' });
                    self.rest = &self.rest[1..];
                }
                (Some(c), Some(end)) if c == end => {
                    close = None;
                    self.rest = &self.rest[1..];
                }
                _ => {
                    let line = self.line();
                    forms.push((line, self.form(0)?));
                }
            }
        }
    }

    fn list(&mut self, close: char, skip: usize, depth: usize) -> Result<Json, Unusable> {
        self.items(close, skip, depth).map(Json::Array)
    }

    fn map(&mut self, depth: usize) -> Result<Json, Unusable> {
        let items = self.items('}', 1, depth)?;
        if items.len() % 2 == 1 {
            return Err(self.unusable("a map has a key without a value"));
        }
        let mut map = Map::new();
        for pair in items.chunks(2) {
            let key = name(&pair[0]);
            if map.contains_key(&key) {
                return Err(self.unusable(format!("{key:?} is named twice in a map")));
            }
            map.insert(key, pair[1].clone());
        }
        Ok(Json::Object(map))
    }
}

fn atom(word: &str) -> Json {
    match word {
        "nil" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        word => {
            let number = word.trim_end_matches(['N', 'M']);
            let number = number.strip_prefix('+').unwrap_or(number);
            match serde_json::from_str::<serde_json::Number>(number) {
                Ok(number) => Json::Number(number),
                Err(_) => Json::String(word.trim_start_matches(':').to_owned()),
            }
        }
    }
}

/// Whether the text is EDN rather than JSON lines: keywords begin with a colon.
pub(super) fn is_edn(text: &str) -> bool {
    let begin = text.trim_start_matches(|c: char| c.is_whitespace() || "[(#_{,".contains(c));
    begin.starts_with(':') || begin.starts_with("jepsen") || begin.starts_with(';')
}

fn pair(value: &Json) -> Option<(&Json, &Json)> {
    match value {
        Json::Array(pair) if pair.len() == 2 => Some((&pair[0], &pair[1])),
        _ => None,
    }
}

/// Whether values are `[key value]`.
fn is_independent(forms: &[(usize, Json)]) -> bool {
    let asks = |form: &&Json| form["type"] == "invoke" && form["process"].is_u64();
    let asked: Vec<&Json> = forms.iter().map(|(_, form)| form).filter(asks).collect();
    let has = |f: &str| asked.iter().any(|form| form["f"] == f);
    let names_a_key = |form: &&Json| {
        let value = pair(&form["value"]).map(|(_, value)| value);
        match form["f"].as_str() {
            Some("read") => value.is_some_and(Json::is_null),
            Some("cas") => value.and_then(pair).is_some(),
            _ => value.is_some(),
        }
    };
    match has("read") {
        true => asked
            .iter()
            .filter(|form| form["f"] == "read")
            .all(names_a_key),
        false => has("cas") && asked.iter().all(names_a_key),
    }
}

/// A key and a value. What did not happen, or perhaps, need not repeat them: some clients put there what went wrong.
fn taken_apart(kind: Kind, f: &str, value: &Json) -> Result<(Option<String>, Json), String> {
    match (kind, pair(value)) {
        (Kind::Fail | Kind::Info, _) => Ok((None, Json::Null)),
        (Kind::Invoke | Kind::Ok, Some((key, value))) => Ok((Some(name(key)), value.clone())),
        (Kind::Ok, None) if f != "read" => Ok((None, Json::Null)),
        (Kind::Invoke | Kind::Ok, None) => Err(format!(
            "a {f} names no key; expected :value [key value], as elsewhere in this history"
        )),
    }
}

/// Reads a history of Jepsen's.
pub(super) fn read(text: &str) -> Result<History, Unusable> {
    let mut reader = Reader {
        rest: text,
        text,
        counted: 0,
        lines: 0,
    };
    let forms = reader.forms()?;
    let independent = is_independent(&forms);
    let mut builder = Builder::default();
    for (line, form) in forms {
        let unusable = |what: String| Unusable { line, what };
        if !form["process"].is_u64() && form["process"].is_string() {
            continue;
        }
        let kind: Kind = serde_json::from_value(form["type"].clone()).map_err(|_| {
            unusable("an operation's :type is :invoke, :ok, :fail or :info".to_owned())
        })?;
        let (Some(f), true) = (form["f"].as_str(), form["process"].is_u64()) else {
            let what = "it is no operation; expected {:process 0, :type :invoke, :f :read, …}";
            return Err(unusable(what.to_owned()));
        };
        exact(&form["key"]).map_err(unusable)?;
        exact(&form["value"]).map_err(unusable)?;
        let (key, value) = match independent {
            true => taken_apart(kind, f, &form["value"]).map_err(unusable)?,
            false => {
                let key = form.get("key").map_or(ONLY_KEY.to_owned(), name);
                (Some(key), form["value"].clone())
            }
        };
        let event = Event {
            process: name(&form["process"]),
            kind,
            f: f.to_owned(),
            key,
            value,
            time: form["time"].as_u64(),
        };
        builder.add(event).map_err(unusable)?;
    }
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::{Call, End};

    #[test]
    fn jepsens_operations_are_read() {
        let text = "; a comment
            {:process 0, :type :invoke, :f :write, :value 3, :time 12, :index 0}
            {:process :nemesis, :type :info, :f :start, :value nil}
            #jepsen.history.Op{:process 1, :type :invoke, :f :cas, :value [3 4]}
            {:process 0, :type :ok, :f :write, :value 3, :time 19}
            {:process 1, :type :fail, :f :cas, :value [3 4], :error [:timeout \"x\"]}";
        let history = History::read(text).unwrap();
        let [write, cas] = &history.operations[..] else {
            panic!("{history:?}");
        };
        assert_eq!(write.call, Call::Write("3".into()));
        assert_eq!(
            (write.end.clone(), write.returned_at),
            (End::Ok(None), Some(19))
        );
        assert_eq!(cas.call, Call::Cas("3".into(), "4".into()));
        assert_eq!(cas.end, End::Fail);
    }

    #[test]
    fn independent_keys_are_taken_apart_and_vectors_too() {
        let text = "[{:process 0 :type :invoke :f :read :value [7 nil]}
                     {:process 0 :type :ok :f :read :value [7 5]}
                     {:process 1 :type :invoke :f :cas :value [8 [1 2]]}]";
        let history = History::read(text).unwrap();
        assert_eq!(history.keys, ["7", "8"]);
        assert_eq!(history.operations[0].end, End::Ok(Some("5".into())));
        assert_eq!(
            history.operations[1].call,
            Call::Cas("1".into(), "2".into())
        );
    }

    #[test]
    fn an_independent_operation_that_did_not_happen_need_not_repeat_its_key() {
        let text = "{:process 0 :type :invoke :f :read :value [7 nil]}
                    {:process 0 :type :info :f :read :value nil :error :timeout}
                    {:process 1 :type :invoke :f :write :value [7 1]}
                    {:process 1 :type :fail :f :write :value [:timeout 5]}";
        let history = History::read(text).unwrap();
        let ends: Vec<&End> = history.operations.iter().map(|o| &o.end).collect();
        assert_eq!(ends, [&End::Unknown, &End::Fail]);
        let odd = text.replace("[7 1]", "7");
        assert!(
            History::read(&odd)
                .unwrap_err()
                .what
                .contains("[key value]")
        );
    }

    #[test]
    fn keys_are_independent_where_nobody_reads_but_swaps_name_them() {
        let text = "{:process 0 :type :invoke :f :write :value [7 1]}
                    {:process 0 :type :ok :f :write :value [7 1]}
                    {:process 0 :type :invoke :f :cas :value [7 [1 2]]}
                    {:process 0 :type :ok :f :cas :value [7 [1 2]]}";
        let history = History::read(text).unwrap();
        assert_eq!(history.keys, ["7"]);
        assert_eq!(
            history.operations[1].call,
            Call::Cas("1".into(), "2".into())
        );
        // Here a swap names two values, so pairs are values.
        let plain = History::read(&text.replace("[7 [1 2]]", "[7 8]")).unwrap();
        assert_eq!(plain.operations[0].call, Call::Write("[7,1]".into()));
    }

    #[test]
    fn what_is_discarded_was_never_written() {
        let text = "#_{:process 9 :type :jump}
            {:process 0 :type :invoke #_ #_ :a [b {}] :f :write :value [1 #_2]}
            #_ {:process 0 :type :ok :f :write :value 2} ; and
            {:process 0 :type :ok :f :write :value [1 #_ ##Inf]} #_:end";
        let history = History::read(text).unwrap();
        let [write] = &history.operations[..] else {
            panic!("{history:?}");
        };
        assert_eq!(
            (&write.call, &write.end),
            (&Call::Write("[1]".into()), &End::Ok(None))
        );
        assert!(History::read("#_ {:process 0} #_").is_err());
        assert!(History::read(&format!("{}:a", "#_".repeat(100_000))).is_err());
    }

    #[test]
    fn what_is_broken_is_named_with_its_line() {
        let broken = |text: &str| History::read(text).unwrap_err().to_string();
        assert!(broken("{:process 0\n:type :invoke").contains("line 2"));
        let many = "{:process :nemesis}\n".repeat(9) + "{:process 0 :type :jump}";
        assert!(broken(&many).contains("line 10"));
        assert!(broken("{:process 0 :type :jump :f :read}").contains(":type"));
        assert!(broken("{:process 0 :type}").contains("without a value"));
        assert!(broken(&":a [".repeat(100)).contains("nested"));
        assert!(broken("{:type :ok :f :read}").contains("no operation"));
        let twice = "[{:process 0 :type :invoke :f :read}\n {:process 0 :type :invoke :f :read}]";
        assert!(broken(twice).contains("line 2: process 0 has an operation open"));
        assert!(broken("[{:process 0 :type :invoke :f :read}").contains("ends within"));
    }
}
