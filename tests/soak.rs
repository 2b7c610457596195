//! The whole process is killed under load, again and again: nothing acknowledged is lost, nothing is invented.
//!
//! `scripts/soak 50` does fifty rounds; the tests do five.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

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

#[test]
fn nothing_acknowledged_is_lost_when_the_whole_process_is_killed_under_load() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    let kept = TempDir::new().expect("a directory");
    let data = kept.path().join("data").to_string_lossy().into_owned();
    let mut known: Vec<BTreeMap<String, Known>> = vec![BTreeMap::new(); CLIENTS];
    let (mut all, mut doubtful) = (0, 0);
    for round in 0..rounds {
        // Small snapshots, so that kills hit them too.
        let mut up = Up::start(&["--raft", "--data-dir", &data, "--snapshot-every", "500"]);
        for (key, known) in known.iter().flatten() {
            let read = support::ask(
                &up.url(1),
                "GET",
                &format!("/key/{key}?consistency=linearizable"),
                b"",
            );
            let value: serde_json::Value = serde_json::from_str(&read.2).expect("JSON");
            let found = value["value"].as_u64();
            assert!(
                found == known.acknowledged
                    || (found > known.acknowledged && found <= Some(known.sent)),
                "round {round}, {key}: {known:?}, but it is {value}"
            );
            doubtful += u64::from(found != known.acknowledged);
        }
        let urls: Vec<String> = (1..=3).map(|n| up.url(n)).collect();
        let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
        // Some hundred writes, and a different number each round: the kill comes at no particular moment.
        let enough = 300 + 97 * (round % 7);
        std::thread::scope(|scope| {
            for (client, known) in known.iter_mut().enumerate() {
                let (urls, stop, acknowledged) = (&urls, &stop, &acknowledged);
                scope.spawn(move || write(urls, client, known, stop, acknowledged));
            }
            support::await_that("enough is written", || {
                acknowledged.load(Ordering::Relaxed) >= enough
            });
            up.signal("KILL");
            up.ended();
            stop.store(true, Ordering::Relaxed);
        });
        all += acknowledged.into_inner();
    }
    println!(
        "{rounds} rounds, {all} acknowledged writes; {doubtful} times an unacknowledged one was found"
    );
    assert!(all > 300 * rounds);
}
