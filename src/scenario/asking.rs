//! A client's operations, and whether they are answered as a step expects.

use crate::scenario::expected::Reply;
use crate::scenario::ground::{Answer, Ground, Question};
use crate::scenario::player::{Player, Stop};
use crate::scenario::script::{Asking, Call};
use crate::sim::plan::Micros;
use crate::store::Condition;
use crate::types::NodeId;
use crate::value::Key;
use crate::wire::data::Consistency;

/// How long to wait before the leader is asked anew.
const AGAIN: Micros = 20_000;

impl<G: Ground> Player<'_, G> {
    /// Asks, and compares. Whoever asks the leader asks again while it is another, as long as that can do no harm.
    pub(super) async fn ask(&mut self, asking: &Asking, within: Micros) -> Result<String, Stop> {
        let end = self.ground.now() + within;
        loop {
            let view = self.look().await?;
            let node = self.cast.one(&asking.node, &view);
            let is_late = self.ground.now() >= end;
            let (node, answer) = match node {
                Ok(node) => {
                    let answer = self.ask_node(&node, asking).await;
                    (node, answer)
                }
                Err(why) if is_late || asking.node != "leader" => return Err(Stop::Here(why)),
                Err(_) => {
                    self.glance(AGAIN).await?;
                    continue;
                }
            };
            let what = format!(
                "{} at {node}: {}",
                asked(&asking.key, &asking.call),
                told(&answer)
            );
            let is_expected =
                asking.expect.is_empty() || asking.expect.iter().any(|e| fits(e, &answer));
            if is_expected {
                return Ok(what);
            }
            let is_void = matches!(
                answer,
                Answer::NotLeader | Answer::Unreachable | Answer::Refused(_)
            );
            if asking.node != "leader" || !is_void || is_late {
                let wanted: Vec<String> = asking.expect.iter().map(wanted).collect();
                return Err(Stop::Here(format!(
                    "{what}; expected {}",
                    wanted.join(" or ")
                )));
            }
            self.glance(AGAIN).await?;
        }
    }

    /// Asks a node once, and writes it down.
    pub(super) async fn ask_node(&mut self, node: &NodeId, asking: &Asking) -> Answer {
        let question = match &asking.call {
            Call::Read(consistency) => Question::Read(*consistency),
            Call::Put(value) => Question::Put(value.clone(), None),
            Call::Delete => Question::Delete,
            Call::Cas(None, value) => Question::Put(value.clone(), Some(Condition::Absent)),
            Call::Cas(Some(from), value) => {
                // The version is what a write can depend on; which one holds that value is looked up.
                let read = Question::Read(Consistency::Local);
                match self.ground.ask(node, &asking.key, &read).await {
                    Answer::Value(Some((found, Some(version)))) if found == *from => {
                        Question::Put(value.clone(), Some(Condition::Is(vec![version])))
                    }
                    Answer::Value(_) => {
                        let now = self.ground.now();
                        let number = self.notes.asks(&asking.key, &asking.call, node, now);
                        self.notes
                            .learns(number, &Answer::Refused(String::new()), now);
                        return Answer::Unmet;
                    }
                    other => return other,
                }
            }
        };
        let now = self.ground.now();
        let number = self.notes.asks(&asking.key, &asking.call, node, now);
        let answer = self.ground.ask(node, &asking.key, &question).await;
        let now = self.ground.now();
        self.notes.learns(number, &answer, now);
        answer
    }
}

fn asked(key: &Key, call: &Call) -> String {
    let key = key.as_str();
    match call {
        Call::Read(Consistency::Local) => format!("get {key}"),
        Call::Read(consistency) => format!("get {key}, {}", consistency.as_str()),
        Call::Put(value) => format!("put {key} = {}", value.as_str()),
        Call::Cas(Some(from), to) => {
            format!("put {key} = {} if it is {}", to.as_str(), from.as_str())
        }
        Call::Cas(None, to) => format!("put {key} = {} if it is not there", to.as_str()),
        Call::Delete => format!("delete {key}"),
    }
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Value(Some((value, _))) => value.as_str().to_owned(),
        Answer::Value(None) | Answer::NotFound => "404, no such key".to_owned(),
        Answer::Done(_) => "done".to_owned(),
        Answer::Unmet => "unmet, it holds something else".to_owned(),
        Answer::NotLeader => "not the leader".to_owned(),
        Answer::Refused(why) => format!("refused, {why}"),
        Answer::Unreachable => "unreachable".to_owned(),
        Answer::Unknown(why) => format!("outcome unknown, {why}"),
    }
}

fn fits(expected: &Reply, answer: &Answer) -> bool {
    match (expected, answer) {
        (Reply::Done, Answer::Done(_))
        | (Reply::NotFound, Answer::NotFound | Answer::Value(None))
        | (Reply::Unmet, Answer::Unmet)
        | (Reply::NotLeader, Answer::NotLeader)
        | (Reply::Refused, Answer::Refused(_))
        | (Reply::Unreachable, Answer::Unreachable)
        | (Reply::Unknown, Answer::Unknown(_)) => true,
        (Reply::Value(wanted), Answer::Value(Some((value, _)))) => {
            let wanted = wanted.to_string();
            wanted == value.as_str()
        }
        _ => false,
    }
}

fn wanted(expected: &Reply) -> String {
    match expected {
        Reply::Done => "done".to_owned(),
        Reply::NotFound => "404".to_owned(),
        Reply::Unmet => "unmet".to_owned(),
        Reply::NotLeader => "not-leader".to_owned(),
        Reply::Refused => "refused".to_owned(),
        Reply::Unreachable => "unreachable".to_owned(),
        Reply::Unknown => "unknown".to_owned(),
        Reply::Value(value) => value.to_string(),
    }
}
