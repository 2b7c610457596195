//! Nodes that are started one by one, as `cluster node` does: they know each other by address, learn each other's names,
//! and meet a program of the chapter.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, RwLock};

use cluster::protocol::Recovered;
use cluster::runtime::clock::Clock;
use cluster::runtime::{RunningNode, Seat, World, node_task};
use cluster::storage::memory::Memory;
use cluster::types::{Config, NodeId};

use crate::recording::Recorder;
use crate::stage::{ELECTION_TIMEOUT, await_that};

/// Starts the n-th node behind `listeners`, which knows the others by their URLs.
fn start(listeners: &[TcpListener], urls: &[String], n: usize, world: &World) -> RunningNode {
    let own = NodeId::nth(n + 1);
    let others = urls.iter().filter(|url| **url != urls[n]);
    let named = |url: &String| (NodeId::new(url).expect("a name"), url.clone());
    let peers: BTreeMap<NodeId, String> = others.map(named).collect();
    let mut config = Config::new(own.clone(), peers.keys().cloned().chain([own]).collect());
    config.election_timeout = ELECTION_TIMEOUT;
    config.heartbeat = ELECTION_TIMEOUT / 6;
    let listener = listeners[n].try_clone().expect("a listener");
    let seat = Seat {
        config,
        peers: Arc::new(RwLock::new(peers)),
        listener: tokio::net::TcpListener::from_std(listener).expect("one of tokio's"),
        disk: Box::new(Memory::new(n as u64)),
        world: world.clone(),
    };
    node_task::start(seat, Recovered::default(), 7)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_among_strangers_is_the_same_again() {
    let recorder = Recorder::default();
    let world = World {
        clock: Clock::start(),
        events: Arc::new(|_, _| {}),
        standstill: cluster::runtime::ice::Standstill::default(),
        net: cluster::runtime::net::Net::default(),
        max_value: 1 << 20,
        course: false,
        tap: Some(recorder.tap()),
    };
    let listeners: Vec<TcpListener> = (0..3)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"))
        .collect();
    let url = |listener: &TcpListener| {
        listener.set_nonblocking(true).expect("a socket");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let urls: Vec<String> = listeners.iter().map(url).collect();
    let nodes: Vec<RunningNode> = (0..3)
        .map(|n| start(&listeners, &urls, n, &world))
        .collect();
    for node in &nodes {
        node.begin(false).await;
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    await_that("a write", async || {
        let put = client.put(format!("{}/key/k", urls[0])).body("\"a value\"");
        put.send().await.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    await_that("all names", async || recorder.seen("in Identified") >= 4).await;
    let map = r#"{"type":"replicate","leaderId":"node-0","term":1000,"data":{"a":1}}"#;
    let beat = r#"{"type":"heartbeat","leaderId":"node-0","term":1001}"#;
    for (path, body) in [("replicate", map), ("heartbeat", beat)] {
        let post = client
            .post(format!("{}/internal/{path}", urls[1]))
            .body(body);
        assert_eq!(post.send().await.expect("an answer").status(), 200);
    }
    for node in nodes {
        node.kill().await;
    }
    let kinds = [
        "in Identified",
        "in BareHeartbeat",
        "in WholeMap",
        "in Append",
        "report Merged",
    ];
    recorder.assert_same_again(&kinds);
}
