//! What can be written in short or at length: `kill = "leader"`, or `kill = { node = "leader", disk = "wipe" }`.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{
    DeserializeOwned, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};
use serde::{Deserialize, Deserializer};

use crate::wire::units;

/// What stands there in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brief {
    /// `true`.
    Yes,
    /// A number.
    Number(u64),
    /// A word, or several in one text.
    Text(String),
    /// A list of words.
    List(Vec<String>),
}

/// What has a short form.
pub trait Short: Sized {
    /// What may stand there, for whoever wrote something else.
    const EXPECTED: &'static str;

    /// What the short form means; or what is wrong with it.
    fn short(brief: Brief) -> Result<Self, String>;
}

struct Shape<T>(PhantomData<T>);

impl<'de, T: Short + Deserialize<'de>> Visitor<'de> for Shape<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<T, E> {
        match yes {
            true => T::short(Brief::Yes).map_err(E::custom),
            false => Err(E::custom("false says nothing: leave the line out")),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        let number = u64::try_from(number).map_err(|_| E::custom("it must not be below zero"))?;
        T::short(Brief::Number(number)).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::short(Brief::Text(text.to_owned())).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        T::short(Brief::List(words)).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Reads either form.
pub(super) fn either<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Short + DeserializeOwned,
{
    deserializer.deserialize_any(Shape(PhantomData)).map(Some)
}

/// Nodes, by name or by role: `"node-1"`, `"node-1,node-2"`, `["node-1", "leader"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

/// The names in `text`.
pub(super) fn names(text: &str) -> Vec<String> {
    let names = text.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Short for Names {
    const EXPECTED: &'static str = "a node or role, or a list of them";

    fn short(brief: Brief) -> Result<Names, String> {
        let names = match brief {
            Brief::Text(text) => names(&text),
            Brief::List(names) => names,
            Brief::Yes | Brief::Number(_) => Vec::new(),
        };
        match names.is_empty() {
            true => Err(format!("expected {}", Names::EXPECTED)),
            false => Ok(Names(names)),
        }
    }
}

/// A list has no long form: `Shape` refuses tables by this.
impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct Listed;
        impl<'de> Visitor<'de> for Listed {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Names::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Names, E> {
                Names::short(Brief::Text(text.to_owned())).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Names, A::Error> {
                Shape::<Names>(PhantomData).visit_seq(list)
            }
        }
        deserializer.deserialize_any(Listed)
    }
}

/// A time: `"2s"`, `"150ms"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// In microseconds.
    pub fn micros(self) -> u64 {
        self.0.as_micros() as u64
    }
}

/// The longest time that makes sense.
const LONGEST: Duration = Duration::from_secs(3600);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        struct Timed;
        impl Visitor<'_> for Timed {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time, as in \"2s\" or \"150ms\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                let time = humantime::parse_duration(text);
                let time = time.map_err(|_| E::custom("write a time as in \"2s\" or \"150ms\""))?;
                match time {
                    Duration::ZERO => Err(E::custom("no time at all is not meant")),
                    time if time > LONGEST => {
                        Err(E::custom("no scenario lasts longer than an hour"))
                    }
                    time => Ok(Span(time)),
                }
            }
        }
        deserializer.deserialize_str(Timed)
    }
}

/// A chance: `"10%"`, in 1,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chance(pub u16);

impl<'de> Deserialize<'de> for Chance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Chance, D::Error> {
        struct Drawn;
        impl Visitor<'_> for Drawn {
            type Value = Chance;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a chance, as in \"10%\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Chance, E> {
                let number = text
                    .strip_suffix('%')
                    .and_then(|n| n.trim().parse::<f64>().ok());
                match number {
                    Some(percent) if (0.1..=100.0).contains(&percent) => {
                        Ok(Chance((percent * 10.0).round() as u16))
                    }
                    _ => Err(E::custom("write a chance as in \"10%\", from 0.1% to 100%")),
                }
            }
        }
        deserializer.deserialize_str(Drawn)
    }
}

/// How much a second: `"1MiB/s"`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub u64);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        struct Rated;
        impl Visitor<'_> for Rated {
            type Value = Rate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rate, as in \"1MiB/s\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Rate, E> {
                units::rate(text).map(Rate).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Rated)
    }
}
