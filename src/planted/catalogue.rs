//! The bugs: what is wrong, what it breaks, in which modes, and who had it.

use crate::types::{Election, Mode, Replication};

const RAFT: &[Mode] = &[Mode::RAFT];
const RAFT_SYNC: &[Mode] = &[mode(Election::Raft, Replication::Sync)];
const LOWEST_ID: &[Mode] = &[
    mode(Election::LowestId, Replication::Async),
    mode(Election::LowestId, Replication::Quorum),
];
const BULLY: &[Mode] = &[
    mode(Election::Bully, Replication::Async),
    mode(Election::Bully, Replication::Quorum),
];
const VOTED: &[Mode] = &[Mode::RAFT, mode(Election::Bully, Replication::Quorum)];
const REPORTING: &[Mode] = &[
    mode(Election::LowestId, Replication::Async),
    mode(Election::Bully, Replication::Async),
    mode(Election::Raft, Replication::Async),
];
const ANY: &[Mode] = &[Mode::RAFT, mode(Election::LowestId, Replication::Async)];

const fn mode(election: Election, replication: Replication) -> Mode {
    Mode {
        election,
        replication,
    }
}

macro_rules! bugs {
    ($($(#[$doc:meta])+ $bug:ident = $name:literal breaks $property:literal in $modes:ident;)+) => {
        /// A bug that can be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Bug {
            $($(#[$doc])+ $bug,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Bug] = &[$(Bug::$bug),+];

            /// What it is called on command lines.
            pub fn name(self) -> &'static str {
                match self {
                    $(Bug::$bug => $name),+
                }
            }

            /// The property that it breaks, as the paper calls it (Raft, figure 3); *liveness* if nothing wrong happens,
            /// but nothing else either, or later, or oftener than it should.
            pub fn breaks(self) -> &'static str {
                match self {
                    $(Bug::$bug => $property),+
                }
            }

            /// The modes in which it is to be looked for.
            pub fn modes(self) -> &'static [Mode] {
                match self {
                    $(Bug::$bug => $modes),+
                }
            }
        }
    };
}

bugs! {
    // Elections.

    /// A vote is not written down: after a restart the node votes again in the same term (akka-raft#62).
    VoteNotPersisted = "vote-not-persisted" breaks "election safety" in VOTED;
    /// A higher term is not written down: after a restart the node takes part in one that it had left behind.
    TermNotPersisted = "term-not-persisted" breaks "election safety" in ANY;
    /// A vote is answered before it is on the disk.
    BallotUnsynced = "ballot-unsynced" breaks "election safety" in VOTED;
    /// A second candidate is given a vote in the same term.
    TwoVotesInATerm = "two-votes-in-a-term" breaks "election safety" in VOTED;
    /// Whoever led or stood and steps down within a term forgets its vote in it (hazelcast#16643).
    SteppingDownClearsVote = "stepping-down-clears-vote" breaks "election safety" in RAFT;
    /// A vote that comes twice counts twice (coyote-samples#8).
    RepeatedVoteCounts = "repeated-vote-counts" breaks "election safety" in RAFT;
    /// A vote of an earlier term counts in this one (akka-raft#47).
    StaleVoteCounts = "stale-vote-counts" breaks "election safety" in RAFT;
    /// A late answer to a pre-vote counts as a vote (canonical/raft#196).
    PreVoteCountsAsVote = "pre-vote-counts-as-vote" breaks "election safety" in RAFT;
    /// A vote is given to a shorter log, if only its last term is as high.
    VotesForShorterLog = "votes-for-shorter-log" breaks "leader completeness" in RAFT;
    /// Logs are compared by their lengths, not by their last terms (Raft, §5.4.1).
    VoteComparesLength = "vote-compares-length" breaks "leader completeness" in RAFT;
    /// A leader that reads of a higher term takes it over, and goes on leading.
    LeadsAfterHigherTerm = "leads-after-higher-term" breaks "election safety" in RAFT;
    /// A leader of a term that is over is obeyed.
    StaleClaimObeyed = "stale-claim-obeyed" breaks "leader completeness" in RAFT;
    /// The successor is told to stand before it has everything, and voted for whatever its log is, since its leader wants it.
    TransferWithoutCatchUp = "transfer-without-catch-up" breaks "leader completeness" in RAFT;
    /// A voter that lost its disk votes as if it were new.
    WipedVoterVotes = "wiped-voter-votes" breaks "leader completeness" in RAFT;
    /// A vote that is refused earns its asker a whole election timeout: who cannot win keeps those waiting who could.
    RefusedVoteResetsTimer = "refused-vote-resets-timer" breaks "liveness" in RAFT;
    /// So does a pre-vote that is granted, whatever becomes of it (hashicorp/raft#609).
    GrantedPreVoteResetsTimer = "granted-pre-vote-resets-timer" breaks "liveness" in RAFT;
    /// A pre-vote changes the term of whoever is asked, and so deposes leaders.
    PreVoteChangesTerm = "pre-vote-changes-term" breaks "liveness" in RAFT;
    /// A pre-vote is granted to whoever could never win (NuRaft#134).
    PreVoteIgnoresLog = "pre-vote-ignores-log" breaks "liveness" in RAFT;
    /// A node that comes back takes over at once if no lower id lives, though a leader does.
    RevivedLowerIdTakesOver = "revived-lower-id-takes-over" breaks "liveness" in LOWEST_ID;
    /// Two leaders of one term do not yield to each other, nor do their followers.
    EqualTermsUnresolved = "equal-terms-unresolved" breaks "liveness" in LOWEST_ID;
    /// The highest id that can be reached leads, whether or not a majority voted for it.
    BullyLeadsWithoutMajority = "bully-leads-without-majority" breaks "election safety" in BULLY;

    // The log and what is committed.

    /// An older term's entry is committed as soon as a majority holds it (Raft, figure 8; logcabin#44).
    OldTermCommits = "old-term-commits" breaks "leader completeness" in RAFT;
    /// What was sent counts as stored.
    SentCountsAsStored = "sent-counts-as-stored" breaks "leader completeness" in RAFT;
    /// A follower commits up to the leader's index, whatever its own log holds there.
    CommitBeyondMatch = "commit-beyond-match" breaks "state-machine safety" in RAFT;
    /// An append without entries is not compared with the log, and commits what nobody has checked (copycat#265, scylladb#9965).
    EmptyAppendUnchecked = "empty-append-unchecked" breaks "state-machine safety" in RAFT;
    /// Entries that are here already are written anew, and what follows them is cut off: a late, shorter append takes
    /// acknowledged entries back (akka-raft#66).
    MatchingEntriesTruncated = "matching-entries-truncated" breaks "leader completeness" in RAFT;
    /// So does one that holds nothing new at all.
    DuplicateTruncates = "duplicate-truncates" breaks "leader completeness" in RAFT;
    /// Conflicting entries are overwritten in place; those behind them stay, of whatever term they are (mofa#1151).
    ConflictKeepsTail = "conflict-keeps-tail" breaks "log matching" in RAFT;
    /// If the entry before an append is compacted, that is taken for a conflict, and what is not applied goes
    /// (openraft#511).
    PurgedPrevConflicts = "purged-prev-conflicts" breaks "leader completeness" in RAFT;
    /// A leader does not begin with an entry of its own, and answers reads as if it had.
    NoNoop = "no-noop" breaks "linearizability" in RAFT;
    /// A delete is applied by its leader alone (the chapter's programs).
    DeleteNotReplicated = "delete-not-replicated" breaks "state-machine safety" in ANY;
    /// With `sync` a write is answered when it is committed, though not every voter holds it.
    SyncAnswersEarly = "sync-answers-early" breaks "durability" in RAFT_SYNC;
    /// A write that was in the log when its leader was deposed is said to be in none.
    UnknownCalledFailed = "unknown-called-failed" breaks "linearizability" in RAFT;
    /// What was acknowledged and is discarded is not reported.
    LostUnreported = "lost-unreported" breaks "durability" in REPORTING;

    // Disks.

    /// Entries are acknowledged before they are on the disk.
    AppendUnsynced = "append-unsynced" breaks "leader completeness" in RAFT;
    /// Only those that do nothing are: no client waits for them (yugabyte-db#32875 forgot empty appends).
    NoopUnsynced = "noop-unsynced" breaks "leader completeness" in RAFT;
    /// After a failed sync the next one is tried and trusted (rostam#94). Who drives the node does that: its own code
    /// has no say in it.
    FailedSyncTrusted = "failed-sync-trusted" breaks "leader completeness" in RAFT;
    /// After a restart what is known to be committed counts as applied, and is not (horizontal-scaling-convex#145).
    AppliedFromCommit = "applied-from-commit" breaks "state-machine safety" in RAFT;

    // Snapshots.

    /// Entries are compacted that the snapshot does not hold yet.
    CompactsUnapplied = "compacts-unapplied" breaks "state-machine safety" in RAFT;
    /// A snapshot that comes late replaces a store that has gone on since.
    LateSnapshotRewinds = "late-snapshot-rewinds" breaks "state-machine safety" in RAFT;
    /// A snapshot does not hold the named writes: one that is repeated is carried out again.
    SnapshotForgetsSessions = "snapshot-forgets-sessions" breaks "linearizability" in RAFT;
    /// A snapshot does not hold the members: those of the beginning are in force again.
    SnapshotForgetsMembers = "snapshot-forgets-members" breaks "disjoint majorities" in RAFT;
    /// A snapshot holds the members before the last change (openraft#1808).
    SnapshotKeepsOldMembers = "snapshot-keeps-old-members" breaks "disjoint majorities" in RAFT;
    /// What a snapshot brings has versions that begin anew, so that a key can have one twice.
    VersionRestarts = "version-restarts" breaks "linearizability" in RAFT;

    // Members.

    /// A change of members that is taken back stays in force (rafter#34).
    TruncatedMembersStay = "truncated-members-stay" breaks "election safety" in RAFT;
    /// Members are changed before the leader has committed an entry of its term (Ongaro on raft-dev, 2015).
    MembersBeforeOwnCommit = "members-before-own-commit" breaks "disjoint majorities" in RAFT;
    /// Members are changed while another change is not committed.
    TwoChangesAtOnce = "two-changes-at-once" breaks "disjoint majorities" in RAFT;
    /// What is committed is counted over the members of the beginning.
    QuorumOfOldMembers = "quorum-of-old-members" breaks "disjoint majorities" in RAFT;
    /// Half of an even number is a majority.
    HalfIsMajority = "half-is-majority" breaks "disjoint majorities" in RAFT;
    /// A learner's copy counts towards a majority of the voters.
    LearnerCounts = "learner-counts" breaks "leader completeness" in RAFT;
    /// A leader that is being removed counts itself (etcd's confchange_v1_remove_leader).
    RemovedLeaderCounts = "removed-leader-counts" breaks "leader completeness" in RAFT;

    // Reads, and writes that are repeated.

    /// A new leader answers reads before it has committed an entry of its term (etcd#7331).
    ReadBeforeOwnCommit = "read-before-own-commit" breaks "linearizability" in RAFT;
    /// A leader answers reads without asking whether it still leads (d-engine#381).
    ReadWithoutRound = "read-without-round" breaks "linearizability" in RAFT;
    /// A follower that was told up to where it must have applied answers before it has.
    ReadBeforeApplied = "read-before-applied" breaks "linearizability" in RAFT;
    /// A named write that is repeated is carried out again, and a compare-and-set fails by its own success (etcd#18424).
    NamedWriteTwice = "named-write-twice" breaks "linearizability" in RAFT;
}

impl Bug {
    /// The bug of this name.
    pub fn from_name(name: &str) -> Option<Bug> {
        Bug::ALL.iter().copied().find(|bug| bug.name() == name)
    }

    /// The flags of a command line under which it is to be looked for, one line a mode.
    pub fn flags(self) -> Vec<String> {
        let line = |mode: &Mode| {
            let rules = match *mode {
                Mode::RAFT => "--raft".to_owned(),
                mode => {
                    let text = mode.to_string();
                    let (election, replication) = text.split_once(" + ").unwrap_or_default();
                    format!("--election {election} --replication {replication}")
                }
            };
            rules + self.more_flags()
        };
        self.modes().iter().map(line).collect()
    }

    /// What is needed besides the mode for the bug to have room.
    fn more_flags(self) -> &'static str {
        match self {
            // Who could never win does not ask for votes where it must ask for pre-votes first.
            Bug::RefusedVoteResetsTimer => " --no-pre-vote",
            Bug::HalfIsMajority => " --nodes 4",
            _ => "",
        }
    }
}
