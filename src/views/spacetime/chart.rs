//! All that is to be drawn of a run.

use crate::sim::plan::Plan;
use crate::sim::{Moment, What};
use crate::views::spacetime::bands::{Band, Mark, Sign, bands};
use crate::views::spacetime::calls::{Bar, calls};
use crate::views::spacetime::flights::{Fate, Flight, Kind, flights};
use crate::views::story::{Sentence, tell};

/// More messages than these make no picture that anybody looks at: what is before them is left out.
const MOST: usize = 6_000;

/// A run, as things to draw.
#[derive(Debug)]
pub(super) struct Chart {
    /// How many nodes there are in the course of the run.
    pub(super) nodes: usize,
    pub(super) bands: Vec<Band>,
    pub(super) marks: Vec<Mark>,
    pub(super) bars: Vec<Bar>,
    pub(super) flights: Vec<Flight>,
    pub(super) sentences: Vec<Sentence>,
    /// What is broken, and when.
    pub(super) broken: Option<(u64, String)>,
    /// What is before that is not drawn.
    pub(super) begin: u64,
    pub(super) end: u64,
    /// How long a message takes, if nothing happens to it.
    pub(super) latency: u64,
    /// Messages in idle time that are not drawn: when they were sent, and whether they were lost.
    pub(super) idle: Vec<(u64, bool)>,
    /// It shows parts of a run: what is left out is not idle time.
    pub(super) is_closeup: bool,
    /// Faults, where they are drawn beside the lanes.
    pub(super) troubles: Vec<Trouble>,
}

/// A fault, as long as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) text: String,
}

impl Chart {
    pub(super) fn of(plan: &Plan, moments: &[Moment]) -> Chart {
        let latency = (plan.scale.latency * 1000).max(1);
        let places = moments
            .iter()
            .map(|moment| usize::from(moment.place) + 1)
            .max();
        let nodes = plan.nodes.max(places.unwrap_or(0));
        let end = moments.last().map_or(0, |last| last.at);
        let calls = calls(moments, latency);
        let mut all = flights(moments, latency + plan.scale.jitter * 500);
        all.extend(calls.flights);
        let (bands, marks) = bands(moments, nodes, end);
        let mut chart = Chart {
            nodes,
            bands,
            marks,
            bars: calls.bars,
            flights: all,
            sentences: tell(plan, moments),
            broken: broken(moments),
            begin: 0,
            end,
            latency,
            idle: Vec::new(),
            is_closeup: false,
            troubles: Vec::new(),
        };
        chart.leave_out_the_first();
        chart.leave_out_idle();
        chart
    }

    /// Keeps the last messages, if there are too many; what comes before them is not drawn.
    fn leave_out_the_first(&mut self) {
        let mut sent: Vec<u64> = self
            .flights
            .iter()
            .filter(|f| f.kind != Kind::Heartbeat)
            .map(|f| f.sent)
            .collect();
        if sent.len() <= MOST {
            return;
        }
        sent.sort_unstable();
        self.begin = sent[sent.len() - MOST];
        let begin = self.begin;
        self.flights.retain(|flight| flight.sent >= begin);
        self.marks.retain(|mark| mark.at >= begin);
        self.bars.retain(|bar| bar.asked >= begin);
        self.bands.retain(|band| band.to > begin);
        for band in &mut self.bands {
            band.from = band.from.max(begin);
        }
    }

    /// Heartbeats are drawn where something happens, so that one sees who hears whom; between that they only count.
    fn leave_out_idle(&mut self) {
        let near = 3 * self.latency;
        let busy = self.busy();
        let is_near = |at: u64| {
            let next = busy.partition_point(|other| *other < at);
            let after = busy.get(next).is_some_and(|other| other - at <= near);
            after
                || next
                    .checked_sub(1)
                    .is_some_and(|before| at - busy[before] <= near)
        };
        let flights = std::mem::take(&mut self.flights);
        let (drawn, idle): (Vec<Flight>, Vec<Flight>) = flights
            .into_iter()
            .partition(|flight| flight.kind != Kind::Heartbeat || is_near(flight.sent));
        self.flights = drawn;
        self.idle = idle
            .iter()
            .map(|flight| (flight.sent, flight.fate != Fate::Arrives))
            .collect();
    }

    /// When something happens that is not a matter of course.
    fn busy(&self) -> Vec<u64> {
        let flights = self
            .flights
            .iter()
            .filter(|flight| flight.kind != Kind::Heartbeat);
        let mut busy: Vec<u64> = flights
            .flat_map(|flight| [flight.sent, flight.arrives])
            .collect();
        let marks = self.marks.iter().filter(|mark| mark.sign != Sign::Start);
        busy.extend(marks.map(|mark| mark.at));
        busy.extend(self.sentences.iter().map(|sentence| sentence.at));
        busy.sort_unstable();
        busy
    }
}

fn broken(moments: &[Moment]) -> Option<(u64, String)> {
    moments.iter().find_map(|moment| match &moment.what {
        What::Violated { invariant, .. } => Some((moment.at, (*invariant).to_owned())),
        _ => None,
    })
}
