//! The house rules that a compiler does not know: layers import downward only, the protocol is pure, files are short.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file is one idea; one that grows beyond this has become two.
const LONGEST: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file with its path below `src` and its text.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of src").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is text");
                let name = path.strip_prefix(root().join("src")).expect("below src");
                files.push((name.to_string_lossy().into_owned(), text));
            }
        }
    }
    files.sort();
    files
}

/// The layer of each room, as the table in `lib.rs` says: `//! | 3 | `faults`, `wire` | … |`.
fn layers(lib: &str) -> BTreeMap<String, u32> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | "));
    let row = |row: &str| {
        let mut cells = row.split('|');
        let layer: u32 = cells.next()?.trim().parse().ok()?;
        let rooms: Vec<String> = cells
            .next()?
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        Some((layer, rooms))
    };
    let rows = rows.filter_map(row);
    rows.flat_map(|(layer, rooms)| rooms.into_iter().map(move |room| (room, layer)))
        .collect()
}

fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or(file)
}

/// The rooms that `text` imports, by `crate::room`.
fn imports(text: &str) -> Vec<String> {
    let name = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    text.split("crate::").skip(1).map(name).collect()
}

fn import_violations(file: &str, text: &str, layers: &BTreeMap<String, u32>) -> Vec<String> {
    let own = room(file);
    let Some(layer) = layers.get(own) else {
        return vec![format!("{file}: the room {own} has no layer in lib.rs")];
    };
    let above = |imported: &String| {
        let other = layers.get(imported).copied().unwrap_or(u32::MAX);
        imported != own && (other > *layer || imported == "cli")
    };
    let upward = imports(text).into_iter().filter(above);
    upward
        .map(|imported| format!("{file} imports {imported}, which is above it"))
        .collect()
}

fn impurities(file: &str, text: &str) -> Vec<String> {
    const IMPURE: [&str; 8] = [
        "tokio",
        "std::net",
        "Instant",
        "SystemTime",
        "HashMap",
        "HashSet",
        "getrandom",
        "std::fs",
    ];
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let used = IMPURE
        .iter()
        .filter(|word| code.iter().any(|line| line.contains(**word)));
    used.map(|word| format!("{file} uses {word}")).collect()
}

#[test]
fn a_room_imports_from_its_own_layer_or_from_below() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    let layers = layers(&lib);
    let inside = sources()
        .into_iter()
        .filter(|(file, _)| file != "lib.rs" && file != "main.rs");
    let found: Vec<String> = inside
        .flat_map(|(file, text)| import_violations(&file, &text, &layers))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_import_law_catches_an_import_from_above() {
    let lib = "//! | 0 | `types` | names |\n//! | 2 | `protocol`, `wire` | pure |\n//! | 8 | `cli` | one |\n";
    let layers = layers(lib);
    let check = |file: &str, text: &str| import_violations(file, text, &layers).len();
    assert_eq!(
        check(
            "protocol/node.rs",
            "use crate::types::Term;\nuse crate::wire::data;"
        ),
        0
    );
    assert_eq!(check("types.rs", "fn f(_: crate::wire::Data) {}"), 1);
    assert_eq!(check("wire/peer.rs", "use crate::cli;"), 1);
    assert_eq!(check("attic.rs", ""), 1);
}

#[test]
fn the_protocol_is_pure() {
    let pure = ["protocol", "store", "types", "value", "rng", "faults"];
    let files = sources()
        .into_iter()
        .filter(|(file, _)| pure.contains(&room(file)));
    let found: Vec<String> = files
        .flat_map(|(file, text)| impurities(&file, &text))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(
        impurities("x.rs", "let m: HashMap<u8, u8>;\n// tokio").len(),
        1
    );
}

#[test]
fn the_judge_shares_nothing_with_what_it_judges() {
    let judge = sources()
        .into_iter()
        .filter(|(file, _)| room(file) == "check");
    let shared: Vec<String> = judge
        .flat_map(|(file, text)| {
            let others = imports(&text).into_iter().filter(|room| room != "check");
            let named = others.map(|room| format!("{file} imports {room}"));
            named.collect::<Vec<String>>()
        })
        .collect();
    assert!(shared.is_empty(), "{}", shared.join("\n"));
}

#[test]
fn a_file_is_one_idea() {
    let long = sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LONGEST);
    let long: Vec<String> = long.map(|(file, _)| file).collect();
    assert!(long.is_empty(), "over {LONGEST} lines: {}", long.join(", "));
}

#[test]
fn nothing_is_marked_as_unfinished() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
    ];
    let found = sources()
        .into_iter()
        .filter(|(_, text)| marks.iter().any(|mark| text.contains(mark)));
    let found: Vec<String> = found.map(|(file, _)| file).collect();
    assert!(found.is_empty(), "unfinished: {}", found.join(", "));
}

#[test]
fn ci_runs_what_a_developer_runs() {
    let run = fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
    let commands: Vec<&str> = run
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    assert_eq!(commands.len(), 1);
    assert!(commands[0].contains("scripts/test"));
    assert!(Path::new(&root().join("scripts/test")).exists());
}
