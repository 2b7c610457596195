//! What happens in a run, as whoever looks on is told.

use crate::event::Event;
use crate::protocol::{Message, Reply};
use crate::sim::plan::{Operation, Place};

/// Takes what happens, in order.
pub type Sink = Box<dyn FnMut(Moment) + Send>;

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
        /// What, in words.
        what: String,
    },
    /// A client's request reached a node.
    Requested {
        /// The number of the operation.
        operation: usize,
    },
    /// A client knows what became of what it asked.
    Answered {
        /// The number of the operation.
        operation: usize,
        /// Which client.
        client: u16,
        /// What became of it, in words.
        what: String,
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
