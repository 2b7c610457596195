//! Every mode keeps its promise over a fixed range of seeds, and the runs are not empty.

use std::sync::atomic::AtomicBool;

use cluster::sim::{Expect, Met, Options, Tally, play};
use cluster::types::Mode;

use crate::support::{modes, options};

fn tally(mode: Mode, seeds: u64, seconds: u64) -> Tally {
    let options = options(mode, seconds, Expect::Promised);
    let mut tally = Tally::from(0);
    let stop = AtomicBool::new(false);
    play(&options, &(0..seeds), 2, false, &stop, &mut tally, |_| {});
    tally
}

#[test]
fn every_mode_keeps_its_promise_under_all_faults() {
    for mode in modes() {
        let tally = tally(mode, 12, 15);
        assert_eq!(tally.seeds, 12, "{mode}");
        assert!(
            tally.violations.is_empty(),
            "{mode}: {:?}",
            tally.violations
        );
        let stats = &tally.stats;
        assert!(stats.acknowledged > 100, "{mode}: {}", stats.acknowledged);
        assert!(stats.count(Met::Leader) > 20, "{mode}");
        assert_eq!(stats.undecided, 0, "{mode}");
    }
}

/// A single voter commits in the turn in which it writes: what it then loses with that write nobody was promised.
#[test]
fn a_node_alone_keeps_its_promise_when_its_disk_fails_or_loses_power_in_the_middle_of_a_write() {
    let options = Options {
        nodes: 1,
        ..options(Mode::RAFT, 20, Expect::Promised)
    };
    let mut tally = Tally::from(0);
    let stop = AtomicBool::new(false);
    play(&options, &(0..20), 2, false, &stop, &mut tally, |_| {});
    assert!(tally.violations.is_empty(), "{:?}", tally.violations);
    for met in [Met::SyncFailed, Met::TornWrite] {
        assert!(tally.stats.count(met) > 0, "never met: {}", met.text());
    }
}

#[test]
fn that_a_client_reads_what_is_old_while_faults_act_says_nothing_of_the_end() {
    // Seed 21: after the last write of a key two clients read it at different nodes, before all is healed.
    let options = options(Mode::RAFT, 10, Expect::Eventual);
    let mut tally = Tally::from(15);
    let stop = AtomicBool::new(false);
    play(&options, &(15..30), 2, false, &stop, &mut tally, |_| {});
    assert!(tally.violations.is_empty(), "{:?}", tally.violations);
    assert_eq!((tally.seeds, tally.stats.undecided), (15, 0));
}

#[test]
fn the_median_seed_of_raft_has_writes_changes_of_leader_and_several_kinds_of_faults() {
    let (acknowledged, leader_changes, kinds) = tally(Mode::RAFT, 10, 60).median();
    assert!(acknowledged >= 20, "{acknowledged} acknowledged writes");
    assert!(leader_changes >= 2, "{leader_changes} changes of leader");
    assert!(kinds >= 3, "{kinds} kinds of faults");
}

#[test]
fn reads_of_lost_disks_snapshots_and_members_are_all_met_in_raft() {
    let stats = tally(Mode::RAFT, 40, 20).stats;
    for met in [
        Met::DiskLost,
        Met::Restored,
        Met::SnapshotInstalled,
        Met::SnapshotInPieces,
        Met::MemberAdded,
        Met::MemberRemoved,
        Met::Transferred,
        Met::TornWrite,
        Met::SyncFailed,
        Met::Truncated,
        Met::PreVoteRefused,
        Met::VoteRefused,
        Met::StaleRead,
        Met::Readable,
        Met::NamedRepeat,
    ] {
        assert!(stats.count(met) > 0, "never met: {}", met.text());
    }
}
