//! Standing still, as under SIGSTOP: whatever a node does is not polled until it thaws. What the system does for it goes
//! on: its port is connected to, and what is sent to it waits in the sockets.
//!
//! The ports thaw a moment before the mind, so that what was held is at hand when the node looks at its clock: it takes
//! that first, and then acts on what it believes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::faults::UNBREAKABLE;

/// How long the ports have to take in what was held.
const HEAD_START: Duration = Duration::from_millis(10);

/// What can stand still. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Ice(Arc<Frost>);

#[derive(Debug, Default)]
struct Frost {
    is_frozen: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Ice {
    /// Does `work`, but not while it is frozen.
    pub(super) async fn hold<F: Future>(&self, work: F) -> F::Output {
        if UNBREAKABLE {
            return work.await;
        }
        let mut work = pin!(work);
        poll_fn(|context| match self.poll_thawed(context) {
            Poll::Ready(()) => work.as_mut().poll(context),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn poll_thawed(&self, context: &mut Context<'_>) -> Poll<()> {
        if !self.0.is_frozen.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        let mut wakers = self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: who thaws it sees this waker, or is seen here.
        if !self.0.is_frozen.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn freeze(&self) {
        self.0.is_frozen.store(true, Ordering::SeqCst);
    }

    fn thaw(&self) {
        let mut wakers = self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.is_frozen.store(false, Ordering::SeqCst);
        let woken = std::mem::take(&mut *wakers);
        drop(wakers);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// A node's two parts that stand still together.
#[derive(Debug, Clone, Default)]
pub struct Standstill {
    /// What speaks with others.
    pub(super) ports: Ice,
    /// What decides.
    pub(super) mind: Ice,
}

impl Standstill {
    /// Everything stands still.
    pub(super) fn begin(&self) {
        self.mind.freeze();
        self.ports.freeze();
    }

    /// Everything goes on, the mind once it has been told what was held.
    pub(super) async fn end(&self) {
        self.ports.thaw();
        tokio::time::sleep(HEAD_START).await;
        self.mind.thaw();
    }

    /// Everything goes on at once: it is being killed.
    pub(super) fn end_now(&self) {
        self.ports.thaw();
        self.mind.thaw();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_frozen_goes_on_where_it_was_once_it_thaws() {
        let ice = Ice::default();
        let (told, mut heard) = tokio::sync::mpsc::channel(4);
        let (held, work) = (ice.clone(), async move {
            while let Some(word) = heard.recv().await {
                if word == "end" {
                    break;
                }
            }
        });
        let task = tokio::spawn(async move { held.hold(work).await });
        assert!(told.send("go").await.is_ok());
        ice.freeze();
        assert!(told.send("end").await.is_ok());
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!task.is_finished());
        ice.thaw();
        assert!(task.await.is_ok());
    }
}
