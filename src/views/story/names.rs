//! What things are called in a story.

use crate::protocol::Entry;
use crate::sim::plan::Place;
use crate::store::Command;
use crate::types::NodeId;

/// A node.
pub(in crate::views) fn node(place: Place) -> String {
    NodeId::nth(usize::from(place) + 1).to_string()
}

/// Several nodes.
pub(super) fn nodes(places: &[Place]) -> String {
    list(
        &places
            .iter()
            .map(|place| node(*place))
            .collect::<Vec<String>>(),
    )
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The first few of `names`.
pub(super) fn some(names: &[String]) -> String {
    const FEW: usize = 4;
    match names.len() {
        n if n > FEW + 1 => format!("{} and {} more", names[..FEW].join(", "), n - FEW),
        _ => list(names),
    }
}

/// `1 time`, `2 times`.
pub(super) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// A span of time, as exactly as one wants to read it.
pub(in crate::views) fn span(nanos: u64) -> String {
    match nanos {
        0..10_000_000 => format!("{} ms", (nanos / 10_000) as f64 / 100.0),
        10_000_000..10_000_000_000 => format!("{} ms", (nanos + 500_000) / 1_000_000),
        _ => format!("{:.1} s", nanos as f64 / 1e9),
    }
}

/// What an entry of a log does.
pub(super) fn deed(entry: &Entry) -> String {
    match &entry.command {
        Command::Put { key, value, .. } => format!("{}={}", key.as_str(), value.as_str()),
        Command::Delete { key, .. } => format!("the delete of {}", key.as_str()),
        Command::Noop => format!("the entry that begins term {}", entry.id.term),
        Command::Members(members) => {
            let voters: Vec<String> = members.voters.iter().map(NodeId::to_string).collect();
            format!("the members {}", list(&voters))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_as_exact_as_one_wants_to_read_them() {
        let spans = [912_000, 1_824_000, 136_124_000, 14_836_217_000].map(span);
        assert_eq!(spans, ["0.91 ms", "1.82 ms", "136 ms", "14.8 s"]);
    }

    #[test]
    fn many_names_are_cut() {
        let names: Vec<String> = (1..=7).map(|n| format!("k{n}")).collect();
        assert_eq!(list(&names[..3]), "k1, k2 and k3");
        assert_eq!(some(&names[..5]), "k1, k2, k3, k4 and k5");
        assert_eq!(some(&names), "k1, k2, k3, k4 and 3 more");
    }
}
