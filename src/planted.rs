//! Bugs to be planted, one at a time: who judges must find them.
//!
//! Each is a mistake that an implementation made, or that the paper warns of. Where one would grow, the code asks
//! [`is_planted`]. Without the cargo feature `planted` the answer is a constant, and nothing of it is in the program.
//! With it, the environment variable `PLANTED` names the bug that grows in this process; unset, none does:
//!
//! ```text
//! PLANTED=two-votes-in-a-term cargo test --features planted --test protocol
//! cargo build --release --features planted && PLANTED=two-votes-in-a-term target/release/cluster …
//! ```
//!
//! The feature is off by default and belongs in no program that is given to anybody: `cluster --version` says that it
//! is on.

mod catalogue;

pub use catalogue::Bug;

/// The version of this program, and whether bugs can be planted in it, or faults have been left out of it.
pub const VERSION: &str = match (cfg!(feature = "planted"), cfg!(feature = "unbreakable")) {
    (true, _) => concat!(
        env!("CARGO_PKG_VERSION"),
        " (with planted bugs: PLANTED=NAME)"
    ),
    (false, true) => concat!(
        env!("CARGO_PKG_VERSION"),
        " (unbreakable: no fault but death has an effect)"
    ),
    (false, false) => env!("CARGO_PKG_VERSION"),
};

/// Whether `bug` grows in this process.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is_planted(_: Bug) -> bool {
    false
}

/// The bug that grows in this process, if one does.
#[cfg(not(feature = "planted"))]
pub const fn planted() -> Option<Bug> {
    None
}

#[cfg(feature = "planted")]
pub use growing::{is_planted, plant, planted};

#[cfg(feature = "planted")]
mod growing {
    use std::io::Write;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    /// Nobody has looked at the environment yet.
    const UNSEEN: u8 = 255;
    /// None grows.
    const NONE: u8 = 254;

    /// Which of [`Bug::ALL`] grows.
    static GROWING: AtomicU8 = AtomicU8::new(UNSEEN);

    /// Whether `bug` grows in this process.
    #[inline]
    pub fn is_planted(bug: Bug) -> bool {
        growing() == bug as u8
    }

    /// The bug that grows in this process, if one does.
    pub fn planted() -> Option<Bug> {
        Bug::ALL.get(usize::from(growing())).copied()
    }

    /// Lets `bug` grow in this process, from now on and alone, whatever the environment says.
    pub fn plant(bug: Bug) {
        GROWING.store(bug as u8, Ordering::Relaxed);
    }

    #[inline]
    fn growing() -> u8 {
        match GROWING.load(Ordering::Relaxed) {
            UNSEEN => look(),
            seen => seen,
        }
    }

    #[cold]
    fn look() -> u8 {
        let named = std::env::var("PLANTED")
            .ok()
            .filter(|name| !name.is_empty());
        let found = named.map_or(NONE, |name| match Bug::from_name(&name) {
            Some(bug) => bug as u8,
            // Going on without it would pass a healthy program off as one that nobody finds anything in.
            None => refuse(&name),
        });
        GROWING.store(found, Ordering::Relaxed);
        found
    }

    fn refuse(name: &str) -> ! {
        let names: Vec<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        // A test's output may be kept for later, and there is none.
        let mut stderr = std::io::stderr();
        let names = names.join(", ");
        let _ = writeln!(stderr, "PLANTED={name}: there is no such bug, only {names}");
        std::process::exit(2);
    }
}
