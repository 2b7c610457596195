//! Messages that come later than anything they were meant for.

use std::time::Duration;

use cluster::protocol::{Action, Input, Message, Reply, RequestId};
use cluster::types::{Mode, NodeId};

use crate::world::{Envelope, World};

fn raft() -> World {
    let mut world = World::new(3, |config| config.mode = Mode::RAFT);
    world.start_all();
    world.advance(Duration::from_secs(2));
    world
}

/// What node-1 would send to node-2 next.
fn held_back(world: &mut World) -> Envelope {
    world.holding = true;
    world.advance(Duration::from_millis(60));
    world.holding = false;
    let mut wire = std::mem::take(&mut world.wire).into_iter();
    let late = wire.find(|envelope| envelope.to == NodeId::nth(2));
    late.expect("a heartbeat")
}

#[test]
fn an_answer_to_an_older_leaderships_message_confirms_no_read() {
    let mut world = raft();
    let (one, two, three) = (NodeId::nth(1), NodeId::nth(2), NodeId::nth(3));
    let late = held_back(&mut world);
    for (from, to) in [(&one, &three), (&three, &one)] {
        let to = Some(to.clone());
        world.ask(from, |request| Input::Transfer { request, to });
        world.advance(Duration::from_millis(60));
    }
    // node-1 leads again, with few rounds so far, and is cut off; node-2 gets what it sent two terms ago.
    world.faults.cut(&one, &two);
    world.faults.cut(&one, &three);
    world.deliver(late);
    world.settle();
    world.ask(&one, |request| Input::Read { request });
    let readable = |(_, reply): &(_, Reply)| matches!(reply, Reply::Readable);
    assert!(
        !world.replies.iter().any(readable),
        "{:?}",
        world.trace.last()
    );
    world.advance(Duration::from_secs(3));
    assert!(!world.replies.iter().any(readable));
}

#[test]
fn who_lost_its_disk_gives_no_second_vote_in_the_term_of_whoever_let_it_vote_again() {
    let mut world = World::new(3, |config| {
        config.mode = Mode::RAFT;
        config.safeguards.check_quorum = false;
    });
    world.start_all();
    world.advance(Duration::from_secs(2));
    let (two, three) = (NodeId::nth(2), NodeId::nth(3));
    world.kill(&two);
    world.wipe(&two);
    world.start(&two, false);
    world.advance(Duration::from_secs(2));
    let status = world.members[&two]
        .node
        .as_ref()
        .expect("it lives")
        .status(world.now);
    assert!(!status.recovering, "node-1 lets it vote again");
    let term = status.term;
    // Its disk does not know any more for whom it voted in this term; somebody else stood in it, and is heard late.
    let message = Message::Vote {
        term,
        last: status.last.clone(),
        transfer: false,
    };
    world.holding = true;
    world.deliver(Envelope {
        from: three.clone(),
        to: two.clone(),
        message,
    });
    let answer = |envelope: &Envelope| match &envelope.message {
        Message::VoteAck { granted, .. } if envelope.to == three => Some(*granted),
        _ => None,
    };
    assert_eq!(world.wire.iter().find_map(answer), Some(false));
}

/// What node `id` replies at once to one read more than may wait.
fn refused(world: &mut World, id: &NodeId) -> Vec<Action> {
    let now = world.now;
    let node = world.members.get_mut(id).and_then(|m| m.node.as_mut());
    let node = node.expect("it lives");
    let mut replies = Vec::new();
    for request in (1..=100_001).map(RequestId) {
        let actions = node.step(now, Input::Read { request });
        replies.extend(
            actions
                .into_iter()
                .filter(|a| matches!(a, Action::Reply { .. })),
        );
    }
    replies
}

#[test]
fn only_so_many_reads_wait_for_a_majority_or_for_the_leader() {
    let mut world = raft();
    let all = [1, 2, 3].map(NodeId::nth);
    for a in &all {
        for b in &all {
            world.faults.cut(a, b);
        }
    }
    for id in &all {
        let refused = refused(&mut world, id);
        let [
            Action::Reply {
                request,
                reply: Reply::Unavailable { reason },
            },
        ] = &refused[..]
        else {
            panic!("{id}: {refused:?}");
        };
        assert_eq!(*request, RequestId(100_001));
        assert!(reason.contains("too many reads"), "{reason}");
    }
}
