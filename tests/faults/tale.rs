//! What the stories are made of.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Up, ask, await_that};

/// Whether the n-th node holds `key` itself.
pub fn holds(up: &Up, n: usize, key: &str) -> bool {
    ask(&up.url(n), "GET", &format!("/key/{key}"), b"").0 == 200
}

/// Waits until the n-th node holds `key`.
pub fn await_held(up: &Up, n: usize, key: &str) {
    await_that(&format!("node-{n} holds {key}"), || holds(up, n, key));
}

/// What the n-th node says of itself.
pub fn status_of(up: &Up, n: usize) -> Value {
    let (status, _, body) = ask(&up.url(n), "GET", "/status?keys=no", b"");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

/// The number of the node that leads.
pub fn leader(up: &Up) -> usize {
    let status = up.json(&["status", "--json"]);
    let name = status["leader"].as_str().expect("a leader").to_owned();
    name.trim_start_matches("node-").parse().expect("a number")
}

/// The names of the faults in force.
pub fn in_force(up: &Up) -> Vec<String> {
    let list = up.json(&["faults", "--json"]);
    let faults = list["faults"].as_array().expect("a list");
    let name = |fault: &Value| fault["name"].as_str().expect("a name").to_owned();
    faults.iter().map(name).collect()
}

/// How long a write to the n-th node takes to be acknowledged.
pub fn time_to_put(up: &Up, n: usize, key: &str, value: &str) -> Duration {
    let begun = Instant::now();
    let (status, _, body) = ask(&up.url(n), "PUT", &format!("/key/{key}"), value.as_bytes());
    assert_eq!(status, 200, "{body}");
    begun.elapsed()
}

/// The middle one of several.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// What `logs` shows.
pub fn logged(up: &Up, line: &str) -> bool {
    up.says(&["logs"]).contains(line)
}
