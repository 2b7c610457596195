//! How clients ask: to whom, on what terms, and how their requests travel.

use std::sync::Arc;

use crate::check::history::{self, End, Text};
use crate::protocol::Change;
use crate::sim::called::{Called, Wish};
use crate::sim::clients::{Answer, Asked, Asker, Open, Request, WAITING, Want, is_named, key_of};
use crate::sim::hand::Told;
use crate::sim::moment::What;
use crate::sim::plan::{Call, Place, Reading};
use crate::sim::queue::Nanos;
use crate::sim::world::{Coming, World, place_of};
use crate::store::{Condition, Proviso, Token};
use crate::value::Value;

impl World {
    /// A client asks, now or as soon as it is free.
    pub(super) fn ask(&mut self, client: u16, call: Call) {
        let asking = &mut self.clients.all[client as usize];
        match asking.open {
            None => self.begin(client, call),
            Some(_) if asking.waiting.len() < WAITING => asking.waiting.push_back(call),
            Some(_) => self.note(0, || What::LeftOut { client }),
        }
    }

    pub(super) fn begin(&mut self, client: u16, call: Call) {
        let operation = self.clients.asked.len();
        let text: Text = operation.to_string().into();
        let key = key_of(call);
        let asking = &self.clients.all[client as usize];
        let seen = asking.seen[key as usize].clone();
        let (asks, condition) = match call {
            Call::Read { .. } => (history::Call::Read, None),
            Call::Put { .. } => (history::Call::Write(text), None),
            Call::Delete { .. } => (history::Call::Delete, None),
            Call::Swap { .. } => match seen {
                Some((value, version)) => (
                    history::Call::Cas(value, text),
                    Some(Condition::Is(vec![version])),
                ),
                None => (
                    history::Call::Cas("null".into(), text),
                    Some(Condition::Absent),
                ),
            },
        };
        let token = is_named(call)
            .then(|| Token::new(&format!("t{operation}")))
            .flatten();
        let has_terms = condition.is_some() || token.is_some();
        let proviso = has_terms.then(|| Arc::new(Proviso { condition, token }));
        let wish = match change_of(call, operation) {
            None => Wish::Read,
            Some(change) => Wish::Write {
                key: self.clients.key(key).clone(),
                change,
                proviso,
            },
        };
        let reading = match call {
            Call::Read { consistency, .. } => Some(consistency),
            _ => None,
        };
        let process = asking.process;
        let invoked = self.clients.tick();
        let least = self.clients.latest[key as usize];
        self.clients.asked.push(Asked {
            process,
            key,
            call: asks,
            reading,
            end: End::Unknown,
            is_void: false,
            invoked,
            returned: None,
            invoked_at: self.now,
            returned_at: 0,
            entry: None,
            least,
        });
        self.stats.asked += 1;
        let until = self.now + 4 * self.plan.scale.write_timeout * 1000;
        self.clients.all[client as usize].open = Some(Open {
            operation,
            call,
            tries: 0,
            may_have: false,
            until,
            patience: 0,
            wish,
        });
        if self.is_noted() {
            let what = self.told(operation);
            let asked = self.clients.asked[operation].clone();
            let key = self.clients.key(asked.key).clone();
            self.note(0, || What::Asked {
                operation,
                client,
                key,
                call: asked.call,
                reading: asked.reading,
                what,
            });
        }
        self.dispatch(client, 0);
    }

    /// Sends the open operation to the node that seems right, after a while.
    pub(super) fn dispatch(&mut self, client: u16, pause: Nanos) {
        let patience = self.now + pause + self.plan.scale.write_timeout * 1250 + 50_000_000;
        let seats = self.seats.len() as u32;
        let asking = &mut self.clients.all[client as usize];
        let Some(open) = &mut asking.open else {
            return;
        };
        open.tries += 1;
        open.patience = patience;
        let (place, want) = match open.call {
            Call::Read { consistency, .. } => match consistency {
                Reading::Local(place) => (place, Want::Local),
                Reading::Leader => (asking.hint, Want::AtLeader),
                Reading::Linearizable(place) => {
                    let turned = (u32::from(place) + open.tries - 1) % seats;
                    (turned as Place, Want::Confirmed)
                }
            },
            Call::Put { .. } | Call::Swap { .. } | Call::Delete { .. } => {
                (asking.hint, Want::Write(open.wish.clone()))
            }
        };
        let asker = Asker::Client {
            client,
            operation: open.operation,
            tries: open.tries,
        };
        if patience < asking.patience_at {
            asking.patience_at = patience;
            self.queue.plan(patience, Coming::Patience(client));
        }
        let at = self.now + pause + self.client_latency(asker);
        let request = Request { asker, want };
        self.queue.plan(at, Coming::Request { place, request });
    }

    pub(super) fn client_latency(&self, asker: Asker) -> Nanos {
        let scale = self.plan.scale;
        let Asker::Client {
            operation, tries, ..
        } = asker
        else {
            return scale.latency * 1000;
        };
        let salt = 0xc11e_0000_0000_0000 ^ ((operation as u64) << 8) ^ u64::from(tries);
        scale.latency * 1000 + self.draw(0, salt) % (scale.jitter * 1000 + 1)
    }

    /// A client's request reaches a node.
    pub(super) fn requested(&mut self, place: Place, request: Request) {
        let Request { asker, want } = request;
        if let Asker::Hand(ticket) = asker {
            return self.hand_requested(place, ticket, want);
        }
        if let Asker::Client { operation, .. } = asker {
            self.note(place, || What::Requested { operation });
        }
        let Some(seat) = self.seats.get(place as usize).filter(|seat| seat.is_up()) else {
            return self.answer(asker, Answer::NotThere(None));
        };
        match want {
            Want::Write(wish) => self.call(place, Called::Ask(asker, wish)),
            Want::Confirmed => self.call(place, Called::Ask(asker, Wish::Read)),
            // It is not answered before the client has lost patience.
            Want::Local | Want::AtLeader if seat.is_paused => {}
            Want::Local | Want::AtLeader if seat.has_failed => self.broken(asker),
            Want::Local => self.look(place, asker),
            Want::AtLeader => {
                let node = seat.node.as_ref();
                let leader = node.and_then(|node| node.leader()).and_then(place_of);
                match node.is_some_and(|node| node.leads()) {
                    true => self.look(place, asker),
                    false => self.answer(asker, Answer::NotThere(leader)),
                }
            }
        }
    }

    /// Answers from a node's store as it is.
    pub(super) fn look(&mut self, place: Place, asker: Asker) {
        let Asker::Client { operation, .. } = asker else {
            return;
        };
        let key = self.clients.key(self.clients.asked[operation].key);
        let slot = self.seat(place).find(key);
        let found = slot.map(|slot| (slot.value.clone(), slot.version.as_ref().clone()));
        self.note(place, || What::Replied {
            operation,
            entry: found.as_ref().map(|(_, version)| version.clone()),
            what: found
                .as_ref()
                .map_or("null", |(value, _)| value.as_str())
                .to_owned(),
        });
        self.answer(asker, Answer::Value(found));
    }

    pub(super) fn answer(&mut self, asker: Asker, answer: Answer) {
        let at = self.now + self.client_latency(asker);
        self.queue.plan(at, Coming::Answer { asker, answer });
    }

    /// The connection broke before an answer came.
    pub(super) fn broken(&mut self, asker: Asker) {
        match asker {
            Asker::Client { .. } => self.answer(asker, Answer::Unknown),
            Asker::Operator { operation, place } => self.operator_learns(operation, place, None),
            Asker::Hand(ticket) => self.tell_hand(ticket, Told::Broken),
        }
    }

    /// An operation in words.
    pub(super) fn told(&self, operation: usize) -> String {
        let asked = &self.clients.asked[operation];
        let key = self.clients.key(asked.key).as_str();
        let what = match &asked.call {
            history::Call::Read => match asked.reading {
                Some(Reading::Local(place)) => {
                    format!("read {key} at {}", self.ids[place as usize])
                }
                Some(Reading::Leader) => format!("read {key} at the leader"),
                Some(Reading::Linearizable(_)) => format!("read {key}, linearizable"),
                None => format!("delete {key}"),
            },
            history::Call::Write(value) => format!("put {key}={value}"),
            history::Call::Cas(old, new) => format!("put {key}={new} if it is {old}"),
            history::Call::Delete => format!("delete {key}"),
            history::Call::Append(_) | history::Call::Add(_) => String::new(),
        };
        match &asked.end {
            _ if asked.is_void => format!("{what}: not done"),
            End::Ok(Some(seen)) if asked.reading.is_none() => format!("{what}: it is {seen}"),
            End::Ok(Some(seen)) => format!("{what} → {seen}"),
            End::Ok(None) => format!("{what}: done"),
            End::Fail => format!("{what}: it is something else"),
            End::Unknown if asked.returned_at > 0 => format!("{what}: outcome unknown"),
            End::Unknown => what,
        }
    }
}

/// What operation `operation` changes, if it does: no two write the same.
fn change_of(call: Call, operation: usize) -> Option<Change> {
    match call {
        Call::Read { .. } => None,
        Call::Delete { .. } => Some(Change::Delete),
        Call::Put { .. } | Call::Swap { .. } => {
            let value = Value::stored(&operation.to_string()).expect("a number is JSON");
            Some(Change::Put(value))
        }
    }
}
