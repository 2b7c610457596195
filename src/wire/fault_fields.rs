//! Which fields an order for a fault may have, by its kind.

/// What an order of a kind may say; of one that is none, anything: that is told instead.
pub(super) fn of(kind: &str) -> Option<String> {
    let own = match kind {
        "links" => {
            "from to cut delayMs jitterMs loss burst duplicate reorder bytesPerSecond only oneWay"
        }
        "partition" => "groups oneWay",
        "split" => "oneWay",
        "bridge" => "node",
        "ring" => "",
        "isolate" => "nodes way",
        "client" => "nodes cut delayMs jitterMs loss burst duplicate reorder bytesPerSecond",
        "pause" | "full-disk" | "fail-sync" | "corrupt-tail" => "nodes",
        "skew" => "nodes ratePpm",
        "jump" | "slow-disk" => "nodes byMs",
        _ => return None,
    };
    Some(format!("kind forMs by seed {own}").trim_end().to_owned())
}
