//! Durable commits on one disk: our log beside redb, in turn. Prints a line of JSON for each size of a commit.
//!
//! `commits FOLDER PAIRS SECONDS`

use std::path::Path;
use std::time::{Duration, Instant};

use cluster::protocol::{Entry, Record};
use cluster::storage::Disk;
use cluster::storage::files::Files;
use cluster::storage::io::Io;
use cluster::storage::meta::{FORMAT, Meta};
use cluster::store::Command;
use cluster::types::{EntryId, NodeId};
use cluster::value::{Key, Value};
use redb::{Database, TableDefinition};

const TABLE: TableDefinition<u64, &[u8]> = TableDefinition::new("log");

const VALUE: &str = "\"000000000000000001\"";

fn entries(first: u64, count: u64) -> Vec<Entry> {
    let entry = |index| Entry {
        id: EntryId {
            index,
            term: 1,
            leader: NodeId::nth(1),
            boot: 1,
        },
        command: Command::put(
            Key::new(&format!("k{}", index % 1000)),
            Value::parse(VALUE.as_bytes()).expect("JSON"),
        ),
    };
    (first..first + count).map(entry).collect()
}

/// Commits a second: `commit` is called with the index that the next entry has.
fn rate(seconds: u64, count: u64, next: &mut u64, mut commit: impl FnMut(u64)) -> f64 {
    let (start, length) = (Instant::now(), Duration::from_secs(seconds));
    let mut commits = 0.0;
    while start.elapsed() < length {
        commit(*next);
        *next += count;
        commits += 1.0;
    }
    commits / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(folder: &Path, pairs: u64, seconds: u64, count: u64) {
    let meta = Meta {
        format: FORMAT,
        id: NodeId::nth(1),
        members: vec![NodeId::nth(1)],
        boot: 1,
        mode: String::new(),
        recovering: false,
        wiping: false,
    };
    let directory = folder.join(format!("log-{count}"));
    let mut log = Files::open(&directory, meta, Io::default()).expect("a disk");
    log.recover().expect("an empty disk");
    let path = folder.join(format!("redb-{count}"));
    let database = Database::create(path).expect("a database");
    let (mut next_a, mut next_b) = (1, 1);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..pairs {
        ours.push(rate(seconds, count, &mut next_a, |at| {
            log.write(&[Record::Append(entries(at, count))])
                .expect("a commit");
        }));
        theirs.push(rate(seconds, count, &mut next_b, |at| {
            let write = database.begin_write().expect("a transaction");
            {
                let mut table = write.open_table(TABLE).expect("a table");
                for index in at..at + count {
                    table.insert(index, VALUE.as_bytes()).expect("a row");
                }
            }
            write.commit().expect("a commit");
        }));
    }
    let ratio = median(ours.iter().zip(&theirs).map(|(a, b)| a / b).collect());
    let (log, redb) = (median(ours), median(theirs));
    println!("{{\"entries\":{count},\"log\":{log},\"redb\":{redb},\"ratio\":{ratio}}}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, pairs, seconds] = &arguments[..] else {
        eprintln!("usage: commits FOLDER PAIRS SECONDS");
        std::process::exit(2);
    };
    let number = |text: &String| text.parse().expect("a number");
    for count in [1, 100] {
        compare(Path::new(folder), number(pairs), number(seconds), count);
    }
}
