//! One node with its disk and a clock of its own: what becomes of it when something happens.

use std::time::Duration;

use crate::event::Event;
use crate::protocol::fingerprint::Sketch;
use crate::protocol::{Action, Ballot, Change, Input, Message, Node, Record, Reply, RequestId};
use crate::sim::exhaustive::bounds::Flaw;
use crate::sim::exhaustive::cause::{Cause, Rules, TIMEOUT};
use crate::sim::exhaustive::envelope::Envelope;
use crate::sim::exhaustive::table::Sketched;
use crate::storage::Disk;
use crate::storage::memory::Memory;
use crate::types::{Config, Election, EntryId, NodeId, Term, Time};
use crate::value::{Key, Value};

/// A node with its disk.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    at: usize,
    node: Option<Node>,
    disk: Memory,
    now: Time,
    /// While it leads: the numbers of the messages that went to each node, in order.
    rounds: Vec<Vec<u64>>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct After {
    pub(super) seat: Seat,
    pub(super) sent: Vec<Envelope>,
    pub(super) events: Vec<Event>,
    /// The writes that were acknowledged.
    pub(super) done: Vec<EntryId>,
    /// What was written to the disk.
    pub(super) records: Vec<Record>,
}

impl Seat {
    /// The node at `at`, on an empty disk, started together with all others.
    pub(super) fn fresh(at: usize, rules: &Rules) -> Seat {
        let seat = Seat {
            at,
            node: None,
            // No disk is ever lost here, so the lives of disks tell nothing apart, and may all be called the same.
            disk: Memory::new(1),
            now: Time::ZERO,
            rounds: vec![Vec::new(); rules.configs.len()],
        };
        seat.started(rules, true).seat
    }

    /// What becomes of it when `cause` happens.
    pub(super) fn after(&self, cause: Cause<'_>, rules: &Rules) -> After {
        self.clone().becomes(cause, rules)
    }

    /// The same, and it is no more what it was.
    pub(super) fn becomes(self, cause: Cause<'_>, rules: &Rules) -> After {
        let mut seat = self;
        match cause {
            Cause::Crash => {
                seat.crash(rules);
                After::of(seat)
            }
            Cause::Start => seat.started(rules, false),
            Cause::Timeout | Cause::Heartbeat => {
                seat.now = seat.moment_of(cause);
                seat.stepped(Input::Tick)
            }
            Cause::Arrival { envelope, late } => seat.met(envelope, late, rules),
            Cause::Tear {
                envelope,
                late,
                kept,
            } => {
                let written = seat.clone().met(envelope, late, rules).records;
                seat.disk.keep(&written[..kept.min(written.len())]);
                seat.crash(rules);
                seat.started(rules, false)
            }
            Cause::Refusal(peer, message) => {
                let peer = rules.id(peer);
                seat.stepped(Input::Refused { peer, message })
            }
            Cause::Write(n) => seat.stepped(Input::Write {
                request: RequestId(u64::from(n)),
                key: Key::new("x"),
                change: Change::Put(Value::string(&n.to_string())),
                proviso: None,
            }),
        }
    }

    /// Takes a message. Time stands still meanwhile: whether a leader is still heard is asked anew each time.
    fn met(mut self, envelope: &Envelope, late: bool, rules: &Rules) -> After {
        let now = self.now;
        if late {
            self.now = now + TIMEOUT;
        }
        let from = rules.id(envelope.from);
        let message = self.as_counted_here(envelope);
        let mut after = self.stepped(Input::Message { from, message });
        after.seat.now = now;
        after
    }

    fn moment_of(&self, cause: Cause<'_>) -> Time {
        let deadline = self.node.as_ref().and_then(Node::next_deadline);
        let heartbeat = Config::default_heartbeat(self.rounds.len());
        match (self.leads(), cause) {
            (true, Cause::Heartbeat) => self.now + heartbeat,
            // It ticked all along, and all that it sent was lost.
            (true, _) => self.now + TIMEOUT + Duration::from_nanos(1),
            (false, _) => deadline.map_or(self.now, |deadline| deadline.max(self.now)),
        }
    }

    fn crash(&mut self, rules: &Rules) {
        self.node = None;
        self.now = Time::ZERO;
        self.forget_rounds();
        self.disk.lose_unsynced();
        let found = self.disk.found();
        match rules.flaw {
            Some(Flaw::ForgetsVote) => {
                let term = found.ballot.term;
                self.disk
                    .keep(&[Record::Ballot(Ballot { term, vote: None })]);
            }
            Some(Flaw::ForgetsEntry) => {
                let mut entries = found.entries;
                entries.pop();
                self.disk = Memory::new(found.boot);
                self.disk
                    .keep(&[Record::Ballot(found.ballot), Record::Append(entries)]);
            }
            None => {}
        }
    }

    fn started(mut self, rules: &Rules, bootstrap: bool) -> After {
        let config = rules.configs[self.at].clone();
        self.node = Some(Node::new(config, self.disk.found(), 1));
        self.stepped(Input::Start { bootstrap })
    }

    /// Steps the node, and lets a leader do what is due at once, as its driver would at the end of the turn.
    fn stepped(self, input: Input) -> After {
        let mut after = After::of(self);
        after.step(input);
        while after.seat.leads() && after.seat.is_due() {
            after.step(Input::Tick);
        }
        if !after.seat.leads() {
            after.seat.forget_rounds();
        }
        after
    }

    fn is_due(&self) -> bool {
        let deadline = self.node.as_ref().and_then(Node::next_deadline);
        deadline.is_some_and(|deadline| deadline <= self.now)
    }

    fn forget_rounds(&mut self) {
        self.rounds.iter_mut().for_each(Vec::clear);
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    pub(super) fn disk(&self) -> &Memory {
        &self.disk
    }

    /// The node as it would start on this disk; itself if it runs.
    pub(super) fn would_be(&self, rules: &Rules) -> Node {
        let start = || Node::new(rules.configs[self.at].clone(), self.disk.found(), 1);
        self.node.clone().unwrap_or_else(start)
    }

    pub(super) fn leads(&self) -> bool {
        self.node.as_ref().is_some_and(Node::leads)
    }

    /// The term that it leads.
    pub(super) fn led(&self) -> Option<Term> {
        self.node
            .as_ref()
            .filter(|node| node.leads())
            .map(Node::term)
    }

    /// Whether its patience can end.
    pub(super) fn can_time_out(&self) -> bool {
        self.node.as_ref().is_some_and(|node| {
            let config = node.config();
            let guarded = config.safeguards.check_quorum && config.mode.election == Election::Raft;
            (!node.leads() && node.next_deadline().is_some())
                || (node.leads() && guarded && config.members.voters.len() > 1)
        })
    }

    /// Whether it follows somebody, so that it matters how long ago that one was heard.
    pub(super) fn obeys(&self) -> bool {
        let obeys = |node: &Node| !node.leads() && node.leader().is_some();
        self.node.as_ref().is_some_and(obeys)
    }

    /// How many of the messages to `to` are numbered up to `round`: what that one is called there, and in the answers.
    fn count(&self, to: usize, round: u64) -> u64 {
        self.rounds[to].partition_point(|sent| *sent <= round) as u64
    }

    /// An answer, with its round numbered as the node itself numbers them.
    fn as_counted_here(&self, envelope: &Envelope) -> Message {
        let mut message = envelope.message.clone();
        if let Message::HeartbeatAck { round, .. }
        | Message::AppendAck { round, .. }
        | Message::SnapshotAck { round, .. } = &mut message
            && *round > 0
        {
            let sent = self.rounds[envelope.from].get(*round as usize - 1);
            *round = sent.copied().unwrap_or(u64::MAX);
        }
        message
    }

    /// A message, with its round numbered among those that went to the same node, and a silence as long as it matters.
    fn as_counted_there(&mut self, to: usize, mut message: Message) -> Message {
        match &mut message {
            Message::Heartbeat { round, .. }
            | Message::Append { round, .. }
            | Message::InstallSnapshot { round, .. } => {
                self.rounds[to].push(*round);
                *round = self.rounds[to].len() as u64;
            }
            Message::ProbeAck { heard_ago, .. } | Message::VoteAck { heard_ago, .. } => {
                let is_long = heard_ago.is_some_and(|ago| ago >= TIMEOUT);
                let seen = if is_long { TIMEOUT } else { Duration::ZERO };
                *heard_ago = heard_ago.map(|_| seen);
            }
            _ => {}
        }
        message
    }
}

impl After {
    fn of(seat: Seat) -> After {
        After {
            seat,
            sent: Vec::new(),
            events: Vec::new(),
            done: Vec::new(),
            records: Vec::new(),
        }
    }

    fn step(&mut self, input: Input) {
        let Some(node) = self.seat.node.as_mut() else {
            return;
        };
        for action in node.step(self.seat.now, input) {
            match action {
                Action::Persist(record) => {
                    self.seat.disk.keep(std::slice::from_ref(&record));
                    self.records.push(record);
                }
                Action::Send { to, message } => self.send(&to, message),
                Action::Reply {
                    reply: Reply::Done { version, .. },
                    ..
                } => self.done.push(version),
                Action::Reply { .. } => {}
                Action::Report(event) => {
                    if matches!(event, Event::Leader { .. }) {
                        self.seat.forget_rounds();
                    }
                    self.events.push(event);
                }
            }
        }
    }

    fn send(&mut self, to: &NodeId, message: Message) {
        let known = to.number().filter(|to| *to <= self.seat.rounds.len());
        if let Some(to) = known.map(|number| number - 1) {
            self.sent.push(Envelope {
                from: self.seat.at,
                to,
                message: self.seat.as_counted_there(to, message),
            });
        }
    }
}

impl Sketched for Seat {
    fn sketch(&self, sketch: &mut Sketch<'_>) {
        sketch.nth(self.at);
        sketch.disk(&self.disk.found());
        sketch.number(self.disk.sure());
        let count = |to: &NodeId, round: u64| {
            to.number()
                .map_or(0, |number| self.count(number - 1, round))
        };
        sketch.maybe(self.node.as_ref(), |sketch, node| {
            node.sketch(self.now, &count, sketch);
            // How many messages went to each: the next one's number.
            if node.leads() {
                let sent = self.rounds.iter().map(Vec::len).enumerate();
                let mut sent: Vec<(u8, usize)> =
                    sent.map(|(to, n)| (sketch.names()[to], n)).collect();
                sent.sort_unstable();
                sent.iter()
                    .for_each(|(_, sent)| sketch.number(*sent as u64));
            }
        });
    }
}
