//! Bugs to be planted: each has one name, and none is in a program that is given to anybody.

use std::collections::BTreeSet;

use cluster::planted::Bug;

#[test]
fn every_bug_has_a_name_of_its_own_that_reads_back() {
    let names: BTreeSet<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
    assert_eq!(names.len(), Bug::ALL.len());
    for bug in Bug::ALL {
        let clean = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(bug.name().chars().all(clean), "{}", bug.name());
        assert_eq!(Bug::from_name(bug.name()), Some(*bug));
    }
    assert_eq!(Bug::from_name("no-such-bug"), None);
}

#[test]
fn every_bug_says_under_which_flags_to_look_for_it() {
    for bug in Bug::ALL {
        let flags = bug.flags();
        assert_eq!(flags.len(), bug.modes().len());
        let named = |line: &String| line.starts_with("--raft") || line.starts_with("--election ");
        assert!(!flags.is_empty() && flags.iter().all(named), "{flags:?}");
    }
    let lowest = Bug::RevivedLowerIdTakesOver.flags();
    assert_eq!(lowest[0], "--election lowest-id --replication async");
    assert_eq!(
        Bug::RefusedVoteResetsTimer.flags(),
        ["--raft --no-pre-vote"]
    );
}

#[cfg(not(feature = "planted"))]
#[test]
fn nothing_is_planted_unless_it_is_built_for_that() {
    use cluster::planted::{VERSION, is_planted, planted};

    assert!(!Bug::ALL.iter().any(|bug| is_planted(*bug)));
    assert_eq!(planted(), None);
    assert_eq!(VERSION, env!("CARGO_PKG_VERSION"));
}

/// With the feature: the bug that grows belongs to the process, so all that plants one is one test.
#[cfg(feature = "planted")]
mod growing {
    use cluster::planted::{Bug, VERSION, is_planted, plant, planted};
    use cluster::protocol::{Action, Input, Message, Node, Record, Recovered};
    use cluster::types::{Config, Members, Mode, NodeId, Time};

    #[test]
    fn one_bug_at_a_time_grows_and_the_version_says_that_one_can() {
        for bug in Bug::ALL {
            plant(*bug);
            assert_eq!(planted(), Some(*bug));
            let growing: Vec<&Bug> = Bug::ALL.iter().filter(|bug| is_planted(**bug)).collect();
            assert_eq!(growing, [bug]);
        }
        assert!(VERSION.contains("planted"));
        a_second_vote_is_given_only_while_that_grows();
        what_is_promised_and_what_is_a_majority_change_while_that_grows();
    }

    /// The story that `cluster sim --exhaustive` tells of a bug: what it breaks, and in how few steps.
    fn exhaustive(bug: Bug, flags: &[&str]) -> (String, usize) {
        let mut command = assert_cmd::Command::cargo_bin("cluster").expect("the binary");
        command.env("PLANTED", bug.name());
        let always = ["sim", "--exhaustive", "--json", "-q"];
        let found = command.args(always).args(flags).assert().code(1);
        let json: serde_json::Value =
            serde_json::from_slice(&found.get_output().stdout).expect("JSON");
        let violation = &json["violations"][0];
        let invariant = violation["invariant"].as_str().expect("a name");
        let story = violation["story"].as_array().expect("a story");
        (invariant.to_owned(), story.len())
    }

    #[test]
    fn the_exhaustive_search_finds_bugs_of_elections_by_the_shortest_way_there_is() {
        let election = ["--raft", "--writes", "0", "--invariant", "election-safety"];
        let calm = [&election[..], &["--crashes", "0"]].concat();
        let safety = "election safety".to_owned();
        for (bug, flags, steps) in [
            (Bug::TwoVotesInATerm, &calm, 10),
            (Bug::PreVoteCountsAsVote, &calm, 10),
            (Bug::VoteNotPersisted, &election.to_vec(), 11),
        ] {
            let (invariant, story) = exhaustive(bug, flags);
            assert_eq!(
                (invariant, story),
                (safety.clone(), steps),
                "{}",
                bug.name()
            );
        }
        let calm = [
            "--raft",
            "--crashes",
            "0",
            "--invariant",
            "leader-completeness",
        ];
        let (invariant, steps) = exhaustive(Bug::SentCountsAsStored, &calm);
        assert_eq!((invariant.as_str(), steps), ("leader completeness", 13));
        // What is on the disk is seen to be wrong before that does any harm.
        let (invariant, steps) = exhaustive(Bug::VoteNotPersisted, &["--raft"]);
        assert_eq!((invariant.as_str(), steps), ("durability", 3));
    }

    /// How many of two candidates in one term `node-1` votes for.
    fn votes_in_a_term() -> usize {
        let ids: Vec<NodeId> = (1..=3).map(NodeId::nth).collect();
        let mut config = Config::new(ids[0].clone(), ids.clone());
        config.mode = Mode::RAFT;
        let mut node = Node::new(config, Recovered::default(), 1);
        let mut ask = |from: &NodeId| {
            let (term, last, transfer) = (5, None, false);
            let message = Message::Vote {
                term,
                last,
                transfer,
            };
            let from = from.clone();
            node.step(Time::ZERO, Input::Message { from, message })
        };
        let granted = |action: &Action| {
            matches!(
                action,
                Action::Send {
                    message: Message::VoteAck { granted: true, .. },
                    ..
                }
            )
        };
        let answers = [ask(&ids[1]), ask(&ids[2])];
        answers
            .iter()
            .flatten()
            .filter(|action| granted(action))
            .count()
    }

    fn a_second_vote_is_given_only_while_that_grows() {
        plant(Bug::VersionRestarts);
        assert_eq!(votes_in_a_term(), 1);
        plant(Bug::TwoVotesInATerm);
        assert_eq!(votes_in_a_term(), 2);
    }

    fn what_is_promised_and_what_is_a_majority_change_while_that_grows() {
        let four = Members::new((1..=4).map(NodeId::nth).collect());
        let append = Record::Append(Vec::new());
        plant(Bug::HalfIsMajority);
        assert_eq!((four.majority(), append.is_promise()), (2, true));
        plant(Bug::AppendUnsynced);
        assert_eq!((four.majority(), append.is_promise()), (3, false));
    }
}
