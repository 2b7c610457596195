//! A node: the one door into the protocol. Something happens ([`Input`]), the node says what is to be done
//! ([`Action`]s), and between two steps it only waits for [`Node::next_deadline`].

use std::mem;

use crate::event::Event;
use crate::protocol::door::{
    Action, Change, Input, Record, Recovered, Reply, RequestId, Snapshot, Status,
};
use crate::protocol::election::Poll;
use crate::protocol::follower::{Incoming, Piece};
use crate::protocol::log::{Entry, Log};
use crate::protocol::message::Message;
use crate::protocol::progress::Leading;
use crate::rng::Rng;
use crate::store::{Command, Store};
use crate::types::{Boot, Config, EntryId, NodeId, Role, TERM_JUMP, TERM_LIMIT, Term, Time};
use crate::value::Key;

/// The least a log keeps for followers that were away, in bytes of entries.
const LOG_BYTES: usize = 16 << 20;

/// One member of a cluster, without sockets, clocks or disks.
#[derive(Debug)]
pub struct Node {
    pub(super) config: Config,
    pub(super) boot: Boot,
    pub(super) rng: Rng,
    /// The highest term seen; always on the disk before anything said in it leaves.
    pub(super) term: Term,
    pub(super) log: Log,
    /// In `async` the store stands where the log ends.
    pub(super) store: Store,
    /// The leader obeyed in `term`; itself if it leads.
    pub(super) leader: Option<NodeId>,
    /// When that leader was last heard.
    pub(super) heard: Time,
    pub(super) part: Part,
    pub(super) incoming: Option<Incoming>,
    pub(super) out: Vec<Action>,
}

/// What a node is doing.
#[derive(Debug)]
pub(super) enum Part {
    /// Not started: obeys, but never stands.
    Waiting,
    /// Obeys a leader, or waits for one until `deadline`.
    Follower {
        /// When it stands.
        deadline: Time,
        /// Whether this is a new cluster's first deadline, which is no sign of trouble.
        bootstrap: bool,
    },
    /// Finds out whether it should lead.
    Standing(Poll),
    /// Leads.
    Leader(Leading),
}

impl Node {
    /// A node on the disk `recovered`. `seed` decides all it will ever draw.
    pub fn new(config: Config, recovered: Recovered, seed: u64) -> Node {
        let log = Log::recover(&recovered);
        let mut store = recovered.snapshot.store.clone();
        let applied = recovered
            .snapshot
            .last
            .as_ref()
            .map_or(0, |last| last.index);
        for entry in recovered
            .entries
            .iter()
            .filter(|entry| entry.id.index > applied)
        {
            store.apply(&entry.id, &entry.command);
        }
        Node {
            config,
            boot: recovered.boot,
            rng: Rng::new(seed),
            term: recovered.term,
            log,
            store,
            leader: None,
            heard: Time::ZERO,
            part: Part::Waiting,
            incoming: None,
            out: Vec::new(),
        }
    }

    /// Takes in one thing that happened at `now`. The order of the actions is their contract (see [`Action`]).
    pub fn step(&mut self, now: Time, input: Input) -> Vec<Action> {
        match input {
            Input::Start { bootstrap } => self.start(now, bootstrap),
            Input::Tick => self.tick(now),
            Input::Resumed => self.resume(now),
            // What no honest node could have said changes nothing, even if a driver lets it through.
            Input::Message { from, message } if self.believes(&message) => {
                self.receive(now, from, message)
            }
            Input::Message { .. } => {}
            Input::Refused { peer, message } => {
                self.refused_probe(now, &peer, message);
                self.refused_replication(&peer, message);
            }
            Input::Identified { address, id } => self.identify(&address, id),
            Input::Write {
                request,
                key,
                change,
            } => self.write(now, request, key, change),
        }
        mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is due; `None`: only a message can change anything.
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.part {
            Part::Waiting => None,
            Part::Follower { deadline, .. } => Some(*deadline),
            Part::Standing(poll) => Some(poll.deadline),
            Part::Leader(leading) => leading.next_deadline(),
        }
    }

    /// What the node says of itself.
    pub fn status(&self, now: Time) -> Status {
        let leads = matches!(self.part, Part::Leader(_));
        Status {
            id: self.config.id.clone(),
            role: self.role(),
            term: self.term,
            leader: self.leader.clone(),
            heard_ago: self
                .heard_ago(now)
                .filter(|_| leads || self.leader.is_some()),
            mode: self.config.mode,
            keys: self.store.len(),
            last: self.log.last(),
            applied: self.log.last_index(),
            compacted: self.log.compacted_index(),
            boot: self.boot,
        }
    }

    /// The state machine.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the node was told, with peers under the ids learned since.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether an honest node could have sent `message`: one that speaks of a term beyond all reason is refused, so
    /// that no stranger runs terms to their maximum.
    pub fn believes(&self, message: &Message) -> bool {
        message.term() < TERM_LIMIT && message.term() <= self.term.saturating_add(TERM_JUMP)
    }

    fn start(&mut self, now: Time, bootstrap: bool) {
        // A leader that started earlier may have been heard already.
        if !matches!(self.part, Part::Waiting) {
            return;
        }
        let wait = match bootstrap {
            true => self.bootstrap_wait(),
            false => self.config.election_timeout,
        };
        self.part = Part::Follower {
            deadline: now + wait,
            bootstrap,
        };
    }

    fn tick(&mut self, now: Time) {
        match &self.part {
            Part::Follower {
                deadline,
                bootstrap,
            } if *deadline <= now => {
                let bootstrap = *bootstrap;
                self.stand(now, bootstrap);
            }
            Part::Standing(poll) if poll.deadline <= now => self.poll_timed_out(now),
            Part::Leader(_) => self.perform_duties(now),
            Part::Waiting | Part::Follower { .. } | Part::Standing(_) => {}
        }
    }

    /// Silence while standing still proves nothing: a whole election timeout begins anew. A leader goes on as one; the
    /// answers to its next heartbeats tell it if others have moved on.
    fn resume(&mut self, now: Time) {
        match self.part {
            Part::Follower { .. } | Part::Standing(_) => self.follow_nobody(now),
            Part::Waiting | Part::Leader(_) => {}
        }
    }

    fn receive(&mut self, now: Time, from: NodeId, message: Message) {
        match message {
            Message::Heartbeat { claim, round } => self.on_heartbeat(now, from, claim, round),
            Message::Append {
                claim,
                round,
                prev,
                entries,
            } => self.on_append(now, from, claim, round, prev, entries),
            Message::InstallSnapshot {
                claim,
                round,
                last,
                history,
                after,
                items,
                done,
            } => self.on_snapshot_piece(
                now,
                from,
                claim,
                round,
                Piece {
                    last,
                    history,
                    after,
                    items,
                    done,
                },
            ),
            Message::HeartbeatAck {
                known,
                boot,
                round,
                last,
            } => {
                if self.still_leads(now, &known) {
                    self.on_heartbeat_ack(now, &from, boot, round, last);
                }
            }
            Message::AppendAck {
                known,
                boot,
                round,
                outcome,
            } => {
                if self.still_leads(now, &known) {
                    self.on_append_ack(now, &from, boot, round, outcome);
                }
            }
            Message::SnapshotAck {
                known,
                boot,
                round,
                last,
                progress,
            } => {
                if self.still_leads(now, &known) {
                    self.on_snapshot_ack(now, &from, boot, round, last, progress);
                }
            }
            // The asker's term commits nobody to anything: it has not led in it.
            Message::Probe { term: _ } => self.on_probe(now, from),
            Message::ProbeAck {
                known,
                heard_ago,
                contends,
            } => self.on_probe_ack(now, from, known, heard_ago, contends),
            // Bare forms prove that their sender leads, and nothing about anybody's log.
            Message::BareHeartbeat { claim } => {
                self.obey(now, &claim);
            }
            Message::WholeMap { claim, data } => {
                if self.obey(now, &claim) {
                    self.merge(&claim, &data);
                }
            }
            Message::BareAck { to } => self.on_bare_ack(now, &from, to),
        }
    }

    fn write(&mut self, now: Time, request: RequestId, key: Key, change: Change) {
        if !matches!(self.part, Part::Leader(_)) {
            let (role, leader) = (self.role(), self.leader.clone());
            return self.reply(request, Reply::NotLeader { role, leader });
        }
        let command = match change {
            Change::Put(value) => Command::Put { key, value },
            Change::Delete if self.store.get(key.as_str()).is_some() => Command::Delete { key },
            // With `async` the store stands at the log's end, so this is what a log entry would find out.
            Change::Delete => return self.reply(request, Reply::NoSuchKey),
            Change::Unusable => return self.reply(request, Reply::Unusable),
        };
        let id = EntryId {
            index: self.log.last_index() + 1,
            term: self.term,
            leader: self.config.id.clone(),
            boot: self.boot,
        };
        self.extend(vec![Entry { id, command }]);
        let leader = self.config.id.clone();
        self.reply(request, Reply::Done { leader });
        self.replicate(now);
    }

    /// Adds entries behind the log's end: to the disk, the log and the store.
    pub(super) fn extend(&mut self, entries: Vec<Entry>) {
        self.out
            .push(Action::Persist(Record::Append(entries.clone())));
        for entry in entries {
            self.store.apply(&entry.id, &entry.command);
            self.log.push(entry);
        }
        self.compact();
    }

    /// Keeps memory bounded by live data. A quarter above its window the log shrinks to it: often enough that no single
    /// turn is long, and seldom enough that snapshots, after which a store copies what it touches, cost little.
    fn compact(&mut self) {
        let window = self.config.log_window.max(self.store.len());
        let bytes = LOG_BYTES.max(self.store.bytes());
        let is_beyond = |held: usize, allowed: usize| held > allowed + allowed / 4;
        if !is_beyond(self.log.len(), window) && !is_beyond(self.log.bytes(), bytes) {
            return;
        }
        if let Some(compacted) = self.log.compact(window, bytes) {
            let snapshot = self.snapshot();
            self.out.push(Action::Persist(Record::Compact {
                snapshot,
                compacted,
            }));
        }
    }

    /// The store, as of the log's end. Costs nothing.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            last: self.log.last(),
            history: self.log.history().clone(),
            store: self.store.clone(),
        }
    }

    /// A peer known by address has an id now. One that turns out to be this node, or a peer known already, was listed
    /// twice and is forgotten.
    fn identify(&mut self, address: &NodeId, id: NodeId) {
        let members = &mut self.config.members;
        let Some(at) = members.iter().position(|member| member == address) else {
            return;
        };
        match members.contains(&id) {
            true => drop(members.remove(at)),
            false => members[at] = id.clone(),
        }
        match &mut self.part {
            Part::Standing(poll) => poll.rename(address, &id),
            Part::Leader(leading) => leading.rename(address, &id, &self.config.id),
            Part::Waiting | Part::Follower { .. } => {}
        }
    }

    fn role(&self) -> Role {
        match self.part {
            Part::Waiting | Part::Follower { .. } => Role::Follower,
            Part::Standing(_) => Role::Candidate,
            Part::Leader(_) => Role::Leader,
        }
    }

    pub(super) fn send(&mut self, to: NodeId, message: Message) {
        self.out.push(Action::Send { to, message });
    }

    pub(super) fn report(&mut self, event: Event) {
        self.out.push(Action::Report(event));
    }

    fn reply(&mut self, request: RequestId, reply: Reply) {
        self.out.push(Action::Reply { request, reply });
    }
}
