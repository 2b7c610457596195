//! A disk as somebody left it: whatever is in the directory, it is refused with a reason, or a node starts on it, goes on,
//! and is found again as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cluster::protocol::log::Log;
use cluster::protocol::{Action, Ballot, Change, Input, Node, Recovered, RequestId, Snapshot};
use cluster::storage::codec::{Stored, Writer};
use cluster::storage::files::Files;
use cluster::storage::frame::frame;
use cluster::storage::io::Io;
use cluster::storage::meta::{FORMAT, Meta, nodes_in};
use cluster::storage::{Disk, DiskError};
use cluster::store::Store;
use cluster::types::{Config, EntryId, Mode, NodeId, Time, index_of};

use super::draw::Draw;
use super::make;
use super::peer::mode;
use super::snapshot::bytes;

pub fn run(data: &[u8]) {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let shared = Path::new("/dev/shm");
    let above = match shared.is_dir() {
        true => shared.to_owned(),
        false => std::env::temp_dir(),
    };
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let above = above.join(format!("cluster-fuzz-{}-{run}", std::process::id()));
    let directory = above.join("node-1");
    fs::create_dir_all(&directory).expect("a directory");
    let mut draw = Draw::new(data);
    let mode = mode(draw.below(9));
    fill(&mut draw, &above, &directory, mode);
    // Before the node writes its own.
    drop(nodes_in(&above).map_err(|error| error.to_string()));
    live_on(&mut draw, &directory, mode);
    fs::remove_dir_all(&above).expect("it is ours");
}

fn fresh(mode: Mode) -> Meta {
    Meta {
        format: FORMAT,
        id: NodeId::nth(1),
        members: vec![NodeId::nth(1)],
        boot: 1,
        mode: mode.to_string(),
        recovering: false,
        wiping: false,
    }
}

fn fill(draw: &mut Draw, above: &Path, directory: &Path, mode: Mode) {
    let write = |path: PathBuf, bytes: &[u8]| fs::write(path, bytes).expect("a file");
    match draw.byte() {
        0..=79 => {}
        80..=199 => {
            let was = super::peer::mode(draw.below(9));
            let was = if draw.chance() { was } else { mode };
            let meta = Meta {
                boot: make::boot(draw),
                recovering: draw.chance(),
                wiping: false,
                ..fresh(was)
            };
            write(
                directory.join("meta.json"),
                &serde_json::to_vec(&meta).expect("JSON"),
            );
        }
        200..=239 => write(directory.join("meta.json"), draw.long()),
        240.. => write(above.join("nodes.json"), draw.long()),
    }
    let mut next = 0;
    for _ in 0..draw.below(4) {
        let number = draw.below(4);
        let (name, content) = match draw.chance() {
            true => ("log", log(draw, &mut next)),
            false => ("snapshot", snapshot(draw)),
        };
        write(directory.join(format!("{name}-{number:012}")), &content);
    }
}

/// Frames of records, then perhaps something else.
fn log(draw: &mut Draw, next: &mut u64) -> Vec<u8> {
    let mut file = Vec::new();
    for _ in 0..draw.below(4) {
        file.extend(match draw.byte() {
            0..=199 => frame(&records(draw, next)),
            200..=239 => frame(draw.long()),
            240.. => draw.bytes(40).to_vec(),
        });
    }
    file
}

fn records(draw: &mut Draw, next: &mut u64) -> Vec<u8> {
    let mut writer = Writer::default();
    for _ in 0..draw.below(4) {
        writer.stored(&match draw.byte() % 8 {
            0 => Stored::Ballot(Ballot {
                term: draw.number(),
                vote: make::some(draw, make::node),
            }),
            1 => Stored::Commit(draw.number()),
            2 => Stored::Recovering(draw.chance()),
            _ => {
                let prev = if draw.byte() < 200 {
                    *next
                } else {
                    draw.number()
                };
                let entries = make::entries(draw, prev);
                *next = entries.last().map_or(*next, |entry| entry.id.index);
                Stored::Append(entries)
            }
        });
    }
    writer.0
}

fn snapshot(draw: &mut Draw) -> Vec<u8> {
    match draw.byte() {
        0..=119 => {
            let (mut store, mut log) = (Store::default(), Log::default());
            for entry in make::entries(draw, 0).into_iter().zip(1..) {
                let (mut entry, index) = entry;
                entry.id.index = index;
                store.apply(&entry.id, &entry.command);
                log.push(entry);
            }
            bytes(&Snapshot {
                last: log.last(),
                history: log.history().clone(),
                members: log.members_upto(log.last_index()).cloned(),
                store,
            })
        }
        120..=199 => {
            let mut store = Store::default();
            for piece in make::several(draw, 3, make::piece) {
                store.restore(piece);
            }
            bytes(&Snapshot {
                last: make::some(draw, make::id),
                history: make::several(draw, 3, make::run).into(),
                members: make::some(draw, make::members),
                store,
            })
        }
        200.. => {
            let parts = [draw.long(), draw.long(), &[]];
            parts.iter().flat_map(|part| frame(part)).collect()
        }
    }
}

fn open(directory: &Path, mode: Mode) -> Result<(Files, Recovered), DiskError> {
    let mut files = Files::open(directory, fresh(mode), Io::default())?;
    let found = files.recover()?;
    Ok((files, found))
}

fn live_on(draw: &mut Draw, directory: &Path, mode: Mode) {
    let (files, found) = match open(directory, mode) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(error.to_string().contains(&*directory.to_string_lossy()));
            return;
        }
    };
    drop(files);
    let (mut files, again) = open(directory, mode).expect("it was opened before");
    is_same(&found, &again, mode);
    let config = Config {
        mode,
        log_window: 2,
        ..Config::new(NodeId::nth(1), vec![NodeId::nth(1)])
    };
    let mut node = Node::new(config.clone(), again, 7);
    let mut now = Time::ZERO;
    step(&mut node, &mut files, now, Input::Start { bootstrap: true });
    for request in 0..4 {
        if let Some(due) = node.next_deadline() {
            now = now.max(due);
        }
        step(&mut node, &mut files, now, Input::Tick);
        let change = match draw.byte() % 4 {
            0 => Change::Delete,
            _ => Change::Put(make::value(draw)),
        };
        let write = Input::Write {
            request: RequestId(request),
            key: make::key(draw),
            change,
            proviso: make::proviso(draw),
        };
        step(&mut node, &mut files, now, write);
        now = now + Duration::from_millis(draw.number());
    }
    drop(files);
    let (_files, found) = open(directory, mode).expect("it was written by us");
    is_found(&node, &Node::new(config, found, 7), now);
}

fn step(node: &mut Node, files: &mut Files, now: Time, input: Input) {
    let actions = node.step(now, input).into_iter();
    let records = actions.filter_map(|action| match action {
        Action::Persist(record) => Some(record),
        Action::Send { .. } | Action::Reply { .. } | Action::Report(_) => None,
    });
    let records: Vec<_> = records.collect();
    files.write(&records).expect("there is room");
}

fn is_same(a: &Recovered, b: &Recovered, mode: Mode) {
    assert_eq!(
        (a.boot, &a.ballot, a.recovering),
        (b.boot, &b.ballot, b.recovering)
    );
    assert!(a.snapshot == b.snapshot);
    assert_eq!((&a.compacted, &a.entries), (&b.compacted, &b.entries));
    // Now it was used in this mode, and whatever is in the log may have been promised.
    let all = index_of(b.compacted.as_ref()) + b.entries.len() as u64;
    let commit = if mode.commits() { a.commit } else { all };
    assert_eq!(b.commit, commit);
    is_sound(a);
}

/// What a node may rely on.
fn is_sound(found: &Recovered) {
    let base = index_of(found.compacted.as_ref());
    let ids: Vec<&EntryId> = found.entries.iter().map(|entry| &entry.id).collect();
    for (id, index) in ids.iter().zip(base + 1..) {
        assert_eq!(id.index, index, "entries that do not follow each other");
    }
    assert!(found.commit <= base + found.entries.len() as u64);
}

/// Whether the second node, which starts where the first is, knows what that has promised.
fn is_found(first: &Node, second: &Node, now: Time) {
    let (a, b) = (first.status(now), second.status(now));
    assert_eq!(
        (a.term, a.vote, a.recovering),
        (b.term, b.vote, b.recovering)
    );
    assert_eq!((&a.last, a.boot), (&b.last, b.boot));
    // That something is committed may have to be learned again.
    assert!(b.applied <= a.applied);
    if a.applied == b.applied {
        assert!(first.store() == second.store());
    }
}
