//! The values of a key as small numbers, and what becomes of them.
//!
//! Where values grow, there are about as many as there are operations, each nearly as long as all of them: a text is kept
//! as so much of the first text that anybody saw which begins with it; a set as a bit for each element.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::check::bits::Bits;
use crate::check::history::Text;
use crate::check::memory::Map;
use crate::check::problem::Effect;

/// The value of a key, as a number; [`ABSENT`] is no value.
pub(super) type State = u32;

pub(super) const ABSENT: State = 0;

/// Stands for all values that nobody ever observes, nor could have: they are as good as one.
pub(super) const UNSEEN: State = 1;

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    /// Nothing that is ever added to.
    Word(Text),
    /// A text that may be added to, without the quote at its end.
    Begin(Begin),
    /// A set of elements, by their numbers.
    Set(Bits),
}

/// So many bytes of a text that was seen: the first of them, sorted, that begins so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Begin {
    of: usize,
    length: usize,
}

/// The values and what they are.
#[derive(Debug, Default)]
pub(super) struct Values {
    kinds: Vec<Kind>,
    numbers: Map<Kind, State>,
    arguments: Vec<Text>,
    argument_numbers: Map<Text, u32>,
    /// What anybody saw, or expected, sorted; a text that none of them begins with is [`UNSEEN`].
    seen: Vec<Text>,
    appended: Map<(State, u32), Option<State>>,
    added: Map<(State, u32), Option<State>>,
}

impl Values {
    pub(super) fn new(mut seen: Vec<Text>) -> Values {
        seen.sort_unstable();
        let mut values = Values {
            seen,
            ..Values::default()
        };
        values.word(&"null".into());
        values.word(&"\u{0}unseen".into());
        values
    }

    fn number(&mut self, kind: Kind) -> State {
        if let Some(number) = self.numbers.get(&kind) {
            return *number;
        }
        let number = self.kinds.len() as State;
        self.kinds.push(kind.clone());
        self.numbers.insert(kind, number);
        number
    }

    /// A value that is never added to.
    pub(super) fn word(&mut self, text: &Text) -> State {
        self.number(Kind::Word(text.clone()))
    }

    /// A value where text may be added.
    pub(super) fn open(&mut self, text: &Text) -> State {
        match inner(text) {
            Some(_) => self.begin(&text[..text.len() - 1]),
            None => self.word(text),
        }
    }

    /// A value where elements may be added: an array is a set.
    pub(super) fn set(&mut self, text: &Text) -> Option<State> {
        let list = listed(text)?;
        let elements = list.iter().map(|element| self.argument(element)).collect();
        Some(self.bits(elements))
    }

    fn bits(&mut self, bits: Bits) -> State {
        match bits.is_empty() {
            true => ABSENT,
            false => self.number(Kind::Set(bits)),
        }
    }

    pub(super) fn argument(&mut self, text: &str) -> u32 {
        if let Some(number) = self.argument_numbers.get(text) {
            return *number;
        }
        let number = self.arguments.len() as u32;
        let text: Text = text.into();
        self.arguments.push(text.clone());
        self.argument_numbers.insert(text, number);
        number
    }

    /// The text that begins so, up to there.
    fn begin(&mut self, text: &str) -> State {
        let of = self.seen.partition_point(|seen| &**seen < text);
        let is_seen = self.seen.get(of).is_some_and(|s| s.starts_with(text));
        let length = text.len();
        match is_seen {
            true => self.number(Kind::Begin(Begin { of, length })),
            false => UNSEEN,
        }
    }

    /// A text with more behind it.
    fn longer(&mut self, Begin { of, length }: Begin, more: &str) -> State {
        let goes_on = |seen: &Text| seen.as_bytes()[length..].starts_with(more.as_bytes());
        let all = &self.seen[of..];
        let begin = &all[0].as_bytes()[..length];
        let is_before = |seen: &Text| {
            let seen = seen.as_bytes();
            seen.starts_with(begin) && seen[length..] < *more.as_bytes()
        };
        let at = match goes_on(&all[0]) {
            true => 0,
            false => all.partition_point(is_before),
        };
        let is_seen = |seen: &&Text| seen.as_bytes().starts_with(begin) && goes_on(seen);
        if all.get(at).filter(is_seen).is_none() {
            return UNSEEN;
        }
        self.number(Kind::Begin(Begin {
            of: of + at,
            length: length + more.len(),
        }))
    }

    /// `state` with text behind it; `None` if it is no text.
    fn append(&mut self, state: State, argument: u32) -> Option<State> {
        if state == UNSEEN {
            return Some(UNSEEN);
        }
        if let Some(known) = self.appended.get(&(state, argument)) {
            return *known;
        }
        let more = self.arguments[argument as usize].clone();
        let made = match self.kinds[state as usize] {
            _ if state == ABSENT => Some(self.open(&more)),
            Kind::Begin(begin) => inner(&more).map(|more| self.longer(begin, more)),
            Kind::Word(_) | Kind::Set(_) => None,
        };
        self.appended.insert((state, argument), made);
        made
    }

    /// `state` with an element more; `None` if it is no set.
    fn add(&mut self, state: State, argument: u32) -> Option<State> {
        if let Some(known) = self.added.get(&(state, argument)) {
            return *known;
        }
        let set = self.elements(state).cloned();
        let set = set.or((state == ABSENT).then(Bits::default));
        let made = set.map(|set| self.bits(set.with(argument)));
        self.added.insert((state, argument), made);
        made
    }

    /// What `effect` makes of `state`; `None` if it cannot have happened there.
    pub(super) fn apply(&mut self, state: State, effect: Effect) -> Option<State> {
        match effect {
            Effect::Is(value) => (state == value).then_some(state),
            Effect::IsNot(value) => (state != value).then_some(state),
            Effect::Set(value) => Some(value),
            Effect::Swap(expected, value) => (state == expected).then_some(value),
            Effect::Append(argument) => self.append(state, argument),
            Effect::Add(argument) => self.add(state, argument),
        }
    }

    /// As it is written, as far as something can be behind it; absent has nothing.
    pub(super) fn written(&self, state: State) -> &str {
        match &self.kinds[state as usize] {
            _ if state == ABSENT => "",
            Kind::Word(text) => text,
            Kind::Begin(begin) => &self.seen[begin.of][..begin.length],
            Kind::Set(_) => "",
        }
    }

    /// What is between the quotes of a text.
    pub(super) fn content(&self, state: State) -> Option<&str> {
        match &self.kinds[state as usize] {
            Kind::Word(text) => inner(text),
            Kind::Begin(_) => self.written(state).strip_prefix('"'),
            Kind::Set(_) => None,
        }
    }

    /// Whether `whole` begins with the text `state`.
    pub(super) fn is_part(&self, state: State, whole: State) -> bool {
        if state == ABSENT || state == whole {
            return true;
        }
        match (&self.kinds[state as usize], &self.kinds[whole as usize]) {
            (Kind::Begin(part), Kind::Begin(all)) => {
                let is_longer = part.length <= all.length;
                let begins = || self.written(whole).starts_with(self.written(state));
                is_longer && (part.of == all.of || begins())
            }
            _ => false,
        }
    }

    /// The elements of a set that has any.
    fn elements(&self, state: State) -> Option<&Bits> {
        match &self.kinds[state as usize] {
            Kind::Set(bits) => Some(bits),
            Kind::Word(_) | Kind::Begin(_) => None,
        }
    }

    /// Whether it can be a set.
    pub(super) fn is_set(&self, state: State) -> bool {
        state == ABSENT || self.elements(state).is_some()
    }

    /// Whether it has the element of that number.
    pub(super) fn has(&self, state: State, argument: u32) -> bool {
        self.elements(state).is_some_and(|set| set.has(argument))
    }

    /// Whether `whole` has all the elements of the set `state`.
    pub(super) fn is_subset(&self, state: State, whole: State) -> bool {
        match (self.elements(state), self.elements(whole)) {
            (Some(part), Some(whole)) => part.is_subset(whole),
            (None, _) => state == ABSENT && self.is_set(whole),
            (Some(_), None) => false,
        }
    }

    /// Whether `whole` can grow from `state`.
    pub(super) fn grows_to(&self, state: State, whole: State) -> bool {
        self.is_part(state, whole) || self.is_subset(state, whole)
    }

    /// The text, or the element, of that number.
    pub(super) fn element(&self, argument: u32) -> &str {
        &self.arguments[argument as usize]
    }
}

/// A text as it is written, without its quotes.
pub(super) fn inner(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The elements of an array, or of nothing, in the order in which they are written.
fn listed(text: &str) -> Option<Vec<String>> {
    match serde_json::from_str(text) {
        Ok(Json::Null) => Some(Vec::new()),
        Ok(Json::Array(list)) => Some(list.iter().map(Json::to_string).collect()),
        _ => None,
    }
}

/// The elements of a set as it is written, or as it was read; absent is empty.
pub(super) fn elements(text: &str) -> Option<BTreeSet<String>> {
    Some(listed(text)?.into_iter().collect())
}
