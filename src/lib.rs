//! `cluster`: run, break, watch and judge a replicated key-value store on one machine, in one process.
//!
//! The house, in reading order. A module uses its own layer or those above it in this list, never those below (the
//! import law, kept by a test):
//!
//! | layer | room | what lives there |
//! |---|---|---|
//! | 0 | `types`, `value`, `rng`, `check`, `planted` | names, times, terms; keys and values; our own seeded generator; the judge, which shares nothing; bugs to try it on |
//! | 1 | `store`, `event` | the deterministic key-value state machine; what can happen |
//! | 2 | `protocol` | PURE: elections and replication behind one door, `Node::step(now, Input) -> Vec<Action>` |
//! | 3 | `faults`, `storage`, `wire` | verdicts on messages; what a disk keeps; JSON shapes |
//! | 4 | `engine`, `registry` | what the control plane may ask of a cluster, whatever runs it; how commands find one |
//! | 5 | `runtime`, `sim`, `client` | nodes as tokio tasks on ports; the same nodes in virtual time; a typed HTTP client |
//! | 6 | `control`, `chaos`, `scenario`, `compare` | the control server; a cluster, broken at random or as a file says, and judged; all pairs of modes, measured |
//! | 7 | `views` | tables, lines, stories and pages for people |
//! | 8 | `cli` | one file a command; nobody imports it |
//!
#[cfg(windows)]
compile_error!(
    "cluster runs on Linux and macOS: it kills nodes by resetting their sockets, which Windows does differently. Use WSL."
);

pub mod chaos;
pub mod check;
pub mod cli;
pub mod client;
pub mod compare;
pub mod control;
pub mod engine;
pub mod event;
pub mod faults;
pub mod planted;
pub mod protocol;
pub mod registry;
pub mod rng;
pub mod runtime;
pub mod scenario;
pub mod sim;
pub mod storage;
pub mod store;
pub mod types;
pub mod value;
pub mod views;
pub mod wire;
