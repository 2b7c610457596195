//! Faults in words: what they are called, what they do, what one may expect to see, and how to undo them.

use std::time::Duration;

use crate::faults::{Fault, Permille, Traffic};
use crate::types::NodeId;
use crate::wire::faults::{Trouble, Way};

/// The word that names are made of: `cut` for `cut-1`. Of a link's faults the heaviest gives the name.
pub fn word(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Links { fault, .. } => link_word(fault),
        Trouble::Partition { .. } | Trouble::Split { .. } => "partition",
        Trouble::Bridge { .. } => "bridge",
        Trouble::Ring => "ring",
        Trouble::Isolate { .. } => "isolate",
        Trouble::Client { .. } => "client",
        Trouble::Pause { .. } => "pause",
        Trouble::Skew { .. } => "skew",
        Trouble::Jump { .. } => "jump",
        Trouble::SlowDisk { .. }
        | Trouble::FullDisk { .. }
        | Trouble::FailSync { .. }
        | Trouble::CorruptTail { .. } => "disk",
    }
}

fn link_word(fault: &Fault) -> &'static str {
    let words = [
        (fault.cut, "cut"),
        (fault.loss > 0, "loss"),
        (!(fault.delay + fault.jitter).is_zero(), "delay"),
        (fault.bandwidth > 0, "bandwidth"),
        (fault.duplicate > 0, "duplicate"),
        (fault.reorder > 0, "reorder"),
    ];
    let mut set = words.iter().filter(|(is_set, _)| *is_set);
    set.next().map_or("link", |(_, word)| word)
}

/// What it does, with the nodes that it strikes, once roles are resolved; of `total` nodes.
pub fn what(trouble: &Trouble, total: usize) -> String {
    let list = |nodes: &[String]| match nodes.len() {
        all if all == total && total > 2 => "all".to_owned(),
        _ => nodes.join(", "),
    };
    let nodes = trouble.nodes().map(list).unwrap_or_default();
    match trouble {
        Trouble::Links {
            from,
            to,
            fault,
            only,
            one_way,
        } => {
            let arrow = if *one_way || from == to { "→" } else { "↔" };
            let only: Vec<&str> = only.iter().map(|traffic| traffic.as_str()).collect();
            let only = match only.as_slice() {
                [] => String::new(),
                only => format!(", only {}", only.join(" and ")),
            };
            let (from, to) = (list(from), list(to));
            format!("{from} {arrow} {to}: {}{only}", link(fault))
        }
        Trouble::Partition { groups, one_way } => {
            let groups: Vec<String> = groups.iter().map(|group| list(group)).collect();
            let hear = match one_way {
                true => "what those before say does not reach those after",
                false => "they do not hear each other",
            };
            format!("{}: {hear}", groups.join(" / "))
        }
        Trouble::Split { .. } => "two halves that do not hear each other".to_owned(),
        Trouble::Bridge { node } => format!(
            "two halves that meet only in {}",
            node.as_deref().unwrap_or("one node")
        ),
        Trouble::Ring => {
            "a ring: each hears only its neighbours, a majority with it, no two the same".to_owned()
        }
        Trouble::Client { fault, .. } => format!("clients ↔ {nodes}: {}", link(fault)),
        of_nodes => format!("{nodes}: {}", suffering(of_nodes)),
    }
}

/// What a node suffers from that is struck by itself.
fn suffering(trouble: &Trouble) -> String {
    let words = match trouble {
        Trouble::Isolate { way: Way::Both, .. } => "cut off from all others",
        Trouble::Isolate { way: Way::Out, .. } => "mute: heard by nobody, though hearing all",
        Trouble::Isolate { way: Way::In, .. } => "deaf: hearing nobody, though heard by all",
        Trouble::Pause { .. } => "stands still; its port accepts and answers nothing",
        Trouble::Skew { rate_ppm, .. } => {
            let rate = f64::from(*rate_ppm) / 1e6;
            return format!("its clock runs {rate} times as fast");
        }
        Trouble::Jump { by, .. } => return format!("its clock jumped ahead by {}", time(*by)),
        Trouble::SlowDisk { by, .. } => {
            return format!("each synced write takes {} longer", time(*by));
        }
        Trouble::FullDisk { .. } => "no space left on its disk",
        Trouble::FailSync { .. } => "its next sync fails",
        Trouble::CorruptTail { .. } => "killed within a write, the end of its log is torn",
        Trouble::Links { .. }
        | Trouble::Partition { .. }
        | Trouble::Split { .. }
        | Trouble::Bridge { .. }
        | Trouble::Ring
        | Trouble::Client { .. } => "its links fare otherwise",
    };
    words.to_owned()
}

/// The same, where the link between `a` and `b` is spared.
pub fn without(what: &str, a: &NodeId, b: &NodeId) -> String {
    format!("{what}, but not between {a} and {b}")
}

/// What becomes of a link's messages.
pub fn link(fault: &Fault) -> String {
    if fault.cut {
        return "cut".to_owned();
    }
    let mut parts = Vec::new();
    if !fault.delay.is_zero() {
        parts.push(format!("{} late", time(fault.delay)));
    }
    if !fault.jitter.is_zero() {
        parts.push(format!("up to {} more", time(fault.jitter)));
    }
    if fault.loss > 0 {
        parts.push(format!("{} lost", percent(fault.loss)));
    }
    if fault.burst > 0 {
        parts.push(format!(
            "{} of those behind a lost one too",
            percent(fault.burst)
        ));
    }
    if fault.duplicate > 0 {
        parts.push(format!("{} twice", percent(fault.duplicate)));
    }
    if fault.reorder > 0 {
        parts.push(format!("{} overtaken", percent(fault.reorder)));
    }
    if fault.bandwidth > 0 {
        parts.push(format!("at most {}/s", bytes(fault.bandwidth)));
    }
    parts.join(", ")
}

/// Whether there are kinds named, and none but these.
fn is_only(named: &[Traffic], those: &[Traffic]) -> bool {
    !named.is_empty() && named.iter().all(|kind| those.contains(kind))
}

/// What one may expect to see.
pub fn expect(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Links { only, .. } if is_only(only, &[Traffic::Votes]) => {
            "nothing while there is a leader; without one, an election takes longer or comes to nothing"
        }
        Trouble::Links { only, .. } if is_only(only, &[Traffic::Reads]) => {
            "only reads that have to be confirmed notice: they take longer, or are refused"
        }
        Trouble::Links { only, .. } if is_only(only, &[Traffic::Heartbeats]) => {
            "signs of life are late or lost: followers may stand for election though their leader lives"
        }
        Trouble::Links { fault, .. } if fault.cut => {
            "a follower that does not hear the leader stands for election; where votes are counted, it needs a majority that hears it"
        }
        Trouble::Links { fault, .. } if fault.loss > 0 => {
            "what is lost is sent again: followers lag, and elections may come from nowhere"
        }
        Trouble::Links { fault, .. } if fault.bandwidth > 0 => {
            "large values and snapshots take their time, and what waits behind them too"
        }
        Trouble::Links { fault, .. } if fault.delay.is_zero() && fault.jitter.is_zero() => {
            "nothing that a client would notice: what comes twice or late counts once, and what it brings is checked first"
        }
        Trouble::Links { .. } => {
            "followers lag by that: reads from them are stale, and what waits for acknowledgements is as slow"
        }
        Trouble::Partition { .. } | Trouble::Split { .. } => {
            "with raft and bully only a majority has a leader; with lowest-id each side has one, and all but one lose their writes when it heals"
        }
        Trouble::Bridge { .. } | Trouble::Ring => {
            "each node has its own idea of who lives: with raft, once a leader is found, it leads whom it hears; with lowest-id several lead"
        }
        Trouble::Isolate { nodes, .. } if nodes.iter().any(|node| node == "all") => {
            "everybody is alone: with raft and bully nobody leads for long, with lowest-id everybody does"
        }
        Trouble::Isolate { .. } => {
            "the others go on without it if they are a majority, or with lowest-id in any case; watch what it believes meanwhile"
        }
        Trouble::Client { .. } => {
            "only clients notice: the nodes hear each other as before, and a leader that nobody reaches goes on leading"
        }
        Trouble::Pause { .. } => {
            "the others take it for dead; when it resumes it acts at once on what it believed, until it hears otherwise"
        }
        Trouble::Skew { rate_ppm, .. } if *rate_ppm > 1_000_000 => {
            "it loses patience with its leader too early: elections that nobody else sees a reason for"
        }
        Trouble::Skew { .. } => {
            "as a leader it is heard too seldom, as a follower it waits too long: others stand before it"
        }
        Trouble::Jump { .. } => {
            "all its deadlines are over at once: it takes that for having stood still, and listens again before it stands"
        }
        Trouble::SlowDisk { .. } => {
            "whatever it promises waits for its disk: as a leader it slows every write, and is not heard while it waits; as a follower it slows only those that need it"
        }
        Trouble::FullDisk { .. } | Trouble::FailSync { .. } => {
            "at its next write it says that its disk failed, promises nothing of it, and takes no part until it is healed"
        }
        Trouble::CorruptTail { .. } => {
            "when it is revived it finds the torn end, cuts it off, and has all that it ever acknowledged"
        }
    }
}

/// What to type to undo it.
pub fn undo(trouble: &Trouble, name: &str) -> String {
    match trouble {
        Trouble::CorruptTail { nodes } => format!("cluster revive {}", nodes.join(" ")),
        Trouble::Jump { .. } => String::new(),
        _ => format!("cluster heal {name}"),
    }
}

fn time(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

fn percent(chance: Permille) -> String {
    format!("{} %", f64::from(chance) / 10.0)
}

fn bytes(bytes: u64) -> String {
    match bytes {
        whole if whole % (1 << 20) == 0 => format!("{} MiB", whole >> 20),
        whole if whole % (1 << 10) == 0 => format!("{} KiB", whole >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
