//! The page: it asks nobody for anything, and everything that is told is on it.

use cluster::protocol::Message;
use cluster::sim::plan::Plan;
use cluster::sim::{Expect, Moment, What};
use cluster::types::Mode;
use cluster::views::spacetime::{Heading, page};
use cluster::views::story::tell;

use crate::plans::{LOWEST_ASYNC, With, drawn, modes, play, quiet};

fn heading() -> Heading {
    Heading {
        title: "what was \"kept\"".to_owned(),
        verdict: "1 < 2 & all is <b>well</b>".to_owned(),
        note: "as it is".to_owned(),
        command: "cluster sim --seed '7'".to_owned(),
        version: "cluster 0.1.0".to_owned(),
    }
}

fn drawing(plan: &Plan) -> String {
    page(&heading(), plan, &play(plan))
}

/// The leader is cut off, and what it acknowledged is not read from its successor.
fn a_missed_write() -> Plan {
    let plan = quiet(LOWEST_ASYNC, 3, 900)
        .put(50, 0, 1)
        .isolate(100, 1, 0)
        .put(120, 0, 0)
        .kill(700, 2, 0)
        .read(800, 1, 0, cluster::sim::plan::Reading::Leader);
    Plan {
        expect: Expect::Linearizable,
        ..plan
    }
}

/// How often `part` is in `text`.
fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let html = drawing(&a_missed_write()).to_lowercase();
    for outside in [
        "http:", "https:", "//", "src=", "@import", "url(", "<link", "<iframe", "fetch(",
        "<object", "<embed", "srcset",
    ] {
        // A script's comment is no address.
        let html = html.replace("\n// ", "\n");
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn no_text_becomes_markup() {
    let html = drawing(&a_missed_write());
    assert!(html.contains("1 &lt; 2 &amp; all is &lt;b&gt;well&lt;/b&gt;"));
    assert!(html.contains("what was &quot;kept&quot;") && html.contains("--seed &#39;7&#39;"));
    assert!(!html.contains("<b>well"));
}

#[test]
fn the_page_says_how_it_ended_and_how_to_play_it_again() {
    let html = drawing(&a_missed_write());
    for said in [
        "cluster sim --seed",
        "cluster 0.1.0",
        "lowest-id + async",
        "broken: linearizability",
        "node-3",
    ] {
        assert!(html.contains(said), "{said}");
    }
}

#[test]
fn every_sentence_is_beside_its_moment_and_leads_there() {
    for mode in modes() {
        let plan = drawn(mode, 4, 3);
        let moments = play(&plan);
        let html = page(&heading(), &plan, &moments);
        for number in 0..tell(&plan, &moments).len() {
            let (here, there) = (format!("id=\"s{number}\""), format!("href=\"#s{number}\""));
            assert_eq!(
                (count(&html, &here), count(&html, &there)),
                (1, 1),
                "{mode}: sentence {number}"
            );
        }
    }
}

/// How many messages are sent between nodes, without heartbeats and answers to them, and how many of them are lost.
fn sent(moments: &[Moment]) -> (usize, usize) {
    let worth_drawing = moments.iter().filter_map(|moment| match &moment.what {
        What::Sent { message, fated, .. } => {
            let is_beat = matches!(
                **message,
                Message::Heartbeat { .. } | Message::HeartbeatAck { .. }
            );
            (!is_beat).then_some(fated.arrives)
        }
        _ => None,
    });
    let fates: Vec<Option<u64>> = worth_drawing.collect();
    (fates.len(), fates.iter().filter(|f| f.is_none()).count())
}

#[test]
fn every_message_is_an_arrow_and_a_lost_one_ends_in_a_cross() {
    let kinds = ["append", "vote", "snap", "read"];
    let arrows = |html: &str| -> usize {
        let of = |kind: &&str| count(html, &format!("<g class=\"m {kind}"));
        kinds.iter().map(of).sum()
    };
    let crosses = |html: &str| -> usize {
        let of = |kind: &&str| {
            let lost = |answer| count(html, &format!("<g class=\"m {kind}{answer} lost\""));
            lost("") + lost(" answer")
        };
        kinds.iter().map(of).sum()
    };
    let quiet = quiet(Mode::RAFT, 3, 100).put(50, 0, 0);
    let cut_off = a_missed_write();
    for (plan, loses) in [(&quiet, false), (&cut_off, true)] {
        let moments = play(plan);
        let html = page(&heading(), plan, &moments);
        // What is above explains the colours.
        let (_, html) = html.split_once("class=\"sheet\"").expect("a picture");
        let (all, lost) = sent(&moments);
        assert!(
            all > 4 && (lost > 0) == loses,
            "{all} messages, {lost} lost"
        );
        assert_eq!((arrows(html), crosses(html)), (all, lost));
    }
}

#[test]
fn every_client_and_every_node_has_a_lane() {
    let html = drawing(&a_missed_write());
    for lane in ["c0", "c1", "node-1", "node-2", "node-3"] {
        assert!(html.contains(&format!(">{lane}</b>")), "{lane}");
    }
    assert!(!html.contains(">node-4</b>"));
    let many = Plan {
        clients: 9,
        ..quiet(LOWEST_ASYNC, 3, 900)
    };
    let many = (0..9).fold(many, |plan, client| plan.put(50, client, 0));
    assert!(drawing(&many).contains(">clients</b>"));
}

/// Tags that have no end.
const VOID: [&str; 2] = ["meta", "input"];

#[test]
fn whatever_begins_ends_where_it_should() {
    let html = drawing(&a_missed_write());
    let html = html.strip_prefix("<!DOCTYPE html>").expect("a page");
    let (before, script) = html.split_once("<script>").expect("a script");
    let (_, after) = script.split_once("</script>").expect("its end");
    let mut open: Vec<String> = Vec::new();
    for part in [before, after].concat().split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("each tag is closed");
        assert!(!text.contains('>'), "not escaped: {text}");
        assert_eq!(count(tag, "\"") % 2, 0, "{tag}");
        let name = tag.split([' ', '/']).find(|name| !name.is_empty());
        let name = name.expect("each tag has a name").to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') && !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} have no end");
}

#[test]
fn idle_time_is_cut_out_and_what_was_left_out_is_counted() {
    let short = drawing(&quiet(Mode::RAFT, 3, 2_000).put(50, 0, 0).put(1_900, 0, 0));
    let long = drawing(
        &quiet(Mode::RAFT, 3, 600_000)
            .put(50, 0, 0)
            .put(599_900, 0, 0),
    );
    assert!(
        long.len() < short.len() + 200,
        "{} and {} bytes",
        short.len(),
        long.len()
    );
    assert!(long.contains("heartbeats and answers, nothing else"));
}

#[test]
fn what_each_node_is_shows_in_its_band() {
    let html = drawing(&a_missed_write());
    let led = [
        "node-1 leads term 1, for",
        "node-1 leads term 1, cut off, for",
        "node-1 is dead, cut off, for",
        "node-2 follows the leader of term 1, for",
        "node-2 stands for election, for",
        "node-2 leads term 2, for",
        "node-3 follows the leader of term 2, for",
    ];
    for band in led {
        assert!(html.contains(band), "{band}");
    }
}

#[test]
fn thousands_of_messages_stay_a_page_that_a_browser_opens() {
    let mut plan = drawn(Mode::RAFT, 1, 60);
    plan.expect = Expect::Promised;
    let html = drawing(&plan);
    assert!(
        count(&html, "<g class=\"m ") > 3_000,
        "{} messages",
        count(&html, "<g class=\"m ")
    );
    assert!(html.len() < 8 << 20, "{} bytes", html.len());
    assert!(count(&html, "class=\"sheet\"") > 20);
}
