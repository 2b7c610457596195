//! Live clients: each asks for what its plan says, one thing at a time, as the simulator's clients do.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::chaos::desk::Desk;
use crate::chaos::part::{Due, Part};
use crate::chaos::recording::Asked;
use crate::check::history::{self, End, Text};
use crate::client::data::{DataClient, NoAnswer, Terms, Written};
use crate::sim::plan::{Call, Micros, Reading};
use crate::types::EntryId;
use crate::value::Value;
use crate::wire::data::Consistency;

/// How long an operation is tried.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// How long one answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(1);

/// How long a node that was silent is not asked to read.
const SHUNNED: Duration = Duration::from_secs(1);

/// How far apart the names of one client are.
pub const NAMES: usize = 1000;

/// How long to wait before asking anew, if nobody knows a leader.
const PAUSE: Duration = Duration::from_millis(20);

/// What one try came to.
#[derive(Debug)]
enum Answer {
    Value(Option<(Text, Option<String>)>),
    Done(Option<String>),
    Unmet,
    NoSuchKey,
    /// It surely did not happen; who leads, perhaps.
    NotThere(Option<usize>),
    /// It may have happened, or may yet.
    Unknown,
}

/// What a client saw last of a key: the value and its version.
type Seen = Option<(Text, String)>;

struct Client {
    desk: Arc<Desk>,
    /// Its own: clients share no connections.
    data: DataClient,
    process: usize,
    hint: usize,
    /// Which node was silent when it was asked to read, and until when it asks another.
    shuns: Option<(usize, Micros)>,
    seen: Vec<Seen>,
}

/// Plays one client's part, until `stop`.
pub(super) async fn play(
    desk: Arc<Desk>,
    data: DataClient,
    client: usize,
    mut part: Part,
    stop: CancellationToken,
) {
    let mut client = Client {
        data,
        process: client,
        hint: client,
        shuns: None,
        seen: vec![None; desk.keys.len()],
        desk: desk.clone(),
    };
    tokio::select! {
        () = client.ask_all(&mut part) => {}
        // What was asked stays open: nobody knows.
        () = stop.cancelled() => {}
    }
    desk.leave_out(part.left_out(desk.stage.clock.now()));
}

/// The key that is meant.
pub(super) fn key_of(call: Call) -> usize {
    let key = match call {
        Call::Read { key, .. }
        | Call::Put { key, .. }
        | Call::Swap { key, .. }
        | Call::Delete { key } => key,
    };
    usize::from(key)
}

impl Client {
    async fn ask_all(&mut self, part: &mut Part) {
        loop {
            match (part.next(self.desk.stage.clock.now()), part.next_at()) {
                (Some(due), _) => self.ask(due).await,
                (None, Some(at)) => self.desk.stage.clock.until(at).await,
                (None, None) => return,
            }
        }
    }

    fn asked(&self, due: Due, call: history::Call) -> Asked {
        Asked {
            process: self.process,
            key: key_of(due.call),
            call,
            reading: match due.call {
                Call::Read { consistency, .. } => Some(consistency),
                _ => None,
            },
            end: End::Unknown,
            is_void: false,
            invoked: self.desk.tick(),
            returned: None,
            due_at: due.at,
            invoked_at: self.desk.stage.clock.now(),
            returned_at: 0,
            entry: None,
            is_final: false,
        }
    }

    /// What is asked, and on what terms.
    fn terms(&self, due: Due) -> (history::Call, Terms) {
        let text: Text = due.number.to_string().into();
        let mut terms = Terms::default();
        if let Call::Put { named: true, .. } | Call::Swap { named: true, .. } = due.call {
            terms.idempotency_key = Some(format!("{}-{}", self.desk.run, due.number));
        }
        let call = match due.call {
            Call::Read { .. } => history::Call::Read,
            Call::Put { .. } => history::Call::Write(text),
            Call::Delete { .. } => history::Call::Delete,
            Call::Swap { key, .. } => match &self.seen[usize::from(key)] {
                Some((value, version)) => {
                    terms.if_version = Some(version.clone());
                    history::Call::Cas(value.clone(), text)
                }
                None => {
                    terms.if_absent = true;
                    history::Call::Cas("null".into(), text)
                }
            },
        };
        (call, terms)
    }

    /// Asks, follows hints, and asks again while that can do no harm.
    async fn ask(&mut self, due: Due) {
        let (call, terms) = self.terms(due);
        let at = self.desk.begin(self.asked(due, call));
        let is_read = matches!(due.call, Call::Read { .. });
        let end = self.desk.stage.clock.now() + PATIENCE.as_micros() as Micros;
        let (mut may_have, mut tries) = (false, 0);
        loop {
            let answer = self.try_once(due, &terms, tries).await;
            tries += 1;
            match answer {
                Answer::NotThere(Some(leader)) => self.hint = leader,
                Answer::NotThere(None) => {
                    self.hint += 1;
                    sleep(PAUSE).await;
                }
                Answer::Unknown => {
                    may_have |= !is_read;
                    self.hint += 1;
                }
                answer => return self.learn(at, due, answer, may_have),
            }
            let may_repeat = !may_have || terms.idempotency_key.is_some();
            if !may_repeat || self.desk.stage.clock.now() > end {
                return self.give_up(at, may_have);
            }
        }
    }

    fn give_up(&mut self, at: usize, may_have: bool) {
        if may_have {
            // Whoever got no answer starts anew under another name.
            self.process += NAMES;
        }
        self.desk.conclude(at, |asked| {
            asked.is_void = !may_have;
            if !may_have {
                asked.end = End::Fail;
            }
        });
    }

    /// Where it reads; elsewhere if that node was silent a moment ago, or when it asks again.
    fn place(&self, place: u8, tries: usize) -> usize {
        let place = usize::from(place) + tries;
        let now = self.desk.stage.clock.now();
        let is_shunned = |(shunned, until): (usize, Micros)| shunned == place && now < until;
        place + usize::from(self.shuns.is_some_and(is_shunned))
    }

    /// Reads: waits not long at first, since it does no harm to ask another.
    async fn read(&mut self, key: usize, reading: Reading, tries: usize) -> Answer {
        let (place, consistency) = match reading {
            Reading::Local(place) => (self.place(place, tries), Consistency::Local),
            Reading::Leader => (self.hint, Consistency::Leader),
            Reading::Linearizable(place) => (self.place(place, tries), Consistency::Linearizable),
        };
        let Some(node) = self.desk.stage.node(place) else {
            return Answer::NotThere(None);
        };
        let patience = ANSWER / [4, 2, 1][tries.min(2)];
        let key = &self.desk.keys[key];
        let found = timeout(patience, self.data.get(&node.url, key, consistency)).await;
        match found.map(read) {
            Ok(answer) => answer,
            Err(_) => {
                let until = self.desk.stage.clock.now() + SHUNNED.as_micros() as Micros;
                self.shuns = Some((place, until));
                Answer::Unknown
            }
        }
    }

    async fn try_once(&mut self, due: Due, terms: &Terms, tries: usize) -> Answer {
        if let Call::Read { key, consistency } = due.call {
            return self.read(key.into(), consistency, tries).await;
        }
        let desk = &self.desk;
        let key = &desk.keys[key_of(due.call)];
        let Some(node) = desk.stage.node(self.hint) else {
            return Answer::NotThere(None);
        };
        let wrote = match due.call {
            Call::Delete { .. } => self.data.delete(&node.url, key, terms).await,
            _ => {
                let value = value_of(due.number);
                self.data.put(&node.url, key, &value, terms).await
            }
        };
        match wrote {
            Ok(Written::Done { version, .. }) => Answer::Done(version),
            Ok(Written::NoSuchKey) => Answer::NoSuchKey,
            Ok(Written::Unmet(_)) => Answer::Unmet,
            Ok(Written::NotLeader { leader, .. }) => {
                let leader = leader.and_then(|leader| desk.stage.place(&leader));
                let here = desk.stage.place(node.id.as_str());
                Answer::NotThere(leader.filter(|leader| Some(*leader) != here))
            }
            Ok(Written::Rejected(..)) | Err(NoAnswer::Refused | NoAnswer::Declined(_)) => {
                Answer::NotThere(None)
            }
            Err(NoAnswer::Silent(_) | NoAnswer::Strange(_)) => Answer::Unknown,
        }
    }

    /// Takes an answer that says what became of it.
    fn learn(&mut self, at: usize, due: Due, answer: Answer, may_have: bool) {
        let key = key_of(due.call);
        match answer {
            Answer::Value(found) => {
                let text = found
                    .as_ref()
                    .map_or("null".into(), |(text, _)| text.clone());
                self.seen[key] = found.and_then(|(text, version)| Some((text, version?)));
                self.desk
                    .conclude(at, |asked| asked.end = End::Ok(Some(text)));
            }
            Answer::Done(version) => {
                let entry = version.as_deref().and_then(EntryId::from_tag);
                let is_delete = matches!(due.call, Call::Delete { .. });
                let seen = version.filter(|_| !is_delete);
                self.seen[key] = seen.map(|version| (due.number.to_string().into(), version));
                self.desk.conclude(at, |asked| {
                    (asked.end, asked.entry) = (End::Ok(None), entry);
                });
            }
            // An observation: nothing was there.
            Answer::NoSuchKey => {
                self.seen[key] = None;
                self.desk.conclude(at, |asked| {
                    asked.call = history::Call::Read;
                    asked.end = End::Ok(Some("null".into()));
                });
            }
            // An earlier try may have done it, if what is done can be undone.
            Answer::Unmet if may_have => self.give_up(at, true),
            Answer::Unmet => self.desk.conclude(at, |asked| asked.end = End::Fail),
            Answer::NotThere(_) | Answer::Unknown => self.give_up(at, may_have),
        }
    }
}

fn read(found: Result<Option<(Value, Option<String>)>, NoAnswer>) -> Answer {
    match found {
        Ok(found) => Answer::Value(found.map(|(value, version)| (value.as_str().into(), version))),
        Err(NoAnswer::Refused | NoAnswer::Declined(_)) => Answer::NotThere(None),
        Err(NoAnswer::Silent(_) | NoAnswer::Strange(_)) => Answer::Unknown,
    }
}

/// What operation `number` writes: no two write the same.
fn value_of(number: usize) -> Value {
    Value::stored(&number.to_string()).expect("a number is JSON")
}
