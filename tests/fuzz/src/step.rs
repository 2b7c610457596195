//! A node that strangers talk to: whatever they say, it neither panics nor forgets, and says nothing that its peers would
//! refuse to read.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cluster::protocol::{Action, Change, Input, MemberChange, Message, Node, Reply, RequestId};
use cluster::storage::memory::Memory;
use cluster::types::{Config, NodeId, Role, Safeguards, TERM_LIMIT, Time};
use cluster::wire::peer::{self, Received};
use cluster::wire::sound::is_sound;

use super::draw::Draw;
use super::make;
use super::messages::Scene;
use super::peer::mode;

/// The longest that nothing happens.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

struct Stage {
    node: Node,
    disk: Memory,
    now: Time,
    seed: u64,
    sent: VecDeque<(NodeId, Message)>,
    requests: u64,
    /// How often each was answered.
    replies: BTreeMap<RequestId, usize>,
    /// Somebody known by an address was given an id, which the log may not know.
    renamed: bool,
}

/// How many inputs at most: enough for several elections, snapshots and restarts.
const STEPS: usize = 300;

pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let mut stage = Stage::new(&mut draw);
    for _ in 0..STEPS {
        if draw.is_empty() {
            break;
        }
        stage.happens(&mut draw);
    }
    stage.restart();
}

fn config(draw: &mut Draw) -> Config {
    let (mode, nodes) = (mode(draw.below(9)), draw.below(5) + 1);
    let own = draw.below(nodes) + 1;
    let mut members: Vec<NodeId> = (1..=nodes).map(NodeId::nth).collect();
    let switches = draw.byte();
    if switches & 1 == 1 {
        members.push(NodeId::new("http://127.0.0.1:4001").expect("an id"));
    }
    Config {
        mode,
        safeguards: Safeguards {
            random_timeout: switches & 2 == 0,
            pre_vote: switches & 4 == 0,
            check_quorum: switches & 8 == 0,
        },
        log_window: usize::from(switches >> 4),
        snapshot_every: (switches & 64 == 64).then_some(2),
        ..Config::new(NodeId::nth(own), members)
    }
}

impl Stage {
    fn new(draw: &mut Draw) -> Stage {
        let config = config(draw);
        let mut disk = Memory::new(1);
        if draw.byte() >= 200 {
            disk.keep(&[cluster::protocol::Record::Recovering(true)]);
        }
        let seed = u64::from(draw.byte());
        Stage {
            node: Node::new(config, disk.found(), seed),
            disk,
            now: Time::ZERO,
            seed,
            sent: VecDeque::new(),
            requests: 0,
            replies: BTreeMap::new(),
            renamed: false,
        }
    }

    fn happens(&mut self, draw: &mut Draw) {
        match draw.byte() {
            0..=9 => self.step(Input::Start {
                bootstrap: draw.chance(),
            }),
            10..=49 => self.wait(Duration::from_millis(draw.number())),
            50..=79 => self.wait_until_due(),
            80..=84 => self.step(Input::Resumed),
            85..=89 => self.restart(),
            90..=94 => self.identified(draw),
            95..=99 => self.refused(draw),
            100..=129 => {
                let input = self.request(draw);
                self.step(input);
            }
            130.. => self.hear(draw),
        }
    }

    /// As the runtime hands it in: sound, from somebody else, and only what may come that way.
    fn hear(&mut self, draw: &mut Draw) {
        let scene = Scene {
            node: &self.node,
            now: self.now,
            sent: &self.sent,
        };
        let (from, message) = scene.message(draw);
        let is_own = from == self.node.config().id && !message.is_answer();
        if is_sound(&message) && !is_own {
            self.step(Input::Message { from, message });
        }
    }

    fn identified(&mut self, draw: &mut Draw) {
        let address = NodeId::new("http://127.0.0.1:4001").expect("an id");
        let id = make::node(draw);
        if !id.is_address() {
            self.renamed = true;
            self.step(Input::Identified { address, id });
        }
    }

    fn refused(&mut self, draw: &mut Draw) {
        if !self.sent.is_empty() {
            let (peer, message) = &self.sent[draw.below(self.sent.len())];
            let (peer, message) = (peer.clone(), message.kind());
            self.step(Input::Refused { peer, message });
        }
    }

    fn request(&mut self, draw: &mut Draw) -> Input {
        self.requests += 1;
        let request = RequestId(self.requests);
        match draw.byte() % 16 {
            0..=7 => Input::Write {
                request,
                key: make::key(draw),
                change: match draw.byte() % 8 {
                    0 => Change::Unusable,
                    1 | 2 => Change::Delete,
                    _ => Change::Put(make::value(draw)),
                },
                proviso: make::proviso(draw),
            },
            8..=10 => Input::Read { request },
            11 => Input::Members {
                request,
                change: MemberChange::Add(make::node(draw)),
            },
            12 => Input::Members {
                request,
                change: MemberChange::Remove(make::node(draw)),
            },
            13 | 14 => Input::Transfer {
                request,
                to: make::some(draw, make::node),
            },
            _ => Input::Trust,
        }
    }

    fn wait(&mut self, time: Duration) {
        // Clocks go on for centuries, and not for ever.
        self.now = self.now + time.min(YEAR);
        self.tick();
    }

    fn wait_until_due(&mut self) {
        if let Some(due) = self.node.next_deadline() {
            self.now = self.now.max(due);
            self.tick();
        }
    }

    /// What is due is done, and then something else is due, later: no stranger keeps a node busy with itself.
    fn tick(&mut self) {
        for _ in 0..50 {
            if self.node.next_deadline().is_none_or(|due| due > self.now) {
                return;
            }
            self.step(Input::Tick);
        }
        panic!("it is never done with what is due: {:?}", self.node);
    }

    fn step(&mut self, input: Input) {
        let before = self.node.status(self.now);
        let epoch = self.node.epoch();
        for action in self.node.step(self.now, input) {
            match action {
                Action::Persist(record) => self.disk.keep(&[record]),
                Action::Send { to, message } => self.sends(to, message),
                Action::Reply { request, reply } => self.replies(request, &reply),
                Action::Report(event) => drop(serde_json::to_string(&event).expect("JSON")),
            }
        }
        let after = self.node.status(self.now);
        assert!(before.term <= after.term && after.term < TERM_LIMIT);
        if before.term == after.term && before.vote.is_some() {
            assert_eq!(before.vote, after.vote, "two votes in one term");
        }
        let last = self.node.log().last_index();
        assert!(after.compacted <= after.applied);
        assert!(after.applied <= after.commit && after.commit <= last);
        if epoch == self.node.epoch() {
            assert!(before.applied <= after.applied && before.commit <= after.commit);
        }
        if after.role == Role::Leader {
            assert_eq!(after.leader.as_ref(), Some(&after.id));
        }
    }

    fn replies(&mut self, request: RequestId, _: &Reply) {
        assert!(request.0 <= self.requests, "nobody asked");
        let count = self.replies.entry(request).or_default();
        *count += 1;
        assert_eq!(*count, 1, "one request, two replies");
    }

    /// Whoever it is for reads just that.
    fn sends(&mut self, to: NodeId, message: Message) {
        let Config { id, mode, .. } = self.node.config();
        assert!(is_sound(&message), "{message:?}");
        match message.is_answer() {
            true => {
                let body = peer::encode_answer(id, Some(message.clone()));
                let read = peer::decode_answer(message.kind(), &body);
                assert_eq!(read, Some((Some(id.clone()), message)));
            }
            false => {
                assert_ne!(to, *id, "it talks to itself: {message:?}");
                let body = peer::encode(id, *mode, &message, 1);
                let read = peer::decode(peer::route(message.kind()), *mode, &body);
                let (from, message) = (id.clone(), message);
                let expected = Received {
                    from,
                    message: message.clone(),
                };
                assert_eq!(read, Ok(expected));
                self.sent.push_front((to, message));
                self.sent.truncate(16);
            }
        }
    }

    /// A node on the same disk is the same node.
    fn restart(&mut self) {
        let config = self.node.config().clone();
        let node = Node::new(config, self.disk.found(), self.seed);
        let (before, after) = (self.node.status(self.now), node.status(self.now));
        assert_eq!(before.last, after.last);
        assert_eq!((before.term, before.vote), (after.term, after.vote));
        assert_eq!(
            (before.commit, before.applied),
            (after.commit, after.applied)
        );
        assert_eq!(before.recovering, after.recovering);
        assert!(self.node.store() == node.store(), "it holds something else");
        assert_eq!(self.node.store().bytes(), node.store().bytes());
        assert_eq!(self.node.log().history(), node.log().history());
        if !self.renamed {
            assert_eq!(before.members, after.members);
        }
        self.node = node;
        self.sent.clear();
    }
}
