//! Golden scripts: `scripts/CLAIM.txt` is a story whose file name is its claim. Each step is some commands, a line
//! `---`, and the full trace they cause; lines with `#` explain. `UPDATE_SCRIPTS=1 cargo test` writes the traces anew,
//! to be read before they are committed.
//!
//! | command | |
//! |---|---|
//! | `start 3 [window=N] [raft] [bully] [quorum] [sync] [fixed] [no-pre-vote] [no-check-quorum]` | three nodes start together, as by `up`; a log keeps N entries |
//! | `create 3` | three nodes, none started |
//! | `advance 200ms` | time passes; messages take none |
//! | `kill A`, `revive A`, `wipe A`, `trust A`, `pause A`, `resume A` | |
//! | `cut A B`, `cut A -> B`, `isolate A`, `heal` | |
//! | `put A k v`, `delete A k`, `fill A N` | a client's write at A; N writes |
//! | `once A token k v`, `swap A k v if V` | a named write; one on a version (`none`, or `index@term:leader`) |
//! | `read A` | a client's linearizable read |
//! | `join A`, `add L A`, `remove L A` | a node starts alone; the leader L changes the members |
//! | `transfer L [A]` | the leader L hands over |
//! | `hold`, `release` | messages wait on the wire; or no longer |
//! | `deliver A -> B`, `drop A -> B`, `double A -> B`, `reverse A -> B` | the messages that wait from A to B |
//! | `bare X TERM -> A`, `map X TERM -> A k=v …` | a program of the chapter leads |
//! | `status`, `stores`, `count` | what every node is; what it holds; messages since the last count |
//! | `quietly …`, `silently …` | any of these, showing events only; or nothing |

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster::protocol::{Change, Input, MemberChange, Message};
use cluster::store::{Condition, Proviso, Token};
use cluster::types::{Election, EntryId, Leadership, Mode, NodeId, Replication};
use cluster::value::{Key, Value};

use crate::world::{Envelope, World};

#[test]
fn every_script_does_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocol/scripts");
    let files = std::fs::read_dir(&folder).expect("the scripts' folder");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a script").path()).collect();
    files.sort();
    assert!(files.len() >= 20, "only {} scripts", files.len());
    let failed: Vec<String> = files.iter().filter_map(|file| differs(file)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Runs a script. Says where its trace differs from the one it holds, if it does.
fn differs(file: &Path) -> Option<String> {
    let told = std::fs::read_to_string(file).expect("a script is text");
    let happened = rerun(&told);
    if std::env::var_os("UPDATE_SCRIPTS").is_some() {
        std::fs::write(file, &happened).expect("a writable script");
    } else if told != happened {
        // A trace that ends too early, or goes on, differs at its end.
        let alike = told.lines().zip(happened.lines());
        let line = alike.take_while(|(was, is)| was == is).count();
        let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
        let (was, is) = (at(&told), at(&happened));
        let name = file.file_name()?.to_string_lossy();
        return Some(format!(
            "{name}:{}\n  told:     {was}\n  happened: {is}",
            line + 1
        ));
    }
    None
}

/// The script with the trace that its commands cause.
fn rerun(script: &str) -> String {
    let mut world = World::new(0, |_| {});
    let mut output = String::new();
    let mut in_trace = false;
    let mut commands: Vec<&str> = Vec::new();
    for line in script.lines().chain([""]) {
        match line.trim_end() {
            "---" => in_trace = true,
            "" => {
                if !commands.is_empty() {
                    output.push_str("---\n");
                    for command in commands.drain(..) {
                        output.push_str(&run(&mut world, command));
                    }
                }
                in_trace = false;
                output.push('\n');
            }
            _ if in_trace => {}
            comment if comment.starts_with('#') => writeln!(output, "{comment}").expect("memory"),
            command => {
                writeln!(output, "{command}").expect("memory");
                commands.push(command);
            }
        }
    }
    output.trim_end().to_owned() + "\n"
}

fn run(world: &mut World, command: &str) -> String {
    if let Some(command) = command.strip_prefix("silently ") {
        run(world, command);
        return String::new();
    }
    let (quiet, command) = match command.strip_prefix("quietly ") {
        Some(command) => (true, command),
        None => (false, command),
    };
    world.trace.clear();
    let words: Vec<&str> = command.split_whitespace().collect();
    perform(world, &words).unwrap_or_else(|| panic!("no such command: {command}"));
    let shown = world
        .trace
        .iter()
        .filter(|line| !(quiet && line.starts_with("  ")));
    shown.map(|line| format!("{line}\n")).collect()
}

fn perform(world: &mut World, words: &[&str]) -> Option<()> {
    match words {
        ["start", n, options @ ..] => {
            *world = create(n, options)?;
            world.start_all();
        }
        ["create", n, options @ ..] => *world = create(n, options)?,
        ["advance", time] => world.advance(humantime::parse_duration(time).ok()?),
        ["kill", a] => world.kill(&id(a)),
        ["wipe", a] => world.wipe(&id(a)),
        ["trust", a] => world.step(&id(a), Input::Trust),
        ["join", a] => world.join(&id(a)),
        ["read", a] => drop(world.ask(&id(a), |request| Input::Read { request })),
        ["add", leader, a] => {
            let change = MemberChange::Add(id(a));
            world.ask(&id(leader), |request| Input::Members { request, change });
        }
        ["remove", leader, a] => {
            let change = MemberChange::Remove(id(a));
            world.ask(&id(leader), |request| Input::Members { request, change });
        }
        ["transfer", leader, to @ ..] => {
            let to = to.first().map(|to| id(to));
            world.ask(&id(leader), |request| Input::Transfer { request, to });
        }
        ["once", a, token, key, value] => {
            let proviso = Proviso {
                condition: None,
                token: Token::new(token),
            };
            put_on(world, a, key, value, proviso);
        }
        ["swap", a, key, value, "if", version] => {
            let condition = match *version {
                "none" => Condition::Absent,
                version => Condition::Is(vec![held(world, a, key, version)?]),
            };
            let proviso = Proviso {
                condition: Some(condition),
                token: None,
            };
            put_on(world, a, key, value, proviso);
        }
        ["revive", a] => {
            world.start(&id(a), false);
            world.settle();
        }
        ["pause", a] => world.pause(&id(a)),
        ["resume", a] => world.resume(&id(a)),
        ["cut", a, "->", b] => world.faults.cut(&id(a), &id(b)),
        ["cut", a, b] => cut_both(world, &id(a), &id(b)),
        ["isolate", a] => {
            let others: Vec<NodeId> = world.members.keys().cloned().collect();
            others
                .iter()
                .filter(|other| **other != id(a))
                .for_each(|o| cut_both(world, &id(a), o));
        }
        ["heal"] => world.faults.heal(),
        ["put", a, key, value] => {
            let value = Value::parse(value.as_bytes()).unwrap_or_else(|_| Value::string(value));
            world.write(&id(a), key, Change::Put(value));
        }
        ["delete", a, key] => drop(world.write(&id(a), key, Change::Delete)),
        ["fill", a, n] => {
            for k in 1..=n.parse().ok()? {
                world.write(
                    &id(a),
                    &format!("k{}", k % 5),
                    Change::Put(Value::string(&k.to_string())),
                );
            }
        }
        ["hold"] => world.holding = true,
        ["release"] => {
            world.holding = false;
            world.settle();
        }
        ["deliver", a, "->", b] => {
            take(world, a, b)
                .into_iter()
                .for_each(|envelope| world.deliver(envelope));
            world.tick_due();
        }
        ["drop", a, "->", b] => drop(take(world, a, b)),
        ["double", a, "->", b] => {
            let copies = take(world, a, b);
            world.wire.extend(copies.iter().chain(&copies).cloned());
        }
        ["reverse", a, "->", b] => {
            let turned = take(world, a, b).into_iter().rev();
            world.wire.extend(turned);
        }
        ["bare", x, term, "->", a] => {
            let message = Message::BareHeartbeat {
                claim: claim(x, term)?,
            };
            world.step(
                &id(a),
                Input::Message {
                    from: id(x),
                    message,
                },
            );
            world.settle();
        }
        ["map", x, term, "->", a, pairs @ ..] => {
            let pair = |pair: &&str| {
                let (key, value) = pair.split_once('=')?;
                Some((Key::new(key), Value::parse(value.as_bytes()).ok()?))
            };
            let data = Arc::new(pairs.iter().map(pair).collect::<Option<Vec<_>>>()?);
            let message = Message::WholeMap {
                claim: claim(x, term)?,
                data,
            };
            world.step(
                &id(a),
                Input::Message {
                    from: id(x),
                    message,
                },
            );
            world.settle();
        }
        ["status"] => world.trace = statuses(world),
        ["stores"] => world.trace = stores(world),
        ["count"] => {
            let counts = std::mem::take(&mut world.sent);
            world.trace = counts
                .iter()
                .map(|(kind, n)| format!("{kind:?}: {n}"))
                .collect();
        }
        _ => return None,
    }
    Some(())
}

fn create(n: &str, options: &[&str]) -> Option<World> {
    let window = options
        .iter()
        .find_map(|option| option.strip_prefix("window="));
    let window: Option<usize> = window.map(str::parse).transpose().ok()?;
    Some(World::new(n.parse().ok()?, |config| {
        config.log_window = window.unwrap_or(config.log_window);
        for option in options {
            match *option {
                "raft" => config.mode = Mode::RAFT,
                "bully" => config.mode.election = Election::Bully,
                "quorum" => config.mode.replication = Replication::Quorum,
                "sync" => config.mode.replication = Replication::Sync,
                "async" => config.mode.replication = Replication::Async,
                "fixed" => config.safeguards.random_timeout = false,
                "no-pre-vote" => config.safeguards.pre_vote = false,
                "no-check-quorum" => config.safeguards.check_quorum = false,
                window => assert!(window.starts_with("window="), "no such option: {window}"),
            }
        }
    }))
}

fn put_on(world: &mut World, a: &str, key: &str, value: &str, proviso: Proviso) {
    let (key, change) = (Key::new(key), Change::Put(Value::string(value)));
    let proviso = Some(Arc::new(proviso));
    world.ask(&id(a), |request| Input::Write {
        request,
        key,
        change,
        proviso,
    });
}

/// The version `7@2:node-1` of a key, as the node `a` holds it.
fn held(world: &World, a: &str, key: &str, version: &str) -> Option<EntryId> {
    let node = world.members[&id(a)].node.as_ref()?;
    let ids = (1..=node.log().last_index()).filter_map(|index| node.log().id_at(index));
    let mut ids = ids.chain(
        node.store()
            .get(key)
            .map(|slot| slot.version.as_ref().clone()),
    );
    ids.find(|id| format!("{id:?}") == version)
}

fn id(name: &str) -> NodeId {
    NodeId::new(name).expect("a node id")
}

fn claim(leader: &str, term: &str) -> Option<Leadership> {
    Some(Leadership {
        term: term.parse().ok()?,
        leader: id(leader),
    })
}

fn cut_both(world: &mut World, a: &NodeId, b: &NodeId) {
    world.faults.cut(a, b);
    world.faults.cut(b, a);
}

fn take(world: &mut World, a: &str, b: &str) -> Vec<Envelope> {
    let (a, b) = (id(a), id(b));
    let is_between = |envelope: &Envelope| envelope.from == a && envelope.to == b;
    let (taken, rest): (Vec<_>, Vec<_>) = world.wire.drain(..).partition(is_between);
    world.wire = rest.into();
    taken
}

fn statuses(world: &World) -> Vec<String> {
    let line = |id: &NodeId| {
        let Some(node) = &world.members[id].node else {
            return format!("{id}: dead");
        };
        let status = node.status(world.now);
        let leader = status
            .leader
            .map_or("nobody".to_owned(), |leader| leader.to_string());
        let last = status
            .last
            .map_or("nothing".to_owned(), |last| format!("{last:?}"));
        let (role, term) = (status.role, status.term);
        let commit = match status.mode.commits() {
            true => format!(", committed up to {}", status.commit),
            false => String::new(),
        };
        // Where they are not those it began with.
        let voters: Vec<&str> = status.members.voters.iter().map(NodeId::as_str).collect();
        let members = match status.members == node.config().members {
            true => String::new(),
            false => format!(", members {}", voters.join(" ")),
        };
        format!("{id}: {role} in term {term}, obeys {leader}, log ends at {last}{commit}{members}")
    };
    world.members.keys().map(line).collect()
}

fn stores(world: &World) -> Vec<String> {
    let line = |(id, node): (&NodeId, &cluster::protocol::Node)| {
        let pairs: Vec<String> = node
            .store()
            .iter()
            .map(|(key, slot)| format!("{key:?}={:?}", slot.value))
            .collect();
        format!("{id}: {}", pairs.join(" "))
    };
    world.alive().map(line).collect()
}
