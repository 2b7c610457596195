//! What is done with bytes that come from outside: a module a fuzz target, each with a `run` that panics if something is
//! wrong. `fuzz_targets` hands them to libFuzzer, and `tests/corpus.rs` replays what is kept in `corpus`.

pub mod answers;
#[path = "../../check/brute.rs"]
#[expect(dead_code, reason = "not all of what other tests use of it")]
mod brute;
pub mod disk;
mod draw;
pub mod history;
pub mod http;
mod make;
mod messages;
pub mod peer;
pub mod records;
pub mod snapshot;
pub mod step;

/// What is done with an input.
pub type Run = fn(&[u8]);

/// Every target, by its name.
pub const TARGETS: [(&str, Run); 8] = [
    ("http", http::run),
    ("peer", peer::run),
    ("step", step::run),
    ("history", history::run),
    ("records", records::run),
    ("snapshot", snapshot::run),
    ("disk", disk::run),
    ("answers", answers::run),
];
