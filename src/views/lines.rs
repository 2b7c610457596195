//! A line an event: as this program says it, or as the chapter's programs do, in English or French.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};

use crate::event::Event;
use crate::types::NodeId;
use crate::views::wording::{english, french};
use crate::wire::control::EventRecord;

/// The language of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// French, the chapter's own.
    Fr,
}

/// How events are worded.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// The language.
    pub lang: Lang,
    /// Whether the lines are the chapter's, to the letter.
    pub course: bool,
    /// Whom each node was last said to wait for: the chapter says it once.
    waits: BTreeMap<NodeId, NodeId>,
}

impl Lines {
    /// Lines in `lang`; the chapter's with `course`.
    pub fn new(lang: Lang, course: bool) -> Lines {
        Lines {
            lang,
            course,
            waits: BTreeMap::new(),
        }
    }

    /// The line for `record`; `None` if this wording has none for it. Carries colours, to be stripped where they do
    /// not belong.
    pub fn line(&mut self, record: &EventRecord) -> Option<String> {
        let text = match self.course {
            true => self.chapter(record)?,
            false => self.plain(&record.event),
        };
        Some(match &record.node {
            Some(node) => format!("{} {text}", label(node)),
            None => text,
        })
    }

    fn plain(&self, event: &Event) -> String {
        match self.lang {
            Lang::En => english(event),
            Lang::Fr => french(event),
        }
    }

    fn chapter(&mut self, record: &EventRecord) -> Option<String> {
        let french = self.lang == Lang::Fr;
        let in_lang = |fr: String, en: String| Some(if french { fr } else { en });
        match &record.event {
            // To a node of the chapter, to follow is to wait for another to lead.
            Event::Waiting { leader } | Event::Following { leader, .. } => {
                let waits = self.waits.insert(record.node.clone()?, leader.clone());
                if waits.as_ref() == Some(leader) {
                    return None;
                }
                in_lang(
                    format!("En attente de {leader} pour devenir leader"),
                    format!("Waiting for {leader} to become leader"),
                )
            }
            Event::Listening { url } => {
                let port = clean(url.rsplit(':').next().unwrap_or_default());
                in_lang(
                    format!("Store Node écoutant sur le port {port}"),
                    format!("Store Node listening on port {port}"),
                )
            }
            Event::Election { .. } => {
                self.forget(record);
                in_lang(
                    "Election timeout ! Démarrage de l'élection...".to_owned(),
                    "Election timeout! Starting election...".to_owned(),
                )
            }
            Event::Leader { term } => {
                self.forget(record);
                in_lang(
                    format!("👑 Devenu LEADER pour le terme {term}"),
                    format!("👑 Became LEADER for term {term}"),
                )
            }
            Event::SteppedDown { term, .. } => in_lang(
                format!("Rétrogradation en suiveur, terme {term}"),
                format!("Stepping down to follower, term {term}"),
            ),
            Event::Replicated { entries: n, .. }
            | Event::Snapshot { keys: n, .. }
            | Event::Merged { keys: n, .. } => in_lang(
                format!("{n} clés répliquées depuis le leader"),
                format!("Replicated {n} keys from leader"),
            ),
            Event::Set { key, value } => {
                Some(format!("SET {} = {}", clean(key.as_str()), clean(value)))
            }
            Event::Get { key, value } => {
                let value = value.as_deref().unwrap_or("null");
                Some(format!("GET {} => {}", clean(key.as_str()), clean(value)))
            }
            Event::Delete { key, existed } => {
                let result = if *existed { "success" } else { "not found" };
                Some(format!("DELETE {} => {result}", clean(key.as_str())))
            }
            Event::Killed => {
                self.forget(record);
                Some(self.plain(&record.event))
            }
            Event::NoQuorum { .. } => {
                self.forget(record);
                Some(self.plain(&record.event))
            }
            Event::Lost(_)
            | Event::Refused { .. }
            | Event::Discarded { .. }
            | Event::Restored { .. }
            | Event::MembersChanged { .. }
            | Event::DiskFailed { .. }
            | Event::Wiped
            | Event::Removed
            | Event::OtherMode { .. }
            | Event::Revived
            | Event::FaultSet { .. }
            | Event::FaultUndone { .. }
            | Event::Stopping => Some(self.plain(&record.event)),
        }
    }

    fn forget(&mut self, record: &EventRecord) {
        if let Some(node) = &record.node {
            self.waits.remove(node);
        }
    }
}

/// What clients wrote must not move the reader's cursor.
pub fn clean(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars()
        .flat_map(|c| escape(c).chars().collect::<Vec<_>>())
        .collect()
}

/// A number with its thousands apart: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and what it counts: `1 seed`, `2,000 seeds`.
pub fn several(number: u64, one: &str, more: &str) -> String {
    let what = if number == 1 { one } else { more };
    format!("{} {what}", grouped(number))
}

/// `[node-1]` in the node's own colour.
fn label(node: &NodeId) -> String {
    const COLOURS: [AnsiColor; 6] = [
        AnsiColor::Cyan,
        AnsiColor::Yellow,
        AnsiColor::Green,
        AnsiColor::Magenta,
        AnsiColor::Blue,
        AnsiColor::Red,
    ];
    let digits: String = node.as_str().chars().filter(char::is_ascii_digit).collect();
    let turn = digits.parse::<usize>().unwrap_or(node.as_str().len());
    let colour = COLOURS[turn.wrapping_sub(1) % COLOURS.len()];
    let style = Style::new().fg_color(Some(colour.into()));
    format!("{style}[{}]{style:#}", clean(node.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Key;

    fn record(event: Event) -> EventRecord {
        EventRecord {
            seq: 1,
            time: String::new(),
            node: Some(NodeId::nth(2)),
            event,
        }
    }

    fn line(lines: &mut Lines, event: Event) -> Option<String> {
        lines
            .line(&record(event))
            .map(|line| anstream::adapter::strip_str(&line).to_string())
    }

    #[test]
    fn the_chapters_lines_are_its_own_to_the_letter() {
        let mut lines = Lines::new(Lang::Fr, true);
        let leader = NodeId::nth(1);
        for (event, said) in [
            (
                Event::Listening {
                    url: "http://127.0.0.1:4002".into(),
                },
                "Store Node écoutant sur le port 4002",
            ),
            (
                Event::Leader { term: 1 },
                "👑 Devenu LEADER pour le terme 1",
            ),
            (
                Event::Following { leader, term: 1 },
                "En attente de node-1 pour devenir leader",
            ),
            (
                Event::Election { term: 1 },
                "Election timeout ! Démarrage de l'élection...",
            ),
            (
                Event::Get {
                    key: Key::new("k"),
                    value: None,
                },
                "GET k => null",
            ),
        ] {
            assert_eq!(line(&mut lines, event), Some(format!("[node-2] {said}")));
        }
    }

    #[test]
    fn a_wait_that_becomes_following_is_said_once() {
        let mut lines = Lines::new(Lang::En, true);
        let leader = NodeId::nth(1);
        let waiting = Event::Waiting {
            leader: leader.clone(),
        };
        assert!(line(&mut lines, waiting).is_some());
        assert_eq!(line(&mut lines, Event::Following { leader, term: 1 }), None);
    }

    #[test]
    fn what_clients_wrote_cannot_move_the_cursor() {
        let event = Event::Set {
            key: Key::new("a\x1b[2J\n"),
            value: "1".into(),
        };
        let said = line(&mut Lines::new(Lang::En, true), event);
        assert_eq!(said.as_deref(), Some("[node-2] SET a\\u{1b}[2J\\n = 1"));
    }
}
