//! What the numbers mean, said from the numbers alone, and how they were made.

use crate::compare::findings::Findings;
use crate::compare::load::CLIENTS;
use crate::compare::partitions::{RATE, TIME};
use crate::compare::trial::{FAILOVER, WRITES};
use crate::compare::{DEATHS, LATE, LINK};
use crate::views::compare::Comparison;

/// What stands out, for one number of nodes.
pub(super) fn meaning(group: &[&Findings]) -> Vec<String> {
    let mut sentences = Vec::new();
    let all = |holds: &dyn Fn(&Findings) -> bool| {
        let those = group.iter().filter(|found| holds(found));
        those.map(|found| found.pair.as_str()).collect::<Vec<_>>()
    };
    let mut say = |head: &str, pairs: Vec<&str>, none: &str| {
        sentences.push(match pairs.is_empty() {
            true => none.to_owned(),
            false => format!("{head} {}.", pairs.join(", ")),
        });
    };
    say(
        "Lost nothing that was acknowledged, neither by deaths nor in splits:",
        all(&|found| found.deaths.lost == 0 && found.partitions.lost == 0),
        "Each pair lost something that was acknowledged.",
    );
    say(
        "Of these runs one order explains all that clients saw:",
        all(&|found| found.partitions.not_linearizable == 0 && found.partitions.undecided == 0),
        "For no pair one order explains all that clients saw.",
    );
    say(
        "Go on writing with one node gone:",
        all(&|found| found.one_gone.writes > 0),
        "With one node gone nobody writes.",
    );
    say(
        "Go on writing with a majority gone:",
        all(&|found| found.majority_gone.writes > 0),
        "With a majority gone nobody writes.",
    );
    sentences.extend(price(group));
    let bugs = all(&|found| found.partitions.broken > 0);
    if !bugs.is_empty() {
        let pairs = bugs.join(", ");
        sentences.push(format!(
            "A BUG: broke its own promise: {pairs}; see cluster sim."
        ));
    }
    sentences
}

/// What waiting costs: the slowest and the fastest way to write.
fn price(group: &[&Findings]) -> Option<String> {
    let by = |found: &&&Findings| found.put.p50_ms;
    let fastest = group.iter().min_by(|a, b| by(a).total_cmp(&by(b)))?;
    let slowest = group.iter().max_by(|a, b| by(a).total_cmp(&by(b)))?;
    let (fast, slow) = (by(&fastest), by(&slowest));
    (fast > 0.0 && slow > fast).then(|| {
        format!(
            "Waiting has a price: a write takes {:.1} times as long with {} as with {}.",
            slow / fast,
            slowest.pair,
            fastest.pair
        )
    })
}

/// How the numbers were made.
pub(super) fn method(all: &Comparison) -> Vec<String> {
    if all.pairs.is_empty() && all.interrupted {
        return vec!["Interrupted: nothing was measured.".to_owned()];
    }
    let (late, load) = (LATE.as_millis(), humantime::format_duration(all.load));
    let (seeds, within) = (all.seeds, FAILOVER / 1_000_000);
    let mut sentences = Vec::new();
    match all.simulated {
        true => sentences.push(format!(
            "All in virtual time, over {}: a message takes {} to {} ms, disks take none. Speeds depend on machines, so there are none.",
            counted(seeds),
            LINK.0 / 1000,
            LINK.1 / 1000
        )),
        false => sentences.push(format!(
            "PUT/s and GET/s: {CLIENTS} clients at the leader for {load} each, on this machine, which nodes and clients share: for comparing pairs, not for planning."
        )),
    }
    let deaths = match all.simulated {
        true => "Once a seed".to_owned(),
        false => format!("{DEATHS} times"),
    };
    sentences.push(format!(
        "{deaths} a leader whose replication is {late} ms late acknowledges {WRITES} writes and is killed. Failover: until somebody acknowledges the next write, within {within} s. Then all come back and agree, and what was acknowledged, the next write too, is looked for: lost by deaths."
    ));
    sentences.push(format!(
        "Stale copies: reads of a follower's own copy right after a write was acknowledged, replication being {late} ms late. {}",
        strongest(all)
    ));
    sentences.push(
        format!(
            "Gone: nodes are killed, the leader first, until one, and then a majority is dead; then writes and the strongest reads are tried at whoever is left. {}",
            copies(all)
        ),
    );
    sentences.push(format!(
        "Split: {} of {} s in the simulator, in each of which the network splits, 5 clients, {RATE} operations/s, each judged as cluster sim does: something acknowledged was missing in the end, no order explains what clients saw, two led for longer than it takes to notice; and how many operations were served.",
        counted(seeds),
        TIME / 1_000_000
    ));
    sentences.extend(all.unmeasured.iter().map(|why| {
        format!(
            "NOT MEASURED: {why}. Is the machine very busy? Try again with --only, or with --sim."
        )
    }));
    if all.interrupted {
        sentences.push("Interrupted: the pairs that are not here were not measured.".to_owned());
    }
    sentences
}

/// What came of reads of a node's own copy.
fn copies(all: &Comparison) -> String {
    let sum = |count: fn(&Findings) -> usize| all.pairs.iter().map(count).sum::<usize>();
    let read = sum(|found| found.one_gone.copies + found.majority_gone.copies);
    let tried = sum(|found| found.one_gone.copies_tried + found.majority_gone.copies_tried);
    format!("Some node's own copy was read in {read} of {tried} tries.")
}

fn counted(seeds: u64) -> String {
    match seeds {
        1 => "one seed".to_owned(),
        _ => format!("{seeds} seeds"),
    }
}

/// What came of the strongest reads.
fn strongest(all: &Comparison) -> String {
    let sum = |count: fn(&Findings) -> usize| all.pairs.iter().map(count).sum::<usize>();
    let stale = sum(|found| found.stale.strongest_stale);
    let reads = sum(|found| found.stale.strongest_reads);
    format!("Of the strongest reads that each pair offers {stale} of {reads} were.")
}
