//! The network between nodes, and between them and clients: perfect until faults are set.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::faults::{Faults, Parcel, Traffic, UNBREAKABLE, Verdict};
use crate::protocol::MessageKind;
use crate::runtime::mail::Mail;
use crate::types::{NodeId, Time};

/// What clients are called where faults are set. No node can be called so: it would be a path.
const CLIENTS: &str = "clients/";

/// The network of one process. Clones are the same.
#[derive(Debug, Clone)]
pub struct Net(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Whether there is any fault at all: nobody looks further where there is none.
    is_faulty: AtomicBool,
    changes: AtomicU64,
    faults: RwLock<Faults>,
    beginning: Instant,
    clients: NodeId,
    mail: Mail,
}

/// What becomes of something that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passage {
    /// How long its sender cannot send another, since the link is narrow.
    pub(super) turn: Duration,
    /// What becomes of it behind that.
    pub(super) verdict: Verdict,
}

impl Passage {
    const PROMPT: Passage = Passage {
        turn: Duration::ZERO,
        verdict: Verdict::PROMPT,
    };
}

impl Default for Net {
    fn default() -> Net {
        Net(Arc::new(Inner {
            is_faulty: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            faults: RwLock::default(),
            beginning: Instant::now(),
            clients: NodeId::new(CLIENTS).expect("a name without white space, commas or controls"),
            mail: Mail::default(),
        }))
    }
}

impl Net {
    /// Changes what becomes of messages. Those already under way arrive.
    pub fn change(&self, change: impl FnOnce(&mut Faults)) {
        let faults = &self.0.faults;
        let mut faults = faults.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut faults);
        self.0.changes.fetch_add(1, Ordering::Relaxed);
        self.0.is_faulty.store(!faults.is_empty(), Ordering::SeqCst);
    }

    /// What goes over it.
    pub(super) fn mail(&self) -> &Mail {
        &self.0.mail
    }

    /// How often its faults were changed.
    pub(super) fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Relaxed)
    }

    /// Whether nothing is wrong with it anywhere.
    pub(super) fn is_perfect(&self) -> bool {
        UNBREAKABLE || !self.0.is_faulty.load(Ordering::Relaxed)
    }

    /// What becomes of a message.
    pub(super) fn passage(
        &self,
        from: &NodeId,
        to: &NodeId,
        kind: MessageKind,
        bytes: usize,
    ) -> Passage {
        if self.is_perfect() {
            return Passage::PROMPT;
        }
        let parcel = Parcel {
            traffic: Traffic::of(kind),
            bytes,
            now: Time::after(self.0.beginning.elapsed()),
        };
        self.look(|faults| match faults.verdict_on(from, to, Some(parcel)) {
            Verdict::Drop => Passage {
                turn: Duration::ZERO,
                verdict: Verdict::Drop,
            },
            verdict => Passage {
                turn: faults.turn(from, to, parcel),
                verdict,
            },
        })
    }

    /// Whether nothing gets from `from` to `to`.
    pub(super) fn is_cut(&self, from: &NodeId, to: &NodeId) -> bool {
        !self.is_perfect() && self.look(|faults| faults.is_cut(from, to))
    }

    /// Whether the link from `from` to `to` takes only so many bytes.
    pub(super) fn is_narrow(&self, from: &NodeId, to: &NodeId) -> bool {
        !self.is_perfect() && self.look(|faults| faults.is_narrow(from, to))
    }

    /// What becomes of a client's request to `node`.
    pub(super) fn request(&self, node: &NodeId) -> Verdict {
        self.look(|faults| faults.verdict(&self.0.clients, node))
    }

    /// What becomes of its answer.
    pub(super) fn answer(&self, node: &NodeId) -> Verdict {
        self.look(|faults| faults.verdict(node, &self.0.clients))
    }

    /// What clients are called where faults are set.
    pub(super) fn clients(&self) -> &NodeId {
        &self.0.clients
    }

    fn look<T>(&self, look: impl FnOnce(&Faults) -> T) -> T {
        let faults = &self.0.faults;
        look(&faults.read().unwrap_or_else(PoisonError::into_inner))
    }
}
