//! A node that lives, as its launcher holds it.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::protocol::{MemberChange, Reply};
use crate::runtime::call::Call;
use crate::runtime::ice::Standstill;
use crate::runtime::view::Window;
use crate::storage::Disk;
use crate::types::NodeId;

/// A node that lives.
pub struct RunningNode {
    pub(super) inbox: mpsc::Sender<Call>,
    pub(super) window: Window,
    pub(super) standstill: Standstill,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) task: JoinHandle<Option<Box<dyn Disk>>>,
}

impl RunningNode {
    /// Lets it take part; with `bootstrap` all nodes of a new cluster do so now.
    pub async fn begin(&self, bootstrap: bool) {
        // A node that is gone takes no part.
        let _ = self.inbox.send(Call::Begin { bootstrap }).await;
    }

    /// What it shows.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Lets it stand still.
    pub fn pause(&self) {
        self.standstill.begin();
    }

    /// Lets it go on: first it is told what was held for it.
    pub async fn resume(&self) {
        self.standstill.end().await;
    }

    /// Votes again, though its disk was lost.
    pub async fn trust(&self) {
        let _ = self.inbox.send(Call::Trust).await;
    }

    /// Asks it, if it leads, to change the members.
    pub fn change_members(&self, change: MemberChange) -> impl Future<Output = Reply> + use<> {
        ask(self.inbox(), |answer| Call::Members { change, answer })
    }

    /// Asks it whether it may be read: whoever leads answers once a majority has confirmed that it does (§6.4).
    pub fn confirm(&self) -> impl Future<Output = Reply> + use<> {
        ask(self.inbox(), |answer| Call::Read { answer })
    }

    /// Asks it, if it leads, to hand over.
    pub fn transfer(&self, to: Option<NodeId>) -> impl Future<Output = Reply> + use<> {
        ask(self.inbox(), |answer| Call::Transfer { to, answer })
    }

    fn inbox(&self) -> mpsc::Sender<Call> {
        self.inbox.clone()
    }

    /// Kills it: its task is gone, its port closed, every connection reset, and nobody gets an answer any more. Returns
    /// its disk; `None` if the task had failed.
    pub async fn kill(self) -> Option<Box<dyn Disk>> {
        self.stop.cancel();
        self.standstill.end_now();
        self.tasks.close();
        let disk = self.task.await.ok().flatten();
        self.tasks.wait().await;
        disk
    }
}

/// Asks without holding on to the node, which may be killed meanwhile.
async fn ask(
    inbox: mpsc::Sender<Call>,
    call: impl FnOnce(oneshot::Sender<Reply>) -> Call,
) -> Reply {
    let (answer, wait) = oneshot::channel();
    let sent = inbox.send(call(answer)).await;
    match (sent, wait.await) {
        (Ok(()), Ok(reply)) => reply,
        _ => Reply::Unknown {
            reason: "the node that was asked is gone".to_owned(),
        },
    }
}
