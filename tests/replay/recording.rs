//! Everything that live nodes were told and said, life by life, and how a life is lived again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cluster::protocol::Input;
use cluster::runtime::{Birth, Step, Tap, Tapped};
use cluster::types::NodeId;

use crate::said::{kind, name, said};

/// One life of one node.
#[derive(Clone)]
pub struct Life {
    pub node: NodeId,
    pub birth: Birth,
    pub steps: Vec<Step>,
}

/// The lives of a cluster's nodes. Cheap to clone: all clones are the same.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    /// In order of birth.
    lives: Vec<Life>,
    /// Which of them each node lives now.
    present: BTreeMap<NodeId, usize>,
    /// How often each kind of input and action was seen.
    seen: BTreeMap<String, usize>,
    /// Who is to stand still at its next step, and for how long.
    stall: Option<(NodeId, Duration)>,
}

impl Recorder {
    pub fn tap(&self) -> Tap {
        let recorder = self.clone();
        Tap::new(move |node, tapped| recorder.hear(node, tapped))
    }

    fn hear(&self, node: &NodeId, tapped: Tapped) {
        let mut book = self.book();
        match tapped {
            Tapped::Born(birth) => book.begin(node, *birth),
            Tapped::Stepped(step) => book.add(node, *step),
        }
        let stall = book.stall.take_if(|(who, _)| who == node);
        drop(book);
        if let Some((_, time)) = stall {
            // This is the fault itself: the node's task stands still.
            std::thread::sleep(time);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("the recorder does not panic")
    }

    /// Has `node` stand still for `time` in its next step.
    pub fn stall(&self, node: &NodeId, time: Duration) {
        self.book().stall = Some((node.clone(), time));
    }

    /// How often this kind of input (`in Append`) or action (`persist Append`) was seen.
    pub fn seen(&self, kind: &str) -> usize {
        self.book().seen.get(kind).copied().unwrap_or(0)
    }

    /// Every life so far.
    pub fn lives(&self) -> Vec<Life> {
        self.book().lives.clone()
    }

    /// Lives every life again. Each must be the same, and all of `kinds` must have been in them.
    pub fn assert_same_again(&self, kinds: &[&str]) {
        let lives = self.lives();
        for life in &lives {
            if let Err(difference) = life.again() {
                panic!("{difference}");
            }
        }
        let seen = self.book().seen.clone();
        let missing: Vec<_> = kinds.iter().filter(|kind| self.seen(kind) == 0).collect();
        assert!(missing.is_empty(), "never seen: {missing:?} in {seen:#?}");
        let empty = lives.iter().filter(|life| life.steps.is_empty()).count();
        assert!(empty < lives.len(), "nothing was recorded");
    }
}

impl Book {
    fn begin(&mut self, node: &NodeId, birth: Birth) {
        self.present.insert(node.clone(), self.lives.len());
        self.lives.push(Life {
            node: node.clone(),
            birth,
            steps: Vec::new(),
        });
    }

    fn add(&mut self, node: &NodeId, step: Step) {
        let kinds = step.actions.iter().map(kind);
        for kind in kinds.chain([kind_of_input(&step.input)]) {
            *self.seen.entry(kind).or_default() += 1;
        }
        let at = self.present[node];
        self.lives[at].steps.push(step);
    }
}

impl Life {
    /// Lives it again; the first difference, if there is one.
    pub fn again(&self) -> Result<(), String> {
        let mut node = self.birth.node();
        for (at, step) in self.steps.iter().enumerate() {
            let actions = node.step(step.now, step.input.clone());
            let (was, is) = (
                said(&step.actions, step.due),
                said(&actions, node.next_deadline()),
            );
            if was != is {
                let (node, all) = (&self.node, self.steps.len());
                let input = format!("at {:?}: {:?}", step.now, step.input);
                return Err(format!(
                    "{node}, step {at} of {all}, {input}\nit said {was:#?}\nand now {is:#?}"
                ));
            }
        }
        Ok(())
    }
}

/// Its kind, in two words.
fn kind_of_input(input: &Input) -> String {
    match input {
        Input::Message { message, .. } => format!("in {:?}", message.kind()),
        other => format!("in {}", name(other)),
    }
}
