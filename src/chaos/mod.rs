//! Chaos: a live cluster is broken at random, and judged.
//!
//! A seed draws a [`Plan`](crate::sim::Plan) ([`drawing`]), of the simulator's kind but milder: all that will be done, when,
//! and to whom. It can be played in virtual time ([`virtually`]), or on a live cluster ([`live`]): seeded clients ([`clients`])
//! ask for what it says, and a nemesis (`nemesis`) orders its faults through the control API, as any other tool would. A role is
//! resolved when a fault is applied; what was planned and whom it struck are both kept. In the end everything is healed, the
//! dead are revived, quiet is awaited and every key is read (`finale`). What was seen ([`recording`]) is measured
//! ([`measures`]) and held against what was expected ([`verdict`]), by the very code that judges simulated runs.
//!
//! # The clients
//!
//! Each has one operation open at a time. The schedule does not wait for them: what is due while a client waits is asked for
//! as soon as it is free, and its latency counts from when it was due; more than eight that wait are left out, and counted.
//! They follow hints to the leader, and repeat only what surely did not happen or has a name, for at most
//! [`clients::PATIENCE`]. Who gets no answer to a read asks another node, soon at first, and shuns the silent one for a while:
//! otherwise one node that stands still would keep all clients from the others. What is then refused did not happen; what is not answered may have.
//!
//! # What was lost
//!
//! The final reads show of each key only its last write. More is known from the log: an acknowledged write names its entry,
//! and a log has each place once and claims that never fall. Of acknowledged entries that contradict each other, the fewest
//! that must be gone are counted ([`losses`]), together with those that the cluster itself reports as lost.
//!
//! # Caveats
//!
//! - The same seed gives the same schedule. What a live cluster makes of it depends on the machine, too.
//! - A loss that is neither reported, nor contradicted by another acknowledged entry, nor the last write of its key in the
//!   end, is not seen.
//! - Messages per operation are all that nodes sent each other while clients asked, whoever they sent them for: on a cluster
//!   that others use meanwhile, theirs too.

mod asks;
mod available;
pub mod clients;
mod desk;
pub mod drawing;
mod eavesdrop;
mod enough;
mod explaining;
mod finale;
pub mod live;
pub mod losses;
pub mod measures;
mod nemesis;
mod orders;
mod overhear;
mod part;
pub mod recording;
pub mod roles;
pub(crate) mod stage;
mod told;
pub mod verdict;
pub mod virtually;
pub mod words;
