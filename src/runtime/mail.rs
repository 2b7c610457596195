//! The mail between nodes, seen from outside: every message is counted, and noted one by one while somebody asks for that.
//!
//! Times are the sender's: when a message leaves, when it is handed to the system behind all that faults make it wait
//! for, and when the answer is in. On one machine the rest of the way takes less than a millisecond, and is not seen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::protocol::{Message, MessageKind};
use crate::types::NodeId;
use crate::wire::messages::{Book, Counted, Fate, Messages, Passed, is_heartbeat};
use crate::wire::said::said;

/// The number of a message that is noted.
pub(super) type Note = Option<u64>;

/// All mail of one process.
#[derive(Debug, Default)]
pub(super) struct Mail {
    heartbeats: AtomicU64,
    others: AtomicU64,
    /// Until when messages are noted, in microseconds since 1970; 0: they are not.
    noting: AtomicU64,
    book: Mutex<Book>,
}

impl Mail {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages are noted from now on, for so long; those noted before are forgotten.
    pub(super) fn note_for(&self, time: Duration) {
        *self.book() = Book::default();
        let until = match time.is_zero() {
            true => 0,
            false => now().saturating_add(time.as_micros() as u64),
        };
        self.noting.store(until, Ordering::Relaxed);
    }

    /// A message leaves.
    pub(super) fn sent(&self, from: &NodeId, to: &NodeId, message: &Message) -> Note {
        self.count(message.kind());
        let until = self.noting.load(Ordering::Relaxed);
        if until == 0 {
            return None;
        }
        let now = now();
        if now > until {
            self.noting.store(0, Ordering::Relaxed);
            *self.book() = Book::default();
            return None;
        }
        let says = said(message);
        let passed = Passed::new(from, to, message, now, &says);
        Some(self.book().write_down(passed))
    }

    fn count(&self, kind: MessageKind) {
        let counter = match is_heartbeat(kind) {
            true => &self.heartbeats,
            false => &self.others,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The network doubles a message: its copy.
    pub(super) fn copied(&self, note: Note) -> Note {
        let original = self.book().find(note?)?.clone();
        let copy = Passed {
            is_copy: true,
            ..original
        };
        Some(self.book().write_down(copy))
    }

    /// A message that was under way comes to whom it is for, in a while.
    pub(super) fn comes_in(&self, note: Note, after: Duration) {
        if let Some(number) = note
            && let Some(passed) = self.book().find(number)
        {
            passed.arrives = Some(now() + after.as_micros() as u64);
        }
    }

    /// What became of a message.
    pub(super) fn ends(&self, note: Note, fate: Fate) {
        if let Some(number) = note
            && let Some(passed) = self.book().find(number)
        {
            passed.fate = fate;
        }
    }

    /// How many there were; and those noted from the `from`-th on, at most `limit`.
    pub(super) fn read(&self, from: u64, limit: usize) -> Messages {
        let book = self.book();
        Messages {
            counted: Counted {
                heartbeats: self.heartbeats.load(Ordering::Relaxed),
                others: self.others.load(Ordering::Relaxed),
            },
            noted: book.from(from, limit),
            forgotten: book.forgotten(),
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::KEPT;

    fn probe(mail: &Mail) -> Note {
        let (from, to) = (NodeId::nth(1), NodeId::nth(2));
        mail.sent(&from, &to, &Message::Probe { term: 3 })
    }

    #[test]
    fn messages_are_counted_always_and_noted_only_if_somebody_asks() {
        let mail = Mail::default();
        assert_eq!(probe(&mail), None);
        mail.note_for(Duration::from_secs(600));
        let note = probe(&mail);
        mail.comes_in(note, Duration::ZERO);
        mail.ends(note, Fate::Arrived);
        let copy = mail.copied(note);
        mail.ends(copy, Fate::Lost);
        let read = mail.read(0, 10);
        assert_eq!(read.counted.others, 2);
        let fates: Vec<Fate> = read.noted.iter().map(|passed| passed.fate).collect();
        assert_eq!(fates, [Fate::Arrived, Fate::Lost]);
        assert!(read.noted[0].arrives >= Some(read.noted[0].sent));
        mail.note_for(Duration::ZERO);
        assert_eq!(probe(&mail), None);
    }

    #[test]
    fn of_too_many_the_oldest_are_forgotten_and_counted() {
        let mail = Mail::default();
        mail.note_for(Duration::from_secs(600));
        for _ in 0..KEPT + 3 {
            probe(&mail);
        }
        let read = mail.read(0, 1);
        assert_eq!((read.forgotten, read.noted[0].number), (3, 3));
        assert_eq!(mail.read(KEPT as u64, 10).noted.len(), 3);
    }
}
