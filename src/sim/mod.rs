//! The simulator: the very protocol that runs on ports, in virtual time, under faults drawn from a seed, with every claim
//! checked after every event.
//!
//! # What is simulated
//!
//! **Nodes** (`seat`, `life`) are [`Node`](crate::protocol::Node)s with the driver's contract around them: what is at hand is
//! stepped, what is to be persisted is written in one write that takes its time, and only then sends and replies leave. A node
//! that stands still or writes keeps what arrives for later. **Disks** (`disk`) implement the storage's own
//! [`Disk`](crate::storage::Disk): unsynced writes are lost, writes torn between frames, syncs fail, bits flip. **Links**
//! (`carry`) ask the same [`faults`](crate::faults) as ports do. **Clocks** run fast or slow and jump ahead. **Clients**
//! (`asking`, `answers`) follow hints, time out, and repeat only what surely did not happen or has a name.
//!
//! # What is held against it
//!
//! After every event (`invariants`, `ledger`, `overview`): election safety, leader append-only, log matching, leader
//! completeness, state-machine safety; term, vote and commit never go back on a disk; no promise leaves before what it rests
//! on is on the disk; an acknowledged write is on as many disks as the mode says; memory is bounded. Some rules are held
//! against each node by itself (`rules`): whom it votes for, what it waits for, what it commits, how it changes members; and
//! a leader whom all can hear stays one. In the end (`finale`): a
//! random quorum is healed and must become available, whatever the others do; then all are healed and must become equal. What
//! clients saw (`verdict`) is judged by [`check`](crate::check), and what was acknowledged must be there, or reported lost
//! where the mode allows that.
//!
//! # The same seed, the same trace
//!
//! A seed draws a [`Plan`] (`swarm`): all that will be done, when, and to whom. A plan decides its run. Time is an argument,
//! every generator is ours, nothing is iterated in an unordered way, and what chance decides of a message depends on the
//! fault's own stream or on the message's number alone. So a plan can be shrunk (`shrink`): what chance decided is written
//! down, and then things are left out one by one while it still fails.
//!
//! # Caveats
//!
//! - A write is torn between frames, never within one: that a torn frame is found and cut is what the tests of
//!   [`storage`](crate::storage) show, on real files.
//! - At most a minority of disks is lost at a time, and none that only it holds is asked back: beyond that nothing is promised.
//! - Links carry messages of any size in the same time; bandwidth is not simulated.
//! - The chapter's own programs, bare heartbeats and whole maps are not part of any run.

mod answers;
mod asking;
mod called;
mod carry;
mod clients;
mod disk;
pub mod exhaustive;
pub mod expect;
mod finale;
pub mod hand;
mod harm;
mod invariants;
mod ledger;
mod life;
mod many;
pub mod moment;
mod overview;
pub mod plan;
pub mod promise;
mod queue;
mod rules;
mod run;
mod scatter;
pub mod schedule;
mod seat;
mod shrink;
mod sound;
mod stats;
mod swarm;
pub mod tell;
mod turns;
mod verdict;
pub mod words;
mod world;

pub use expect::Expect;
pub use invariants::Violation;
pub use many::{Found, Tally, is_stuck, play};
pub use moment::{Moment, What};
pub use plan::{Kind, Plan};
pub use run::{Outcome, run};
pub use shrink::{SHORT, Shrunk, THOROUGH, events_of, shrink};
pub use stats::{Met, Stats};
pub use swarm::{Options, draw};
