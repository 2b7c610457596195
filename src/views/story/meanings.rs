//! What an invariant is good for.

/// Why it matters, in a sentence; empty for one that is not known.
pub(super) fn meaning(invariant: &str) -> &'static str {
    match invariant {
        "nothing acknowledged is missing" => {
            "Whoever is told that a write is done relies on its being there."
        }
        "linearizability" => {
            "Linearizable is a store in which each operation happens at one instant between its question and its answer, so that nobody can tell it from a single machine."
        }
        "election safety" => {
            "A term has one leader at most: a node votes once a term, and any two majorities share a node. Two leaders of one term can write different things to the same place of the log."
        }
        "leader append-only" => {
            "A leader only adds to its log: what it overwrites, it may have acknowledged."
        }
        "log matching" => {
            "Two logs with the same entry must be equal up to it: all copying rests on that."
        }
        "leader completeness" => {
            "Whoever leads must have all that was committed before, or its followers lose it too."
        }
        "state-machine safety" => {
            "All nodes must apply the same entry at the same place, or their stores differ for ever."
        }
        "term and vote never go back" => {
            "A node that forgets its term or its vote can vote twice in one term, and two leaders can share it."
        }
        "commit never goes back" => "What was committed was promised, and must stay.",
        "persist before promise" => {
            "What a node says must be on its disk first: after a power cut it would not know what it promised."
        }
        "acknowledged as promised" => {
            "By then that many disks must have it, or the death of those that do loses it."
        }
        "compaction keeps what is not applied" => {
            "What is not applied yet is in the log alone, and must not be let go."
        }
        "bounded memory" => {
            "The log must not grow beyond what the store needs, or memory runs out."
        }
        "reads are of writes" => "A read must see what somebody wrote.",
        "session safety" => {
            "A write that has a name is carried out once, however often it is asked for."
        }
        "sequential consistency" => {
            "Sequentially consistent is a store in which one order explains all answers and keeps, of each client, what it asked first before what it asked then."
        }
        "read your writes" => "Whoever wrote something must read that, or something later.",
        "monotonic reads" => "Whoever read something must not read something older afterwards.",
        "eventual consistency" => {
            "When nobody writes any more, everybody must come to read the same."
        }
        "one leader" => {
            "Of two that lead at the same time each can acknowledge writes, and one side's are thrown away."
        }
        "availability" => {
            "While a majority lives and can talk, one of them must come to lead, and writes must be done."
        }
        "convergence" => "When every fault is over, all nodes must come to hold the same.",
        _ => "",
    }
}
