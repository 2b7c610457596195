//! `cluster check --html`: the page.

use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// The page that is drawn of a history, and what is said besides.
fn drawn(history: &str, arguments: &[&str]) -> String {
    let folder = TempDir::new().expect("a directory");
    let (file, page) = (folder.path().join("h.jsonl"), folder.path().join("h.html"));
    std::fs::write(&file, history).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.arg("check").arg(&file).arg("--html").arg(&page);
    let _ = command.args(arguments).output().expect("it runs");
    std::fs::read_to_string(page).expect("a page")
}

fn known(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/histories");
    std::fs::read_to_string(folder.join(name)).expect("a history")
}

fn count(page: &str, what: &str) -> usize {
    page.matches(what).count()
}

/// Client 1 writes 1, then 2; client 2 reads what client 1 wrote first, after all that.
const STALE: &str = r#"{"process":1,"type":"invoke","f":"write","key":"x","value":1}
{"process":1,"type":"ok","f":"write","key":"x","value":1}
{"process":1,"type":"invoke","f":"write","key":"x","value":2}
{"process":3,"type":"invoke","f":"write","key":"x","value":9}
{"process":1,"type":"ok","f":"write","key":"x","value":2}
{"process":2,"type":"invoke","f":"read","key":"x","value":null}
{"process":2,"type":"ok","f":"read","key":"x","value":1}"#;

#[test]
fn a_good_history_has_a_bar_for_each_operation_and_a_moment_on_one_line() {
    let page = drawn(&known("kv_c10-ok.jsonl"), &[]);
    assert!(page.contains("<p class=verdict>linearizable</p>"));
    // 337 operations of ten keys, and five kinds of bars in the legend, and one of dots.
    assert_eq!(count(&page, "<details "), 10);
    assert_eq!(count(&page, " title=\""), 337);
    assert_eq!(count(&page, "<b style=left:"), 337);
    assert_eq!(count(&page, "<polyline "), 10);
    assert_eq!(count(&page, "no order is left"), 0);
}

#[test]
fn a_bad_history_shows_how_far_one_gets_and_points_out_what_cannot_be_placed() {
    let page = drawn(STALE, &[]);
    assert!(page.contains("<p class=verdict>not linearizable</p>"));
    assert!(page.contains("These 3 operations of key x fit into no order."));
    assert_eq!(count(&page, "no order is left"), 1);
    for told in ["write 1", "write 2", "read → 1", "never answered"] {
        assert!(page.contains(told), "{told}");
    }
    // Client 3's write has no answer and nothing to do with it; the others are pointed out, and can be gone to.
    for place in 1..=3 {
        assert_eq!(count(&page, &format!(" id=m{place} ")), 1);
        assert_eq!(count(&page, &format!("href=#m{place}>")), 1);
    }
    assert!(page.contains("class=\"w open\""));
    assert!(!page.contains("href=#m4"));
}

#[test]
fn nothing_is_fetched_and_nothing_needs_a_script() {
    let page = drawn(STALE, &[]);
    let lower = page.to_lowercase();
    for request in [
        "http:", "https:", "src=", "url(", "@import", "<link", "fetch(",
    ] {
        assert!(!lower.contains(request), "{request}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    let (before, _) = page.split_once("<script>").expect("a script, at the end");
    assert!(before.contains("read → 1") && before.contains("</main>"));
}

#[test]
fn what_clients_wrote_is_text_and_nothing_else() {
    let nasty = r#"</script><b>\"'&\u202e"#;
    let history = STALE.replace("\"x\"", &format!("\"{nasty}\""));
    let history = history.replace("\"value\":1", &format!("\"value\":\"{nasty}\""));
    let history = history.replace("\"process\":2", &format!("\"process\":\"{nasty}\""));
    for arguments in [
        &[][..],
        &["--property", "sequential"],
        &["--property", "no-lost-acks"],
    ] {
        let page = drawn(&history, arguments);
        let escaped = "&lt;/script&gt;&lt;b&gt;";
        assert!(count(&page, escaped) > 5, "{arguments:?}");
        assert!(!page.contains("<b>\"") && !page.contains('\u{202e}'));
        assert_eq!(count(&page, "</script>"), 1, "the page's own");
        assert_eq!(count(&page, "<b>"), count(&drawn(STALE, arguments), "<b>"));
    }
}

#[test]
fn other_properties_are_drawn_too() {
    let page = drawn(STALE, &["--property", "sequential"]);
    assert!(page.contains("<p class=verdict>sequentially consistent</p>"));
    // In the order found, the read comes between the writes.
    assert!(page.contains("<em>2</em><span>read → 1</span>"));
    let page = drawn(STALE, &["--property", "no-lost-acks"]);
    assert!(page.contains("<p class=verdict>no-lost-acks does not hold</p>"));
    assert!(page.contains("an acknowledged write is gone"));
    assert_eq!(count(&page, "<polyline "), 0);
}

#[test]
fn a_page_is_of_one_history() {
    let folder = TempDir::new().expect("a directory");
    let page = folder.path().join("p.html");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command
        .args(["check", "a.jsonl", "b.jsonl", "--html"])
        .arg(&page);
    let refused = command.assert().code(2);
    let text = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(text.contains("--html draws one history"), "{text}");
    assert!(!page.exists());
}

/// Whether every tag is closed, in order; nothing but a tag begins with `<` outside the page's own style and script.
fn is_well_formed(page: &str) -> bool {
    let (mut open, mut rest) = (Vec::new(), page);
    while let Some((_, behind)) = rest.split_once('<') {
        let mut quoted = false;
        let end = behind.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let Some(end) = end else { return false };
        let (tag, behind) = (&behind[..end], &behind[end + 1..]);
        rest = behind;
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return false,
            Some(_) => {}
            None if name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '!') => {
                return false;
            }
            None if tag.ends_with('/') || ["!doctype", "meta"].contains(&name) => {}
            None => open.push(name),
        }
        if ["style", "script"].contains(&name) {
            let end = rest.find(&format!("</{name}>")).unwrap_or(rest.len());
            rest = &rest[end..];
        }
    }
    open.is_empty()
}

#[test]
fn every_tag_is_closed_whatever_is_drawn() {
    assert!(!is_well_formed("<p><b></p></b>") && !is_well_formed("<p>"));
    let nasty = STALE.replace("\"x\"", r#""<p \u001b \u0000 ''\">""#);
    for history in ["", STALE, &nasty, &known("kv_c10-bad.jsonl")] {
        for property in ["linearizable", "sequential", "eventual"] {
            let page = drawn(history, &["--property", property]);
            assert!(is_well_formed(&page), "{property}: {page}");
            let is_moved = |c: char| c.is_control() && c != '\n';
            assert!(!page.contains(is_moved), "{property}");
        }
    }
}

#[test]
fn nothing_that_happened_is_a_page_too() {
    let page = drawn("", &[]);
    assert!(page.contains("<li>0 operations</li>") && page.contains("</html>"));
    assert_eq!(count(&page, "<details "), 0);
}

/// So many writes, one after the other, of so many keys in turn.
fn long(operations: usize, keys: usize) -> String {
    let lines = (0..operations).flat_map(|n| {
        let key = n % keys;
        ["invoke", "ok"].map(|kind| {
            format!(
                "{{\"process\":1,\"type\":\"{kind}\",\"f\":\"write\",\"key\":\"k{key}\",\"value\":{n}}}\n"
            )
        })
    });
    lines.collect()
}

#[test]
fn of_a_long_history_the_page_shows_a_part_and_says_so() {
    for (keys, told) in [
        (1, "only the first 5,000 are drawn"),
        (30, "10 of 30 are not drawn"),
    ] {
        let page = drawn(&long(30_000, keys), &[]);
        assert!(page.contains(told), "{told}");
        assert!(page.len() < 8 << 20, "{} bytes", page.len());
        assert!((5_000..=20_000).contains(&count(&page, " title=\"")));
        let targets = page.split("href=#s").skip(1);
        let mut targets = targets.map(|rest| rest.split('>').next().unwrap_or_default());
        assert!(targets.all(|at| count(&page, &format!("<details id=s{at} ")) == 1));
    }
    let page = drawn(&long(6_000, 2), &["--property", "sequential"]);
    assert!(page.contains("only the first 5,000 are drawn"));
    assert_eq!(count(&page, " title=\""), 5_000);
}
