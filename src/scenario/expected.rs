//! What is expected: the answers to operations, and conditions on the whole cluster.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::scenario::brief::{Brief, Names, Short};

/// What an operation is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It is done.
    Done,
    /// There is no such key.
    NotFound,
    /// The key holds something else.
    Unmet,
    /// The node does not lead, and nothing was done.
    NotLeader,
    /// The node lives and declines: it cannot promise what is asked.
    Refused,
    /// Nobody listens there.
    Unreachable,
    /// Nobody can know what became of it.
    Unknown,
    /// The key holds this.
    Value(Json),
}

/// What may be answered: one of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected(pub Vec<Reply>);

const REPLIES: &str = "\"done\", 404, \"unmet\", \"not-leader\", \"refused\", \"unreachable\", \"unknown\", { value = … }, or a list of them";

fn reply(word: &str) -> Option<Reply> {
    Some(match word {
        "done" => Reply::Done,
        "404" => Reply::NotFound,
        "unmet" => Reply::Unmet,
        "not-leader" => Reply::NotLeader,
        "refused" => Reply::Refused,
        "unreachable" => Reply::Unreachable,
        "unknown" => Reply::Unknown,
        _ => return None,
    })
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expected, D::Error> {
        struct Answered;
        impl<'de> Visitor<'de> for Answered {
            type Value = Expected;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(REPLIES)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Expected, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Expected, E> {
                let reply = reply(word);
                let reply = reply.ok_or_else(|| E::custom(format!("expected {REPLIES}")))?;
                Ok(Expected(vec![reply]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Expected, A::Error> {
                let mut all = Vec::new();
                while let Some(Expected(more)) = list.next_element()? {
                    all.extend(more);
                }
                match all.is_empty() {
                    true => Err(A::Error::custom(format!(
                        "no answer at all fits: expected {REPLIES}"
                    ))),
                    false => Ok(Expected(all)),
                }
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Expected, A::Error> {
                match map.next_key::<String>()?.as_deref() {
                    Some("value") => Ok(Expected(vec![Reply::Value(map.next_value()?)])),
                    _ => Err(A::Error::custom(format!("expected {REPLIES}"))),
                }
            }
        }
        deserializer.deserialize_any(Answered)
    }
}

/// Something that holds or does not: all that is said in it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ConditionTable {
    /// One leads, and all that are up obey it.
    pub settled: bool,
    /// So many nodes claim to lead.
    pub leaders: Option<usize>,
    /// At most so many nodes claim to lead.
    pub max_leaders: Option<usize>,
    /// These claim to lead.
    pub leads: Option<Names>,
    /// These do not claim to lead.
    pub not_leading: Option<Names>,
    /// The highest term is this, or the `same` or `higher` than what was remembered.
    pub term: Option<TermIs>,
    /// So many nodes answer.
    pub up: Option<usize>,
    /// All that are up hold the same.
    pub equal: bool,
    /// Acknowledged or applied writes that were reported lost: so many.
    pub lost: Option<u64>,
    /// At least so many.
    pub min_lost: Option<u64>,
    /// This key …
    pub key: Option<String>,
    /// … at these nodes, all of them …
    pub node: Option<Names>,
    /// … holds this …
    pub value: Option<Json>,
    /// … or is not there.
    pub absent: bool,
}

impl Short for ConditionTable {
    const EXPECTED: &'static str = "\"leader\", \"no-leader\", \"equal\", or a table";

    fn short(brief: Brief) -> Result<ConditionTable, String> {
        let mut condition = ConditionTable::default();
        match brief {
            Brief::Text(word) if word == "leader" => condition.settled = true,
            Brief::Text(word) if word == "no-leader" => condition.leaders = Some(0),
            Brief::Text(word) if word == "equal" => condition.equal = true,
            _ => return Err(format!("expected {}", Self::EXPECTED)),
        }
        Ok(condition)
    }
}

/// Which term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermIs {
    /// This one.
    Number(u64),
    /// As it was.
    Same,
    /// Higher than it was.
    Higher,
}

impl<'de> Deserialize<'de> for TermIs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TermIs, D::Error> {
        struct Term;
        impl Visitor<'_> for Term {
            type Value = TermIs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"same\" or \"higher\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<TermIs, E> {
                let number = u64::try_from(number);
                number
                    .map(TermIs::Number)
                    .map_err(|_| E::custom("a term is not below zero"))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<TermIs, E> {
                match word {
                    "same" => Ok(TermIs::Same),
                    "higher" => Ok(TermIs::Higher),
                    _ => Err(E::custom("expected a number, \"same\" or \"higher\"")),
                }
            }
        }
        deserializer.deserialize_any(Term)
    }
}
