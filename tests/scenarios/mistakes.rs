//! What is no scenario is refused before anything is done: with its line, its key, and what was expected.

use predicates::prelude::*;
use tempfile::TempDir;

use crate::{folder, run, shipped, written};

fn refused(text: &str, line: usize, said: &[&str]) {
    let home = TempDir::new().expect("a directory");
    let file = written(&home, text);
    let checked = run(&home, &["--check", &file]).assert().code(2);
    let checked = checked.stderr(predicate::str::contains(format!("own.toml: line {line}")));
    said.iter().fold(checked, |checked, word| {
        checked.stderr(predicate::str::contains((*word).to_owned()))
    });
}

fn step(step: &str) -> String {
    format!("name = \"x\"\n\n[[step]]\nafter = \"leader\"\n\n[[step]]\n{step}\n")
}

#[test]
fn every_shipped_scenario_is_one() {
    let home = TempDir::new().expect("a directory");
    for name in shipped() {
        let file = folder().join(format!("{name}.toml"));
        run(&home, &["--check", file.to_str().expect("a path")])
            .assert()
            .success()
            .stdout(predicate::str::contains("steps"));
    }
}

#[test]
fn a_mistake_is_told_with_line_and_key_and_what_was_expected() {
    refused(
        "nodes = 3\n",
        1,
        &["nodes", "unknown field", "expected one of", "cluster"],
    );
    refused(
        "name = \"x\"\n[cluster]\nnodes = 12\n",
        3,
        &["nodes", "expected 1 to 9"],
    );
    refused(
        "name = \"x\"\n[cluster]\nelection = \"rafft\"\n",
        3,
        &["election", "rafft", "raft"],
    );
    refused(
        "name = \"x\"\n[cluster]\nheartbeat = \"2s\"\nelection-timeout = \"1s\"\n",
        4,
        &["election-timeout", "expected more than the heartbeat"],
    );
    refused(
        "name = \"x\"\n[cluster]\nheartbeat = \"0s\"\n",
        3,
        &["heartbeat", "no time at all"],
    );
    refused(
        &step("skew = { node = \"leader\", rate = 1.0 }"),
        7,
        &["skew", "a true one"],
    );
    refused(
        &step("client = { node = \"leader\", cut = true, loss = \"10%\" }"),
        7,
        &["client", "or a delay, jitter or loss"],
    );
    refused(
        "name = \"x\"\nverdict = \"good\"\n",
        2,
        &["verdict", "kept"],
    );
    refused(&step("at = 2"), 7, &["at", "a time, as in"]);
    refused(
        &step("kill = \"node-9\""),
        7,
        &["kill", "no node is called node-9", "node-3", "leader"],
    );
    refused(
        &step("kil = \"node-1\""),
        7,
        &["kil", "unknown field", "kill"],
    );
    refused(
        &step("isolate = { node = \"leader\", def = true }"),
        7,
        &["isolate", "def", "deaf"],
    );
    refused(&step("put = { key = \"a\" }"), 7, &["put", "value"]);
    refused(
        &step("put = { key = \"a\", value = 1, expect = \"ok\" }"),
        7,
        &["put", "\"done\"", "404"],
    );
    refused(
        &step("put = { key = \"a\", value = 1, node = \"all\" }"),
        7,
        &["put", "expected one node"],
    );
    refused(
        &step("kill = \"leader\"\nput = { key = \"a\", value = 1 }"),
        8,
        &["a step does one thing"],
    );
    refused(&step("within = \"1s\""), 6, &["this step does nothing"]);
    refused(
        &step("heal = \"cut\""),
        7,
        &["heal", "no fault is called cut"],
    );
    refused(
        &step("isolate = \"old-leader\""),
        7,
        &["isolate", "remember = true"],
    );
    refused(
        &step("eventually = { term = \"higher\" }"),
        7,
        &["eventually", "remember = true"],
    );
    refused(
        &step("eventually = { key = \"a\" }"),
        7,
        &["eventually", "a value, or absent"],
    );
    refused(
        &step("eventually = { leader = 1 }"),
        7,
        &["eventually", "leader", "leaders"],
    );
    refused(
        &step("eventually = \"peace\""),
        7,
        &["eventually", "no-leader"],
    );
    refused(&step("link = { loss = \"200%\" }"), 7, &["link", "10%"]);
    refused(
        &step("partition = \"node-1 / \""),
        7,
        &["partition", "a group is empty"],
    );
    refused(
        &step("partition = { ring = true }"),
        7,
        &["partition", "at least four"],
    );
    for (cut, said) in [
        ("[\"node-1\", \"node-1\"]", "no link from node-1 to itself"),
        ("[\"node-1\", \"\"]", "an end is empty"),
    ] {
        refused(&step(&format!("cut = {cut}")), 7, &["cut", said]);
    }
    for (groups, said) in [
        ("all", "everybody"),
        ("node-1 / node-1", "node-1 is named twice"),
        ("majority / majority", "these are 4 nodes, and there are 3"),
    ] {
        let partition = step(&format!("partition = \"{groups}\""));
        refused(&partition, 7, &["partition", said]);
    }
    refused(
        "name = \"x\"\n[cluster]\nnodes = 2\n[[step]]\nkill = \"minority\"\n",
        5,
        &["kill", "a minority of 2 is nobody"],
    );
    refused(
        &step("get = { key = \"a\", expect = [] }"),
        7,
        &["get", "no answer at all fits", "404"],
    );
    refused(&step("add = true"), 7, &["add", "expected raft"]);
    refused(
        &step("name = \"x\"\nkill = \"leader\""),
        7,
        &["name", "only a fault has a name"],
    );
}

#[test]
fn steps_in_no_order_and_writes_that_cannot_be_told_apart_are_refused() {
    let two =
        |one: &str, other: &str| format!("name = \"x\"\n[[step]]\n{one}\n[[step]]\n{other}\n");
    refused(
        &two("at = \"2s\"", "at = \"1s\""),
        5,
        &["at", "expected times in order"],
    );
    let put = "put = { key = \"a\", value = 1 }";
    refused(&two(put, put), 5, &["put", "expected another value"]);
    let cut = "name = \"cut\"\ncut = [\"node-1\", \"node-2\"]";
    refused(&two(cut, cut), 6, &["name", "is called cut already"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let home = TempDir::new().expect("a directory");
    run(&home, &["nowhere.toml"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("cannot read nowhere.toml"));
}
