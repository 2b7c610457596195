//! The values of a key as small numbers, and what becomes of them.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::check::history::Text;
use crate::check::memory::Map;
use crate::check::problem::Effect;

/// The value of a key, as a number; [`ABSENT`] is no value.
pub(super) type State = u32;

pub(super) const ABSENT: State = 0;

/// Stands for all values that nobody ever observes, nor could have: they are as good as one.
pub(super) const UNSEEN: State = 1;

/// The values and what they are written as.
#[derive(Debug, Default)]
pub(super) struct Values {
    texts: Vec<String>,
    numbers: Map<String, State>,
    arguments: Vec<Text>,
    argument_numbers: Map<Text, u32>,
    /// What anybody saw, or expected; a text that none of them begins with is [`UNSEEN`].
    seen: Vec<Text>,
    appended: Map<(State, u32), Option<State>>,
    added: Map<(State, u32), Option<State>>,
}

impl Values {
    pub(super) fn new(seen: Vec<Text>) -> Values {
        let mut values = Values {
            seen,
            ..Values::default()
        };
        values.number("null".to_owned());
        values.number("\u{0}unseen".to_owned());
        values
    }

    pub(super) fn number(&mut self, text: String) -> State {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.texts.len() as State;
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    pub(super) fn argument(&mut self, text: &Text) -> u32 {
        if let Some(number) = self.argument_numbers.get(text) {
            return *number;
        }
        let number = self.arguments.len() as u32;
        self.arguments.push(text.clone());
        self.argument_numbers.insert(text.clone(), number);
        number
    }

    /// Whether somebody saw a value that begins with the text; of what is no text nothing is said.
    pub(super) fn is_seen(&self, text: &str) -> bool {
        let inner = text.strip_suffix('"').unwrap_or(text);
        !text.starts_with('"') || self.seen.iter().any(|seen| seen.starts_with(inner))
    }

    pub(super) fn text(&self, state: State) -> &str {
        &self.texts[state as usize]
    }

    /// `state` with text behind it; `None` if it is no text.
    fn append(&mut self, state: State, argument: u32) -> Option<State> {
        if let Some(known) = self.appended.get(&(state, argument)) {
            return *known;
        }
        let more = &self.arguments[argument as usize];
        let made = match self.texts[state as usize].strip_suffix('"') {
            _ if state == UNSEEN => return Some(UNSEEN),
            _ if state == ABSENT => Some(more.to_string()),
            Some(text) => Some(format!("{text}{}", &more[1..])),
            None => None,
        };
        let made = made.map(|text| match self.is_seen(&text) {
            true => self.number(text),
            false => UNSEEN,
        });
        self.appended.insert((state, argument), made);
        made
    }

    /// `state` with an element more; `None` if it is no set.
    fn add(&mut self, state: State, argument: u32) -> Option<State> {
        if let Some(known) = self.added.get(&(state, argument)) {
            return *known;
        }
        let set = elements(&self.texts[state as usize]);
        let made = set.map(|mut set| {
            set.insert(self.arguments[argument as usize].to_string());
            self.number(written(&set))
        });
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

    /// How long a text is; absent has nothing.
    pub(super) fn length(&self, state: State) -> usize {
        match state {
            ABSENT => 0,
            state => self.text(state).len(),
        }
    }

    /// Whether `whole` begins with the text `state`.
    pub(super) fn is_part(&self, state: State, whole: State) -> bool {
        let text = self.text(state);
        let inner = text.strip_suffix('"').unwrap_or(text);
        state == ABSENT || self.text(whole).starts_with(inner)
    }

    /// Whether `whole` has all the elements of the set `state`.
    pub(super) fn is_subset(&self, state: State, whole: State) -> bool {
        let sets = elements(self.text(state)).zip(elements(self.text(whole)));
        sets.is_some_and(|(part, whole)| part.is_subset(&whole))
    }

    pub(super) fn element(&self, argument: u32) -> &str {
        &self.arguments[argument as usize]
    }
}

/// The elements of a set as it is written, or as it was read; absent is empty.
pub(super) fn elements(text: &str) -> Option<BTreeSet<String>> {
    match serde_json::from_str(text) {
        Ok(Json::Null) => Some(BTreeSet::new()),
        Ok(Json::Array(list)) => Some(list.iter().map(Json::to_string).collect()),
        _ => None,
    }
}

/// A set in one way of writing it: sorted, and absent if it is empty.
pub(super) fn written(set: &BTreeSet<String>) -> String {
    if set.is_empty() {
        return "null".to_owned();
    }
    let list: Vec<&str> = set.iter().map(String::as_str).collect();
    format!("[{}]", list.join(","))
}
