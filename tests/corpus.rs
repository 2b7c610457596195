//! What a fuzzer found worth keeping is tried again each time, without one.

#[path = "fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

/// The inputs kept for `target`, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let files = std::fs::read_dir(folder.join(target)).expect("a corpus for every target");
    let read = |path: &Path| std::fs::read(path).expect("a file of the corpus");
    let mut inputs: Vec<(String, Vec<u8>)> = files
        .flatten()
        .map(|file| {
            (
                file.file_name().to_string_lossy().into_owned(),
                read(&file.path()),
            )
        })
        .collect();
    inputs.sort();
    inputs
}

fn replay(target: &str) {
    let (name, run) = fuzz::TARGETS
        .into_iter()
        .find(|(name, _)| *name == target)
        .expect(target);
    let inputs = corpus(name);
    assert!(!inputs.is_empty(), "nothing is kept for {name}");
    for (file, bytes) in inputs {
        println!("{name}/{file}");
        run(&bytes);
    }
}

#[test]
fn what_clients_send_is_read_or_refused() {
    replay("http");
}

#[test]
fn what_peers_send_says_the_same_when_it_is_written_again() {
    replay("peer");
}

#[test]
fn whatever_strangers_say_a_node_neither_panics_nor_forgets() {
    replay("step");
}

#[test]
fn histories_are_judged_as_by_every_order_there_is() {
    replay("history");
}

#[test]
fn records_are_read_as_they_were_written_or_not_at_all() {
    replay("records");
}

#[test]
fn a_store_restored_from_a_snapshot_stays_the_same() {
    replay("snapshot");
}

#[test]
fn a_disk_is_refused_with_a_reason_or_a_node_lives_on_it() {
    replay("disk");
}

#[test]
fn what_others_answer_moves_nobodys_cursor() {
    replay("answers");
}
