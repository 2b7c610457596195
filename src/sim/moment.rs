//! What happens in a run, as whoever looks on is told.

use crate::check::history::{Call, End, Text};
use crate::event::Event;
use crate::protocol::{Message, Record, Reply};
use crate::sim::plan::{Harm, Operation, Place, Reading};
use crate::types::EntryId;
use crate::value::Key;

/// Takes what happens, in order.
pub type Sink = Box<dyn FnMut(Moment) + Send>;

/// Faults of this number and above outlive the end of all others.
pub const FOR_EVER: u32 = 0xffff_0000;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Moment {
    /// When, in nanoseconds of virtual time.
    pub at: u64,
    /// To which node, or at which; 0 where no node is meant.
    pub place: Place,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What {
    /// A node sent a message.
    Sent {
        /// To whom.
        to: Place,
        /// The how-many-th from the one to the other.
        nth: u32,
        /// What it says.
        message: Box<Message>,
        /// What becomes of it.
        fated: Fated,
    },
    /// A message arrived, whether or not anybody was there.
    Arrived {
        /// From whom.
        from: Place,
        /// The how-many-th from the one to the other.
        nth: u32,
    },
    /// A node's disk keeps something from now on: all that was written, or what a power cut left of it.
    Kept(Vec<Record>),
    /// A node reported something.
    Reported(Event),
    /// A node started on the disk it has.
    Started,
    /// A node died.
    Died {
        /// As in a power cut.
        power: bool,
    },
    /// A node's disk could not be read and was replaced by an empty one.
    DiskLost,
    /// A node's disk failed to sync.
    DiskFailed,
    /// A node stands still.
    Paused,
    /// It goes on.
    Resumed,
    /// A fault began, in words.
    Harmed {
        /// Its number.
        number: u32,
        /// What it is.
        harm: Harm,
        /// The same in words.
        what: String,
    },
    /// A fault ended.
    Lifted {
        /// Its number.
        number: u32,
    },
    /// The faults are over for some nodes, and for ever there for others.
    Healed {
        /// Those who must go on; empty: everybody is healed.
        quorum: Vec<Place>,
    },
    /// An operator asked the leader.
    Operated {
        /// For what.
        operation: Operation,
        /// Which node it is about, if it is about one.
        whom: Option<Place>,
    },
    /// An operator was answered.
    OperatorAnswered {
        /// How.
        reply: Reply,
    },
    /// A client asked for something.
    Asked {
        /// The number of the operation.
        operation: usize,
        /// Which client.
        client: u16,
        /// Of which key.
        key: Key,
        /// What; no two write the same value.
        call: Call,
        /// If it reads: what is asked of the answer.
        reading: Option<Reading>,
        /// All that in words.
        what: String,
    },
    /// A client was to ask for something, and never does: too much waits for it to be free.
    LeftOut {
        /// Which client.
        client: u16,
    },
    /// A client's request reached a node.
    Requested {
        /// The number of the operation.
        operation: usize,
    },
    /// A node answers a client: it leaves then.
    Replied {
        /// The number of the operation.
        operation: usize,
        /// The entry that did it, or that wrote what was read.
        entry: Option<EntryId>,
        /// The answer, in words.
        what: String,
    },
    /// A client knows what became of what it asked.
    Answered {
        /// The number of the operation.
        operation: usize,
        /// Which client.
        client: u16,
        /// What became of it; `None`: it surely did not happen.
        end: Option<End>,
        /// The same in words.
        what: String,
    },
    /// When all is quiet, somebody reads at the leader, or where all are to be equal, at every node.
    Found {
        /// Which key.
        key: Key,
        /// What it holds.
        seen: Text,
    },
    /// Something that must hold does not.
    Violated {
        /// Its name.
        invariant: &'static str,
        /// How that shows.
        what: String,
    },
}

/// When a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fated {
    /// When; `None`: it is lost.
    pub arrives: Option<u64>,
    /// When it arrives once more.
    pub again: Option<u64>,
}
