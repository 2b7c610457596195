//! The tour in English.

use crate::cli::exercise::words::{Label, Question, Scene, Told};

pub(super) fn scene(scene: Scene) -> Told {
    match scene {
        Scene::Tolerance => Told {
            title: "Exercise 1: test fault tolerance",
            why: "We boot three nodes and write something, before anything goes wrong. Another terminal can watch: cluster watch.",
            expect: "one node leads, the two others follow and hold the same data.",
            means: "the same data lies on three nodes: this is why we replicate. One of them may now fail.",
        },
        Scene::ToleranceRaft => Told {
            title: "The same exercise under --raft",
            why: "The same nodes, the same commands, another rule: a leader needs the votes of a majority, and a write is answered once a majority holds it.",
            expect: "at first there is no difference: one leads, two follow.",
            means: "the rule costs nothing that one could see, as long as all is well.",
        },
        Scene::OneGone => Told {
            title: "One of three stops",
            why: "We stop the leader, the worst node to lose: its port closes, its connections break, and nobody takes writes until the others notice.",
            expect: "another node takes over; what was written is still there, and writes go on.",
            means: "one node's failure was survived: the others had the data, and an election found a new leader.",
        },
        Scene::OneGoneStops => Told {
            title: "One of three stops",
            why: "We stop the leader. In this mode every node has to hold a write before it is answered.",
            expect: "another node takes over and what was written is still there, but no write is answered any more.",
            means: "synchronous replication blocks as soon as one node is missing: nothing is lost, and nothing can be written. That is its price.",
        },
        Scene::TwoGone => Told {
            title: "Two of three stop",
            why: "We stop the new leader as well. This is the chapter's question: what happens if you stop 2 nodes of 3?",
            expect: "the last node leads alone, and answers reads and writes.",
            means: "nobody asks for a majority, so one node is enough: available, but each new write exists once only, and a node that is merely cut off would do just the same. Exercise 3 shows what that costs.",
        },
        Scene::TwoGoneStops => Told {
            title: "Two of three stop",
            why: "We stop the new leader as well. This is the chapter's question: what happens if you stop 2 nodes of 3?",
            expect: "the last node still shows what it holds, but no write is acknowledged.",
            means: "one of three is no majority: without one the store refuses to acknowledge writes rather than risk losing them.",
        },
        Scene::Back => Told {
            title: "All come back",
            why: "We start the stopped nodes again.",
            expect: "one leader, three equal copies, and writes go on.",
            means: "a node that returns follows whoever leads, and is brought up to date.",
        },
        Scene::Delay => Told {
            title: "Exercise 2: observe replication lag",
            why: "Three nodes as in the chapter: the leader answers a write at once, and copies it to the followers afterwards. We make only that copying late, by 100 ms.",
            expect: "the fault is set, and elections are left alone: heartbeats are as fast as before.",
            means: "on one machine replication takes less than a millisecond; now you have the time to look.",
        },
        Scene::Stale => Told {
            title: "Write to the leader, read from a follower at once",
            why: "Each round writes a new value, asks a follower right after the answer, and goes on asking until it shows the new value.",
            expect: "the first read shows the old value; a good 100 ms later the follower has the new one.",
            means: "that was a stale read, and then convergence: eventual consistency. The write was acknowledged, but reading your own write from a follower is not guaranteed.",
        },
        Scene::DelaySync => Told {
            title: "The same with synchronous replication",
            why: "The same delay, but now the leader answers only when every follower holds the write.",
            expect: "the write itself takes 100 ms and more; what was a stale read before is now waiting time.",
            means: "the lag has not gone: whoever writes waits for it. No acknowledged write dies with the leader, and every write is as slow as the slowest follower. (A follower shows the value when it hears that all hold it: a moment after the answer.)",
        },
        Scene::DelayRaft => Told {
            title: "The same under --raft, with linearizable reads",
            why: "The same delay. A follower that is asked for a linearizable read first asks the leader how far it must have come, and waits for that.",
            expect: "the follower answers with the value just written, every time.",
            means: "no stale read, from any node; the read pays for it by waiting. You choose for each read: fast and perhaps stale, or linearizable.",
        },
        Scene::SplitVote => Told {
            title: "Exercise 3: improve the election. 1a: fixed timeouts",
            why: "Raft's votes, but every node waits equally long (--fixed-timeout). Votes travel for 100 ms, and then the leader stops: both survivors stand at the same moment, each votes for itself, and neither gets the other's vote.",
            expect: "the term rises again and again, and nobody leads.",
            means: "a split vote, repeated for ever by nodes that are in step. Two of three are alive, a majority, and still there is no leader.",
        },
        Scene::RandomTimeouts => Told {
            title: "1b: random timeouts, under the same fault",
            why: "The same votes that travel for 100 ms, the same stopped leader; but every node now draws its timeout at random, between one and two times the fixed one.",
            expect: "one of them wakes first, asks before the other stands, and leads.",
            means: "chance breaks the tie: after one or a few rounds somebody leads.",
        },
        Scene::LostWrite => Told {
            title: "2a: the lowest id, cut off",
            why: "The chapter's rule again: the lowest id that is heard leads, without votes. We cut node-1, which leads, from the two others, and write on both sides.",
            expect: "two leaders at once, both answer success; after the cut one of the two writes is gone.",
            means: "node-1 could not know that it was alone and went on; node-2 took over, as it should if node-1 were dead. Both answered \"success\", but only one log can go on: an acknowledged write was lost.",
        },
        Scene::RealVotes => Told {
            title: "2b: real votes, under the same partition",
            why: "The same cut under --raft: node-1 leads and is alone, the two others are a majority.",
            expect: "the write to node-1 is not acknowledged, the write to the majority's leader is, and nothing acknowledged is lost.",
            means: "any two majorities share a node, so there cannot be two. The minority's leader gives up its role and says that it does not know, instead of promising what it cannot keep.",
        },
        Scene::Returning => Told {
            title: "3a: a returning node, without pre-vote",
            why: "We isolate node-3, a follower. It hears no leader, stands, and raises its term each time (--no-pre-vote). Then it returns. It was never ahead: all the while the others had a healthy leader.",
            expect: "on its return its higher term deposes that leader: the whole cluster moves to a new term, by a new election.",
            means: "a node that was merely away disturbed a cluster that was well: a higher term always wins, even one that nobody needed.",
        },
        Scene::PreVote => Told {
            title: "3b: the same node, with pre-vote",
            why: "The same isolation, as long as before. Now node-3 first asks whether it could win, and only then raises its term. Alone, nobody tells it so.",
            expect: "its term stays; on its return the leader leads on, in the same term.",
            means: "pre-vote protects the leader in office: whoever cannot win does not disturb.",
        },
    }
}

pub(super) fn label(label: Label) -> &'static str {
    match label {
        Label::Expected => "Expected:",
        Label::Means => "What it means:",
        Label::Enter => "[Enter goes on; or type a command: cluster status]",
        Label::OnlyCluster => "only cluster commands can be typed here, as: cluster get name",
        Label::NotHere => {
            "not here: it would start or end a cluster, or never end; use another terminal"
        }
        Label::OpenQuote => "a quote is left open",
        Label::NotAsClaimed => "that is not what was expected; seen:",
        Label::NeverStale => "no stale read in any round",
        Label::Converged => {
            "the leader answered after {written} ms; the follower showed the new value after {converged} ms"
        }
        Label::Held => {
            "the leader answered after {written} ms; the follower showed the new value {after} ms later"
        }
        Label::Beside => "Beside each other:",
        Label::Without => "without",
        Label::With => "with",
        Label::NobodyLed => "nobody led",
        Label::Terms => "term {from} -> {to} in {ms} ms, {leader}",
        Label::Lost => "acknowledged writes lost: {lost}; leader: {leader}, term {from} -> {to}",
        Label::Glossary => "",
        Label::UntilInVain => "(waiting until three terms have passed without a leader)",
        Label::UntilLed => "(waiting until one of them leads)",
        Label::UntilMajority => "(waiting until the majority's side has a leader)",
        Label::UntilRaised => "(waiting until node-3 has raised its term three times)",
        Label::UntilAsLong => "(waiting as long as before: {ms} ms)",
        Label::UntilSettled => "(waiting until all follow one leader)",
        Label::Done => "All came as the chapter says.",
        Label::Next => "Next: cluster exercise {n}",
        Label::Last => "Next: the chapter's questions, with cluster exercise",
        Label::Menu => {
            "The chapter's exercises, each on a cluster of its own that is gone afterwards:

  cluster exercise 1    test fault tolerance: two nodes of three stop (--mode raft, bully+quorum, …)
  cluster exercise 2    observe replication lag: a stale read, and the moment of convergence
  cluster exercise 3    improve the election: random timeouts, real votes, pre-vote

  --step waits for Enter between the steps, and takes commands; --lang fr speaks French"
        }
        Label::Questions => "Check your understanding:",
        Label::Choose => "[1, 2 or 3 begins; Enter ends]",
    }
}

pub(super) const QUESTIONS: [Question; 5] = [
    Question {
        question: "Why do we replicate data?",
        answer: "So that a node can fail without data or service being lost: the leader stopped, and the others still had the name and elected another.",
        seen: "exercise 1, one of three stops",
    },
    Question {
        question: "What is the difference between leader and follower?",
        answer: "The leader takes all writes and copies them; followers receive copies and answer reads, which may be stale.",
        seen: "exercise 2, the stale read",
    },
    Question {
        question: "What happens when a client tries to write to a follower?",
        answer: "It refuses (503, \"Not the leader\") and names the leader. Try it: cluster put name Bob --to node-3.",
        seen: "any exercise with --step",
    },
    Question {
        question: "How does leader election work in our implementation?",
        answer: "The lowest id that is alive leads, without votes. That is simple, and under a partition there are two leaders, of which one's acknowledged writes are lost; votes of a majority prevent it.",
        seen: "exercise 3, 2a beside 2b",
    },
    Question {
        question: "What is the trade-off between synchronous and asynchronous replication?",
        answer: "Asynchronous: an answer at once, but stale reads, and loss if the leader dies. Synchronous: nothing acknowledged dies with it, but each write waits for the slowest node, and one dead node blocks them all.",
        seen: "exercise 2; exercise 1 with --mode lowest-id+sync",
    },
];
