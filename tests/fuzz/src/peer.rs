//! What peers post and answer: read, written and read again, it says the same.

use cluster::protocol::MessageKind;
use cluster::types::{Election, Mode, NodeId, Replication, TERM_LIMIT};
use cluster::wire::peer::{Received, decode, decode_answer, encode, encode_answer, route};
use cluster::wire::sound::is_sound;

const ROUTES: [&str; 9] = [
    "/internal/heartbeat",
    "/internal/replicate",
    "/internal/append",
    "/internal/snapshot",
    "/internal/probe",
    "/internal/vote",
    "/internal/read",
    "/internal/restored",
    "/internal/answer",
];

/// All pairs of modes.
pub fn mode(number: usize) -> Mode {
    let elections = [Election::LowestId, Election::Bully, Election::Raft];
    let replications = [Replication::Async, Replication::Quorum, Replication::Sync];
    Mode {
        election: elections[number / 3 % 3],
        replication: replications[number % 3],
    }
}

/// A byte that says by which route it came, and the body.
pub fn run(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    match usize::from(*kind) % (ROUTES.len() + 1) {
        9 => answer(body),
        at => request(ROUTES[at], body),
    }
}

fn request(path: &str, body: &[u8]) {
    let mode = mode(0);
    let Ok(received) = decode(path, mode, body) else {
        return;
    };
    let Received { from, message } = &received;
    assert!(is_sound(message) && message.term() < TERM_LIMIT);
    assert_eq!(route(message.kind()), path);
    let body = encode(from, mode, message, 1);
    assert_eq!(decode(path, mode, &body), Ok(received));
}

fn answer(body: &[u8]) {
    let Some((from, message)) = decode_answer(MessageKind::Heartbeat, body) else {
        return;
    };
    assert!(message.is_answer() && is_sound(&message));
    let sender = from.unwrap_or(NodeId::nth(1));
    let body = encode_answer(&sender, Some(message.clone()));
    let again = decode_answer(MessageKind::Heartbeat, &body);
    assert_eq!(again, Some((Some(sender), message)));
}
