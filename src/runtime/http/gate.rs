//! Reads that must be confirmed pass a gate together: those that come while one question to the node is under way wait
//! for the next, and share it. One question a round costs the node's task one turn, however many clients read.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::protocol::Reply;
use crate::runtime::call::Call;
use crate::runtime::http::Service;

/// Where reads wait.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    is_asked: bool,
    waiting: Vec<oneshot::Sender<Reply>>,
}

impl Gate {
    /// Those who wait for the next question; `None` if nobody does, and then nobody asks any more.
    fn next(&self) -> Option<Vec<oneshot::Sender<Reply>>> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut queue.waiting);
        queue.is_asked = !waiting.is_empty();
        queue.is_asked.then_some(waiting)
    }

    /// Waits; whether it has to ask for all.
    fn enter(&self) -> (oneshot::Receiver<Reply>, bool) {
        let (answer, wait) = oneshot::channel();
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(answer);
        (wait, !std::mem::replace(&mut queue.is_asked, true))
    }
}

impl Service {
    /// Waits until a question that was asked after this call is answered.
    pub(super) async fn confirmed(&self) -> Reply {
        let (wait, is_first) = self.gate.enter();
        if is_first {
            tokio::spawn(ask_for_all(self.clone()));
        }
        match wait.await {
            Ok(reply) => reply,
            // The node is gone, and this connection with it.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn ask_for_all(service: Service) {
    while let Some(waiting) = service.gate.next() {
        let Some(reply) = service.try_ask(|answer| Call::Read { answer }).await else {
            return;
        };
        for answer in waiting {
            // A client that went away waits for nothing.
            let _ = answer.send(reply.clone());
        }
    }
}
