//! What must hold after every event, each under its name in the paper (Ongaro's dissertation, figure 3.2). Most of it is
//! checked where it could break: when an entry is written, applied or acknowledged, when a promise leaves, when a node
//! begins to lead. Every thousandth event all of it is looked at as a whole, and must agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Event;
use crate::protocol::message::AppendOutcome;
use crate::protocol::{Ballot, Entry, Message, Node, Record};
use crate::sim::expect::Expect;
use crate::sim::ledger::{EntryKey, Ledger, Shadow, named};
use crate::sim::overview::most_kept;
use crate::sim::plan::{Micros, Place, Plan};
use crate::sim::queue::Nanos;
use crate::sim::stats::Met;
use crate::sim::world::{World, place_of};
use crate::store::Command;
use crate::types::{Election, Index, Term};
use crate::value::Key;

/// Something that must hold and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub invariant: &'static str,
    /// How that shows.
    pub what: String,
    /// When, in microseconds of virtual time.
    pub at: Micros,
}

/// What is remembered of one node.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) shadow: Shadow,
    pub(super) ballot: Ballot,
    pub(super) commit: Index,
    pub(super) commit_on_disk: Index,
    pub(super) applied: Index,
    pub(super) epoch: u64,
    /// The term it led at the end of its last turn.
    pub(super) led: Option<Term>,
    /// How far it was at the end of its last turn.
    stood: Option<Standing>,
    /// It has added entries since it started: from then on its log is bounded.
    pub(super) has_appended: bool,
    /// Since when it has been leading, for ever again.
    pub(super) leads_since: Option<Nanos>,
}

/// All that what is checked after a turn depends on: the term, whether it leads it, what is committed, applied and
/// compacted, how often its store was replaced, and whether it has added entries.
type Standing = (Term, bool, [Index; 3], u64, bool);

/// What has been seen so far.
pub(super) struct Watch {
    pub(super) expect: Expect,
    /// Whether all who apply an entry apply the same at its place.
    pub(super) is_linearizable: bool,
    pub(super) nodes: Vec<Seen>,
    pub(super) ledger: Ledger,
    pub(super) leaders: BTreeMap<Term, Place>,
    pub(super) led: BTreeSet<(Term, Place)>,
    /// What was applied at each place, and the term of the leader that committed it.
    pub(super) committed: Vec<(EntryKey, Term)>,
    /// Keys of which a loss was reported, and when last, in the order of what clients did.
    pub(super) lost: BTreeMap<Key, usize>,
    /// Operations whose entries went with a disk that could not even be read.
    pub(super) excused: BTreeSet<usize>,
    pub(super) has_lost_disks: bool,
    pub(super) has_changed_members: bool,
    /// The least voters that the log ever named.
    pub(super) fewest_voters: usize,
    pub(super) looked: u64,
}

impl Watch {
    pub(super) fn new(plan: &Plan) -> Watch {
        Watch {
            expect: plan.expect,
            is_linearizable: plan.mode.is_linearizable(),
            nodes: Vec::new(),
            ledger: Ledger::default(),
            leaders: BTreeMap::new(),
            led: BTreeSet::new(),
            committed: Vec::new(),
            lost: BTreeMap::new(),
            excused: BTreeSet::new(),
            has_lost_disks: false,
            has_changed_members: false,
            fewest_voters: plan.nodes,
            looked: 0,
        }
    }

    /// Whether any entry ever named members.
    pub(super) fn has_changed_members(&self) -> bool {
        self.has_changed_members
    }

    pub(super) fn sit(&mut self) {
        self.nodes.push(Seen::default());
    }
}

impl World {
    /// A node starts on its disk.
    pub(super) fn watch_start(&mut self, place: Place) {
        let Some(node) = &self.seats[place as usize].node else {
            return;
        };
        let seen = &mut self.watch.nodes[place as usize];
        seen.shadow = Shadow::of(node.log());
        seen.ballot = self.seats[place as usize].disk.kept().ballot().clone();
        (seen.applied, seen.epoch) = (node.applied_index(), node.epoch());
        seen.commit = node.commit_index();
        // In raft it is a hint, which a power cut may take.
        seen.commit_on_disk = node.commit_index();
        (seen.led, seen.leads_since, seen.stood) = (None, None, None);
        seen.has_appended = false;
        let broken = self.watch.state_machine(place, node);
        if let Some(what) = broken {
            self.fail("state-machine safety", what);
        }
    }

    /// A write came to nothing. Without votes its entries can be written anew, since nobody was told of them; and what a
    /// single voter counted as committed by it is not.
    pub(super) fn watch_torn(&mut self, place: Place, records: &[Record]) {
        for record in records {
            let Record::Append(entries) = record else {
                continue;
            };
            for entry in entries {
                let is_own = place_of(&entry.id.leader) == Some(place);
                if is_own && !self.seat(place).disk.holds(&entry.id) {
                    let key = EntryKey::of(&entry.id);
                    if !self.places().any(|p| self.seat(p).disk.holds(&entry.id)) {
                        self.watch.take_back(key);
                    }
                    self.watch.ledger.forget(key);
                }
            }
        }
    }

    /// A node's disk is lost, and with it what nobody else knew: whoever takes back what it was not told is acknowledged
    /// has nothing to report.
    pub(super) fn watch_wipe(&mut self, place: Place) {
        self.watch.has_lost_disks = true;
        let seen = &mut self.watch.nodes[place as usize];
        *seen = Seen::default();
        for (operation, asked) in self.clients.asked.iter().enumerate() {
            let Some(entry) = &asked.entry else {
                continue;
            };
            let commits = self.plan.mode.commits();
            let knows = |other: &Place| {
                let disk = &self.seat(*other).disk;
                *other != place && disk.holds(entry) && (!commits || disk.kept().commits(entry))
            };
            if self.seat(place).disk.holds(entry) && !self.places().any(|other| knows(&other)) {
                self.watch.excused.insert(operation);
            }
        }
    }

    /// A node asks its disk to keep something.
    pub(super) fn watch_record(&mut self, place: Place, record: &Record) {
        let Some(node) = &self.seats[place as usize].node else {
            return;
        };
        let watch = &mut self.watch;
        let seen = &mut watch.nodes[place as usize];
        let still_leads = seen.led.is_some() && node.leads() && seen.led == Some(node.term());
        let mut broken = None;
        match record {
            Record::Ballot(ballot) => {
                let back = ballot.term < seen.ballot.term;
                let changed = ballot.term == seen.ballot.term
                    && seen.ballot.vote.is_some()
                    && ballot.vote != seen.ballot.vote;
                if back || changed {
                    let what = format!("{}: {:?} after {:?}", named(place), ballot, seen.ballot);
                    broken = Some(("term and vote never go back", what));
                }
                seen.ballot = ballot.clone();
            }
            Record::Append(entries) => {
                let Some(first) = entries.first() else {
                    return;
                };
                let cuts = first.id.index <= seen.shadow.last_index();
                let is_own = node.leads()
                    && first.id.term == node.term()
                    && place_of(&first.id.leader) == Some(place);
                if cuts && (is_own || still_leads) {
                    let what = format!("{}, which leads, overwrites {:?}", named(place), first.id);
                    broken = Some(("leader append-only", what));
                }
                seen.has_appended = true;
                seen.shadow.cut(first.id.index);
                for entry in entries {
                    let before = seen.shadow.at(entry.id.index - 1);
                    if let Err(what) = watch.ledger.write(before, entry) {
                        broken = Some(("log matching", format!("{}: {what}", named(place))));
                    }
                    seen.shadow.push(EntryKey::of(&entry.id));
                    if let Command::Members(members) = &entry.command {
                        watch.has_changed_members = true;
                        watch.fewest_voters = watch.fewest_voters.min(members.voters.len());
                    }
                }
                let is_change = |entry: &&Entry| matches!(entry.command, Command::Members(_));
                let change = entries.iter().find(|entry| is_own && is_change(entry));
                if let Some(change) = change {
                    self.watch_change(place, change);
                }
                if cuts {
                    self.watch_members(place);
                }
            }
            Record::Commit { index, .. } => {
                if watch.is_linearizable && *index < seen.commit_on_disk {
                    let before = seen.commit_on_disk;
                    let what = format!("{}: {index} after {before}", named(place));
                    broken = Some(("commit never goes back", what));
                }
                seen.commit_on_disk = *index;
            }
            Record::Compact { compacted, .. } => {
                if compacted.index > node.applied_index() {
                    let what = format!("{} lets go of {compacted:?}, unapplied", named(place));
                    broken = Some(("compaction keeps what is not applied", what));
                }
                seen.shadow.follow(record);
            }
            Record::Install(snapshot) => {
                if seen.shadow.diverges_from(snapshot) {
                    self.stats.meet(Met::SnapshotOverDiverged);
                }
                if still_leads {
                    let what = format!("{}, which leads, takes a snapshot", named(place));
                    broken = Some(("leader append-only", what));
                }
                seen.shadow.follow(record);
            }
            Record::Recovering(_) => {}
        }
        if let Some((invariant, what)) = broken {
            self.fail(invariant, what);
        }
    }

    /// A node has taken a turn.
    pub(super) fn watch_progress(&mut self, place: Place) {
        let Some(node) = &self.seats[place as usize].node else {
            return;
        };
        let now = self.now;
        let watch = &mut self.watch;
        let seen = &mut watch.nodes[place as usize];
        let stands = Some(standing(node, seen.has_appended));
        // Nothing of it has changed: it was found to hold then.
        if seen.stood == stands {
            return;
        }
        seen.stood = stands;
        let (before, led) = (seen.commit, seen.led == Some(node.term()));
        let broken = watch.progress(place, node);
        let bound = most_kept(node);
        let seen = &mut watch.nodes[place as usize];
        seen.led = node.leads().then(|| node.term());
        seen.leads_since = node.leads().then(|| seen.leads_since.unwrap_or(now));
        let kept = node
            .applied_index()
            .saturating_sub(node.log().compacted_index());
        if seen.has_appended && kept as usize > bound + 1 {
            let what = format!(
                "{} keeps {kept} applied entries, above {bound}",
                named(place)
            );
            self.fail("bounded memory", what);
        }
        if let Some((invariant, what)) = broken {
            self.fail(invariant, what);
        }
        if led {
            self.watch_commit(place, before);
        }
    }

    /// A node reports something.
    pub(super) fn watch_event(&mut self, place: Place, event: &Event) {
        match event {
            Event::Leader { term } => self.watch_leader(place, *term),
            Event::Lost(loss) => {
                if self.watch.is_linearizable {
                    let what = format!("{} lost {} writes", named(place), loss.count);
                    self.fail("leader completeness", what);
                }
                let now = self.clients.order;
                let keys = loss.writes.iter().map(|write| (write.key.clone(), now));
                self.watch.lost.extend(keys);
            }
            _ => {}
        }
    }

    /// At most one leader a term, the same never twice in one, and it knows all that was committed before.
    fn watch_leader(&mut self, place: Place, term: Term) {
        self.watch_stability(place);
        let votes = self.plan.mode.needs_majority();
        let is_sure = self.watch.is_linearizable || !self.watch.has_lost_disks;
        let first = *self.watch.leaders.entry(term).or_insert(place);
        if votes && is_sure && first != place {
            let what = format!("{} and {} lead term {term}", named(first), named(place));
            return self.fail("election safety", what);
        }
        if !self.watch.led.insert((term, place)) && !self.watch.has_lost_disks {
            let what = format!("{} leads term {term} once more", named(place));
            return self.fail("election safety", what);
        }
        if !self.watch.is_linearizable {
            return;
        }
        let before = self.watch.committed.iter().rev().find(|(_, by)| *by < term);
        let Some(id) = before.map(|(key, _)| key.id()) else {
            return;
        };
        let holds = |node: &Node| node.log().contains(Some(&id));
        if !self.seat(place).node.as_ref().is_some_and(holds) {
            let what = format!("{} leads term {term} without {id:?}", named(place));
            self.fail("leader completeness", what);
        }
    }

    /// A message leaves: what it promises is on the disk.
    pub(super) fn watch_promise(&mut self, from: Place, to: Place, message: &Message) {
        if let Message::Vote { term, .. } = message {
            self.stats.asks_for_vote(from, *term);
        }
        let disk = self.seat(from).disk.kept();
        let ballot = disk.ballot();
        let voted = |term: Term, whom: Place| {
            let is_whom = ballot.vote.as_ref().and_then(place_of) == Some(whom);
            ballot.term > term || (ballot.term == term && is_whom)
        };
        let kept = match message {
            Message::AppendAck {
                outcome: AppendOutcome::Stored(upto),
                known,
                ..
            } => known.term != ballot.term || disk.last_index() >= *upto,
            Message::VoteAck {
                term,
                pre: false,
                granted: true,
                ..
            } => voted(*term, to),
            Message::Vote { term, .. } => {
                self.plan.mode.election != Election::Raft || voted(*term, from)
            }
            Message::Heartbeat { claim, .. } | Message::Append { claim, .. } => {
                ballot.term >= claim.term
            }
            _ => true,
        };
        // Whatever an answer's term is, it is on the disk: nobody goes back behind it.
        let kept = kept
            && message
                .known()
                .is_none_or(|known| known.term <= ballot.term);
        if !kept {
            let (a, b) = (named(from), named(to));
            let what = format!(
                "{a} promises {b} what its disk does not hold: {:?}",
                message.kind()
            );
            self.fail("persist before promise", what);
        }
    }
}

fn standing(node: &Node, has_appended: bool) -> Standing {
    let compacted = node.log().compacted_index();
    let indices = [node.commit_index(), node.applied_index(), compacted];
    (
        node.term(),
        node.leads(),
        indices,
        node.epoch(),
        has_appended,
    )
}
