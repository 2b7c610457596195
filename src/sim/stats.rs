//! What a run met: how much of everything, and which of the rules of the protocol it exercised.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::protocol::message::{AppendOutcome, SnapshotProgress};
use crate::protocol::{Message, MessageKind, Reply};
use crate::sim::plan::{Kind, Place};
use crate::types::{Election, Mode, Replication, Term};

macro_rules! met {
    ($($name:ident $text:literal $reach:expr;)*) => {
        /// Something that a run can meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each says what it is in words")]
        pub enum Met { $($name,)* }

        impl Met {
            /// Everything that can be met.
            pub const ALL: &'static [Met] = &[$(Met::$name,)*];

            /// In words.
            pub fn text(self) -> &'static str {
                match self { $(Met::$name => $text,)* }
            }

            /// Where it can be met: in which modes, and with which faults.
            fn reach(self) -> Reach {
                match self { $(Met::$name => $reach,)* }
            }
        }
    };
}

/// Where something can be met.
#[derive(Debug, Clone, Copy)]
enum Reach {
    /// Anywhere.
    Always,
    /// With one of these faults.
    With(&'static [Kind]),
    /// In raft with commits, with one of these faults (none named: with any or none).
    Raft(&'static [Kind]),
    /// Where leaders are voted for by log.
    Votes(&'static [Kind]),
    /// Where entries are committed.
    Commits(&'static [Kind]),
    /// Where acknowledged writes can be lost.
    Lossy(&'static [Kind]),
    /// In lowest-id.
    LowestId(&'static [Kind]),
    /// It depends on chance too much to be asked for.
    Perhaps,
}

use Kind::*;
use Reach::*;

const ANY_OUTAGE: &[Kind] = &[Crash, Partition, Pause, Drop];

met! {
    Killed "a node killed" With(&[Crash]);
    PowerCut "a power cut" With(&[Crash]);
    TornWrite "a write interrupted by a power cut" With(&[Crash]);
    DiskLost "a damaged disk replaced" With(&[Disk]);
    SyncFailed "a sync that failed" With(&[Disk]);
    DiskSlow "a slow disk" With(&[Disk]);
    Paused "a node standing still" With(&[Pause]);
    Resumed "a node that noticed it had stood still" With(&[Pause]);
    Skewed "a clock at the wrong speed" With(&[Skew]);
    Jumped "a clock that jumped" With(&[Skew]);
    Partitioned "a partition" With(&[Partition]);
    Isolated "a node cut off" With(&[Partition]);
    CutOneWay "a node cut off one way" With(&[Partition]);
    Cut "a message lost to a cut" With(&[Partition]);
    Dropped "a message lost by chance" With(&[Drop]);
    Delayed "a message delayed" With(&[Delay, Reorder]);
    Duplicated "a message doubled" With(&[Duplicate]);
    MemberAdded "a member added" Raft(&[Membership]);
    MemberRemoved "a member removed" Raft(&[Membership]);
    MemberRefused "a change of members refused" Raft(&[Membership]);
    Transferred "leadership handed over" Raft(&[Membership]);
    TransferRefused "a transfer that came to nothing" Raft(&[Membership]);
    PortRefused "a message to a closed port" With(&[Crash]);
    Election "an election" With(ANY_OUTAGE);
    Leader "a leader" Always;
    SteppedDown "a leader that stepped down" With(&[Partition, Pause]);
    NoQuorum "a leader that heard no majority" Raft(&[Partition]);
    SplitVote "a split vote" Votes(ANY_OUTAGE);
    VoteGranted "a vote given" Votes(ANY_OUTAGE);
    VoteRefused "a vote refused" Votes(ANY_OUTAGE);
    PreVoteGranted "a pre-vote given" Votes(ANY_OUTAGE);
    PreVoteRefused "a pre-vote refused" Votes(ANY_OUTAGE);
    Waited "a node that waited for a better leader" LowestId(ANY_OUTAGE);
    StaleHeartbeat "a heartbeat of an outdated leader" With(&[Partition, Pause]);
    StaleAppend "an append of an outdated leader" With(&[Partition, Pause]);
    StaleSnapshot "a snapshot of an outdated leader" Perhaps;
    Mismatch "an append that did not fit" With(ANY_OUTAGE);
    Truncated "entries taken back" Commits(&[Partition, Crash, Pause]);
    SnapshotSent "a snapshot sent" With(ANY_OUTAGE);
    SnapshotInPieces "a snapshot in several pieces" With(ANY_OUTAGE);
    SnapshotInstalled "a snapshot installed" With(ANY_OUTAGE);
    SnapshotOverDiverged "a snapshot over a log of another history" With(ANY_OUTAGE);
    Lost "acknowledged or applied writes lost, and reported" Lossy(ANY_OUTAGE);
    Restored "a node whose disk was lost votes again" Raft(&[Disk]);
    StaleRead "a stale read" With(ANY_OUTAGE);
    NotLeader "a request refused by a node that does not lead" Always;
    OutcomeUnknown "a write of which nobody knows" Commits(ANY_OUTAGE);
    Unavailable "a read refused" Raft(ANY_OUTAGE);
    Readable "a linearizable read" Raft(&[]);
    Unmet "a condition that did not hold" Always;
    NoSuchKey "a delete of what was not there" Always;
    NamedRepeat "a named write repeated, and done once" With(ANY_OUTAGE);
    ClientTimeout "a client without an answer" With(&[Pause]);
}

impl Met {
    /// Whether it can be expected in enough runs of `mode` with these faults.
    pub fn is_expected(self, mode: Mode, faults: &[Kind]) -> bool {
        let any = |kinds: &[Kind]| kinds.is_empty() || kinds.iter().any(|k| faults.contains(k));
        let is_raft = mode.election == Election::Raft;
        let is_lossy = !mode.is_linearizable() && mode.replication != Replication::Sync;
        match self.reach() {
            Always => true,
            With(kinds) => any(kinds),
            Raft(kinds) => mode.is_linearizable() && any(kinds),
            Votes(kinds) => is_raft && any(kinds),
            Commits(kinds) => mode.commits() && any(kinds),
            Lossy(kinds) => is_lossy && any(kinds),
            LowestId(kinds) => mode.election == Election::LowestId && any(kinds),
            Perhaps => false,
        }
    }
}

/// What one run, or many, met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Things that happened.
    pub events: u64,
    /// Operations that clients asked for.
    pub asked: u64,
    /// Writes that were acknowledged.
    pub acknowledged: u64,
    /// Operations of which nobody knows what became of them.
    pub unknown: u64,
    /// Histories on which the judge could not decide.
    pub undecided: u64,
    /// How often somebody else led than before.
    pub leader_changes: u64,
    /// Snapshots installed.
    pub snapshots: u64,
    /// How often each [`Met`] was met.
    met: Vec<u64>,
    /// How many messages of each kind arrived.
    messages: Vec<u64>,
    #[serde(skip)]
    votes_asked: BTreeMap<Term, u32>,
    #[serde(skip)]
    led: BTreeMap<Term, Place>,
    #[serde(skip)]
    last_leader: Option<Place>,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats {
            events: 0,
            asked: 0,
            acknowledged: 0,
            unknown: 0,
            undecided: 0,
            leader_changes: 0,
            snapshots: 0,
            met: vec![0; Met::ALL.len()],
            messages: vec![0; MessageKind::ALL.len()],
            votes_asked: BTreeMap::new(),
            led: BTreeMap::new(),
            last_leader: None,
        }
    }
}

impl Stats {
    pub(super) fn meet(&mut self, met: Met) {
        self.met[met as usize] += 1;
    }

    /// How often it was met.
    pub fn count(&self, met: Met) -> u64 {
        self.met[met as usize]
    }

    /// How many messages of a kind arrived.
    pub fn messages(&self, kind: MessageKind) -> u64 {
        self.messages[kind as usize]
    }

    /// How many messages of each kind arrived.
    pub fn all_messages(&self) -> impl Iterator<Item = (MessageKind, u64)> {
        MessageKind::ALL
            .iter()
            .map(|kind| (*kind, self.messages(*kind)))
    }

    /// Whether it counts all that can be met; what was read from a file may not.
    pub(super) fn is_whole(&self) -> bool {
        self.met.len() == Met::ALL.len() && self.messages.len() == MessageKind::ALL.len()
    }

    /// How many kinds of faults took effect.
    pub fn kinds_of_faults(&self) -> usize {
        let kinds: [&[Met]; 9] = [
            &[Met::Killed, Met::PowerCut],
            &[Met::Partitioned, Met::Isolated, Met::CutOneWay],
            &[Met::Delayed],
            &[Met::Dropped],
            &[Met::Duplicated],
            &[Met::Paused],
            &[Met::Skewed, Met::Jumped],
            &[Met::DiskLost, Met::SyncFailed, Met::DiskSlow],
            &[Met::MemberAdded, Met::MemberRemoved, Met::Transferred],
        ];
        let took_effect = |those: &&&[Met]| those.iter().any(|met| self.count(*met) > 0);
        kinds.iter().filter(took_effect).count()
    }

    /// Adds what another run met.
    pub fn add(&mut self, other: &Stats) {
        self.events += other.events;
        self.asked += other.asked;
        self.acknowledged += other.acknowledged;
        self.unknown += other.unknown;
        self.undecided += other.undecided;
        self.leader_changes += other.leader_changes;
        self.snapshots += other.snapshots;
        let add = |mine: &mut Vec<u64>, theirs: &Vec<u64>| {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        };
        add(&mut self.met, &other.met);
        add(&mut self.messages, &other.messages);
    }

    /// The run is over: what only shows then is counted.
    pub(super) fn close(&mut self) {
        let is_split = |(term, candidates): (&Term, &u32)| {
            candidates.count_ones() > 1 && !self.led.contains_key(term)
        };
        let split = self
            .votes_asked
            .iter()
            .filter(|(t, c)| is_split((t, c)))
            .count();
        self.met[Met::SplitVote as usize] += split as u64;
    }

    pub(super) fn asks_for_vote(&mut self, place: Place, term: Term) {
        *self.votes_asked.entry(term).or_default() |= 1 << place;
    }

    /// A message arrived at a node that lives.
    pub(super) fn arrived(&mut self, message: &Message) {
        self.messages[message.kind() as usize] += 1;
        match message {
            Message::HeartbeatAck { round: 0, .. } => self.meet(Met::StaleHeartbeat),
            Message::AppendAck { outcome, .. } => match outcome {
                AppendOutcome::Stored(_) => {}
                AppendOutcome::Mismatch { .. } => self.meet(Met::Mismatch),
                AppendOutcome::Stale => self.meet(Met::StaleAppend),
            },
            Message::InstallSnapshot { after, done, .. } => match (after, done) {
                (None, true) => self.meet(Met::SnapshotSent),
                (None, false) => {
                    self.meet(Met::SnapshotSent);
                    self.meet(Met::SnapshotInPieces);
                }
                _ => {}
            },
            Message::SnapshotAck {
                progress: SnapshotProgress::Stale,
                ..
            } => self.meet(Met::StaleSnapshot),
            Message::VoteAck { pre, granted, .. } => self.meet(match (pre, granted) {
                (true, true) => Met::PreVoteGranted,
                (true, false) => Met::PreVoteRefused,
                (false, true) => Met::VoteGranted,
                (false, false) => Met::VoteRefused,
            }),
            _ => {}
        }
    }

    /// A node reported something.
    pub(super) fn happened(&mut self, place: Place, event: &Event) {
        match event {
            Event::Election { .. } => self.meet(Met::Election),
            Event::Leader { term } => {
                self.meet(Met::Leader);
                self.led.insert(*term, place);
                let before = self.last_leader.replace(place);
                self.leader_changes += u64::from(before.is_some_and(|before| before != place));
            }
            Event::SteppedDown { .. } => self.meet(Met::SteppedDown),
            Event::NoQuorum { .. } => self.meet(Met::NoQuorum),
            Event::Waiting { .. } => self.meet(Met::Waited),
            Event::Discarded { .. } => self.meet(Met::Truncated),
            Event::Snapshot { .. } => {
                self.snapshots += 1;
                self.meet(Met::SnapshotInstalled);
            }
            Event::Lost(_) => self.meet(Met::Lost),
            Event::Restored { .. } => self.meet(Met::Restored),
            _ => {}
        }
    }

    /// A node replied to a client or an operator.
    pub(super) fn replied(&mut self, reply: &Reply) {
        match reply {
            Reply::NotLeader { .. } => self.meet(Met::NotLeader),
            Reply::Unknown { .. } | Reply::GivenUp { .. } => self.meet(Met::OutcomeUnknown),
            Reply::Unavailable { .. } => self.meet(Met::Unavailable),
            Reply::Readable => self.meet(Met::Readable),
            Reply::Unmet { .. } => self.meet(Met::Unmet),
            Reply::NoSuchKey => self.meet(Met::NoSuchKey),
            _ => {}
        }
    }
}
