//! Live clients: each asks for what its plan says, one thing at a time, as the simulator's clients do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::chaos::recording::Asked;
use crate::chaos::stage::Stage;
use crate::check::history::{self, End, Text};
use crate::client::data::{DataClient, NoAnswer, Terms, Written};
use crate::sim::plan::{Call, Micros, Reading};
use crate::types::EntryId;
use crate::value::{Key, Value};
use crate::wire::data::Consistency;

/// How long an operation is tried.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// How long one answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(1);

/// How many operations may wait for a client to be free; more are left out.
const WAITING: usize = 8;

/// How far apart the names of one client are.
pub const NAMES: usize = 1000;

/// How long to wait before asking anew, if nobody knows a leader.
const PAUSE: Duration = Duration::from_millis(20);

/// What all clients share.
pub(super) struct Desk {
    pub(super) stage: Arc<Stage>,
    pub(super) keys: Vec<Key>,
    /// With which the names of this run's writes begin.
    pub(super) run: String,
    asked: Mutex<Vec<Asked>>,
    order: AtomicUsize,
    left_out: AtomicU64,
    answered: AtomicU64,
}

/// What is due, when, and its number in the plan: no two write the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) at: Micros,
    pub(super) number: usize,
    pub(super) call: Call,
}

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
    seen: Vec<Seen>,
}

impl Desk {
    pub(super) fn new(stage: Arc<Stage>, keys: Vec<Key>, run: String) -> Desk {
        Desk {
            stage,
            keys,
            run,
            asked: Mutex::new(Vec::new()),
            order: AtomicUsize::new(0),
            left_out: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        }
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was asked, in the order of the asking.
    pub(super) fn take(&self) -> Vec<Asked> {
        let mut asked = std::mem::take(&mut *self.asked());
        asked.sort_by_key(|asked| asked.invoked);
        asked
    }

    /// What was due and was not asked.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// How many operations were asked, and how many of them answered.
    pub(super) fn so_far(&self) -> (usize, u64) {
        (self.asked().len(), self.answered.load(Ordering::Relaxed))
    }

    pub(super) fn tick(&self) -> usize {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    /// Writes down that something is asked for; its number.
    pub(super) fn begin(&self, asked: Asked) -> usize {
        let mut all = self.asked();
        all.push(asked);
        all.len() - 1
    }

    /// Writes down what became of it.
    pub(super) fn conclude(&self, at: usize, conclude: impl FnOnce(&mut Asked)) {
        let (returned, returned_at) = (self.tick(), self.stage.clock.now());
        let mut all = self.asked();
        let asked = &mut all[at];
        (asked.returned, asked.returned_at) = (Some(returned), returned_at);
        conclude(asked);
        if asked.is_answered() {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Plays one client's part, until `stop`.
pub(super) async fn play(
    desk: Arc<Desk>,
    data: DataClient,
    client: usize,
    part: Vec<Due>,
    stop: CancellationToken,
) {
    let mut client = Client {
        data,
        process: client,
        hint: client,
        seen: vec![None; desk.keys.len()],
        desk,
    };
    let mut coming = part.into_iter().peekable();
    let mut waiting: VecDeque<Due> = VecDeque::new();
    loop {
        let now = client.desk.stage.clock.now();
        while let Some(due) = coming.next_if(|due| due.at <= now) {
            match waiting.len() < WAITING {
                true => waiting.push_back(due),
                false => {
                    client.desk.left_out.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        let due = match (waiting.pop_front(), coming.peek()) {
            (Some(due), _) => due,
            (None, None) => return,
            (None, Some(next)) => {
                let at = next.at;
                tokio::select! {
                    () = client.desk.stage.clock.until(at) => continue,
                    () = stop.cancelled() => return,
                }
            }
        };
        tokio::select! {
            () = client.ask(due) => {}
            // What was asked stays open: nobody knows.
            () = stop.cancelled() => return,
        }
    }
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

    async fn try_once(&self, due: Due, terms: &Terms, tries: usize) -> Answer {
        let desk = &self.desk;
        let key = &desk.keys[key_of(due.call)];
        let (place, consistency) = match due.call {
            Call::Read { consistency, .. } => match consistency {
                Reading::Local(place) => (usize::from(place) + tries, Consistency::Local),
                Reading::Leader => (self.hint, Consistency::Leader),
                Reading::Linearizable(place) => {
                    (usize::from(place) + tries, Consistency::Linearizable)
                }
            },
            _ => (self.hint, Consistency::Local),
        };
        let Some(node) = desk.stage.node(place) else {
            return Answer::NotThere(None);
        };
        let wrote = match due.call {
            Call::Read { .. } => {
                let found = self.data.get(&node.url, key, consistency).await;
                return read(found);
            }
            Call::Delete { .. } => self.data.delete(&node.url, key, terms).await,
            Call::Put { .. } | Call::Swap { .. } => {
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
