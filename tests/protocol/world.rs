//! Several cores without sockets or time: a wire that delivers when told to, disks in memory, and a trace.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cluster::event::Event;
use cluster::faults::{Faults, Verdict};
use cluster::protocol::{Action, Change, Input, Message, MessageKind, Node, Reply, RequestId};
use cluster::storage::Disk;
use cluster::storage::memory::Memory;
use cluster::types::{Config, NodeId, Time};
use cluster::value::Key;

use cluster::sim::words as trace;

/// A message on its way.
#[derive(Clone)]
pub struct Envelope {
    pub from: NodeId,
    pub to: NodeId,
    pub message: Message,
}

pub struct Member {
    config: Config,
    pub disk: Memory,
    pub node: Option<Node>,
    paused: bool,
    boots: u64,
    seed: u64,
}

pub struct World {
    pub now: Time,
    pub members: BTreeMap<NodeId, Member>,
    pub wire: VecDeque<Envelope>,
    pub faults: Faults,
    /// Messages stay on the wire until they are delivered by name.
    pub holding: bool,
    pub trace: Vec<String>,
    pub events: Vec<(NodeId, Event)>,
    pub replies: Vec<(RequestId, Reply)>,
    pub sent: BTreeMap<MessageKind, usize>,
    next_request: u64,
}

impl World {
    /// `n` nodes, none of them started; `adjust` changes what each is told.
    pub fn new(n: usize, adjust: impl Fn(&mut Config)) -> World {
        let ids: Vec<NodeId> = (1..=n).map(NodeId::nth).collect();
        let member = |(at, id): (usize, &NodeId)| {
            let mut config = Config::new(id.clone(), ids.clone());
            adjust(&mut config);
            let seed = at as u64 + 1;
            (
                id.clone(),
                Member {
                    config,
                    disk: Memory::new(seed),
                    node: None,
                    paused: false,
                    boots: seed,
                    seed,
                },
            )
        };
        World {
            now: Time::ZERO,
            members: ids.iter().enumerate().map(member).collect(),
            wire: VecDeque::new(),
            faults: Faults::default(),
            holding: false,
            trace: Vec::new(),
            events: Vec::new(),
            replies: Vec::new(),
            sent: BTreeMap::new(),
            next_request: 0,
        }
    }

    /// Starts everybody at once, as `up` does.
    pub fn start_all(&mut self) {
        let ids: Vec<NodeId> = self.members.keys().cloned().collect();
        for id in &ids {
            self.start(id, true);
        }
        self.settle();
    }

    /// Starts a node on the disk it has.
    pub fn start(&mut self, id: &NodeId, bootstrap: bool) {
        let member = self.members.get_mut(id).expect("a node of this world");
        if member.node.is_none() {
            let recovered = member.disk.found();
            member.node = Some(Node::new(member.config.clone(), recovered, member.seed));
            self.step(id, Input::Start { bootstrap });
        }
    }

    pub fn kill(&mut self, id: &NodeId) {
        let member = self.members.get_mut(id).expect("a node of this world");
        member.node = None;
        member.paused = false;
        // What it sent is on its way; what was sent to it finds a closed port.
    }

    /// Stops a node in its tracks: it neither hears nor acts, and its port stays open.
    pub fn pause(&mut self, id: &NodeId) {
        self.members
            .get_mut(id)
            .expect("a node of this world")
            .paused = true;
    }

    /// Lets it go on: what was held for it arrives first.
    pub fn resume(&mut self, id: &NodeId) {
        self.members
            .get_mut(id)
            .expect("a node of this world")
            .paused = false;
        self.settle();
        self.step(id, Input::Resumed);
        self.settle();
    }

    pub fn write(&mut self, id: &NodeId, key: &str, change: Change) -> RequestId {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        self.step(
            id,
            Input::Write {
                request,
                key: Key::new(key),
                change,
                proviso: None,
            },
        );
        self.settle();
        request
    }

    /// The number that the next request will have.
    pub fn next_request(&self) -> RequestId {
        RequestId(self.next_request + 1)
    }

    /// A request that is no plain write.
    pub fn ask(&mut self, id: &NodeId, input: impl FnOnce(RequestId) -> Input) -> RequestId {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        self.step(id, input(request));
        self.settle();
        request
    }

    /// Destroys a disk; the node is dead meanwhile.
    pub fn wipe(&mut self, id: &NodeId) {
        self.kill(id);
        let member = self.members.get_mut(id).expect("a node of this world");
        member.boots += 100;
        let (boot, is_raft) = (member.boots, member.config.mode.is_linearizable());
        member.disk.wipe(boot, is_raft).expect("memory never fails");
    }

    /// One more node, that only knows who is there, and starts.
    pub fn join(&mut self, id: &NodeId) {
        let first = self.members.values().next().expect("somebody to join");
        let seed = self.members.len() as u64 + 1;
        let config = Config {
            id: id.clone(),
            ..first.config.clone()
        };
        let member = Member {
            config,
            disk: Memory::new(seed),
            node: None,
            paused: false,
            boots: seed,
            seed,
        };
        self.members.insert(id.clone(), member);
        self.start(id, false);
        self.settle();
    }

    pub fn alive(&self) -> impl Iterator<Item = (&NodeId, &Node)> {
        self.members
            .iter()
            .filter_map(|(id, member)| Some((id, member.node.as_ref()?)))
    }

    pub fn step(&mut self, id: &NodeId, input: Input) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        let Some(node) = member.node.as_mut() else {
            return;
        };
        let actions = node.step(self.now, input);
        for action in actions {
            match action {
                Action::Persist(record) => member.disk.keep(&[record]),
                Action::Send { to, message } => {
                    *self.sent.entry(message.kind()).or_default() += 1;
                    let lost = self.faults.verdict(id, &to) == Verdict::Drop;
                    self.trace.push(trace::sent(id, &to, &message, lost));
                    if !lost {
                        self.wire.push_back(Envelope {
                            from: id.clone(),
                            to,
                            message,
                        });
                    }
                }
                Action::Reply { request, reply } => {
                    self.trace.push(trace::replied(id, &reply));
                    self.replies.push((request, reply));
                }
                Action::Report(event) => {
                    self.trace.push(trace::happened(id, &event));
                    self.events.push((id.clone(), event));
                }
            }
        }
    }

    /// Delivers one message. A dead node's port refuses, and the sender learns it.
    pub fn deliver(&mut self, envelope: Envelope) {
        let Envelope { from, to, message } = envelope;
        let is_dead = self
            .members
            .get(&to)
            .is_none_or(|member| member.node.is_none());
        if !is_dead {
            self.step(&to, Input::Message { from, message });
        } else if !message.is_answer() {
            self.step(
                &from,
                Input::Refused {
                    peer: to,
                    message: message.kind(),
                },
            );
        }
    }

    /// Delivers everything, and what that causes, until nothing is on its way but to those who pause.
    pub fn settle(&mut self) {
        self.tick_due();
        while let Some(at) = self.next_deliverable() {
            if let Some(envelope) = self.wire.remove(at) {
                self.deliver(envelope);
            }
            if self.next_deliverable().is_none() {
                self.tick_due();
            }
        }
    }

    /// What is due is done once nothing else is at hand, as the door's contract has it.
    pub fn tick_due(&mut self) {
        let now = self.now;
        let is_due = |member: &Member| {
            let due = member.node.as_ref().and_then(Node::next_deadline);
            !member.paused && due.is_some_and(|due| due <= now)
        };
        while let Some(id) = {
            let mut due = self.members.iter().filter(|(_, member)| is_due(member));
            due.next().map(|(id, _)| id.clone())
        } {
            self.step(&id, Input::Tick);
        }
    }

    fn next_deliverable(&self) -> Option<usize> {
        let paused = |id: &NodeId| self.members.get(id).is_some_and(|member| member.paused);
        self.wire
            .iter()
            .position(|envelope| !self.holding && !paused(&envelope.to))
    }

    /// Lets time pass: deadlines fire in order, messages take no time.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        self.settle();
        while let Some(due) = self.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.settle();
        }
        self.now = end;
    }

    fn next_deadline(&self) -> Option<Time> {
        let awake = self.members.values().filter(|member| !member.paused);
        awake
            .filter_map(|member| member.node.as_ref()?.next_deadline())
            .min()
    }
}
