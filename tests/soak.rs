//! Under load the whole process is killed, or its leaders one after the other: nothing acknowledged is lost, nothing is
//! invented.
//!
//! The tests do five rounds of each; `scripts/soak` does fifty, and kills a leader a second for ten minutes.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::Up;
use tempfile::TempDir;

/// How many clients write at once, each to keys of its own.
const CLIENTS: usize = 8;

/// How many keys each of them has.
const KEYS: u64 = 20;

/// What a client knows of one of its keys.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The value that was acknowledged last.
    acknowledged: Option<u64>,
    /// The highest that was ever sent: it may be there too.
    sent: u64,
}

/// A connection that is kept: a request a line of work, as a busy client has it.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(url: &str) -> Option<Connection> {
        let address = url.trim_start_matches("http://").parse().ok()?;
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .ok()?;
        Some(Connection(BufReader::new(stream)))
    }

    /// The status of the answer to a PUT; `None` if none came.
    fn put(&mut self, key: &str, value: u64) -> Option<u16> {
        let body = value.to_string();
        let request = format!(
            "PUT /key/{key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|code| code.parse().ok());
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        status
    }
}

/// Writes ever higher values to the client's keys until told to stop, to whichever node takes them.
fn write(
    urls: &[String],
    client: usize,
    known: &mut BTreeMap<String, Known>,
    stop: &AtomicBool,
    acknowledged: &AtomicU64,
) {
    let mut at = 0;
    let mut n = known.values().map(|known| known.sent).max().unwrap_or(0);
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let Some(open) = &mut connection else {
            at += 1;
            connection = Connection::open(&urls[at % urls.len()]);
            if connection.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            continue;
        };
        n += 1;
        let key = format!("c{client}-{}", n % KEYS);
        let entry = known.entry(key.clone()).or_default();
        entry.sent = n;
        match open.put(&key, n) {
            Some(200) => {
                entry.acknowledged = Some(n);
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            // Not the leader, nobody knows, or nobody answers: another node.
            _ => connection = None,
        }
    }
}

/// A number that `scripts/soak` may raise.
fn chosen(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Reads everything back; how often a write was found that had not been acknowledged.
fn compare(up: &Up, known: &[BTreeMap<String, Known>], when: &str) -> u64 {
    let mut doubtful = 0;
    for (key, known) in known.iter().flatten() {
        let path = format!("/key/{key}?consistency=linearizable");
        let (_, _, body) = support::ask(&up.url(1), "GET", &path, b"");
        let answer: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let found = answer["value"].as_u64();
        let is_acknowledged = found == known.acknowledged;
        let is_later = found > known.acknowledged && found <= Some(known.sent);
        assert!(
            is_acknowledged || is_later,
            "{when}, {key}: {known:?}, but it is {answer}"
        );
        doubtful += u64::from(is_later);
    }
    doubtful
}

/// Runs `disturb` while all clients write; how many writes were acknowledged meanwhile.
fn under_load(
    up: &Up,
    nodes: usize,
    known: &mut [BTreeMap<String, Known>],
    disturb: impl FnOnce(&AtomicU64),
) -> u64 {
    let urls: Vec<String> = (1..=nodes).map(|n| up.url(n)).collect();
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for (client, known) in known.iter_mut().enumerate() {
            let (urls, stop, acknowledged) = (&urls, &stop, &acknowledged);
            scope.spawn(move || write(urls, client, known, stop, acknowledged));
        }
        disturb(&acknowledged);
        stop.store(true, Ordering::Relaxed);
    });
    acknowledged.into_inner()
}

#[test]
fn nothing_acknowledged_is_lost_when_the_whole_process_is_killed_under_load() {
    let rounds = chosen("ROUNDS", 5);
    let kept = TempDir::new().expect("a directory");
    let data = kept.path().join("data").to_string_lossy().into_owned();
    let mut known: Vec<BTreeMap<String, Known>> = vec![BTreeMap::new(); CLIENTS];
    let (mut all, mut doubtful) = (0, 0);
    for round in 0..rounds {
        // Small snapshots, so that kills hit them too.
        let flags = ["--raft", "--data-dir", &data, "--snapshot-every", "500"];
        let mut up = Up::start(&flags);
        doubtful += compare(&up, &known, &format!("round {round}"));
        // Some hundred writes, and a different number each round: the kill comes at no particular moment.
        let enough = 300 + 97 * (round % 7);
        let pid = up.child.id();
        all += under_load(&up, 3, &mut known, |acknowledged| {
            support::await_that("enough is written", || {
                acknowledged.load(Ordering::Relaxed) >= enough
            });
            support::signal(pid, "KILL");
        });
        up.ended();
    }
    println!(
        "{rounds} rounds, {all} acknowledged writes; {doubtful} times an unacknowledged one was found"
    );
    assert!(all >= 300 * rounds);
}

#[test]
fn writes_go_on_while_leaders_are_killed_and_none_is_lost() {
    let kills = chosen("KILLS", 5);
    let kept = TempDir::new().expect("a directory");
    let data = kept.path().join("data").to_string_lossy().into_owned();
    let up = Up::start(&["--raft", "--nodes", "5", "--data-dir", &data]);
    let mut known: Vec<BTreeMap<String, Known>> = vec![BTreeMap::new(); CLIENTS];
    let mut pauses = Vec::new();
    let all = under_load(&up, 5, &mut known, |acknowledged| {
        let count = || acknowledged.load(Ordering::Relaxed);
        for _ in 0..kills {
            // A second between two kills, if it is to go on for long; the tests want the kills only.
            let due = Instant::now() + Duration::from_millis(if kills > 100 { 1000 } else { 0 });
            let before = count();
            support::await_that("writes go on", || count() > before + 100);
            let killed = up.says(&["kill", "leader"]);
            let node = killed.split(' ').next().expect("a name").to_owned();
            let (began, before) = (Instant::now(), count());
            support::await_that("writes go on without it", || count() > before);
            pauses.push(began.elapsed());
            up.says(&["revive", &node]);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    });
    up.run(&["wait", "leader", "equal"]).assert().success();
    let doubtful = compare(&up, &known, "in the end");
    pauses.sort();
    println!(
        "{kills} leaders killed, {all} acknowledged writes; from a kill to the next one {:?}, at worst {:?}; {doubtful} unacknowledged ones were found",
        pauses[pauses.len() / 2],
        pauses[pauses.len() - 1],
    );
    assert_eq!(up.json(&["status", "--json"])["lost"]["count"], 0);
}
