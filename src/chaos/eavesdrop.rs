//! What nodes say to each other in a live run: counted, and noted where the run is to be drawn. The cluster notes; when all is
//! over, it is asked for its notes.

use std::time::Duration;

use crate::chaos::recording::Recording;
use crate::chaos::stage::Stage;
use crate::client::control::ControlClient;
use crate::sim::plan::Micros;
use crate::wire::messages::{Counted, LONGEST, Passed};

/// How long everything behind the schedule may take.
const AFTERWARDS: u64 = 300;

/// Listens to the nodes of a cluster.
pub(super) struct Eavesdropper {
    control: ControlClient,
    before: Option<Counted>,
    counted: Option<Counted>,
    takes_notes: bool,
}

impl Eavesdropper {
    /// Begins to listen, and with `takes_notes` to note, to a run that takes so long. A server that knows nothing of messages
    /// leaves them uncounted.
    pub(super) async fn begin(stage: &Stage, time: Micros, takes_notes: bool) -> Eavesdropper {
        let control = stage.control.clone();
        let seconds = Duration::from_micros(time).as_secs() + AFTERWARDS;
        let seconds = seconds.min(LONGEST);
        let takes_notes = takes_notes && control.note_messages(seconds).await.is_ok();
        Eavesdropper {
            before: control.counted().await.ok(),
            counted: None,
            takes_notes,
            control,
        }
    }

    /// The schedule is over: what is said from now on is not for clients.
    pub(super) async fn end_counting(&mut self) {
        let now = self.control.counted().await.ok();
        self.counted = now.zip(self.before).map(|(now, then)| now.since(then));
    }

    /// Everything is over: what was heard.
    pub(super) async fn report(self, stage: &Stage, recording: &mut Recording) {
        recording.messages = self.counted;
        if !self.takes_notes {
            return;
        }
        let (mut from, over) = (0, stage.clock.now());
        while let Ok(messages) = self.control.messages(from).await
            && let Some(last) = messages.noted.last()
            // Others may go on, and no page be the last.
            && (from == 0 || stage.clock.at(last.sent).is_none_or(|sent| sent <= over))
        {
            from = last.number + 1;
            recording.forgotten = messages.forgotten;
            let noted = messages.noted.into_iter();
            recording
                .passed
                .extend(noted.filter_map(|passed| of_the_run(stage, passed)));
        }
        let _ = self.control.note_messages(0).await;
    }
}

/// A message by the run's own time.
fn of_the_run(stage: &Stage, passed: Passed) -> Option<Passed> {
    Some(Passed {
        sent: stage.clock.at(passed.sent)?,
        arrives: passed.arrives.and_then(|at| stage.clock.at(at)),
        ..passed
    })
}
