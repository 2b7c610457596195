//! A plan, played by the simulator: the same schedule, in virtual time, judged after every event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chaos::overhear::Overheard;
use crate::chaos::recording::{Asked, Ending, Happened, Planned, Recording, Struck};
use crate::chaos::words;
use crate::check::History;
use crate::check::history::{Call, End};
use crate::event::Event;
use crate::sim::moment::FOR_EVER;
use crate::sim::plan::{Harm, Place};
use crate::sim::{Moment, Plan, Violation, What, run};
use crate::types::NodeId;

/// What became of a simulated run.
#[derive(Debug)]
pub struct Simulated {
    /// What happened.
    pub recording: Recording,
    /// What must hold and did not, if anything.
    pub violation: Option<Violation>,
    /// Whether the judge came to no end.
    pub is_undecided: bool,
}

/// Plays `plan` in virtual time; messages between nodes are noted if it `is_drawn`.
pub fn play(plan: &Arc<Plan>, is_drawn: bool) -> Simulated {
    let taken = Arc::new(Mutex::new(Taken {
        cast: (0..plan.nodes as Place).map(node).collect(),
        clients: plan.clients,
        overheard: Overheard::new(is_drawn),
        ..Taken::default()
    }));
    let sink = taken.clone();
    let outcome = run(
        plan,
        Some(Box::new(move |moment| {
            let mut taken = sink.lock().unwrap_or_else(PoisonError::into_inner);
            taken.take(moment);
        })),
    );
    let mut taken = std::mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner));
    taken.keys_in_order(&outcome.history);
    let mut recording = taken.recording;
    recording.keys = outcome.history.keys.clone();
    recording.until = plan.until;
    recording.nodes = taken.cast;
    taken.overheard.report(&mut recording);
    Simulated {
        is_undecided: outcome.stats.undecided > 0,
        violation: outcome.violation,
        recording,
    }
}

/// What the simulator told so far.
#[derive(Default)]
struct Taken {
    recording: Recording,
    keys: BTreeMap<String, usize>,
    order: usize,
    cast: Vec<NodeId>,
    clients: usize,
    overheard: Overheard,
    is_over: bool,
}

impl Taken {
    fn take(&mut self, moment: Moment) {
        let at = moment.at / 1000;
        self.overheard.take(&moment, self.is_over);
        match moment.what {
            What::Asked {
                client,
                key,
                call,
                reading,
                ..
            } => {
                let number = self.keys.len();
                let key = *self.keys.entry(key.as_str().to_owned()).or_insert(number);
                self.order += 1;
                self.recording.asked.push(Asked {
                    process: usize::from(client),
                    key,
                    call,
                    reading,
                    end: End::Unknown,
                    is_void: false,
                    invoked: self.order,
                    returned: None,
                    due_at: at,
                    invoked_at: at,
                    returned_at: at,
                    entry: None,
                    is_final: usize::from(client) >= self.clients,
                });
            }
            What::LeftOut { client } if usize::from(client) < self.clients => {
                self.recording.left_out.push(at);
            }
            What::Replied {
                operation,
                entry: Some(entry),
                ..
            } => {
                if let Some(asked) = self.recording.asked.get_mut(operation)
                    && asked.call != Call::Read
                {
                    asked.entry = Some(entry);
                }
            }
            What::Answered { operation, end, .. } => self.learn(operation, end, at),
            What::Harmed { number, harm, .. } if number < FOR_EVER => {
                self.strike(number, harm, moment.place, at);
            }
            What::Lifted { number } => {
                let mut struck = self.recording.struck.iter_mut();
                if let Some(struck) = struck.find(|struck| struck.number == number) {
                    struck.until = Some(at);
                }
            }
            What::Healed { .. } => self.heal(at),
            What::Reported(event) => self.report(Some(node(moment.place)), event, at),
            What::Died { .. } => self.report(Some(node(moment.place)), Event::Killed, at),
            What::Started if at > 0 => {
                self.report(Some(node(moment.place)), Event::Revived, at);
            }
            What::DiskLost => self.report(Some(node(moment.place)), Event::Wiped, at),
            What::Operated { operation, whom } => self.recording.struck.push(Struck {
                number: 0,
                planned: Planned::Operation(operation),
                whom: whom.map(node).into_iter().collect(),
                what: words::planned(&Planned::Operation(operation), &self.cast),
                from: at,
                until: Some(at),
                void: None,
            }),
            _ => {}
        }
    }

    fn learn(&mut self, operation: usize, end: Option<End>, at: u64) {
        self.order += 1;
        let order = self.order;
        if let Some(asked) = self.recording.asked.get_mut(operation) {
            asked.is_void = end.is_none();
            asked.end = end.unwrap_or(End::Fail);
            (asked.returned, asked.returned_at) = (Some(order), at);
            if asked.call == Call::Delete && matches!(asked.end, End::Ok(Some(_))) {
                asked.call = Call::Read;
            }
        }
    }

    fn strike(&mut self, number: u32, harm: Harm, place: Place, at: u64) {
        let what = words::harm(&harm, node(place).as_str(), &self.cast);
        let whom = match harm {
            Harm::Partition(_) | Harm::Links { .. } => Vec::new(),
            _ => vec![node(place)],
        };
        self.recording.struck.push(Struck {
            number,
            planned: Planned::Harm(harm),
            whom,
            what,
            from: at,
            until: None,
            void: None,
        });
    }

    fn heal(&mut self, at: u64) {
        self.is_over = true;
        let open = self.recording.struck.iter_mut();
        for struck in open.filter(|struck| struck.until.is_none()) {
            struck.until = Some(at);
        }
    }

    fn report(&mut self, node: Option<NodeId>, event: Event, at: u64) {
        if let Event::Lost(loss) = &event {
            let end: &mut Ending = &mut self.recording.end;
            end.reported_count += loss.count;
            let named = loss.writes.iter();
            let named = named.map(|w| (w.key.as_str().to_owned(), w.entry.clone()));
            end.reported.extend(named);
        }
        self.recording.happened.push(Happened { at, node, event });
    }

    /// The keys in the order of their numbers, as the simulator has them.
    fn keys_in_order(&mut self, history: &History) {
        let names: BTreeMap<usize, &String> = self.keys.iter().map(|(k, n)| (*n, k)).collect();
        for asked in &mut self.recording.asked {
            let place = names
                .get(&asked.key)
                .and_then(|name| history.keys.iter().position(|key| key == *name));
            asked.key = place.unwrap_or(0);
        }
    }
}

fn node(place: Place) -> NodeId {
    NodeId::nth(usize::from(place) + 1)
}
