//! What a run is made of: everything that will be done to a cluster, when, and to whom. A plan decides its run: played
//! twice, it gives the same trace.

use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Permille, Verdict};
use crate::sim::expect::Expect;
use crate::types::{Mode, Safeguards};

/// A time, or a span of it, in microseconds of virtual time.
pub type Micros = u64;

/// A node, by the k - 1 of `node-k`.
pub type Place = u8;

/// A run, before it is played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Where it came from; decides what nodes and links draw.
    pub seed: u64,
    /// How many nodes the cluster has at first.
    pub nodes: usize,
    /// The rules.
    pub mode: Mode,
    /// What keeps raft elections calm.
    pub safeguards: Safeguards,
    /// How fast everything is, and how large.
    pub scale: Scale,
    /// Which kinds of faults were drawn, and how dense.
    pub kinds: Vec<(Kind, Intensity)>,
    /// How many clients ask.
    pub clients: usize,
    /// What the run is held to.
    pub expect: Expect,
    /// What happens, in order of time.
    pub steps: Vec<Timed>,
    /// When the faults end.
    pub until: Micros,
    /// What comes then; `None`: the run just ends.
    pub finale: Option<Finale>,
    /// What becomes of single messages, in place of all chances; those not named arrive promptly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fates: Option<Vec<Fate>>,
}

/// How a run ends: everything is healed, and must go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finale {
    /// Decides which quorum is healed first, and what becomes of the others.
    pub pick: u64,
    /// A quorum is healed first, and must go on alone.
    pub part_first: bool,
}

/// How fast everything is, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scale {
    /// See [`Config`](crate::types::Config).
    pub heartbeat: Micros,
    /// See [`Config`](crate::types::Config).
    pub election_timeout: Micros,
    /// See [`Config`](crate::types::Config).
    pub write_timeout: Micros,
    /// See [`Config`](crate::types::Config).
    pub append_pause: Micros,
    /// The least a message takes.
    pub latency: Micros,
    /// How much longer it may take.
    pub jitter: Micros,
    /// The least a synced write takes; 0: none takes any time.
    pub disk: Micros,
    /// How much longer it may take.
    pub disk_jitter: Micros,
    /// See [`Config`](crate::types::Config).
    pub log_window: usize,
    /// See [`Config`](crate::types::Config).
    pub snapshot_every: Option<usize>,
    /// See [`Config`](crate::types::Config).
    pub append_bytes: usize,
    /// How many keys clients use.
    pub keys: usize,
}

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timed {
    /// When.
    pub at: Micros,
    /// What.
    pub step: Step,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A fault begins; `number` names it.
    Fault {
        /// Its name.
        number: u32,
        /// What it is.
        harm: Harm,
    },
    /// The fault of that number ends, if it is in force.
    Lift(u32),
    /// An operator asks the leader for something.
    Operate(Operation),
    /// A client asks for something.
    Ask {
        /// Which client.
        client: u16,
        /// What it asks.
        call: Call,
    },
}

/// Who is meant; found out when the step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// This node.
    Node(Place),
    /// Whoever leads; of several, the greatest claim.
    Leader,
    /// One that does not lead.
    Follower(Place),
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// A node dies; when it is lifted, it starts again on its disk.
    Crash {
        /// Who.
        who: Who,
        /// As a power cut: what was not synced is lost, and of what is being written some part.
        power: bool,
        /// It dies in the middle of its next write.
        writing: bool,
        /// And then a bit of its disk flips: it cannot be read any more, and starts empty.
        damaged: bool,
    },
    /// A node stands still; its port stays open.
    Pause(Who),
    /// A node's clock runs at so many millionths of the true speed.
    Skew(Who, u32),
    /// A node's clock jumps ahead.
    Jump(Who, Micros),
    /// A node's disk takes so much longer.
    SlowDisk(Who, Micros),
    /// A node's next sync fails; when it is lifted, the node is restarted.
    FailSync(Who),
    /// Nodes that are in different groups do not hear each other.
    Partition(Vec<Vec<Place>>),
    /// A node is cut off: from all, or only what it says, or only what it hears.
    Isolate {
        /// Who.
        who: Who,
        /// What it says is lost.
        out: bool,
        /// What it should hear is lost.
        into: bool,
    },
    /// Messages between some and others fare like this.
    Links {
        /// Who says it.
        from: Vec<Place>,
        /// Who should hear it.
        to: Vec<Place>,
        /// What becomes of it.
        fault: Fault,
    },
}

impl Harm {
    /// Whether a node dies of it.
    pub fn is_crash(&self) -> bool {
        matches!(self, Harm::Crash { .. })
    }
}

/// What an operator asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// One more node.
    Add,
    /// One node less.
    Remove(Who),
    /// Another leader: this one, or whoever has most.
    Transfer(Option<Who>),
}

/// What a client asks for, of a key by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// The value.
    Read {
        /// Of which key.
        key: u16,
        /// What the answer must be.
        consistency: Reading,
    },
    /// A new value.
    Put {
        /// Of which key.
        key: u16,
        /// Whether the write has a name, and is asked for again until it is answered.
        named: bool,
    },
    /// A new value, if it is still the one this client saw last; if there is none, if it saw none.
    Swap {
        /// Of which key.
        key: u16,
        /// As of a put.
        named: bool,
    },
    /// No value.
    Delete {
        /// Of which key.
        key: u16,
    },
}

/// What is asked of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Any node's store.
    Local(Place),
    /// The leader's store.
    Leader,
    /// What was committed when it was asked, from any node.
    Linearizable(Place),
}

/// What becomes of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fate {
    /// Who said it.
    pub from: Place,
    /// To whom.
    pub to: Place,
    /// The how-many-th from the one to the other.
    pub nth: u32,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// The kinds of fault that can be asked for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nodes die, by kill or power cut, and start again
    Crash,
    /// The network splits, or loses a node, both ways or one way
    Partition,
    /// Messages are late
    Delay,
    /// Messages are lost, alone or in runs
    Drop,
    /// Messages arrive twice
    Duplicate,
    /// Messages overtake each other
    Reorder,
    /// Nodes stand still
    Pause,
    /// Clocks run fast or slow, or jump
    Skew,
    /// Disks are slow, fail to sync, or are damaged
    Disk,
    /// Members come and go, and leadership is handed over (raft)
    #[value(alias = "member")]
    Membership,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 10] = [
        Kind::Crash,
        Kind::Partition,
        Kind::Delay,
        Kind::Drop,
        Kind::Duplicate,
        Kind::Reorder,
        Kind::Pause,
        Kind::Skew,
        Kind::Disk,
        Kind::Membership,
    ];
}

/// What one run has of each kind of fault, in 1,000: 0 not at all, 1,000 as much as there can be.
pub type Intensity = Permille;
