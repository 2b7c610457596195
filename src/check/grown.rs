//! What a value that only grows, by `append` or `add`, was put together from.

use std::collections::BTreeSet;

use crate::check::history::{Call, Operation};
use crate::check::memory::{Map, Set};
use crate::check::values::{elements, inner};

/// The texts that are appended to a key.
pub(super) struct Pieces<'a> {
    texts: Set<&'a str>,
    /// How long they are.
    lengths: Vec<usize>,
}

/// What is in a value.
pub(super) enum Grown {
    /// Elements.
    Set(BTreeSet<String>),
    /// Texts, put together in the only way there is: how often each.
    Text(Map<String, usize>),
    /// A text that can be put together in several ways, or in none.
    Unclear(String),
    /// Nothing that grows.
    Nothing,
}

/// Whether a value shows what a change added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Yes,
    No,
    /// It may be that, or something else that looks the same.
    Perhaps,
}

impl<'a> Pieces<'a> {
    /// What `operations` may have appended.
    pub(super) fn new(operations: impl Iterator<Item = &'a Operation>) -> Pieces<'a> {
        let text = |operation: &'a Operation| match &operation.call {
            Call::Append(text) => inner(text).filter(|text| !text.is_empty()),
            _ => None,
        };
        let texts: Set<&str> = operations.filter_map(text).collect();
        let lengths: Set<usize> = texts.iter().map(|text| text.len()).collect();
        Pieces {
            texts,
            lengths: lengths.into_iter().collect(),
        }
    }

    /// What is in `seen`.
    pub(super) fn of(&self, seen: &str) -> Grown {
        match inner(seen) {
            Some(text) => self.taken_apart(text),
            None if seen == "null" => Grown::Text(Map::default()),
            None => elements(seen).map_or(Grown::Nothing, Grown::Set),
        }
    }

    /// For each place of the text: how many ways lead there (two are as good as more), and the length of the last piece.
    fn taken_apart(&self, text: &str) -> Grown {
        let mut ways = vec![(0_u8, 0); text.len() + 1];
        ways[0].0 = 1;
        for at in 0..text.len() {
            let before = ways[at].0;
            if before == 0 {
                continue;
            }
            for length in &self.lengths {
                let piece = text.get(at..at + length);
                if piece.is_some_and(|piece| self.texts.contains(piece)) {
                    let (count, last) = &mut ways[at + length];
                    (*count, *last) = (2.min(*count + before), *length);
                }
            }
        }
        let mut end = text.len();
        if ways[end].0 != 1 {
            return Grown::Unclear(text.to_owned());
        }
        let mut pieces = Map::default();
        while end > 0 {
            let begin = end - ways[end].1;
            *pieces.entry(text[begin..end].to_owned()).or_default() += 1;
            end = begin;
        }
        Grown::Text(pieces)
    }
}

impl Grown {
    /// Whether it shows what `change` added, which `times` such changes surely did.
    pub(super) fn shows(&self, change: &Call, times: usize) -> Shows {
        let is_there = match (change, self) {
            (Call::Append(text), _) if inner(text) == Some("") => true,
            (Call::Append(text), Grown::Text(pieces)) => {
                let count = inner(text).and_then(|text| pieces.get(text));
                count.is_some_and(|count| *count >= times)
            }
            (Call::Append(text), Grown::Unclear(seen)) => {
                let is_within = inner(text).is_some_and(|text| seen.contains(text));
                return if is_within { Shows::Perhaps } else { Shows::No };
            }
            (Call::Add(element), Grown::Set(set)) => set.contains(&**element),
            _ => false,
        };
        if is_there { Shows::Yes } else { Shows::No }
    }
}
