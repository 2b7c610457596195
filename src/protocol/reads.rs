//! Linearizable reads by read index (Ongaro's dissertation, §6.4): a leader may answer from its store once it knows that
//! it still led after the question came, and that it has applied everything committed before.
//!
//! The first is shown by a majority that answers a message sent after the question: one round serves all reads that wait
//! for it. The second needs an entry of the leader's own term to be committed (etcd#7331 forgot that). A follower asks
//! its leader up to where it must have applied, for all its waiting clients at once, and then answers from its own store.

use std::collections::VecDeque;

use crate::planted::{Bug, is_planted};
use crate::protocol::clients::MOST_WAITING;
use crate::protocol::door::{Reply, RequestId};
use crate::protocol::duties::Duty;
use crate::protocol::message::Message;
use crate::protocol::node::{Node, Part};
use crate::types::{EntryId, Leadership, NodeId, Time, index_of, sooner};

/// What a leader keeps of reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    waiting: VecDeque<Read>,
    /// A round of questions is under way: answers above this number end it. `u64::MAX` before it has left.
    confirming: Option<u64>,
}

#[derive(Debug, Clone)]
struct Read {
    reader: Reader,
    /// Answers to messages above this number prove that this leader led after the question came.
    round: u64,
    deadline: Time,
}

#[derive(Debug, Clone)]
enum Reader {
    Client(RequestId),
    Follower(NodeId, u64),
}

impl Reads {
    /// Whether nobody reads.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.confirming.is_none()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.waiting.front().map(|read| read.deadline)
    }
}

/// What a follower keeps of its clients' reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Asking {
    last_id: u64,
    /// They came after the last question left.
    waiting: Vec<RequestId>,
    /// When the next question leaves.
    ask_at: Option<Time>,
    asked: Option<Question>,
    /// They may be answered once this is applied.
    granted: VecDeque<(Option<EntryId>, Question)>,
}

#[derive(Debug, Clone)]
struct Question {
    id: u64,
    requests: Vec<RequestId>,
    deadline: Time,
}

impl Asking {
    /// Whether nobody ever asked.
    pub(super) fn is_idle(&self) -> bool {
        self.last_id == 0 && self.waiting.is_empty()
    }

    /// How many wait.
    fn len(&self) -> usize {
        let granted = self.granted.iter().map(|(_, question)| question);
        let questions = self.asked.iter().chain(granted);
        self.waiting.len() + questions.map(|q| q.requests.len()).sum::<usize>()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        let asked = self.asked.as_ref().map(|question| question.deadline);
        let granted = self.granted.front().map(|(_, question)| question.deadline);
        sooner(self.ask_at, sooner(asked, granted))
    }
}

impl Node {
    pub(super) fn read(&mut self, now: Time, request: RequestId) {
        if !self.config.mode.is_linearizable() {
            return self.reply(request, Reply::Unsupported);
        }
        if matches!(self.part, Part::Leader(_)) {
            return self.register(now, Reader::Client(request));
        }
        if self.leader.is_none() {
            let reason = "no leader is known".to_owned();
            return self.reply(request, Reply::Unavailable { reason });
        }
        if self.asking.len() >= MOST_WAITING {
            return self.refuse_read(request);
        }
        self.asking.waiting.push(request);
        if self.asking.asked.is_none() {
            self.asking.ask_at = Some(now);
        }
    }

    pub(super) fn on_read_index(&mut self, now: Time, from: NodeId, id: u64) {
        if matches!(self.part, Part::Leader(_)) && self.config.mode.is_linearizable() {
            self.register(now, Reader::Follower(from, id));
        }
    }

    fn refuse_read(&mut self, request: RequestId) {
        let reason = "too many reads wait already".to_owned();
        self.reply(request, Reply::Unavailable { reason });
    }

    fn register(&mut self, now: Time, reader: Reader) {
        let deadline = now + self.config.write_timeout;
        if let Part::Leader(leading) = &mut self.part {
            if leading.reads.waiting.len() >= MOST_WAITING {
                return match reader {
                    Reader::Client(request) => self.refuse_read(request),
                    // It gives up in time.
                    Reader::Follower(..) => {}
                };
            }
            let round = leading.round;
            leading.reads.waiting.push_back(Read {
                reader,
                round,
                deadline,
            });
        }
        self.ask_everybody(now);
        self.confirm_reads(now);
    }

    /// A round of questions leaves at the end of this turn, unless one is under way.
    fn ask_everybody(&mut self, now: Time) {
        let own = self.config.id.clone();
        if let Part::Leader(leading) = &mut self.part
            && leading.reads.confirming.is_none()
        {
            leading.reads.confirming = Some(u64::MAX);
            leading.duties.insert((now, Duty::Confirm, own));
        }
    }

    /// Sends a round: heartbeats, whose answers confirm everything that was asked before. As many voters are asked as
    /// make a majority, those heard last: if one of them does not answer, the next regular heartbeats reach the others.
    pub(super) fn confirm(&mut self) {
        let own = self.config.id.clone();
        let enough = self.members.majority() - usize::from(self.members.votes(&own));
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        leading.reads.confirming = Some(leading.round);
        let others = self.members.voters.iter().filter(|id| **id != own);
        let heard = |id: &NodeId| {
            let intact = leading.followers.get(id).filter(|p| p.intact);
            intact.and_then(|p| p.heard)
        };
        let mut others: Vec<(Option<Time>, NodeId)> =
            others.map(|id| (heard(id), id.clone())).collect();
        others.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (_, voter) in others.into_iter().take(enough) {
            if let Part::Leader(leading) = &mut self.part {
                let round = leading.next_round();
                self.send_heartbeat(voter, round);
            }
        }
    }

    /// Answers the reads that are confirmed, and begins a round for those that came meanwhile.
    pub(super) fn confirm_reads(&mut self, now: Time) {
        while let Part::Leader(leading) = &self.part
            && (self.commit >= leading.began
                || is_planted(Bug::ReadBeforeOwnCommit)
                || is_planted(Bug::NoNoop))
            && let Some(first) = leading.reads.waiting.front()
            && (self.is_confirmed(first.round) || is_planted(Bug::ReadWithoutRound))
        {
            self.grant_first();
        }
        let Part::Leader(leading) = &self.part else {
            return;
        };
        let round = leading.reads.confirming;
        let is_over = round.is_some_and(|round| self.is_confirmed(round));
        let more = !leading.reads.waiting.is_empty();
        if is_over && let Part::Leader(leading) = &mut self.part {
            leading.reads.confirming = None;
            if more {
                self.ask_everybody(now);
            }
        }
    }

    fn grant_first(&mut self) {
        let (claim, commit) = (self.claim(), self.committed());
        let Part::Leader(leading) = &mut self.part else {
            return;
        };
        match leading.reads.waiting.pop_front().map(|read| read.reader) {
            Some(Reader::Client(request)) => self.reply(request, Reply::Readable),
            Some(Reader::Follower(to, id)) => {
                self.send(to, Message::ReadAt { claim, id, commit });
            }
            None => {}
        }
    }

    pub(super) fn give_up_reads(&mut self, now: Time) {
        while let Part::Leader(leading) = &mut self.part
            && leading.reads.deadline().is_some_and(|due| due <= now)
            && let Some(read) = leading.reads.waiting.pop_front()
        {
            let within = self.config.write_timeout;
            let reason = format!("no majority confirmed this leader within {within:?}");
            if let Reader::Client(request) = read.reader {
                self.reply(request, Reply::Unavailable { reason });
            }
        }
    }

    pub(super) fn abandon_reads(&mut self, reads: Reads) {
        for read in reads.waiting {
            if let Reader::Client(request) = read.reader {
                let reason = "this node leads no more".to_owned();
                self.reply(request, Reply::Unavailable { reason });
            }
        }
    }

    /// Asks the leader for all that wait; gives up what waited too long.
    pub(super) fn give_up_asking(&mut self, now: Time) {
        if self.asking.ask_at.is_some_and(|at| at <= now) {
            self.asking.ask_at = None;
            self.ask_leader(now);
        }
        if let Some(question) = self.asking.asked.take_if(|asked| asked.deadline <= now) {
            let timeout = self.config.election_timeout;
            self.fail_reads(
                question.requests,
                &format!("the leader did not answer within {timeout:?}"),
            );
            self.ask_leader(now);
        }
        while self
            .asking
            .granted
            .front()
            .is_some_and(|(_, q)| q.deadline <= now)
            && let Some((_, question)) = self.asking.granted.pop_front()
        {
            self.fail_reads(question.requests, "this node did not catch up in time");
        }
    }

    fn ask_leader(&mut self, now: Time) {
        let Some(leader) = self.leader.clone() else {
            return self.stop_asking("no leader is known");
        };
        if self.asking.waiting.is_empty() || self.asking.asked.is_some() {
            return;
        }
        if self.asking.last_id == 0 {
            // Each life begins elsewhere: an answer to an earlier one's question is none to this one's.
            self.asking.last_id = self.rng.draw() << 16;
        }
        self.asking.last_id += 1;
        let id = self.asking.last_id;
        self.asking.asked = Some(Question {
            id,
            requests: std::mem::take(&mut self.asking.waiting),
            deadline: now + self.config.election_timeout,
        });
        self.send(leader, Message::ReadIndex { id });
    }

    pub(super) fn on_read_at(
        &mut self,
        now: Time,
        claim: &Leadership,
        id: u64,
        commit: Option<EntryId>,
    ) {
        if !self.obey(now, claim) {
            return;
        }
        if let Some(question) = self.asking.asked.take_if(|asked| asked.id == id) {
            self.asking.granted.push_back((commit.clone(), question));
        }
        self.learn_commit(commit.as_ref(), 0);
        self.answer_reads();
        self.ask_leader(now);
    }

    /// Whether the store is as of `commit` or later. The entry itself must be part of the history: after a mode that
    /// promises less, a disk may hold more, and other things.
    fn has_applied(&self, commit: Option<&EntryId>) -> bool {
        let is_applied = index_of(commit) <= self.applied && self.log.contains(commit);
        is_applied || is_planted(Bug::ReadBeforeApplied)
    }

    /// Answers what may be answered from the store as it is.
    pub(super) fn answer_reads(&mut self) {
        while self
            .asking
            .granted
            .front()
            .is_some_and(|(commit, _)| self.has_applied(commit.as_ref()))
            && let Some((_, question)) = self.asking.granted.pop_front()
        {
            for request in question.requests {
                self.reply(request, Reply::Readable);
            }
        }
    }

    pub(super) fn stop_asking(&mut self, reason: &str) {
        let Asking {
            waiting,
            asked,
            granted,
            ..
        } = &mut self.asking;
        let mut all = std::mem::take(waiting);
        let questions = asked
            .take()
            .into_iter()
            .chain(granted.drain(..).map(|(_, q)| q));
        all.extend(questions.flat_map(|question| question.requests));
        self.asking.ask_at = None;
        self.fail_reads(all, reason);
    }

    fn fail_reads(&mut self, requests: Vec<RequestId>, reason: &str) {
        for request in requests {
            let reason = reason.to_owned();
            self.reply(request, Reply::Unavailable { reason });
        }
    }
}
