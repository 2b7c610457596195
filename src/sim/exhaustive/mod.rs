//! Every order of everything, within small bounds: what a few nodes can do is not sampled, it is all looked at.
//!
//! The nodes are the very [`Node`](crate::protocol::Node)s that run on ports, with the disks that `kill` and `revive` use. A *state*
//! is what all of them are, what is on the wire, and what happened before as far as an invariant asks for it (who led which
//! term, what was committed). From every state every possible step is taken, breadth first, and after each the invariants
//! are checked ([`Invariant`]). So what is found has the shortest story there is, and what is not found is not there.
//!
//! # What may happen
//!
//! - **A message arrives**: any of those on the wire, in any order. It may arrive twice as often as [`Bounds::duplicates`] says.
//! - **A message is lost**: it stays on the wire for ever. So any number of losses is looked at, and costs nothing: whatever the
//!   nodes can come to when a message is taken off the wire, they come to when it is left there and not delivered.
//! - **A node's patience ends**, at any moment, [`Bounds::timeouts`] times in all.
//! - **A leader lets a heartbeat interval pass**, [`Bounds::heartbeats`] times in all, and does what is due by then.
//! - **A node crashes** and starts again at any later moment, [`Bounds::crashes`] times in all. What it was told to keep is kept;
//!   what promises nothing (the commit index in `raft`) is lost. A node that crashes while a message makes it write several
//!   records may find the first few of them. Meanwhile its port may refuse what is sent to it.
//! - **A client writes** to whoever thinks it leads, [`Bounds::writes`] times in all.
//!
//! # Time
//!
//! Each node has a clock of its own, and these clocks have nothing to do with each other, so a timeout may happen at any
//! moment: more than any real clocks do. How long a node waits is drawn at random and decides nothing here; neither the generator
//! nor any deadline is part of a state ([`fingerprint`](crate::protocol::fingerprint)).
//!
//! *Whether a leader was heard lately* (the guard of pre-votes, of votes, and of the lowest id's probes) is decided anew whenever
//! somebody asks: a follower may say that it hears its leader, and that it does not, and that it does. That is more than can
//! happen. *Check-quorum*: a leader may find at any moment that it heard no majority for an election timeout, as if all that it
//! sent in that time had been lost. *Heartbeats* leave together, after an interval, and with them all that was put off until
//! then; answers to what was sent before are overdue then. That a heartbeat leaves for one follower and not yet for another is
//! not told apart from its being lost.
//!
//! # What is not looked at, because nothing new can be there
//!
//! 1. *Arrivals that change nothing and are not answered.* The message stays instead: it may do something later.
//! 2. *Crashes before somebody notices.* A node that is down does nothing, as one does to which nothing is delivered. So a crash
//!    comes right before the restart, unless a refusal tells of it.
//! 3. *Dearer ways.* A state that was met before, by a way that had used up no more of anything, has nothing new behind it. (The
//!    n-th write writes n; that one way had it written by the first write and the other by the second makes no difference.)
//! 4. *Dead letters* (`letter`): a vote for a candidacy that is over, say. They leave the wire at once. That they are dead is
//!    not believed of the protocol but tried of all that was met, at the end of the search (`proof`); if one is not, all is searched
//!    again without taking any for dead ([`Explored::buried`]).
//! 5. *The same with other names* (`raft` only). There ids are compared for being equal and nothing else: who has the lower one
//!    decides between two claims in a term only where votes do not, and otherwise only how long a new cluster's nodes wait, whom a
//!    transfer prefers, which of several heard at the same moment confirm a read (neither of which is looked at here), and in which
//!    order messages leave, and the wire has no order. A leader numbers its messages across all followers, in their order; those
//!    numbers are opaque to all others, so on the wire they are replaced by what each is among those sent to the same follower,
//!    and back. All disks' lives have the same name, since none ends. So of states that are equal but for a permutation of the
//!    nodes one is looked at. In `bully` and `lowest-id` ids decide who leads, and every state is looked at as it is.
//!
//! Each of these can be switched off in [`Bounds`] or is the consequence of one that can; the tests compare.
//!
//! # How it is fast
//!
//! What one node does depends on that node alone, and there are few thousand states of single nodes in many million of the
//! whole. So each is kept once, under a number, and so is each message; the protocol is asked once for each pair of
//! them; and the rest is arithmetic (`world`, `table`). What a state looks like is the sum of what its parts look like, 128 bits each
//! (`Sketch`), so a step adds and takes away a few numbers.
//!
//! # What is not proved
//!
//! - Anything beyond the bounds: that three nodes do no wrong in two elections does not say that five do none in ten.
//! - Anything if two of the *n* things that were met have the same 128 bits, of which the chance is about *n*²/2^129: with a
//!   thousand million states 10^-21.
//! - Liveness: that something good happens at last.
//! - What is no step here: changes of members, transfers, reads, disks that are lost or damaged, processes that stand still and
//!   say so, the chapter's bare messages. Snapshots are taken and sent only with [`Bounds::snapshot_every`], in one piece.
//! - Turns of several inputs: here what a leader has to do is done after every one, so entries of two writes gather for one message
//!   only when two are under way already.
//! - Writes to a disk that end half-way, but for those that a message caused, and crashes after which a commit index is still
//!   there that need not be.
//! - The time a write or a read may take never ends.
//! - That a leader which comes to lead later lacks what an earlier term committed is seen if it still leads when that is committed.

mod bounds;
mod cause;
mod envelope;
mod invariant;
mod judge;
mod letter;
mod level;
mod proof;
mod search;
mod seat;
mod seen;
mod state;
mod story;
mod table;
mod view;
mod world;

use std::ops::ControlFlow;

pub use bounds::{Bounds, Flaw, MOST, MOST_NODES};
pub use invariant::Invariant;

use crate::types::Term;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explored {
    /// How many states there are.
    pub states: u64,
    /// How many states those stand for, counting separately those that differ only in who is who.
    pub represented: u64,
    /// In how many ways the nodes differ together, whatever is on the wire and whoever is who.
    pub configurations: u64,
    /// How many steps lead from them to others, or to themselves.
    pub transitions: u64,
    /// How many steps the farthest state is away.
    pub depth: u32,
    /// How the search ended, and so what was looked at.
    pub end: End,
    /// The highest term that a node came to.
    pub term: Term,
    /// The first violation met: no shorter path leads to one.
    pub violation: Option<Violation>,
    /// In how many states single nodes were, with their disks.
    pub node_states: u64,
    /// How many different messages there were.
    pub messages: u64,
    /// Whether letters that can never again do anything were taken off the wire, and shown to be such.
    pub buried: bool,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// All states within the bounds were looked at, however far they are away.
    Exhausted,
    /// All that can be reached in [`Bounds::depth`] steps were; there are more.
    Depth,
    /// Something must not be, and so it ended at once.
    Violated,
    /// There were more than [`Bounds::most_states`].
    Full,
    /// It was told to end.
    #[default]
    Stopped,
}

impl End {
    /// Whether nothing within the bounds was left out.
    pub fn is_whole(self) -> bool {
        matches!(self, End::Exhausted | End::Depth)
    }
}

/// A way to something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What does not hold.
    pub invariant: Invariant,
    /// How that shows, as a sentence.
    pub why: String,
    /// What happened, a sentence a step.
    pub steps: Vec<String>,
}

/// Looks at every state within `bounds`, which must have no [`Bounds::problem`]. Every now and then `progress` is told how
/// far it is, and may end the search.
pub fn explore(
    bounds: &Bounds,
    progress: &mut dyn FnMut(&Explored) -> ControlFlow<()>,
) -> Explored {
    let mut search = |buries| search::Search::new(bounds, buries).run(progress);
    // Letters that were taken for dead, and are not, say that the protocol is not what it was thought to be.
    let found = bounds.bury.then(|| search(true)).flatten();
    found.or_else(|| search(false)).unwrap_or_default()
}
