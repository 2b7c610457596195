//! What arrives at a node, and how it is put to it.

use std::sync::Arc;

use crate::protocol::{Change, Input, MemberChange, MessageKind, RequestId};
use crate::sim::clients::Asker;
use crate::sim::plan::Place;
use crate::sim::seat::Seat;
use crate::sim::world::Letter;
use crate::store::Proviso;
use crate::types::NodeId;
use crate::value::Key;

/// What arrives at a node.
#[derive(Debug)]
pub(super) enum Called {
    Start { bootstrap: bool },
    Letter(Box<Letter>),
    Refused { peer: Place, message: MessageKind },
    Ask(Asker, Wish),
}

/// A request, before it has a number.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    Write {
        key: Key,
        change: Change,
        proviso: Option<Arc<Proviso>>,
    },
    Read,
    Members(MemberChange),
    Transfer(Option<NodeId>),
}

impl Wish {
    fn input(self, request: RequestId) -> Input {
        match self {
            Wish::Write {
                key,
                change,
                proviso,
            } => Input::Write {
                request,
                key,
                change,
                proviso,
            },
            Wish::Read => Input::Read { request },
            Wish::Members(change) => Input::Members { request, change },
            Wish::Transfer(to) => Input::Transfer { request, to },
        }
    }
}

/// As the node takes it; a request gets a number.
pub(super) fn input_of(seat: &mut Seat, ids: &[NodeId], called: Called) -> Input {
    match called {
        Called::Start { bootstrap } => Input::Start { bootstrap },
        Called::Letter(letter) => Input::Message {
            from: ids[letter.from as usize].clone(),
            message: letter.message,
        },
        Called::Refused { peer, message } => Input::Refused {
            peer: ids[peer as usize].clone(),
            message,
        },
        Called::Ask(asker, wish) => {
            let request = seat.number(asker);
            wish.input(request)
        }
    }
}
