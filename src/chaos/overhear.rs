//! What nodes say to each other in a simulated run: the same as is heard of a live one.

use std::collections::{BTreeMap, BTreeSet};

use crate::chaos::recording::Recording;
use crate::chaos::words::id;
use crate::protocol::Message;
use crate::sim::moment::Fated;
use crate::sim::plan::Place;
use crate::sim::{Moment, What};
use crate::wire::messages::{Book, Counted, Fate, Passed};
use crate::wire::said::said;

/// What was overheard.
#[derive(Debug, Default)]
pub(super) struct Overheard {
    counted: Counted,
    /// None: nothing is noted.
    book: Option<Book>,
    /// Those under way, by sender, receiver and number, and their places in the book.
    under_way: BTreeMap<(Place, Place, u32), Vec<u64>>,
    dead: BTreeSet<Place>,
}

impl Overheard {
    pub(super) fn new(takes_notes: bool) -> Overheard {
        Overheard {
            book: takes_notes.then(Book::default),
            ..Overheard::default()
        }
    }

    /// Takes in a moment. When all `is_over`, nothing is counted any more.
    pub(super) fn take(&mut self, moment: &Moment, is_over: bool) {
        match &moment.what {
            What::Sent {
                to,
                nth,
                message,
                fated,
            } => {
                if !is_over {
                    self.counted.add(message.kind());
                }
                self.note(moment, *to, *nth, message, *fated);
            }
            What::Arrived { from, nth } => self.arrives(*from, moment.place, *nth),
            What::Died { .. } => {
                self.dead.insert(moment.place);
            }
            What::Started => {
                self.dead.remove(&moment.place);
            }
            _ => {}
        }
    }

    fn note(&mut self, moment: &Moment, to: Place, nth: u32, message: &Message, fated: Fated) {
        let Some(book) = &mut self.book else {
            return;
        };
        let (from, sent) = (moment.place, moment.at / 1000);
        let arrives = fated.arrives.map(|at| at / 1000);
        let passed = Passed {
            arrives,
            fate: match arrives {
                Some(_) => Fate::Arrived,
                None => Fate::Lost,
            },
            ..Passed::new(&id(from), &id(to), message, sent, &said(message))
        };
        let mut numbers = vec![book.write_down(passed.clone())];
        if let Some(again) = fated.again {
            numbers.push(book.write_down(Passed {
                is_copy: true,
                arrives: Some(again / 1000),
                fate: Fate::Arrived,
                ..passed
            }));
        }
        if arrives.is_some() {
            self.under_way.insert((from, to, nth), numbers);
        }
    }

    /// Where nobody lives, nobody hears it.
    fn arrives(&mut self, from: Place, to: Place, nth: u32) {
        let Some(book) = &mut self.book else {
            return;
        };
        let Some(mut numbers) = self.under_way.remove(&(from, to, nth)) else {
            return;
        };
        if self.dead.contains(&to)
            && let Some(passed) = book.find(numbers[0])
        {
            passed.fate = Fate::Unheard;
        }
        numbers.remove(0);
        if !numbers.is_empty() {
            self.under_way.insert((from, to, nth), numbers);
        }
    }

    pub(super) fn report(self, recording: &mut Recording) {
        recording.messages = Some(self.counted);
        if let Some(book) = self.book {
            recording.forgotten = book.forgotten();
            recording.passed = book.from(0, usize::MAX);
        }
    }
}
