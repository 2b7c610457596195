//! What is left when nobody writes any more.

use crate::check::grown::{Grown, Shows};
use crate::check::history::{Call, Operation, Text};
use crate::check::memory::Map;
use crate::check::session::{Held, Key};

impl Key<'_> {
    /// The last read of each client, of those that began after everything that surely happened had ended.
    fn final_reads(&self) -> Vec<(usize, &Operation)> {
        let changes = self.all().filter(|(_, o)| o.changes());
        let quiet = changes.filter_map(|(_, o)| o.returned).max();
        let mut last: Vec<(usize, &Operation)> = Vec::new();
        for (number, read) in self.all() {
            if read.seen().is_some() && quiet.is_none_or(|quiet| quiet < read.invoked) {
                last.retain(|(_, other)| other.process != read.process);
                last.push((number, read));
            }
        }
        last
    }

    pub(super) fn eventual(&self) -> Held {
        let reads = self.final_reads();
        let [(a, first), rest @ ..] = &reads[..] else {
            return Held::Unknown("nobody reads after the last write".to_owned());
        };
        let differs = |read: &Operation| {
            let seen = read.seen().zip(first.seen());
            seen.is_some_and(|(a, b)| !self.is_same(a, b))
        };
        let other = rest.iter().find(|(_, read)| differs(read));
        let open = self.all().any(|(_, o)| o.changes() && o.is_unknown());
        match other {
            None => Held::Yes,
            Some(_) if open => Held::Unknown(
                "final reads differ, but a write without an answer may have come between"
                    .to_owned(),
            ),
            Some((b, _)) => Held::No {
                operations: vec![*a, *b],
                why: "after the last write two clients read different values".to_owned(),
            },
        }
    }

    pub(super) fn no_lost_acks(&self) -> Held {
        let Some(grows) = self.grows() else {
            return Held::Unknown(self.mixed());
        };
        let reads = self.final_reads();
        if reads.is_empty() && self.all().any(|(_, o)| o.changes()) {
            return Held::Unknown("nobody reads after the last write".to_owned());
        }
        let pieces = self.pieces();
        let shown = reads.into_iter().filter_map(|(number, read)| {
            let seen = read.seen()?;
            Some(Shown {
                number,
                invoked: read.invoked,
                returned: read.returned?,
                seen,
                grown: grows.then(|| pieces.of(seen)),
            })
        });
        let shown: Vec<Shown> = shown.collect();
        let acknowledged = self.all().filter(|(_, o)| o.changes() && !o.is_unknown());
        let mut times: Map<&Call, usize> = Map::default();
        for (_, write) in acknowledged.clone().filter(|_| grows) {
            *times.entry(&write.call).or_default() += 1;
        }
        let mut is_unclear = false;
        for (number, write) in acknowledged {
            let times = times.get(&write.call).copied().unwrap_or(1);
            match self.last(&shown, write, times) {
                Last::Lacks(read) => return gone(number, read),
                Last::Unclear => is_unclear = true,
                Last::Shows => {}
            }
        }
        match is_unclear {
            true => Held::Unknown(self.unclear()),
            false => Held::Yes,
        }
    }

    /// What the last of the reads say of `write`: who shows it after another did not has the last word.
    fn last(&self, reads: &[Shown], write: &Operation, times: usize) -> Last {
        let (mut lacking, mut showing, mut unclear) = (None, None, None);
        for read in reads {
            let shows = match &read.grown {
                Some(grown) => grown.shows(&write.call, times),
                None if self.lacks(read.seen, write) => Shows::No,
                None => Shows::Yes,
            };
            match shows {
                Shows::Yes => showing = showing.max(Some(read.returned)),
                Shows::No => lacking = lacking.max(Some((read.invoked, read.number))),
                Shows::Perhaps => unclear = unclear.max(Some((read.invoked, read.returned))),
            }
        }
        let is_over = |invoked: usize| showing.is_none_or(|returned| returned < invoked);
        let is_unclear = unclear.is_some_and(|(invoked, _)| is_over(invoked));
        match lacking.filter(|(invoked, _)| is_over(*invoked)) {
            Some((invoked, number)) if unclear.is_none_or(|(_, returned)| returned < invoked) => {
                Last::Lacks(number)
            }
            Some(_) => Last::Unclear,
            None if is_unclear => Last::Unclear,
            None => Last::Shows,
        }
    }
}

/// A final read, and what it shows of a key that only grows.
struct Shown<'a> {
    number: usize,
    invoked: usize,
    returned: usize,
    seen: &'a Text,
    grown: Option<Grown>,
}

/// What the last reads say of a write.
enum Last {
    Shows,
    /// This read lacks it.
    Lacks(usize),
    Unclear,
}

fn gone(write: usize, read: usize) -> Held {
    Held::No {
        operations: vec![write, read],
        why: "in the end an acknowledged write is gone, and nothing later took its place"
            .to_owned(),
    }
}
