//! What every mode keeps under any interleaving of messages, deaths, pauses, cuts, lost disks and changes of members:
//! checked after every step, each claim under its name in the paper (Raft, figure 3), and once more after quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::event::Event;
use cluster::protocol::{Change, Input, MemberChange, Reply, RequestId};
use cluster::storage::Disk;
use cluster::types::{
    Config, Election, EntryId, Index, Mode, NodeId, Replication, Role, Safeguards, Term,
};
use cluster::value::{Key, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, RngSeed};

use crate::world::World;

const NODES: usize = 5;

#[derive(Debug, Clone)]
enum Op {
    Put(usize, u8),
    Delete(usize, u8),
    Read(usize, u8),
    Advance(u64),
    Kill(usize),
    PowerCut(usize),
    Wipe(usize),
    Revive(usize),
    Pause(usize),
    Resume(usize),
    Cut(usize, usize),
    Heal,
    Hold,
    Release,
    Deliver(usize),
    Drop(usize),
    Double(usize),
    Transfer(usize, usize),
    Add(usize, usize),
    Remove(usize, usize),
}

/// Which faults a property allows itself.
#[derive(Clone, Copy, PartialEq)]
enum Faults {
    Network,
    LostDisks,
    Members,
}

fn any_op(faults: Faults) -> impl Strategy<Value = Op> {
    let node = 1..=NODES;
    let pair = (node.clone(), node.clone());
    let write = (node.clone(), 0..4u8);
    let special = move |op: Op| match (faults, op) {
        (Faults::LostDisks, Op::Transfer(n, _)) => Op::Wipe(n),
        (Faults::Members, Op::Transfer(n, m)) if m % 2 == 0 => Op::Add(n, m),
        (Faults::Members, Op::Transfer(n, m)) => Op::Remove(n, m),
        (_, op) => op,
    };
    prop_oneof![
        6 => write.clone().prop_map(|(n, k)| Op::Put(n, k)),
        1 => write.clone().prop_map(|(n, k)| Op::Delete(n, k)),
        3 => write.prop_map(|(n, k)| Op::Read(n, k)),
        8 => (1..500u64).prop_map(Op::Advance),
        2 => node.clone().prop_map(Op::Kill),
        1 => node.clone().prop_map(Op::PowerCut),
        4 => node.clone().prop_map(Op::Revive),
        1 => node.clone().prop_map(Op::Pause),
        2 => node.clone().prop_map(Op::Resume),
        2 => pair.clone().prop_map(|(a, b)| Op::Cut(a, b)),
        2 => Just(Op::Heal),
        1 => Just(Op::Hold),
        2 => Just(Op::Release),
        4 => (0..20usize).prop_map(Op::Deliver),
        1 => (0..20usize).prop_map(Op::Drop),
        1 => (0..20usize).prop_map(Op::Double),
        2 => pair.prop_map(|(n, m)| Op::Transfer(n, m)),
    ]
    .prop_map(special)
}

/// What has been seen so far.
struct Watch {
    mode: Mode,
    leaders: BTreeMap<Term, NodeId>,
    /// Which entry was applied at which place, by whoever was first.
    applied: BTreeMap<Index, EntryId>,
    commits: BTreeMap<NodeId, Index>,
    writes: BTreeMap<RequestId, Key>,
    /// Of each read: the key, and the least place that its answer must know of.
    reads: BTreeMap<RequestId, (NodeId, Key, Index)>,
    /// The last acknowledged place of each key.
    acknowledged: BTreeMap<Key, EntryId>,
    all_acknowledged: Vec<(Key, EntryId)>,
    seen_replies: usize,
    seen_events: usize,
    unknown: usize,
}

impl Watch {
    fn new(mode: Mode) -> Watch {
        Watch {
            mode,
            leaders: BTreeMap::new(),
            applied: BTreeMap::new(),
            commits: BTreeMap::new(),
            writes: BTreeMap::new(),
            reads: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            all_acknowledged: Vec::new(),
            seen_replies: 0,
            seen_events: 0,
            unknown: 0,
        }
    }

    fn look(&mut self, world: &World) -> Result<(), TestCaseError> {
        self.election_safety(world)?;
        self.answers(world)?;
        if self.mode.is_linearizable() {
            self.state_machine_safety(world)?;
            self.commits_never_go_back(world)?;
        }
        Ok(())
    }

    /// At most one leader can be elected in a term.
    fn election_safety(&mut self, world: &World) -> Result<(), TestCaseError> {
        for (node, event) in &world.events[self.seen_events..] {
            if let Event::Leader { term } = event
                && self.mode.needs_majority()
            {
                let first = self.leaders.entry(*term).or_insert_with(|| node.clone());
                prop_assert_eq!(&*first, node, "two leaders in term {}", term);
            }
            if self.mode.is_linearizable() {
                let lost = matches!(event, Event::Lost(_));
                prop_assert!(!lost, "{} lost something: {:?}", node, event);
            }
        }
        self.seen_events = world.events.len();
        Ok(())
    }

    /// No two nodes ever apply different entries at one place.
    fn state_machine_safety(&mut self, world: &World) -> Result<(), TestCaseError> {
        for (id, node) in world.alive() {
            let status = node.status(world.now);
            let known = self.commits.get(id).copied().unwrap_or(0);
            for index in known.min(status.applied)..=status.applied {
                let Some(entry) = node.log().id_at(index) else {
                    continue;
                };
                let first = self.applied.entry(index).or_insert_with(|| entry.clone());
                prop_assert_eq!(&*first, &entry, "{} applied another entry", id);
            }
        }
        Ok(())
    }

    /// What a node knows to be committed, it knows as long as it lives.
    fn commits_never_go_back(&mut self, world: &World) -> Result<(), TestCaseError> {
        let mut commits = BTreeMap::new();
        for (id, node) in world.alive() {
            let commit = node.status(world.now).commit;
            if let Some(before) = self.commits.get(id) {
                prop_assert!(commit >= *before, "{}: {} after {}", id, commit, before);
            }
            commits.insert(id.clone(), commit);
        }
        self.commits = commits;
        Ok(())
    }

    fn answers(&mut self, world: &World) -> Result<(), TestCaseError> {
        for (request, reply) in &world.replies[self.seen_replies..] {
            match reply {
                Reply::Done { version, .. } => {
                    let Some(key) = self.writes.get(request) else {
                        continue;
                    };
                    let last = self.acknowledged.get(key).map_or(0, |id| id.index);
                    if version.index > last {
                        self.acknowledged.insert(key.clone(), version.clone());
                    }
                    self.all_acknowledged.push((key.clone(), version.clone()));
                }
                Reply::Unknown { .. } => self.unknown += 1,
                // Linearizability: a read knows of every write that was acknowledged before it was asked.
                Reply::Readable => {
                    let (reader, key, least) = &self.reads[request];
                    if let Some(node) = &world.members[reader].node {
                        let applied = node.status(world.now).applied;
                        prop_assert!(
                            applied >= *least,
                            "{} reads {:?} as of {}, but {} was acknowledged before",
                            reader,
                            key,
                            applied,
                            least
                        );
                    }
                }
                _ => {}
            }
        }
        self.seen_replies = world.replies.len();
        Ok(())
    }
}

fn play(world: &mut World, watch: &mut Watch, ops: &[Op]) -> Result<(), TestCaseError> {
    world.start_all();
    world.advance(Duration::from_millis(60));
    let mut wiped = BTreeSet::new();
    for (at, op) in ops.iter().enumerate() {
        perform(world, watch, op, at, &mut wiped);
        watch.look(world)?;
    }
    Ok(())
}

fn perform(world: &mut World, watch: &mut Watch, op: &Op, at: usize, wiped: &mut BTreeSet<usize>) {
    let id = |n: &usize| NodeId::nth(*n);
    match op {
        Op::Put(n, k) => {
            let key = Key::new(&format!("k{k}"));
            let change = Change::Put(Value::string(&at.to_string()));
            let request = world.write(&id(n), key.as_str(), change);
            watch.writes.insert(request, key);
        }
        Op::Delete(n, k) => drop(world.write(&id(n), &format!("k{k}"), Change::Delete)),
        Op::Read(n, k) => {
            let key = Key::new(&format!("k{k}"));
            let least = watch.acknowledged.get(&key).map_or(0, |id| id.index);
            let request = world.next_request();
            watch.reads.insert(request, (id(n), key, least));
            world.ask(&id(n), |request| Input::Read { request });
        }
        Op::Advance(ms) => world.advance(Duration::from_millis(*ms)),
        Op::Kill(n) => world.kill(&id(n)),
        Op::PowerCut(n) => {
            world.kill(&id(n));
            if let Some(member) = world.members.get_mut(&id(n)) {
                member.disk.lose_unsynced();
            }
        }
        // Each disk at most once and never a majority: beyond that nothing is promised.
        Op::Wipe(n) => {
            if wiped.len() < (NODES - 1) / 2 && wiped.insert(*n) {
                world.wipe(&id(n));
            }
        }
        Op::Revive(n) => {
            if world.members.contains_key(&id(n)) {
                world.start(&id(n), false);
            }
        }
        Op::Pause(n) => world.pause(&id(n)),
        Op::Resume(n) => world.resume(&id(n)),
        Op::Cut(a, b) => world.faults.cut(&id(a), &id(b)),
        Op::Heal => world.faults.heal(),
        Op::Hold => world.holding = true,
        Op::Release => {
            world.holding = false;
            world.settle();
        }
        Op::Deliver(n) => {
            if let Some(envelope) = world.wire.remove(*n) {
                world.deliver(envelope);
                world.tick_due();
            }
        }
        Op::Drop(n) => drop(world.wire.remove(*n)),
        Op::Double(n) => {
            if let Some(envelope) = world.wire.get(*n).cloned() {
                world.wire.push_back(envelope);
            }
        }
        Op::Transfer(n, m) => {
            let to = Some(id(m));
            world.ask(&id(n), |request| Input::Transfer { request, to });
        }
        Op::Add(n, m) => {
            let change = MemberChange::Add(id(m));
            world.ask(&id(n), |request| Input::Members { request, change });
        }
        Op::Remove(n, m) => {
            let change = MemberChange::Remove(id(m));
            world.ask(&id(n), |request| Input::Members { request, change });
        }
    }
}

/// Heals everything, revives everybody, and waits.
fn quiet(world: &mut World) {
    world.faults.heal();
    world.holding = false;
    for n in 1..=NODES {
        world.resume(&NodeId::nth(n));
        world.start(&NodeId::nth(n), false);
    }
    world.advance(Duration::from_secs(10));
}

/// One node leads, every member obeys it, and all hold the same log and store.
fn is_agreed(world: &World) -> Result<(), TestCaseError> {
    let statuses: Vec<_> = world.alive().map(|(_, n)| n.status(world.now)).collect();
    let leaders: Vec<_> = statuses.iter().filter(|s| s.role == Role::Leader).collect();
    prop_assert_eq!(leaders.len(), 1, "leaders: {:?}", leaders);
    let leader = leaders[0];
    let store = world.members[&leader.id].node.as_ref().map(|n| n.store());
    for (id, node) in world.alive().filter(|(id, _)| leader.members.contains(id)) {
        let status = node.status(world.now);
        prop_assert_eq!(status.leader.as_ref(), Some(&leader.id));
        prop_assert_eq!(&status.last, &leader.last);
        prop_assert_eq!(status.applied, leader.applied, "{} lags", id);
        prop_assert!(!status.recovering, "{} may not vote yet", id);
        prop_assert!(Some(node.store()) == store, "{} holds something else", id);
    }
    prop_assert_eq!(
        leader.applied,
        leader.last.as_ref().map_or(0, |id| id.index)
    );
    Ok(())
}

fn lost_keys(world: &World) -> BTreeSet<Key> {
    let losses = world.events.iter().filter_map(|(_, event)| match event {
        Event::Lost(loss) => Some(loss),
        _ => None,
    });
    losses
        .flat_map(|loss| loss.writes.iter().map(|write| write.key.clone()))
        .collect()
}

fn judge(mode: Mode, adjust: impl Fn(&mut Config), ops: &[Op]) -> Result<Watch, TestCaseError> {
    let mut world = World::new(NODES, |config| {
        config.mode = mode;
        config.snapshot_every = Some(3);
        adjust(config);
    });
    let mut watch = Watch::new(mode);
    play(&mut world, &mut watch, ops)?;
    quiet(&mut world);
    watch.look(&world)?;
    is_agreed(&world)?;
    let statuses = world.alive().map(|(id, node)| (id, node.status(world.now)));
    let leader = statuses
        .filter(|(_, s)| s.role == Role::Leader)
        .map(|(id, _)| id);
    let leader = leader.last().expect("somebody leads").clone();
    let node = world.members[&leader].node.as_ref().expect("it lives");
    let lost = lost_keys(&world);
    for (key, entry) in &watch.all_acknowledged {
        let is_there = node.log().contains(Some(entry));
        let is_reported = !mode.is_linearizable() && lost.contains(key);
        prop_assert!(is_there || is_reported, "{:?} of {:?} vanished", entry, key);
    }
    Ok(watch)
}

/// `CASES=10000` looks harder.
fn runs(cases: u32) -> Runs {
    let wanted = std::env::var("CASES").ok().and_then(|n| n.parse().ok());
    Runs {
        cases: wanted.unwrap_or(cases),
        rng_seed: RngSeed::Fixed(11),
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..Runs::default()
    }
}

fn mode(election: Election, replication: Replication) -> Mode {
    Mode {
        election,
        replication,
    }
}

fn raft_modes() -> impl Strategy<Value = Mode> {
    prop_oneof![
        3 => Just(Mode::RAFT),
        1 => Just(mode(Election::Raft, Replication::Sync)),
    ]
}

fn other_modes() -> impl Strategy<Value = Mode> {
    use Election::*;
    use Replication::*;
    prop::sample::select(vec![
        mode(LowestId, Async),
        mode(LowestId, Quorum),
        mode(LowestId, Sync),
        mode(Bully, Async),
        mode(Bully, Quorum),
        mode(Bully, Sync),
        mode(Raft, Async),
    ])
}

fn any_safeguards() -> impl Strategy<Value = Safeguards> {
    (any::<bool>(), any::<bool>()).prop_map(|(pre_vote, check_quorum)| Safeguards {
        random_timeout: true,
        pre_vote,
        check_quorum,
    })
}

proptest! {
    #![proptest_config(runs(250))]

    #[test]
    fn raft_loses_nothing_and_reads_what_was_written(
        mode in raft_modes(),
        ops in vec(any_op(Faults::Network), 0..120),
    ) {
        judge(mode, |_| {}, &ops)?;
    }

    #[test]
    fn raft_is_safe_without_its_safeguards_too(
        safeguards in any_safeguards(),
        ops in vec(any_op(Faults::Network), 0..120),
    ) {
        judge(Mode::RAFT, |config| config.safeguards = safeguards, &ops)?;
    }

    #[test]
    fn raft_survives_the_loss_of_a_minority_of_its_disks(
        ops in vec(any_op(Faults::LostDisks), 0..120),
    ) {
        judge(Mode::RAFT, |_| {}, &ops)?;
    }

    #[test]
    fn raft_is_safe_while_its_members_change(
        ops in vec(any_op(Faults::Members), 0..120),
    ) {
        judge(Mode::RAFT, |_| {}, &ops)?;
    }

    #[test]
    fn what_other_modes_acknowledged_is_there_or_was_reported_lost(
        mode in other_modes(),
        ops in vec(any_op(Faults::Network), 0..120),
    ) {
        let puts: Vec<Op> = ops.into_iter().filter(|op| !matches!(op, Op::Delete(..))).collect();
        judge(mode, |_| {}, &puts)?;
    }
}
