//! A run told in sentences, for somebody who knows what a leader is: what was done to whom, who came to lead and by whose
//! votes or whose silence, what clients were told and which disks held it at that moment, and in the end what is broken
//! and why that breaks what was promised.
//!
//! It is a fold over the moments of a run. `scene` knows what every node is and holds, `deals` what clients asked;
//! `faults`, `elections`, `operations`, `losses` and `letters` each tell one kind of thing as it happens; when
//! all is told, `ending` says what is broken, and `digest` leaves out what does not matter to that and puts
//! repetitions together.
//!
//! Caveat: an onlooker sees what happens, not why a node did what it did. "Has heard no leader for 300 ms" is measured
//! from outside, in true time, whatever the node's own clock showed.

mod deals;
mod digest;
mod elections;
mod ending;
mod faults;
mod folds;
mod judged;
mod letters;
mod losses;
mod meanings;
pub(super) mod names;
mod operations;
mod scene;

use crate::event::Event;
use crate::sim::plan::{Place, Plan};
use crate::sim::{Moment, What};
use crate::types::{Election, Mode, Replication, Term};
use deals::Operations;
use digest::{About, Beat, Deed};
use elections::Elections;
use faults::Faults;
use letters::Letters;
use losses::Losses;
use scene::Scene;

/// What a sentence is about, for whoever shows it in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The rules, and how things are at first.
    Setting,
    /// Something is done to the cluster.
    Fault,
    /// It is undone.
    Mend,
    /// Somebody comes to lead, or leads no more.
    Lead,
    /// A client asks and is told something.
    Client,
    /// Something that was written is given up.
    Loss,
    /// What is broken, and why.
    Broken,
}

/// One sentence, and the moment that it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Which of the moments.
    pub moment: usize,
    /// When that was, in nanoseconds of virtual time.
    pub at: u64,
    /// What it is about.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
}

/// A run as lines; each sentence begins with its time. The last say what is broken.
pub fn story(plan: &Plan, moments: &[Moment]) -> Vec<String> {
    let sentences = tell(plan, moments);
    let stamps: Vec<String> = sentences.iter().map(|s| stamp(s.at)).collect();
    let width = stamps.iter().map(|stamp| stamp.len()).max().unwrap_or(0);
    let lines = |(stamp, sentence): (&String, &Sentence)| {
        let lines = wrapped(&sentence.text, LINE.saturating_sub(width + 2));
        let stamps = std::iter::once(stamp.as_str()).chain(std::iter::repeat(""));
        let lines = stamps.zip(lines);
        lines
            .map(|(stamp, line)| format!("{stamp:>width$}  {line}"))
            .collect::<Vec<String>>()
    };
    stamps.iter().zip(&sentences).flat_map(lines).collect()
}

/// How long a line is.
const LINE: usize = 112;

/// `text` as lines of so many letters, if its words allow that.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut long = 0;
    for word in unbreakable(text) {
        let letters = word.chars().count();
        if long > 0 && long + 1 + letters > width {
            lines.push(String::new());
            long = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if long > 0 { " " } else { "" });
            line.push_str(&word);
        }
        long += letters + usize::from(long > 0);
    }
    lines
}

/// The words of a text; a number stays with what it counts.
fn unbreakable(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(last) if *last == "term" || word.starts_with("ms") => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// A time, in milliseconds.
pub(super) fn stamp(at: u64) -> String {
    let micros = at / 1000;
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

/// A run in sentences.
pub fn tell(plan: &Plan, moments: &[Moment]) -> Vec<Sentence> {
    let mut teller = Teller::new(plan);
    for (at, moment) in moments.iter().enumerate() {
        teller.take(at, moment);
    }
    let culprits = teller.end();
    digest::digest(teller.beats, &culprits, &teller.operations)
}

/// Tells what happens, beat by beat.
struct Teller<'a> {
    plan: &'a Plan,
    scene: Scene<'a>,
    beats: Vec<Beat>,
    /// The moment that is being told.
    now: (usize, u64),
    faults: Faults,
    elections: Elections,
    operations: Operations,
    letters: Letters,
    losses: Losses,
    /// What is broken, and how that shows.
    broken: Option<(&'static str, &'a str)>,
}

impl<'a> Teller<'a> {
    fn new(plan: &'a Plan) -> Teller<'a> {
        let mut teller = Teller {
            plan,
            scene: Scene::new(plan),
            beats: Vec::new(),
            now: (0, 0),
            faults: Faults::default(),
            elections: Elections::default(),
            operations: Operations::default(),
            letters: Letters::of(plan),
            losses: Losses::default(),
            broken: None,
        };
        teller.say(Tone::Setting, About::Course, setting(plan));
        teller
    }

    /// Adds a beat; where it stands.
    fn say(&mut self, tone: Tone, about: About, text: String) -> usize {
        let (moment, at) = self.now;
        self.beats.push(Beat {
            moment,
            at,
            tone,
            about,
            text,
        });
        self.beats.len() - 1
    }

    /// Adds what one node does, and others may do too.
    fn say_of(&mut self, tone: Tone, deed: Deed) {
        let text = deed.text();
        self.say(tone, About::Each(deed), text);
    }

    fn take(&mut self, number: usize, moment: &'a Moment) {
        self.now = (number, moment.at);
        let place = moment.place;
        // Who leads is told as of before.
        self.tell_fault(place, &moment.what);
        self.tell_election(place, &moment.what);
        self.scene.see(moment);
        match &moment.what {
            What::Kept(records) => self.tell_kept(place, records),
            What::Reported(Event::Lost(loss)) => self.losses.report(place, loss),
            What::Reported(Event::Leader { term }) => self.tell_leader(place, *term),
            What::Violated { invariant, what } => self.broken = Some((invariant, what)),
            _ => {}
        }
        self.tell_letter(place, &moment.what);
        self.tell_operation(place, &moment.what);
    }

    /// Who else leads, while `place` leads `term`, as a clause.
    fn rivals(&self, place: Place, term: Term) -> Option<String> {
        let leading = self.scene.leading();
        let (other, theirs) = leading.iter().find(|(other, _)| *other != place)?;
        Some(match *theirs == term {
            true => format!("{} leads that term too", names::node(*other)),
            false => format!("{} still leads term {theirs}", names::node(*other)),
        })
    }
}

/// The rules, as far as one needs them to follow.
fn setting(plan: &Plan) -> String {
    let Mode {
        election,
        replication,
    } = plan.mode;
    let leads = match election {
        Election::LowestId => "the lowest id that lives leads",
        Election::Bully => "the highest id that lives leads, once a majority votes for it",
        Election::Raft => "whoever a majority votes for leads",
    };
    let answers = match replication {
        Replication::Async => "before it is copied",
        Replication::Quorum => "once a majority has it on disk",
        Replication::Sync => "once every node has it on disk",
    };
    format!(
        "{} nodes, {}: {leads}, and a write is acknowledged {answers}.",
        plan.nodes, plan.mode
    )
}
