//! The one select loop: await an event, take what is ready (bounded), step each, put all that is to be persisted on the
//! disk in one write, and only then let sends and replies leave.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::event::Event;
use crate::protocol::{Action, Input, Message, Node, Record, Reply, RequestId};
use crate::runtime::call::{Answer, Call};
use crate::runtime::http;
use crate::runtime::seat::{Seat, World};
use crate::runtime::transport::Transport;
use crate::runtime::view::{View, Window};
use crate::storage::memory::Memory;
use crate::types::{NodeId, Time};

/// How many events one batch takes at most, so that no flood delays a heartbeat.
const BATCH: usize = 256;

/// How many events may wait for the task.
const QUEUE: usize = 4096;

/// Under load one event of stored entries is reported in this time.
const QUIET: Duration = Duration::from_millis(250);

/// A node that lives.
pub struct RunningNode {
    inbox: mpsc::Sender<Call>,
    stop: CancellationToken,
    tasks: TaskTracker,
    task: JoinHandle<Memory>,
}

/// Starts a node. It serves at once, and takes part from [`RunningNode::begin`] on. `seed` decides what it draws.
pub fn start(seat: Seat, seed: u64) -> std::io::Result<RunningNode> {
    let (inbox, calls) = mpsc::channel(QUEUE);
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let listener = tokio::net::TcpListener::from_std(seat.listener)?;
    let node = Node::new(seat.config, seat.disk.recover(), seed);
    let window = Window::new(View::of(&node, seat.world.clock.now()));
    let service = http::Service::new(node.config(), &seat.world, window.clone(), inbox.clone());
    tasks.spawn(http::serve(listener, service, stop.clone(), tasks.clone()));
    let transport = Transport::new(
        node.config(),
        seat.peers,
        &seat.world,
        inbox.clone(),
        stop.clone(),
    );
    let task = Task {
        node,
        disk: seat.disk,
        world: seat.world,
        window,
        transport,
        pending: Pending::default(),
        quiet_until: Time::ZERO,
        replicated: None,
        refused: BTreeSet::new(),
    };
    let task = tokio::spawn(task.run(calls, stop.clone()));
    Ok(RunningNode {
        inbox,
        stop,
        tasks,
        task,
    })
}

impl RunningNode {
    /// Lets it take part; with `bootstrap` all nodes of a new cluster do so now.
    pub async fn begin(&self, bootstrap: bool) {
        // A node that is gone takes no part.
        let _ = self.inbox.send(Call::Begin { bootstrap }).await;
    }

    /// Kills it: its task is gone, its port closed, every connection reset, and nobody gets an answer any more. Returns
    /// its disk; `None` if the task had failed.
    pub async fn kill(self) -> Option<Memory> {
        self.stop.cancel();
        self.tasks.close();
        let disk = self.task.await.ok();
        self.tasks.wait().await;
        disk
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
    disk: Memory,
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
    async fn run(mut self, mut calls: mpsc::Receiver<Call>, stop: CancellationToken) -> Memory {
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
            }
            self.turn(&mut batch);
        }
        self.disk
    }

    fn next_deadline(&self) -> Option<Time> {
        let quiet = self.replicated.as_ref().map(|_| self.quiet_until);
        self.node.next_deadline().into_iter().chain(quiet).min()
    }

    /// One batch: state changes never straddle an await.
    fn turn(&mut self, batch: &mut Vec<Call>) {
        let mut records = Vec::new();
        let mut promises = Vec::new();
        for call in batch.drain(..) {
            self.take(call, &mut records, &mut promises);
        }
        let now = self.world.clock.now();
        if let Some(due) = self.node.next_deadline().filter(|due| *due <= now) {
            // So late that the process must have stood still: what was not heard meanwhile proves nothing.
            let stalled = now - due > self.node.config().election_timeout / 2;
            let input = if stalled { Input::Resumed } else { Input::Tick };
            self.step(now, input, None, &mut records, &mut promises);
            if stalled {
                self.step(now, Input::Tick, None, &mut records, &mut promises);
            }
        }
        self.disk.write(&records);
        self.window.publish(&self.node, now);
        for promise in promises {
            self.keep(promise, now);
        }
        self.report_replicated(now);
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
        for action in self.node.step(now, input) {
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
