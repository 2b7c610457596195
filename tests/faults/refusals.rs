//! What makes no sense is refused, with what to type instead.

use crate::support::{Up, cluster_in};
use crate::tale::in_force;

#[test]
fn nonsense_is_refused_and_nothing_is_set() {
    let up = Up::start(&[]);
    for (arguments, code, said) in [
        (&["partition"][..], 2, "required"),
        (&["partition", "node-1,node-2,node-3"], 2, "no partition"),
        (
            &["partition", "node-1", "/", "node-1"],
            2,
            "node-1 cannot be in two groups",
        ),
        (
            &["partition", "node-1", "/", "/", "node-2"],
            2,
            "a group is empty",
        ),
        (&["partition", "node-9"], 1, "no node is called"),
        (&["partition", "--ring"], 2, "at least 4 nodes"),
        (
            &["partition", "--ring", "--random"],
            2,
            "cannot be used with",
        ),
        (&["isolate"], 2, "required"),
        (
            &["isolate", "node-1", "--deaf", "--mute"],
            2,
            "cannot be used with",
        ),
        (
            &["cut", "node-1", "node-1"],
            2,
            "no link between these nodes",
        ),
        (&["cut", "node-1"], 2, "required"),
        (&["cut", "node-1", "node-2", "--for", "0s"], 2, "above zero"),
        (&["link", "node-1", "node-2"], 2, "say --delay"),
        (&["link", "node-1", "--delay", "1ms"], 2, "two ends"),
        (&["link", "all", "--loss", "101%"], 2, "between 0% and 100%"),
        (&["link", "all", "--burst", "10%"], 2, "--loss"),
        (&["link", "all", "--bandwidth", "fast"], 2, "1MiB/s"),
        (
            &["link", "all", "--delay", "1ms", "--only", "gossip"],
            2,
            "replicate",
        ),
        (&["client", "node-1"], 2, "say --delay"),
        (&["skew", "node-1"], 2, "--rate"),
        (&["skew", "node-1", "--rate", "1"], 2, "a true one"),
        (
            &["skew", "node-1", "--rate", "2000"],
            2,
            "between 0.001 and 1000",
        ),
        (
            &["skew", "node-1", "--jump", "1s", "--for", "2s"],
            2,
            "cannot be used with",
        ),
        (&["disk", "node-1"], 2, "say --slow"),
        (
            &["disk", "node-1", "--slow", "1s", "--full"],
            2,
            "cannot be used with",
        ),
        (&["heal", "cut-7"], 1, "no fault in force is called cut-7"),
        (
            &["heal", "delay-8", "delay-9"],
            1,
            "no fault in force is called delay-8, delay-9, so nothing was healed; none is",
        ),
        (&["heal", "node-1", "node-9"], 1, "no node is called"),
        (&["resume", "node-9"], 1, "no node is called"),
        (&["pause", "node-1", "node-9"], 1, "no node is called"),
    ] {
        let refused = up.run(arguments).assert().code(code);
        let stderr = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    assert!(in_force(&up).is_empty());
    up.says(&["kill", "node-3"]);
    let refused = up.run(&["pause", "node-3"]).assert().code(1);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("node-3 is dead"), "{said}");
    up.says(&["pause", "node-2"]);
    let refused = up.run(&["pause", "node-2"]).assert().code(1);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("already: pause-1"), "{said}");
}

#[test]
fn where_one_of_several_names_is_unknown_nothing_is_healed_and_the_others_are_told() {
    let up = Up::start(&[]);
    up.says(&["link", "all", "--delay", "1ms"]);
    up.says(&["link", "all", "--loss", "1%"]);
    for names in [&["delay-1", "loss-7"][..], &["loss-7", "delay-1", "loss-1"]] {
        let refused = up.run(&[&["heal"], names].concat()).assert().code(1);
        let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        let told = "is called loss-7, so nothing was healed; those that are: delay-1, loss-1";
        assert!(said.contains(told), "{said}");
        assert_eq!(in_force(&up), ["delay-1", "loss-1"]);
    }
}

#[test]
fn without_a_cluster_there_is_nothing_to_break() {
    let home = tempfile::TempDir::new().expect("a directory");
    for arguments in [&["faults"][..], &["heal"], &["pause", "leader"]] {
        cluster_in(home.path(), arguments).assert().code(3);
    }
}
