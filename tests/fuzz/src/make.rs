//! What the protocol and the disk handle, drawn from bytes: mostly plausible, never all of it sound.

use std::sync::Arc;

use cluster::protocol::{Entry, Run};
use cluster::store::{Command, Condition, Item, Outcome, Piece, Proviso, Session, Token};
use cluster::types::{Boot, EntryId, Index, Members, NodeId};
use cluster::value::{Key, Value};

use super::draw::Draw;

/// A member of a cluster of seven; now and then a stranger, or somebody known by an address.
pub fn node(draw: &mut Draw) -> NodeId {
    match draw.byte() {
        240..=246 => NodeId::new("http://127.0.0.1:4001").expect("an id"),
        247..=249 => NodeId::new("node-01").expect("an id"),
        250.. => NodeId::new(&draw.text(200)).unwrap_or(NodeId::nth(9)),
        k => NodeId::nth(usize::from(k % 7) + 1),
    }
}

/// One of few lives, so that they meet again.
pub fn boot(draw: &mut Draw) -> Boot {
    match draw.byte() {
        250.. => draw.number(),
        k => u64::from(k % 4) + 1,
    }
}

pub fn id(draw: &mut Draw) -> EntryId {
    EntryId {
        index: draw.number(),
        term: draw.number(),
        leader: node(draw),
        boot: boot(draw),
    }
}

pub fn key(draw: &mut Draw) -> Key {
    match draw.byte() {
        250.. => Key::new(&draw.text(255)),
        k => Key::new(&format!("k{}", k % 5)),
    }
}

pub fn value(draw: &mut Draw) -> Value {
    let all = [
        "1",
        "null",
        "\"v\"",
        "[ {\"a\": 1e999} ]",
        "\"\\ud83d\\ude00\"",
        "-0.10",
    ];
    match draw.byte() {
        250.. => Value::parse(draw.bytes(255)).unwrap_or(Value::string("odd")),
        k => Value::parse(all[usize::from(k) % all.len()].as_bytes()).expect("JSON"),
    }
}

pub fn token(draw: &mut Draw) -> Option<Token> {
    match draw.byte() {
        0..=127 => None,
        250.. => Token::new(&draw.text(255)),
        k => Token::new(&format!("t{}", k % 3)),
    }
}

pub fn some<T>(draw: &mut Draw, make: impl FnOnce(&mut Draw) -> T) -> Option<T> {
    draw.chance().then(|| make(draw))
}

/// At most `most` of them.
pub fn several<T>(draw: &mut Draw, most: usize, make: impl Fn(&mut Draw) -> T) -> Vec<T> {
    let count = draw.below(most + 1);
    (0..count).map(|_| make(draw)).collect()
}

pub fn proviso(draw: &mut Draw) -> Option<Arc<Proviso>> {
    let condition = match draw.byte() % 8 {
        0 => Some(Condition::Absent),
        1 => Some(Condition::Present),
        2 => Some(Condition::Is(several(draw, 3, id))),
        3 => Some(Condition::IsNot(several(draw, 3, id))),
        _ => None,
    };
    let token = token(draw);
    let proviso = Proviso { condition, token };
    (proviso != Proviso::default()).then(|| Arc::new(proviso))
}

pub fn members(draw: &mut Draw) -> Members {
    let (voters, learners) = (several(draw, 5, node), several(draw, 2, node));
    match draw.chance() {
        true => Members { voters, learners },
        false => Members::new(voters),
    }
}

pub fn command(draw: &mut Draw) -> Command {
    match draw.byte() % 8 {
        0..=3 => Command::Put {
            key: key(draw),
            value: value(draw),
            proviso: proviso(draw),
        },
        4 | 5 => Command::Delete {
            key: key(draw),
            proviso: proviso(draw),
        },
        6 => Command::Noop,
        _ => Command::Members(members(draw)),
    }
}

/// Entries behind `prev`: numbered as they should be, or not at all.
pub fn entries(draw: &mut Draw, prev: Index) -> Vec<Entry> {
    let orderly = draw.byte() < 240;
    let (mut origin, mut next) = (id(draw), prev);
    several(draw, 6, |draw| draw.byte())
        .into_iter()
        .map(|change| {
            next = next.saturating_add(1);
            if change >= 200 {
                origin = id(draw);
            }
            let index = if orderly { next } else { draw.number() };
            Entry {
                id: EntryId {
                    index,
                    ..origin.clone()
                },
                command: command(draw),
            }
        })
        .collect()
}

pub fn run(draw: &mut Draw) -> Run {
    let EntryId {
        index,
        term,
        leader,
        boot,
    } = id(draw);
    Run {
        first: index,
        term,
        leader,
        boot,
    }
}

fn outcome(draw: &mut Draw) -> Outcome {
    match draw.byte() % 6 {
        0 => Outcome::Put,
        1 => Outcome::Deleted,
        2 => Outcome::NoSuchKey,
        3 => Outcome::Unmet(some(draw, id)),
        4 => Outcome::Mistaken,
        _ => Outcome::Nothing,
    }
}

pub fn piece(draw: &mut Draw) -> Piece {
    let place = draw.number();
    match draw.byte() % 4 {
        0 => Piece::Session(Session {
            place,
            token: token(draw).unwrap_or(Token::new("t").expect("a token")),
            fingerprint: draw.number(),
            outcome: outcome(draw),
            by: id(draw),
        }),
        _ => Piece::Key(Item {
            place,
            key: key(draw),
            value: value(draw),
            version: Arc::new(id(draw)),
        }),
    }
}
