//! The one select loop: await an event, take what is ready (bounded), step each, put all that is to be persisted on the
//! disk in one write, and only then let sends and replies leave.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::event::Event;
use crate::protocol::{Action, Input, Message, Node, Record, Recovered, Reply, RequestId};
use crate::runtime::call::{Answer, Call, refuse};
use crate::runtime::http;
use crate::runtime::ledger::Ledger;
use crate::runtime::running::RunningNode;
use crate::runtime::seat::{Seat, World};
use crate::runtime::transport::Transport;
use crate::runtime::view::{View, Window};
use crate::storage::{Disk, DiskError};
use crate::types::{NodeId, Time};

/// How many events one batch takes at most, so that no flood delays a heartbeat.
const BATCH: usize = 256;

/// How many events may wait for the task.
const QUEUE: usize = 4096;

/// Under load one event of stored entries is reported in this time.
const QUIET: Duration = Duration::from_millis(250);

/// Starts a node on what was found on its disk. It serves at once, and takes part from [`RunningNode::begin`] on. `seed` decides what it draws.
pub fn start(seat: Seat, recovered: Recovered, seed: u64) -> RunningNode {
    let (inbox, calls) = mpsc::channel(QUEUE);
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    if let Some(tap) = &seat.world.tap {
        tap.born(&seat.config, &recovered, seed);
    }
    let node = Node::new(seat.config, recovered, seed);
    let standstill = seat.world.standstill.clone();
    let window = Window::new(View::of(&node, seat.world.clock.now()));
    let service = http::Service::new(node.config(), &seat.world, window.clone(), inbox.clone());
    tasks.spawn(http::serve(
        seat.listener,
        service,
        stop.clone(),
        tasks.clone(),
    ));
    let transport = Transport::new(
        node.config(),
        seat.peers,
        &seat.world,
        inbox.clone(),
        stop.clone(),
    );
    let task = Task {
        node,
        ledger: Ledger::new(seat.disk),
        failed: None,
        world: seat.world,
        window: window.clone(),
        transport,
        pending: Pending::default(),
        quiet_until: Time::ZERO,
        replicated: None,
        refused: BTreeSet::new(),
    };
    let running = task.run(calls, stop.clone());
    let mind = standstill.mind.clone();
    let task = tokio::spawn(async move { mind.hold(running).await });
    RunningNode {
        standstill,
        inbox,
        window,
        stop,
        tasks,
        task,
    }
}

/// Who waits for what the current batch brings.
#[derive(Default)]
struct Pending {
    clients: BTreeMap<RequestId, oneshot::Sender<Reply>>,
    next_request: u64,
}

impl Pending {
    fn number(&mut self, answer: oneshot::Sender<Reply>) -> RequestId {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        self.clients.insert(request, answer);
        request
    }
}

struct Task {
    node: Node,
    ledger: Ledger,
    /// Why the disk failed: then the node promises nothing any more.
    failed: Option<String>,
    world: World,
    window: Window,
    transport: Transport,
    pending: Pending,
    /// No event of stored entries is reported before then …
    quiet_until: Time,
    /// … but counted here.
    replicated: Option<(NodeId, u64)>,
    refused: BTreeSet<NodeId>,
}

/// What leaves once the disk has what it promises.
enum Promise {
    Send { to: NodeId, message: Message },
    Answer(oneshot::Sender<Answer>, Answer),
    Reply(oneshot::Sender<Reply>, Reply),
    Report(Event),
}

impl Task {
    async fn run(
        mut self,
        mut calls: mpsc::Receiver<Call>,
        stop: CancellationToken,
    ) -> Option<Box<dyn Disk>> {
        let mut batch = Vec::new();
        loop {
            let due = self.next_deadline();
            let timer = async {
                match due {
                    Some(due) => tokio::time::sleep_until(self.world.clock.instant(due)).await,
                    None => std::future::pending().await,
                }
            };
            // Messages come before the clock: after a stall, what was held is delivered first.
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = calls.recv_many(&mut batch, BATCH) => {}
                () = timer => {}
                () = self.world.clock.changed() => {}
            }
            self.turn(&mut batch).await;
        }
        self.ledger.into_disk()
    }

    fn next_deadline(&self) -> Option<Time> {
        if self.failed.is_some() {
            return None;
        }
        let quiet = self.replicated.as_ref().map(|_| self.quiet_until);
        self.node.next_deadline().into_iter().chain(quiet).min()
    }

    /// One batch: state changes never straddle an await, only promises wait for the disk. What arrives meanwhile is in
    /// the next batch, and shares its write: a slow disk is written to seldom, in large pieces.
    async fn turn(&mut self, batch: &mut Vec<Call>) {
        if self.failed.is_some() {
            return batch.drain(..).for_each(refuse);
        }
        let mut records = Vec::new();
        let mut promises = Vec::new();
        for call in batch.drain(..) {
            self.take(call, &mut records, &mut promises);
        }
        let now = self.world.clock.now();
        for input in self.node.due(now) {
            self.step(now, input, None, &mut records, &mut promises);
        }
        if let Err(error) = self.ledger.write(records).await {
            return self.fail(&error, promises);
        }
        self.window.publish(&self.node, now, self.ledger.syncs());
        for promise in promises {
            self.keep(promise, now);
        }
        self.report_replicated(now);
    }

    /// The disk failed: nothing that was to be promised is, and the node takes no part any more. The process goes on.
    fn fail(&mut self, error: &DiskError, promises: Vec<Promise>) {
        let why = error.to_string();
        let reason = format!("the disk of this node failed: {why}");
        let unknown = Reply::Unknown { reason };
        for promise in promises {
            match promise {
                Promise::Reply(client, _) => drop(client.send(unknown.clone())),
                Promise::Answer(asker, _) => drop(asker.send(Answer::Gone)),
                Promise::Send { .. } | Promise::Report(_) => {}
            }
        }
        for client in std::mem::take(&mut self.pending.clients).into_values() {
            // Who has gone away needs no answer.
            let _ = client.send(unknown.clone());
        }
        self.window.fail(why.clone());
        self.report(Event::DiskFailed { why: why.clone() });
        self.failed = Some(why);
    }

    fn take(&mut self, call: Call, records: &mut Vec<Record>, promises: &mut Vec<Promise>) {
        let now = self.world.clock.now();
        match call {
            Call::Begin { bootstrap } => {
                self.step(now, Input::Start { bootstrap }, None, records, promises);
            }
            Call::Write {
                key,
                change,
                proviso,
                answer,
            } => {
                let request = self.pending.number(answer);
                let input = Input::Write {
                    request,
                    key,
                    change,
                    proviso,
                };
                self.step(now, input, None, records, promises);
            }
            Call::Read { answer } => {
                let request = self.pending.number(answer);
                self.step(now, Input::Read { request }, None, records, promises);
            }
            Call::Members { change, answer } => {
                let request = self.pending.number(answer);
                let input = Input::Members { request, change };
                self.step(now, input, None, records, promises);
            }
            Call::Transfer { to, answer } => {
                let request = self.pending.number(answer);
                let input = Input::Transfer { request, to };
                self.step(now, input, None, records, promises);
            }
            Call::Trust => self.step(now, Input::Trust, None, records, promises),
            Call::Request {
                message, answer, ..
            } if !self.node.believes(&message) => {
                promises.push(Promise::Answer(answer, Answer::Unbelievable));
            }
            Call::Request {
                from,
                message,
                answer,
            } => {
                self.step(
                    now,
                    Input::Message { from, message },
                    Some(answer),
                    records,
                    promises,
                );
            }
            Call::Response { from, message } => {
                self.step(
                    now,
                    Input::Message { from, message },
                    None,
                    records,
                    promises,
                );
            }
            Call::Refused { peer, message } => {
                self.step(
                    now,
                    Input::Refused { peer, message },
                    None,
                    records,
                    promises,
                );
            }
            Call::Identified { address, id } => {
                self.transport.rename(&address, &id);
                self.step(
                    now,
                    Input::Identified { address, id },
                    None,
                    records,
                    promises,
                );
            }
            Call::OtherRules { peer, rules } => {
                if self.refused.len() < BATCH && self.refused.insert(peer.clone()) {
                    let own = self.node.config().mode;
                    let why = format!("it plays by {rules}; this cluster by {own}");
                    promises.push(Promise::Report(Event::Refused { peer, why }));
                }
            }
        }
    }

    fn step(
        &mut self,
        now: Time,
        input: Input,
        mut asker: Option<oneshot::Sender<Answer>>,
        records: &mut Vec<Record>,
        promises: &mut Vec<Promise>,
    ) {
        let actions = match &self.world.tap {
            None => self.node.step(now, input),
            Some(tap) => tap.step(&mut self.node, now, input),
        };
        for action in actions {
            match action {
                Action::Persist(record) => records.push(record),
                Action::Send { to, message } => match asker.take_if(|_| message.is_answer()) {
                    Some(asker) => {
                        promises.push(Promise::Answer(asker, Answer::Success(Some(message))));
                    }
                    None => promises.push(Promise::Send { to, message }),
                },
                Action::Reply { request, reply } => {
                    if let Some(client) = self.pending.clients.remove(&request) {
                        promises.push(Promise::Reply(client, reply));
                    }
                }
                // Before the disk forgets it: whoever dies in between says so again, which is better than never.
                Action::Report(event @ Event::Lost(_)) => self.report(event),
                Action::Report(event) => promises.push(Promise::Report(event)),
            }
        }
        if let Some(asker) = asker {
            promises.push(Promise::Answer(asker, Answer::Success(None)));
        }
    }

    fn keep(&mut self, promise: Promise, now: Time) {
        match promise {
            Promise::Send { to, message } => self.transport.send(&to, message),
            // Who has gone away needs no answer.
            Promise::Answer(asker, answer) => drop(asker.send(answer)),
            Promise::Reply(client, reply) => drop(client.send(reply)),
            Promise::Report(Event::Replicated { entries, from }) => match &mut self.replicated {
                Some((leader, count)) if *leader == from => *count += entries,
                _ => {
                    self.flush_replicated(now);
                    self.replicated = Some((from, entries));
                }
            },
            Promise::Report(event) => {
                self.flush_replicated(now);
                self.report(event);
            }
        }
    }

    fn report_replicated(&mut self, now: Time) {
        if self.quiet_until <= now {
            self.flush_replicated(now);
        }
    }

    fn flush_replicated(&mut self, now: Time) {
        if let Some((from, entries)) = self.replicated.take() {
            self.quiet_until = now + QUIET;
            self.report(Event::Replicated { entries, from });
        }
    }

    fn report(&self, event: Event) {
        (self.world.events)(&self.node.config().id, event);
    }
}
