//! A node: the one door into the protocol. Something happens ([`Input`]), the node says what is to be done
//! ([`Action`]s), and between two steps it only waits for [`Node::next_deadline`].

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::planted::{Bug, is_planted};
use crate::protocol::door::{Action, Input, Reply, RequestId};
use crate::protocol::election::Standing;
use crate::protocol::install::{Incoming, SnapshotPiece};
use crate::protocol::log::Log;
use crate::protocol::message::Message;
use crate::protocol::progress::Leading;
use crate::protocol::reads::Asking;
use crate::protocol::record::Recovered;
use crate::rng::Rng;
use crate::store::Store;
use crate::types::{
    Boot, Config, Election, Index, Members, NodeId, TERM_JUMP, TERM_LIMIT, Term, Time, index_of,
    sooner,
};

/// One member of a cluster, without sockets, clocks or disks.
#[derive(Debug, Clone)]
pub struct Node {
    pub(super) config: Config,
    pub(super) boot: Boot,
    pub(super) rng: Rng,
    /// The highest term seen; always on the disk before anything said in it leaves.
    pub(super) term: Term,
    /// Whom this node voted for in `term`.
    pub(super) vote: Option<NodeId>,
    /// Whether the disk was lost, and with it promises that a vote could break.
    pub(super) recovering: bool,
    /// It stands because all nodes of a new cluster start together.
    pub(super) is_new_cluster: bool,
    pub(super) log: Log,
    pub(super) store: Store,
    /// Entries up to here stay, as far as the mode can promise it; with `async`, all.
    pub(super) commit: Index,
    /// Entries up to here are in the store.
    pub(super) applied: Index,
    /// The last index that a snapshot held.
    pub(super) snapshot_at: Index,
    /// How often the store was replaced as a whole.
    pub(super) epoch: u64,
    /// The members in force: the last that the log names, committed or not (§4.1).
    pub(super) members: Arc<Members>,
    /// The leader obeyed in `term`; itself if it leads.
    pub(super) leader: Option<NodeId>,
    /// When that leader was last heard.
    pub(super) heard: Time,
    pub(super) part: Part,
    pub(super) incoming: Option<Incoming>,
    pub(super) asking: Asking,
    pub(super) out: Vec<Action>,
}

/// What a node is doing.
#[derive(Debug, Clone)]
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
    Standing(Standing),
    /// Leads.
    Leader(Leading),
}

impl Node {
    /// A node on the disk `recovered`. `seed` decides all it will ever draw.
    pub fn new(config: Config, recovered: Recovered, seed: u64) -> Node {
        let log = Log::recover(&recovered);
        let applied = index_of(recovered.snapshot.last.as_ref());
        let known = match config.mode.commits() {
            true => recovered.commit.min(log.last_index()).max(applied),
            false => log.last_index(),
        };
        let mut node = Node {
            members: config.members.clone(),
            config,
            boot: recovered.boot,
            rng: Rng::new(seed),
            term: recovered.ballot.term,
            vote: recovered.ballot.vote,
            recovering: recovered.recovering && !is_planted(Bug::WipedVoterVotes),
            is_new_cluster: false,
            log,
            store: recovered.snapshot.store,
            commit: applied,
            applied,
            snapshot_at: applied,
            epoch: 0,
            leader: None,
            heard: Time::ZERO,
            part: Part::Waiting,
            incoming: None,
            asking: Asking::default(),
            out: Vec::new(),
        };
        node.take_members();
        if is_planted(Bug::AppliedFromCommit) {
            node.applied = known;
        }
        node.apply_upto(known);
        node
    }

    /// Takes in one thing that happened at `now`. The order of the actions is their contract (see [`Action`]).
    ///
    /// A driver that has more inputs at hand steps them too, and then ticks if a deadline is due: what a leader sends
    /// its followers is gathered until then.
    pub fn step(&mut self, now: Time, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        self.step_into(now, input, &mut actions);
        actions
    }

    /// The same; what is to be done is added to `actions`, so that a driver needs no new list for each step.
    pub fn step_into(&mut self, now: Time, input: Input, actions: &mut Vec<Action>) {
        self.out = mem::take(actions);
        self.take(now, input);
        *actions = mem::take(&mut self.out);
    }

    fn take(&mut self, now: Time, input: Input) {
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
                self.refused_campaign(now, &peer, message);
                self.refused_replication(&peer, message);
            }
            Input::Identified { address, id } => self.identify(&address, id),
            Input::Write {
                request,
                key,
                change,
                proviso,
            } => self.write(now, request, key, change, proviso),
            Input::Read { request } => self.read(now, request),
            Input::Members { request, change } => self.change_members(now, request, change),
            Input::Transfer { request, to } => self.transfer(now, request, to),
            Input::Trust => self.trust(),
        }
    }

    /// When [`Input::Tick`] is due; `None`: only a message can change anything.
    pub fn next_deadline(&self) -> Option<Time> {
        let part = match &self.part {
            Part::Waiting => None,
            Part::Follower { deadline, .. } => Some(*deadline),
            Part::Standing(standing) => Some(standing.deadline()),
            Part::Leader(leading) => leading.next_deadline(),
        };
        sooner(part, self.asking.deadline())
    }

    /// What a driver steps at the end of its turn at `now`: nothing, or that a deadline is due. If that comes so late that
    /// the process must have stood still, it says so first: what was not heard meanwhile proves nothing.
    pub fn due(&self, now: Time) -> impl Iterator<Item = Input> + use<> {
        let due = self.next_deadline().filter(|due| *due <= now);
        let is_late = due.is_some_and(|due| now - due > self.config.election_timeout / 2);
        let mut steps = u8::from(due.is_some()) + u8::from(is_late);
        std::iter::from_fn(move || {
            steps = steps.checked_sub(1)?;
            Some(match steps {
                0 => Input::Tick,
                _ => Input::Resumed,
            })
        })
    }

    /// The state machine.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What the node was told, with peers under the ids learned since.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The members in force.
    pub fn members(&self) -> &Members {
        &self.members
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
            false if is_planted(Bug::RevivedLowerIdTakesOver) => Duration::ZERO,
            false => self.patience(),
        };
        self.part = Part::Follower {
            deadline: now + wait,
            bootstrap,
        };
    }

    fn tick(&mut self, now: Time) {
        self.give_up_asking(now);
        match &self.part {
            Part::Follower {
                deadline,
                bootstrap,
            } if *deadline <= now => {
                let bootstrap = *bootstrap;
                self.stand(now, bootstrap);
            }
            Part::Standing(standing) if standing.deadline() <= now => self.campaign_timed_out(now),
            Part::Leader(_) => self.perform_duties(now),
            Part::Waiting | Part::Follower { .. } | Part::Standing(_) => {}
        }
    }

    /// Silence while standing still proves nothing: a whole election timeout begins anew. A leader goes on as one; the
    /// answers to its next heartbeats tell it if others have moved on.
    fn resume(&mut self, now: Time) {
        match &mut self.part {
            Part::Follower { .. } | Part::Standing(_) => self.follow_nobody(now),
            Part::Leader(leading) => leading.excuse_silence(now),
            Part::Waiting => {}
        }
    }

    fn receive(&mut self, now: Time, from: NodeId, message: Message) {
        match message {
            Message::Heartbeat {
                claim,
                round,
                commit,
            } => self.on_heartbeat(now, from, claim, round, commit),
            Message::Append {
                claim,
                round,
                prev,
                entries,
                commit,
            } => self.on_append(now, from, claim, round, (prev, entries, commit)),
            Message::InstallSnapshot {
                claim,
                round,
                boot,
                last,
                history,
                members,
                after,
                items,
                done,
            } => {
                let piece = SnapshotPiece {
                    boot,
                    last,
                    history,
                    members,
                    after,
                    items,
                    done,
                };
                self.on_snapshot_piece(now, from, claim, round, piece);
            }
            Message::HeartbeatAck { ref known, .. }
            | Message::AppendAck { ref known, .. }
            | Message::SnapshotAck { ref known, .. } => {
                if self.still_leads(now, known) {
                    self.on_answer(now, &from, message);
                }
            }
            // The asker's term commits nobody to anything: it has not led in it.
            Message::Probe { term: _ } => self.on_probe(now, from),
            Message::ProbeAck {
                known,
                heard_ago,
                contends,
            } => self.on_probe_ack(now, from, known, heard_ago, contends),
            Message::PreVote { term, last } => self.on_pre_vote(now, from, term, last),
            Message::Vote {
                term,
                last,
                transfer,
            } => self.on_vote(now, from, term, last, transfer),
            Message::VoteAck {
                known,
                term,
                pre,
                granted,
                heard_ago,
            } => self.on_vote_ack(now, from, known, (term, pre, granted), heard_ago),
            Message::TimeoutNow { claim } => self.on_timeout_now(now, &claim),
            Message::ReadIndex { id } => self.on_read_index(now, from, id),
            Message::ReadAt { claim, id, commit } => self.on_read_at(now, &claim, id, commit),
            Message::Restored {
                boot,
                claim,
                commit,
            } => self.on_restored(now, boot, &claim, commit),
            // Bare forms prove that their sender leads, and nothing about anybody's log. Where leaders are voted for,
            // a program that counts no votes is none.
            Message::BareHeartbeat { .. } | Message::WholeMap { .. }
                if self.config.mode.election != Election::LowestId => {}
            Message::BareHeartbeat { claim } => drop(self.obey(now, &claim)),
            Message::WholeMap { claim, data } => {
                if self.obey(now, &claim) {
                    self.merge(&claim, &data);
                }
            }
            Message::BareAck { to } => self.on_bare_ack(now, &from, to),
        }
    }

    /// A peer known by address has an id now. One that turns out to be this node, or a peer known already, was listed
    /// twice and is forgotten.
    fn identify(&mut self, address: &NodeId, id: NodeId) {
        Arc::make_mut(&mut self.config.members).rename(address, &id);
        if !self.members.contains(address) {
            return;
        }
        Arc::make_mut(&mut self.members).rename(address, &id);
        match &mut self.part {
            Part::Standing(standing) => standing.rename(address, &id),
            Part::Leader(leading) => leading.rename(address, &id, &self.config.id),
            Part::Waiting | Part::Follower { .. } => {}
        }
    }

    pub(super) fn send(&mut self, to: NodeId, message: Message) {
        self.out.push(Action::Send { to, message });
    }

    pub(super) fn report(&mut self, event: Event) {
        self.out.push(Action::Report(event));
    }

    pub(super) fn reply(&mut self, request: RequestId, reply: Reply) {
        self.out.push(Action::Reply { request, reply });
    }
}
