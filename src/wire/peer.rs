//! What nodes say to each other: [`Message`]s as JSON in the body of a POST, and answers in its response.
//!
//! Heartbeats and whole maps go where the chapter's go, with its fields in both spellings; a message of ours has, beside
//! them, who sends it, under which rules, and itself. Everything else has a route of its own. A program of the chapter
//! answers those with 404, and a heartbeat with `{"success":true}` and nothing else.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::protocol::{Message, MessageKind};
use crate::types::{Leadership, Mode, NodeId, Term};
use crate::value::{Key, Value};
use crate::wire::map;
use crate::wire::sound::is_sound;

/// The version of the messages. Nodes of different versions refuse each other.
pub const PROTOCOL: u32 = 2;

/// The largest body of a message, in bytes.
pub const MAX_BODY: usize = 64 << 20;

/// Where a kind of message is sent.
pub fn route(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Heartbeat | MessageKind::BareHeartbeat => "/internal/heartbeat",
        MessageKind::WholeMap => "/internal/replicate",
        MessageKind::Append => "/internal/append",
        MessageKind::InstallSnapshot => "/internal/snapshot",
        MessageKind::Probe => "/internal/probe",
        MessageKind::PreVote | MessageKind::Vote | MessageKind::TimeoutNow => "/internal/vote",
        MessageKind::ReadIndex | MessageKind::ReadAt => "/internal/read",
        MessageKind::Restored => "/internal/restored",
        // Answers travel in responses.
        MessageKind::HeartbeatAck
        | MessageKind::AppendAck
        | MessageKind::SnapshotAck
        | MessageKind::ProbeAck
        | MessageKind::VoteAck
        | MessageKind::BareAck => "/internal/answer",
    }
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Who sent it.
    pub from: NodeId,
    /// What it says.
    pub message: Message,
}

/// Why a message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// It is not a message, or says what no honest node could.
    Invalid,
    /// It comes from a node that plays by other rules.
    OtherRules {
        /// Who sent it.
        from: NodeId,
        /// Its rules.
        rules: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leader_id: Option<&'a NodeId>,
    #[serde(rename = "leader_id", skip_serializing_if = "Option::is_none")]
    leader_id_python: Option<&'a NodeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<Term>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "map::as_object"
    )]
    data: Option<&'a [(Key, Value)]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a NodeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    r#type: Option<String>,
    leader_id: Option<NodeId>,
    #[serde(rename = "leader_id")]
    leader_id_python: Option<NodeId>,
    term: Option<Term>,
    data: Option<map::WholeMap>,
    protocol: Option<u32>,
    from: Option<NodeId>,
    mode: Option<String>,
    message: Option<Message>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    success: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<NodeId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

/// The body that carries `message`. `timestamp` is Unix time in milliseconds, for the chapter's programs.
pub fn encode(from: &NodeId, mode: Mode, message: &Message, timestamp: u64) -> Bytes {
    let (kind, claim, data) = match message {
        Message::Heartbeat { claim, .. } => (Some("heartbeat"), Some(claim), None),
        Message::BareHeartbeat { claim } => (Some("heartbeat"), Some(claim), None),
        Message::WholeMap { claim, data } => (Some("replicate"), Some(claim), Some(&data[..])),
        _ => (None, None, None),
    };
    // The chapter's forms go bare: who understands ours is sent ours.
    let ours = !matches!(
        message,
        Message::BareHeartbeat { .. } | Message::WholeMap { .. }
    );
    let body = Outgoing {
        r#type: kind,
        leader_id: claim.map(|claim| &claim.leader),
        leader_id_python: claim.map(|claim| &claim.leader),
        term: claim.map(|claim| claim.term),
        timestamp: claim.map(|_| timestamp),
        data,
        protocol: ours.then_some(PROTOCOL),
        from: ours.then_some(from),
        mode: ours.then(|| mode.to_string()),
        message: ours.then_some(message),
    };
    serde_json::to_vec(&body)
        .expect("messages are always JSON")
        .into()
}

/// Reads the body that was posted to `path`.
pub fn decode(path: &str, mode: Mode, body: &[u8]) -> Result<Received, Rejected> {
    let body: Incoming = serde_json::from_slice(body).map_err(|_| Rejected::Invalid)?;
    let received = match body.message {
        None => bare(path, body)?,
        Some(message) => {
            let (Some(from), Some(protocol)) = (body.from, body.protocol) else {
                return Err(Rejected::Invalid);
            };
            let rules = body.mode.unwrap_or_default();
            if protocol != PROTOCOL || rules != mode.to_string() {
                let rules = format!("{rules}, protocol {protocol}");
                return Err(Rejected::OtherRules { from, rules });
            }
            Received { from, message }
        }
    };
    let fits = route(received.message.kind()) == path && is_sound(&received.message);
    fits.then_some(received).ok_or(Rejected::Invalid)
}

/// A message in the chapter's form, in either spelling.
fn bare(path: &str, body: Incoming) -> Result<Received, Rejected> {
    let leader = body
        .leader_id
        .or(body.leader_id_python)
        .ok_or(Rejected::Invalid)?;
    let term = body.term.ok_or(Rejected::Invalid)?;
    let claim = Leadership {
        term,
        leader: leader.clone(),
    };
    let is_type = |name| body.r#type.as_deref().is_none_or(|kind| kind == name);
    let message = match (path, body.data) {
        ("/internal/heartbeat", _) if is_type("heartbeat") => Message::BareHeartbeat { claim },
        ("/internal/replicate", Some(map)) if is_type("replicate") => Message::WholeMap {
            claim,
            data: map.0.into(),
        },
        _ => return Err(Rejected::Invalid),
    };
    Ok(Received {
        from: leader,
        message,
    })
}

/// The response that carries `message` (`None`: bare success, as the chapter's programs answer).
pub fn encode_answer(from: &NodeId, message: Option<Message>) -> Bytes {
    let answer = match message {
        Some(message) => Answer {
            success: true,
            from: Some(from.clone()),
            message: Some(message),
        },
        None => Answer {
            success: true,
            from: None,
            message: None,
        },
    };
    serde_json::to_vec(&answer)
        .expect("messages are always JSON")
        .into()
}

/// Reads the answer to a message of the kind `to`: who gave it, if it says so, and what it says.
pub fn decode_answer(to: MessageKind, body: &[u8]) -> Option<(Option<NodeId>, Message)> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let message = answer.message.unwrap_or(Message::BareAck { to });
    let fits = answer.success && message.is_answer() && is_sound(&message);
    fits.then_some((answer.from, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Entry;
    use crate::store::Command;
    use crate::types::{EntryId, Index};

    fn entry(index: Index) -> Entry {
        let id = EntryId {
            index,
            term: 2,
            leader: NodeId::nth(1),
            boot: 7,
        };
        let value = Value::parse(b"123456789012345678901234567890").expect("JSON");
        Entry {
            id,
            command: Command::put(Key::new("k"), value),
        }
    }

    fn append(prev: Index, first: Index) -> Message {
        let claim = Leadership {
            term: 2,
            leader: NodeId::nth(1),
        };
        let entries = vec![entry(first), entry(first + 1)];
        Message::Append {
            claim,
            round: 9,
            prev: Some(entry(prev).id),
            entries,
            commit: None,
        }
    }

    fn there_and_back(message: &Message) -> Result<Received, Rejected> {
        let body = encode(&NodeId::nth(1), Mode::default(), message, 1);
        decode(route(message.kind()), Mode::default(), &body)
    }

    #[test]
    fn messages_arrive_as_they_were_sent_numbers_of_thirty_digits_included() {
        let claim = Leadership {
            term: 2,
            leader: NodeId::nth(1),
        };
        for message in [
            append(4, 5),
            Message::Heartbeat {
                claim: claim.clone(),
                round: 3,
                commit: Some(entry(4).id),
            },
            Message::Vote {
                term: 5,
                last: Some(entry(4).id),
                transfer: true,
            },
            Message::Probe { term: 5 },
            Message::BareHeartbeat {
                claim: claim.clone(),
            },
            Message::WholeMap {
                claim,
                data: vec![(Key::new("a"), Value::string("b"))].into(),
            },
        ] {
            assert_eq!(there_and_back(&message).map(|r| r.message), Ok(message));
        }
    }

    #[test]
    fn entries_that_do_not_follow_each_other_are_refused() {
        assert_eq!(there_and_back(&append(4, 6)), Err(Rejected::Invalid));
    }

    #[test]
    fn both_spellings_of_the_chapters_heartbeat_are_understood() {
        let claim = Leadership {
            term: 3,
            leader: NodeId::nth(1),
        };
        for body in [
            r#"{"type":"heartbeat","leaderId":"node-1","term":3,"timestamp":1}"#,
            r#"{"type":"heartbeat","leader_id":"node-1","term":3,"timestamp":1.5}"#,
        ] {
            let received = decode("/internal/heartbeat", Mode::default(), body.as_bytes());
            let message = Message::BareHeartbeat {
                claim: claim.clone(),
            };
            assert_eq!(
                received,
                Ok(Received {
                    from: NodeId::nth(1),
                    message
                }),
                "{body}"
            );
        }
    }

    #[test]
    fn a_term_that_is_no_integer_below_2_to_the_53_is_refused() {
        for term in [
            "-1",
            "1.5",
            "1e3",
            "\"1\"",
            "null",
            "9007199254740992",
            "99999999999999999999",
        ] {
            let body = format!(r#"{{"leaderId":"node-1","term":{term}}}"#);
            let received = decode("/internal/heartbeat", Mode::default(), body.as_bytes());
            assert_eq!(received, Err(Rejected::Invalid), "{term}");
        }
    }

    #[test]
    fn a_repeated_key_of_a_map_takes_the_last_value() {
        let body = br#"{"leaderId":"n","term":1,"data":{"a":1,"b":2,"a":3}}"#;
        let received = decode("/internal/replicate", Mode::default(), body).expect("a map");
        let Message::WholeMap { data, .. } = received.message else {
            panic!("not a map")
        };
        let pairs: Vec<String> = data.iter().map(|(k, v)| format!("{k:?}={v:?}")).collect();
        assert_eq!(pairs, ["a=3", "b=2"]);
    }
}
