//! Latency and throughput over time.

use std::fmt::Write;

use crate::chaos::recording::Recording;
use crate::sim::plan::Micros;
use crate::views::chaos::scale::{NAMES, Scale, WIDTH};

/// Into how many parts time is cut.
const PARTS: usize = 160;

/// The answers by the part of time in which they were due: how long each took.
fn waits(recording: &Recording, scale: Scale) -> Vec<Vec<Micros>> {
    let mut parts = vec![Vec::new(); PARTS];
    for asked in recording.scheduled().filter(|asked| asked.is_answered()) {
        let part = part(scale, asked.due_at);
        parts[part].push(asked.returned_at.saturating_sub(asked.due_at));
    }
    for part in &mut parts {
        part.sort_unstable();
    }
    parts
}

fn part(scale: Scale, at: Micros) -> usize {
    ((at * PARTS as u64 / scale.end()) as usize).min(PARTS - 1)
}

fn middle(scale: Scale, part: usize) -> f64 {
    scale.x(scale.end() * (2 * part as u64 + 1) / (2 * PARTS as u64))
}

/// Where a latency stands between 0 and 1: from 0.1 ms to 10 s, logarithmically.
fn height(micros: f64) -> f64 {
    ((micros.max(100.0) / 100.0).log10() / 5.0).min(1.0)
}

/// Half of the answers, and ninety-nine of a hundred, took at most so long.
pub(super) fn latency(recording: &Recording, scale: Scale, top: f64, high: f64) -> String {
    let mut svg = frame("latency", top, high);
    for (micros, said) in [(1e3, "1 ms"), (1e4, "10"), (1e5, "100"), (1e6, "1 s")] {
        let y = top + high * (1.0 - height(micros));
        let _ = writeln!(
            svg,
            "<line class=tick x1={NAMES} x2={:.0} y1={y:.1} y2={y:.1} /><text class=scale x={:.0} y={:.1}>{said}</text>",
            WIDTH - 8.0,
            NAMES - 8.0,
            y + 4.0
        );
    }
    let waits = waits(recording, scale);
    for (class, permille) in [("p99", 990), ("p50", 500)] {
        let mut path = String::new();
        let mut is_open = false;
        for (at, part) in waits.iter().enumerate() {
            let place = (part.len() * permille).div_ceil(1000).saturating_sub(1);
            let Some(micros) = part.get(place) else {
                is_open = false;
                continue;
            };
            let (x, y) = (
                middle(scale, at),
                top + high * (1.0 - height(*micros as f64)),
            );
            let _ = write!(path, "{}{x:.1} {y:.1}", if is_open { "L" } else { "M" });
            is_open = true;
        }
        let _ = writeln!(svg, "<path class=\"line {class}\" d=\"{path}\"/>");
    }
    svg
}

/// How many answers came in a second.
pub(super) fn throughput(recording: &Recording, scale: Scale, top: f64, high: f64) -> String {
    let mut counts = vec![(0u64, 0u64); PARTS];
    for asked in recording.scheduled() {
        let count = &mut counts[part(scale, asked.returned_at.max(asked.invoked_at))];
        match asked.is_answered() {
            true => count.0 += 1,
            false => count.1 += 1,
        }
    }
    let seconds = scale.end() as f64 / 1e6 / PARTS as f64;
    let most = counts.iter().map(|(ok, no)| ok + no).max().unwrap_or(0);
    let mut svg = frame("answers", top, high);
    let _ = writeln!(
        svg,
        "<text class=scale x={:.0} y={:.1}>{:.0}/s</text>",
        NAMES - 8.0,
        top + 4.0,
        most as f64 / seconds
    );
    let wide = (WIDTH - NAMES - 8.0) / PARTS as f64 - 0.8;
    for (at, (ok, no)) in counts.iter().enumerate() {
        let mut base = top + high;
        for (class, count) in [("ok", ok), ("no", no)] {
            let tall = high * *count as f64 / most.max(1) as f64;
            base -= tall;
            if *count > 0 {
                let _ = writeln!(
                    svg,
                    "<rect class={class} x={:.1} y={base:.1} width={wide:.1} height={tall:.1} />",
                    middle(scale, at) - wide / 2.0
                );
            }
        }
    }
    svg
}

fn frame(name: &str, top: f64, high: f64) -> String {
    format!(
        "<text class=title x={NAMES} y={:.1}>{name}</text><line class=base x1={NAMES} x2={:.0} y1={:.1} y2={:.1} />\n",
        top - 5.0,
        WIDTH - 8.0,
        top + high,
        top + high
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_stands_between_a_tenth_of_a_millisecond_and_ten_seconds() {
        assert_eq!(height(0.0), 0.0);
        assert_eq!(height(1e7), 1.0);
        assert!((height(1e5) - 0.6).abs() < 1e-9);
    }
}
