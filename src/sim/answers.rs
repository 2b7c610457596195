//! What clients are answered, and what they make of it.

use crate::check::history::{self, End, Text};
use crate::protocol::Reply;
use crate::sim::clients::{Answer, Asker, NAMES, is_named};
use crate::sim::moment::What;
use crate::sim::plan::{Call, Place};
use crate::sim::queue::Nanos;
use crate::sim::stats::Met;
use crate::sim::words;
use crate::sim::world::{Coming, World, place_of};
use crate::types::{EntryId, index_of};
use crate::value::Value;

/// How often an operation is tried.
const TRIES: u32 = 24;

impl World {
    /// A node replies to a request.
    pub(super) fn replied(&mut self, place: Place, asker: Asker, reply: Reply) {
        self.stats.replied(&reply);
        let operation = match asker {
            Asker::Client { operation, .. } => operation,
            Asker::Hand(ticket) => return self.hand_replied(place, ticket, reply),
            Asker::Operator { operation, place } => {
                return self.operator_learns(operation, place, Some(reply));
            }
        };
        if reply != Reply::Readable {
            self.note(place, || What::Replied {
                operation,
                entry: match &reply {
                    Reply::Done { version, .. } => Some(version.clone()),
                    _ => None,
                },
                what: words::answer(&reply),
            });
        }
        let answer = match reply {
            Reply::Readable => return self.look(place, asker),
            Reply::Done { version, .. } => {
                self.watch_done(place, &version);
                Answer::Done(version)
            }
            Reply::NoSuchKey => Answer::NoSuchKey,
            Reply::Unmet { .. } => Answer::Unmet,
            Reply::Mistaken => Answer::Mistaken,
            Reply::NotLeader { leader, .. } => {
                Answer::NotThere(leader.as_ref().and_then(place_of).filter(|l| *l != place))
            }
            Reply::Unavailable { .. } => Answer::NotThere(None),
            Reply::Unknown { .. } | Reply::GivenUp { .. } => Answer::Unknown,
            Reply::Unusable | Reply::Unsupported | Reply::Changed | Reply::Refused { .. } => {
                Answer::NotThere(None)
            }
        };
        self.answer(asker, answer);
    }

    /// An answer reaches its client.
    pub(super) fn answered(&mut self, asker: Asker, answer: Answer) {
        let Asker::Client {
            client,
            operation,
            tries,
        } = asker
        else {
            return;
        };
        let is_sure = self.plan.mode.is_linearizable();
        let other = self.another(client, tries);
        let asking = &mut self.clients.all[client as usize];
        let Some(open) = asking
            .open
            .as_mut()
            .filter(|open| open.operation == operation)
        else {
            return;
        };
        let is_read = matches!(open.call, Call::Read { .. });
        match answer {
            // To an earlier try: good news is good news, the rest is known.
            Answer::Done(entry) if open.tries != tries && is_named(open.call) => {
                self.acknowledged(client, operation, entry);
            }
            _ if open.tries != tries => {}
            Answer::Value(found) => self.saw(client, operation, found),
            Answer::Done(entry) => {
                if open.may_have {
                    self.stats.meet(Met::NamedRepeat);
                }
                self.acknowledged(client, operation, entry);
            }
            // An earlier try may have done it, and where what is done can be undone nobody knows what was.
            Answer::Unmet if open.may_have && !is_sure => {
                self.conclude(client, operation, End::Unknown)
            }
            Answer::Unmet => self.conclude(client, operation, End::Fail),
            Answer::NoSuchKey => {
                self.clients.asked[operation].call = history::Call::Read;
                self.clients.all[client as usize].seen
                    [self.clients.asked[operation].key as usize] = None;
                self.conclude(client, operation, End::Ok(Some("null".into())));
            }
            Answer::Mistaken => {
                let what = format!("operation {operation} was told that its name is another's");
                self.fail("session safety", what);
            }
            Answer::NotThere(hint) => {
                asking.hint = hint.unwrap_or(other);
                let pause = if hint.is_some() { 0 } else { 25_000_000 };
                self.try_again(client, pause);
            }
            Answer::Unknown => {
                open.may_have |= !is_read;
                asking.hint = other;
                self.try_again(client, 10_000_000);
            }
        }
    }

    /// A client's patience may be at its end.
    pub(super) fn out_of_patience(&mut self, client: u16) -> bool {
        let now = self.now;
        let open = self.clients.all[client as usize].open.as_ref();
        let other = self.another(client, open.map_or(0, |open| open.tries));
        let asking = &mut self.clients.all[client as usize];
        if asking.patience_at != now {
            return false;
        }
        asking.patience_at = Nanos::MAX;
        let Some(open) = &mut asking.open else {
            return false;
        };
        if open.patience > now {
            asking.patience_at = open.patience;
            let at = open.patience;
            self.queue.plan(at, Coming::Patience(client));
            return false;
        }
        open.may_have |= !matches!(open.call, Call::Read { .. });
        asking.hint = other;
        self.stats.meet(Met::ClientTimeout);
        self.try_again(client, 0);
        true
    }

    /// Anybody: a client that went round in order could ask the same two for ever, of which one names the other.
    fn another(&self, client: u16, tries: u32) -> Place {
        let salt = 0xa07e_0000_0000 ^ (self.clients.asked.len() as u64) << 8 ^ u64::from(tries);
        let drawn = self.draw(0, salt ^ (u64::from(client) << 56));
        (drawn % self.seats.len() as u64) as Place
    }

    /// Once more, if that can do no harm; else that was it.
    fn try_again(&mut self, client: u16, pause: Nanos) {
        let now = self.now;
        let Some(open) = &self.clients.all[client as usize].open else {
            return;
        };
        let operation = open.operation;
        let may_repeat = !open.may_have || is_named(open.call);
        if may_repeat && open.tries < TRIES && now < open.until {
            return self.dispatch(client, pause);
        }
        if !open.may_have {
            self.clients.asked[operation].is_void = true;
            return self.conclude(client, operation, End::Fail);
        }
        self.stats.unknown += 1;
        let asking = &mut self.clients.all[client as usize];
        // Whoever got no answer starts anew under another name.
        asking.process += NAMES;
        self.conclude(client, operation, End::Unknown);
    }

    fn saw(&mut self, client: u16, operation: usize, found: Option<(Value, EntryId)>) {
        let asked = &self.clients.asked[operation];
        let (key, least) = (asked.key, asked.least);
        let version = found.as_ref().map(|(_, version)| version.clone());
        let text: Text = found.map_or("null".into(), |(value, _)| value.as_str().into());
        if index_of(version.as_ref()) < least {
            self.stats.meet(Met::StaleRead);
        }
        let seen = version.map(|version| (text.clone(), version));
        self.clients.all[client as usize].seen[key as usize] = seen;
        self.conclude(client, operation, End::Ok(Some(text)));
    }

    fn acknowledged(&mut self, client: u16, operation: usize, entry: EntryId) {
        let asked = &mut self.clients.asked[operation];
        let key = asked.key as usize;
        asked.entry = Some(entry.clone());
        self.clients.latest[key] = self.clients.latest[key].max(entry.index);
        let is_delete = asked.call == history::Call::Delete;
        let seen = (!is_delete).then(|| (operation.to_string().into(), entry));
        self.clients.all[client as usize].seen[key] = seen;
        self.stats.acknowledged += 1;
        self.conclude(client, operation, End::Ok(None));
    }

    fn conclude(&mut self, client: u16, operation: usize, end: End) {
        let returned = self.clients.tick();
        let asked = &mut self.clients.asked[operation];
        asked.returned = (end != End::Unknown).then_some(returned);
        asked.returned_at = self.now;
        asked.end = end;
        if self.is_noted() {
            let what = self.told(operation);
            let asked = &self.clients.asked[operation];
            let end = (!asked.is_void).then(|| asked.end.clone());
            self.note(0, || What::Answered {
                operation,
                client,
                end,
                what,
            });
        }
        let asking = &mut self.clients.all[client as usize];
        asking.open = None;
        if let Some(call) = asking.waiting.pop_front() {
            self.begin(client, call);
        }
    }
}
