//! Which acknowledged writes are gone, as far as that shows.
//!
//! An acknowledged write names its entry. In one log every place is taken once, and claims to lead never fall from one place
//! to the next; so of entries that contradict each other not all can be in the log in which everybody agrees in the end.
//! The fewest that must be gone are counted: all but the longest run of entries that fit into one log.

use std::collections::BTreeSet;

use crate::chaos::recording::{Asked, Recording};
use crate::chaos::told::{Told, claim};
use crate::check::history::{Call, End};
use crate::types::EntryId;

/// Acknowledged writes that are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// Their numbers among what was asked.
    pub gone: Vec<usize>,
    /// Those of them that nobody reported.
    pub unreported: Vec<usize>,
}

/// Finds what is gone.
pub fn losses(recording: &Recording) -> Losses {
    let asked = &recording.asked;
    let reported: BTreeSet<&EntryId> = recording
        .end
        .reported
        .iter()
        .filter_map(|(_, entry)| entry.as_ref())
        .collect();
    let acknowledged = |(number, asked): (usize, &Asked)| {
        let entry = asked.entry.clone().filter(|_| asked.is_acknowledged())?;
        Some((entry, number))
    };
    let all: Vec<(EntryId, usize)> = asked.iter().enumerate().filter_map(acknowledged).collect();
    let end = recording.end.last_entry.as_ref();
    let told = Told::of(recording);
    let is_told = |number: usize| told.is_told(&asked[number]);
    // Of what the cluster told anything may be gone, but for what the leader of the last entry acknowledged: what the
    // cluster did not tell must fit into one log with that, and without the rest.
    let is_kept =
        |entry: &EntryId| end.is_some_and(|end| end.same_origin(entry) && entry.index <= end.index);
    let firm = all
        .iter()
        .filter(|(entry, n)| is_kept(entry) || !is_told(*n));
    let beside = beside_the_log(firm.cloned().collect(), end).into_iter();
    let mut unreported: BTreeSet<usize> = beside.filter(|n| !is_told(*n)).collect();
    let is_reported = |(entry, _): &&(EntryId, usize)| reported.contains(entry);
    let mut gone: BTreeSet<usize> = all.iter().filter(is_reported).map(|(_, n)| *n).collect();
    let rest = all.iter().filter(|(_, n)| !gone.contains(n));
    gone.extend(beside_the_log(rest.cloned().collect(), end));
    let missing = missing_in_the_end(recording);
    unreported.extend(missing.iter().copied().filter(|n| !is_told(*n)));
    gone.extend(missing);
    gone.extend(&unreported);
    Losses {
        unreported: unreported.into_iter().collect(),
        gone: gone.into_iter().collect(),
    }
}

/// Those of `entries` that cannot be in a log that ends with `end`.
fn beside_the_log(mut entries: Vec<(EntryId, usize)>, end: Option<&EntryId>) -> Vec<usize> {
    entries.sort();
    // What the leader of the last entry acknowledged is there for sure: whoever else claims one of its places is not.
    let of_end = |entry: &EntryId| end.is_some_and(|end| end.same_origin(entry));
    let own = entries.iter().filter(|(entry, _)| of_end(entry));
    let first = own.map(|(entry, _)| entry.index).min();
    let fits = |(entry, _): &&(EntryId, usize)| match end {
        None => true,
        Some(end) if of_end(entry) => entry.index <= end.index,
        Some(end) => entry.index < first.unwrap_or(end.index) && claim(entry) <= claim(end),
    };
    let inside: Vec<&(EntryId, usize)> = entries.iter().filter(fits).collect();
    let kept: BTreeSet<usize> = longest(&inside).into_iter().collect();
    let gone = entries.iter().filter(|(_, number)| !kept.contains(number));
    gone.map(|(_, number)| *number).collect()
}

/// The longest run of entries whose places grow and whose claims do not fall (patience sorting; `entries` are in order of
/// their places). Of entries at one place the greater claim comes first, so that a run takes one of them.
fn longest(entries: &[&(EntryId, usize)]) -> Vec<usize> {
    let mut entries = entries.to_vec();
    entries.sort_by(|(a, _), (b, _)| (a.index, claim(b)).cmp(&(b.index, claim(a))));
    // The last entry of the best run of each length, and what came before each entry in its run.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::new();
    for (at, (entry, _)) in entries.iter().enumerate() {
        let own = claim(entry);
        let length = ends.partition_point(|end| {
            let (last, _) = entries[*end];
            claim(last) <= own
        });
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut run = Vec::new();
    let mut next = ends.last().copied();
    while let Some(at) = next {
        run.push(entries[at].1);
        next = before[at];
    }
    run
}

/// Writes after which nothing came that could have taken their place, and which the last read of their key does not show.
fn missing_in_the_end(recording: &Recording) -> Vec<usize> {
    let is_final = |asked: &&Asked| asked.is_final && matches!(asked.end, End::Ok(_));
    let mut writes: Vec<Vec<(usize, &Asked)>> = vec![Vec::new(); recording.keys.len()];
    for (number, asked) in recording.asked.iter().enumerate() {
        if asked.is_write() {
            writes[asked.key].push((number, asked));
        }
    }
    let mut missing = Vec::new();
    let mut read: BTreeSet<usize> = BTreeSet::new();
    for seen in recording.asked.iter().filter(is_final) {
        let End::Ok(Some(text)) = &seen.end else {
            continue;
        };
        if !read.insert(seen.key) {
            continue;
        }
        let writes = &writes[seen.key];
        let last = writes.iter().filter(|(_, w)| w.is_acknowledged());
        let Some((number, write)) = last.max_by_key(|(_, w)| w.invoked) else {
            continue;
        };
        let is_shown = match &write.call {
            Call::Write(value) | Call::Cas(_, value) => value == text,
            _ => &**text == "null",
        };
        let may_be_later = |other: &Asked| {
            !other.is_void
                && other.end != End::Fail
                && (other.is_ambiguous() || other.returned > Some(write.invoked))
        };
        let others = writes.iter().filter(|(other, _)| other != number);
        if !is_shown && !others.clone().any(|(_, other)| may_be_later(other)) {
            missing.push(*number);
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NodeId;

    fn entry(index: u64, term: u64, leader: usize) -> EntryId {
        EntryId {
            index,
            term,
            leader: NodeId::nth(leader),
            boot: 1,
        }
    }

    fn gone(entries: &[(u64, u64, usize)], end: (u64, u64, usize)) -> Vec<usize> {
        let named = entries.iter().enumerate();
        let named = named.map(|(n, (i, t, l))| (entry(*i, *t, *l), n));
        beside_the_log(named.collect(), Some(&entry(end.0, end.1, end.2)))
    }

    #[test]
    fn a_log_without_contradictions_has_lost_nothing() {
        let entries = [(1, 1, 1), (2, 1, 1), (5, 2, 2), (6, 2, 2)];
        assert!(gone(&entries, (6, 2, 2)).is_empty());
        assert!(gone(&entries, (9, 4, 1)).is_empty());
    }

    #[test]
    fn what_lies_behind_the_end_or_beside_it_is_gone() {
        assert_eq!(gone(&[(1, 1, 1), (7, 1, 1)], (6, 2, 2)), [1]);
        assert_eq!(gone(&[(6, 1, 1)], (6, 2, 2)), [0]);
    }

    #[test]
    fn of_two_histories_the_shorter_is_gone() {
        // Node-1 acknowledged 5 to 7 in term 1; node-2 took over behind 4 and acknowledged four more.
        let entries = [
            (4, 1, 1),
            (5, 1, 1),
            (6, 1, 1),
            (7, 1, 1),
            (6, 2, 2),
            (7, 2, 2),
            (8, 2, 2),
            (9, 2, 2),
        ];
        assert_eq!(gone(&entries, (9, 2, 2)), [2, 3]);
        // Known to be in the log: node-2's 5. Then node-1's is gone, too.
        let entries = [(5, 1, 1), (6, 1, 1), (5, 2, 2), (6, 2, 2), (7, 2, 2)];
        assert_eq!(gone(&entries, (7, 2, 2)), [0, 1]);
    }

    fn done(number: usize, call: Call, key: usize, entry: Option<EntryId>) -> Asked {
        Asked {
            process: 0,
            key,
            call,
            reading: None,
            end: End::Ok(None),
            is_void: false,
            invoked: 2 * number,
            returned: Some(2 * number + 1),
            due_at: 0,
            invoked_at: 0,
            returned_at: 0,
            entry,
            is_final: false,
        }
    }

    /// Node-1 acknowledges 5, and perhaps deletes its key; node-2 takes over behind 4, acknowledges 5, and deletes the key.
    fn taken_over(is_deleted: bool) -> Recording {
        let mut asked = vec![done(0, Call::Write("1".into()), 0, Some(entry(5, 1, 1)))];
        if is_deleted {
            asked.push(done(1, Call::Delete, 0, Some(entry(6, 1, 1))));
        }
        asked.push(done(2, Call::Write("2".into()), 1, Some(entry(5, 2, 2))));
        asked.push(done(3, Call::Delete, 0, Some(entry(6, 2, 2))));
        let mut recording = Recording {
            keys: vec!["k0".to_owned(), "k1".to_owned()],
            asked,
            ..Recording::default()
        };
        recording.end.last_entry = Some(entry(7, 2, 2));
        recording
    }

    #[test]
    fn a_loss_is_reported_even_if_the_key_is_deleted_in_the_history_that_won() {
        let mut recording = taken_over(false);
        assert_eq!(losses(&recording).unreported, [0]);
        recording.end.reported = vec![("k0".to_owned(), Some(entry(5, 1, 1)))];
        let told = losses(&recording);
        assert_eq!((told.gone, told.unreported), (vec![0], vec![]));
    }

    #[test]
    fn a_write_that_was_deleted_in_its_own_history_need_not_be_reported() {
        let found = losses(&taken_over(true));
        assert_eq!((found.gone, found.unreported), (vec![0, 1], vec![]));
    }

    #[test]
    fn what_the_last_leader_acknowledged_stays_whatever_else_its_key_lost() {
        let mut recording = taken_over(false);
        // Some earlier write to k1 was lost, and reported: node-2's at 5 is there all the same, and node-1's is not.
        recording.end.reported = vec![("k1".to_owned(), None)];
        assert_eq!(losses(&recording).unreported, [0]);
    }

    #[test]
    fn a_long_run_takes_no_longer_for_each_write_than_a_short_one() {
        // One leader acknowledges all this; none of it is deleted afterwards, and another takes over behind it.
        let last: u64 = 60_000;
        let write = |n: u64| match n > last / 2 {
            true => Call::Write("1".into()),
            false => Call::Delete,
        };
        let asked = (0..last).map(|n| done(n as usize, write(n), 0, Some(entry(n, 1, 1))));
        let mut recording = Recording {
            keys: vec!["k0".to_owned()],
            asked: asked.collect(),
            ..Recording::default()
        };
        recording.end.last_entry = Some(entry(last, 2, 2));
        let began = std::time::Instant::now();
        assert_eq!(losses(&recording), Losses::default());
        let took = began.elapsed().as_secs();
        assert!(took < 20, "{took} s");
    }

    #[test]
    fn what_is_counted_and_not_named_is_reported_too() {
        let mut recording = taken_over(false);
        recording.end.reported_count = 101;
        recording.end.reported = vec![("elsewhere".to_owned(), None); 100];
        assert_eq!(losses(&recording).unreported, [0; 0]);
        recording.end.reported_count = 100;
        assert_eq!(losses(&recording).unreported, [0]);
    }
}
