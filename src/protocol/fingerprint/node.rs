//! A node as a number: all that decides what it will do, and nothing that does not.
//!
//! Moments do not enter as such. Of each it is asked what the node would ask: whether a leader was heard lately, whether
//! an answer is overdue, whether a duty is due. So two nodes are alike that differ only in how long they have waited for
//! something that may come at any moment. Whoever relies on it must let every deadline pass at any moment, and move a
//! leader's clock by no less than a heartbeat at a time, so that what was sent before is overdue after.
//!
//! The numbers of a leader's messages do not enter as such either, since they count what it sent to all: `round` says
//! what each is among those sent to one follower. What a node will draw at random decides only how long it waits.
//!
//! Reads, changes of members and transfers enter as they are, moments and names included: nothing is mistaken for anything
//! else, but little is recognised, and renaming does not reach them.

use crate::protocol::clients::Waiting;
use crate::protocol::copies::Copies;
use crate::protocol::election::{Campaign, Poll, Stage, Standing};
use crate::protocol::fingerprint::Sketch;
use crate::protocol::install::Incoming;
use crate::protocol::node::{Node, Part};
use crate::protocol::progress::{Leading, Needs, Progress};
use crate::store::Applied;
use crate::types::{Election, NodeId, Time};

/// How many of the messages that a leader sent to one follower are numbered up to `round`: what that one is among them.
pub type Count<'a> = &'a dyn Fn(&NodeId, u64) -> u64;

impl Node {
    /// Adds to `sketch` all that decides what this node will do from `now` on. Its settings do not enter.
    pub fn sketch(&self, now: Time, count: Count<'_>, sketch: &mut Sketch<'_>) {
        // What is left out: how far the generator is, the snapshot's index and the epoch, which only drivers ask for.
        let Node {
            config,
            boot,
            rng: _,
            term,
            vote,
            recovering,
            is_new_cluster,
            log,
            store,
            commit,
            applied,
            snapshot_at: _,
            epoch: _,
            members,
            leader,
            heard: _,
            part,
            incoming,
            asking,
            out: _,
        } = self;
        sketch.id(&config.id);
        sketch.number(*boot);
        sketch.number(*term);
        sketch.maybe(vote.as_ref(), Sketch::id);
        sketch.flag(*recovering);
        sketch.flag(*is_new_cluster);
        sketch.log(log);
        sketch.store(store);
        sketch.number(*commit);
        sketch.number(*applied);
        sketch.members(members);
        sketch.maybe(leader.as_ref(), Sketch::id);
        sketch.flag(self.hears_leader(now));
        sketch.maybe(incoming.as_ref(), |sketch, incoming| {
            let Incoming { snapshot, upto } = incoming;
            sketch.snapshot(snapshot);
            sketch.maybe(*upto, Sketch::number);
        });
        let asks = (!asking.is_idle()).then(|| format!("{asking:?}"));
        sketch.maybe(asks, |sketch, asks| sketch.text(&asks));
        match part {
            Part::Waiting => sketch.number(0),
            Part::Follower {
                deadline: _,
                bootstrap,
            } => {
                sketch.number(1);
                sketch.flag(*bootstrap);
            }
            Part::Standing(standing) => sketch_standing(standing, sketch),
            Part::Leader(leading) => self.sketch_leading(leading, now, count, sketch),
        }
    }

    /// Whether it collects votes for the term that it is in (`raft`).
    pub fn collects_votes(&self) -> bool {
        matches!(&self.part, Part::Standing(Standing::Campaign(campaign)) if campaign.stage == Stage::Vote)
    }

    fn sketch_leading(
        &self,
        leading: &Leading,
        now: Time,
        count: Count<'_>,
        sketch: &mut Sketch<'_>,
    ) {
        let Leading {
            round,
            began,
            followers,
            duties,
            waiting,
            reads,
            copies,
            changing,
            handing_over,
        } = leading;
        sketch.number(4);
        sketch.number(*began);
        let is_asked = !reads.is_idle();
        sketch.maybe(is_asked.then_some(*round), Sketch::number);
        let is_busy = is_asked || changing.is_some() || handing_over.is_some();
        let business = is_busy.then(|| format!("{reads:?} {changing:?} {handing_over:?}"));
        sketch.maybe(business, |sketch, business| sketch.text(&business));
        let mut duties: Vec<(u64, u64, bool)> = duties
            .iter()
            .map(|(due, duty, to)| (sketch.name(to), *duty as u64, *due <= now))
            .collect();
        duties.sort_unstable();
        sketch.number(duties.len() as u64);
        for (to, duty, is_due) in duties {
            sketch.number(to);
            sketch.number(duty << 1 | u64::from(is_due));
        }
        let mut followers: Vec<(u64, &NodeId, &Progress)> = followers
            .iter()
            .map(|(id, progress)| (sketch.name(id), id, progress))
            .collect();
        followers.sort_unstable_by_key(|(name, _, _)| *name);
        sketch.number(followers.len() as u64);
        for (name, id, progress) in followers {
            sketch.number(name);
            self.sketch_progress(progress, now, &|round| count(id, round), is_asked, sketch);
        }
        let ids = leading.followers.iter().map(|(id, _)| id);
        sketch_copies(copies, ids, count, sketch);
        sketch.number(waiting.len() as u64);
        waiting
            .iter()
            .for_each(|waiting| sketch_waiting(waiting, sketch));
    }

    fn sketch_progress(
        &self,
        progress: &Progress,
        now: Time,
        count: &dyn Fn(u64) -> u64,
        is_asked: bool,
        sketch: &mut Sketch<'_>,
    ) {
        let Progress {
            boot,
            former,
            needs,
            matched,
            in_flight,
            send_after,
            scheduled,
            outdated,
            told,
            tell_at,
            answered,
            heard: _,
            excused: _,
            intact,
            recovering,
        } = progress;
        sketch.maybe(*boot, Sketch::number);
        sketch.number(former.len() as u64);
        former.iter().for_each(|boot| sketch.number(*boot));
        sketch_needs(needs, sketch);
        sketch.number(*matched);
        sketch.number(in_flight.len() as u64);
        for (round, sent) in in_flight {
            sketch.number(count(*round));
            sketch.flag(now - *sent >= self.config.heartbeat);
        }
        sketch.flag(*send_after > now);
        let is_due = |at: Time| u64::from(at <= now);
        sketch.maybe(scheduled.map(is_due), Sketch::number);
        sketch.number(count(*outdated));
        sketch.number(*told);
        sketch.maybe(tell_at.map(is_due), Sketch::number);
        // Who was heard when is asked by reads and recoveries only, and by the guard of the quorum, which is silence's;
        // without votes by log also by whoever doubts that a follower still has what it had.
        let is_asked = is_asked || recovering.is_some();
        sketch.maybe(is_asked.then_some(*answered), Sketch::number);
        let is_doubted = self.config.mode.election != Election::Raft;
        sketch.maybe(is_doubted.then(|| count(*answered)), Sketch::number);
        sketch.flag(*intact);
        sketch.maybe(*recovering, Sketch::number);
    }
}

fn sketch_standing(standing: &Standing, sketch: &mut Sketch<'_>) {
    match standing {
        Standing::Poll(Poll {
            waiting,
            asked,
            batch,
            deadline: _,
            highest,
        }) => {
            sketch.number(2);
            sketch.number(waiting.len() as u64);
            waiting.iter().for_each(|id| sketch.id(id));
            sketch.set(asked.iter());
            sketch.number(*batch as u64);
            sketch.number(*highest);
        }
        Standing::Campaign(Campaign {
            stage,
            term,
            granted,
            higher,
            deadline: _,
        }) => {
            sketch.number(3);
            sketch.number(*stage as u64);
            sketch.number(*term);
            sketch.set(granted.iter());
            sketch.set(higher.iter());
        }
    }
}

/// What is asked of each follower is whether it answered a message above a number: how many of its own are not above it.
fn sketch_copies<'a>(
    copies: &Copies,
    followers: impl Iterator<Item = &'a NodeId>,
    count: Count<'_>,
    sketch: &mut Sketch<'_>,
) {
    let Copies { confirmed, asked } = copies;
    sketch.number(*confirmed);
    sketch.maybe(asked.as_ref(), |sketch, (index, round)| {
        sketch.number(*index);
        let below = followers.map(|id| (sketch.name(id), count(id, *round)));
        let mut below: Vec<(u64, u64)> = below.collect();
        below.sort_unstable();
        for (name, count) in below {
            sketch.number(name);
            sketch.number(count);
        }
    });
}

fn sketch_needs(needs: &Needs, sketch: &mut Sketch<'_>) {
    match needs {
        Needs::Unknown => sketch.number(0),
        Needs::Entries(sent) => {
            sketch.number(1);
            sketch.number(*sent);
        }
        Needs::Snapshot(snapshot, upto) => {
            sketch.number(2);
            sketch.snapshot(snapshot);
            sketch.maybe(*upto, Sketch::number);
        }
        Needs::Maps(sent) => {
            sketch.number(3);
            sketch.maybe(*sent, Sketch::number);
        }
    }
}

fn sketch_waiting(waiting: &Waiting, sketch: &mut Sketch<'_>) {
    let Waiting {
        index,
        request,
        deadline: _,
        applied,
    } = waiting;
    sketch.number(*index);
    sketch.number(request.0);
    sketch.maybe(applied.as_ref(), |sketch, Applied { outcome, by }| {
        sketch.text(&format!("{outcome:?}"));
        sketch.entry_id(by);
    });
}
