//! Small histories of stores that lose their head now and then, or whose copies lag.

use cluster::check::History;
use cluster::check::history::{Call, End, Operation};
use cluster::rng::Rng;

/// Which operations there are.
#[derive(Clone, Copy, Debug)]
pub enum Model {
    Register,
    Kv,
    Cas,
    Append,
    Set,
    /// Texts that are set, appended to and exchanged.
    Text,
    /// All at once.
    Everything,
}

pub const MODELS: [Model; 7] = [
    Model::Register,
    Model::Kv,
    Model::Cas,
    Model::Append,
    Model::Set,
    Model::Text,
    Model::Everything,
];

/// How large a history is, and what it is of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub model: Model,
    /// How many may have an operation open at a time. Who got no answer goes on under another name.
    pub clients: usize,
    pub keys: usize,
    /// At least so many operations, and up to three more.
    pub operations: usize,
    /// Reads are answered by a copy that may lag, another for each client.
    pub lags: bool,
    /// One answer of so many is odd; 0: none.
    pub odd: usize,
    /// Every written value is another.
    pub unique: bool,
}

struct Store {
    /// All values that each key had, the latest last.
    values: Vec<Vec<String>>,
    /// How many of them each client knows of.
    seen: Vec<Vec<usize>>,
}

struct Generator<'a> {
    rng: &'a mut Rng,
    shape: Shape,
    store: Store,
    operations: Vec<Operation>,
    written: u64,
}

/// A history of that shape.
pub fn history(rng: &mut Rng, shape: Shape) -> History {
    let store = Store {
        values: vec![vec!["null".to_owned()]; shape.keys],
        seen: vec![vec![1; shape.keys]; shape.clients],
    };
    let mut generator = Generator {
        rng,
        shape,
        store,
        operations: Vec::new(),
        written: 0,
    };
    generator.run();
    History {
        keys: (0..shape.keys).map(|key| format!("k{key}")).collect(),
        operations: generator.operations,
    }
}

impl Generator<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.rng.below(n as u64) as usize
    }

    fn choice<'b>(&mut self, all: &[&'b str]) -> &'b str {
        all[self.below(all.len())]
    }

    fn run(&mut self) {
        let count = self.shape.operations + self.below(4);
        let mut names: Vec<usize> = (0..self.shape.clients).collect();
        let mut free = names.clone();
        let (mut open, mut event) = (Vec::new(), 0);
        while self.operations.len() < count || !open.is_empty() {
            let is_full = free.is_empty() || self.operations.len() == count;
            if !is_full && (open.is_empty() || self.below(2) == 0) {
                let at = self.below(free.len());
                let client = free.swap_remove(at);
                open.push((self.operations.len(), client));
                let (key, call) = (self.below(self.shape.keys), self.call());
                self.operations.push(Operation {
                    process: names[client].to_string(),
                    key,
                    call,
                    end: End::Unknown,
                    invoked: event,
                    returned: None,
                    invoked_at: None,
                    returned_at: None,
                });
            } else {
                let at = self.below(open.len());
                let (number, client) = open.swap_remove(at);
                self.finish(number, client, event);
                if self.operations[number].is_unknown() {
                    names[client] += self.shape.clients;
                }
                free.push(client);
            }
            event += 1;
        }
    }

    fn call(&mut self) -> Call {
        let kinds: &[&str] = match self.shape.model {
            Model::Register => &["read", "read", "write"],
            Model::Kv => &["read", "read", "write", "delete"],
            Model::Cas => &["read", "write", "cas", "cas"],
            Model::Append => &["read", "append"],
            Model::Set => &["read", "add"],
            Model::Text => &["read", "read", "text", "append", "delete", "cas-text"],
            Model::Everything => &[
                "read", "read", "text", "append", "append", "delete", "cas-text", "add", "add",
                "list",
            ],
        };
        match self.choice(kinds) {
            "write" => Call::Write(self.number()),
            "text" => Call::Write(self.text()),
            "list" => Call::Write(self.choice(&["[0]", "[1]", "[0,1]"]).into()),
            "delete" => Call::Delete,
            "append" => Call::Append(self.text()),
            "add" => Call::Add(self.number()),
            "cas-text" => Call::Cas(self.text(), self.text()),
            "cas" => Call::Cas(self.expected(), self.number()),
            _ => Call::Read,
        }
    }

    fn number(&mut self) -> cluster::check::history::Text {
        self.written += 1;
        match self.shape.unique {
            true => self.written.to_string().as_str().into(),
            false => self.rng.below(3).to_string().as_str().into(),
        }
    }

    fn expected(&mut self) -> cluster::check::history::Text {
        let highest = match self.shape.unique {
            true => self.written + 1,
            false => 3,
        };
        self.rng.below(highest).to_string().as_str().into()
    }

    fn text(&mut self) -> cluster::check::history::Text {
        self.written += 1;
        match self.shape.unique {
            true => format!("\"<{}>\"", self.written).as_str().into(),
            false => self.choice(&["\"a\"", "\"b\""]).into(),
        }
    }

    /// The operation happens, or not, and is answered, or not.
    fn finish(&mut self, number: usize, client: usize, event: usize) {
        let (key, call) = {
            let operation = &self.operations[number];
            (operation.key, operation.call.clone())
        };
        let is_odd = self.shape.odd > 0 && self.below(self.shape.odd) == 0;
        let values = &self.store.values[key];
        let latest = values[values.len() - 1].clone();
        let mut end = match &call {
            Call::Read if is_odd => End::Ok(Some(self.strange(key, &latest).as_str().into())),
            Call::Read => End::Ok(Some(self.read(client, key).as_str().into())),
            Call::Cas(expected, _) if (**expected != *latest) != is_odd => End::Fail,
            _ => End::Ok(None),
        };
        let happens = !is_odd || self.below(2) == 0;
        if happens && end != End::Fail {
            let changed = changed(&latest, &call);
            self.store.values[key].extend(changed);
            let known = self.store.values[key].len();
            self.store.seen[client][key] = known;
        }
        if self.below(5) == 0 {
            end = End::Unknown;
        } else {
            self.operations[number].returned = Some(event);
        }
        self.operations[number].end = end;
    }

    fn read(&mut self, client: usize, key: usize) -> String {
        let all = self.store.values[key].len();
        let known = match self.shape.lags {
            true => {
                // It is in no hurry.
                let seen = self.store.seen[client][key];
                (seen + self.below(all + 1 - seen)).min(seen + self.below(all + 1 - seen))
            }
            false => all,
        };
        self.store.seen[client][key] = known;
        self.store.values[key][known - 1].clone()
    }

    /// Something else that a store of this kind could hold.
    fn strange(&mut self, key: usize, value: &str) -> String {
        if self.shape.lags {
            let all = self.store.values[key].len();
            let at = self.below(all);
            return self.store.values[key][at].clone();
        }
        match value.chars().next() {
            Some('"') => self.choice(&["\"a\"", "\"b\"", "\"ab\"", "\"ba\"", "\"aa\"", "null"]),
            Some('[') => self.choice(&["[0]", "[1]", "[0,1]", "[2,1]", "null"]),
            _ => self.choice(&["0", "1", "2", "null"]),
        }
        .to_owned()
    }
}

/// What becomes of a value; `None` if nothing does.
fn changed(value: &str, call: &Call) -> Option<String> {
    let joined = |more: &str, open: char, close: char| match value {
        "null" if open == '[' => format!("[{more}]"),
        "null" => more.to_owned(),
        text => format!(
            "{}{}{close}",
            text.trim_end_matches(close),
            more.trim_start_matches(open).trim_end_matches(close)
        ),
    };
    let is_text = value == "null" || value.starts_with('"');
    let is_set = value == "null" || value.starts_with('[');
    match call {
        Call::Read => None,
        Call::Delete => Some("null".to_owned()),
        Call::Write(value) | Call::Cas(_, value) => Some(value.to_string()),
        Call::Append(text) => is_text.then(|| joined(text, '"', '"')),
        Call::Add(element) if value.contains(&**element) => None,
        Call::Add(element) if value == "null" => Some(format!("[{element}]")),
        Call::Add(element) => is_set.then(|| joined(&format!(",{element}"), '[', ']')),
    }
}
