//! Whom to ask next: who says that it leads, whoever is said to lead, otherwise one after the other. A node that stands still
//! takes a write and answers nothing, and then nobody knows what became of it: as long as others answer it is not asked.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep, timeout_at};

use crate::cli::failure::Failure;
use crate::cli::target;
use crate::client::data::NoAnswer;
use crate::types::Role;
use crate::wire::control::NodeAddress;

/// How long to wait before asking around again, while nobody leads.
const GLANCE: Duration = Duration::from_millis(20);

/// How long a node may take to say what it is. Whoever leads answers sooner, and ends it.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) struct Search<'a> {
    nodes: &'a [NodeAddress],
    /// Those to be asked in this round.
    round: Vec<NodeAddress>,
    hint: Option<NodeAddress>,
}

impl<'a> Search<'a> {
    /// Among `nodes`; first of all `only`, if that is given.
    pub(super) fn of(nodes: &'a [NodeAddress], only: Option<&NodeAddress>) -> Search<'a> {
        Search {
            nodes,
            round: Vec::new(),
            hint: only.cloned(),
        }
    }

    /// The next.
    pub(super) async fn node(&mut self) -> Result<NodeAddress, Failure> {
        if let Some(hint) = self.hint.take() {
            return Ok(hint);
        }
        if self.round.is_empty() {
            self.round = look_around(self.nodes).await?;
        }
        Ok(self.round.remove(0))
    }

    /// The last that was asked is not the one, and says that `leader` is.
    pub(super) fn refused(&mut self, leader: Option<&str>) {
        let mut nodes = self.nodes.iter();
        self.hint = nodes.find(|node| Some(node.id.as_str()) == leader).cloned();
    }

    /// A little time before the next round.
    pub(super) async fn pause(&self) {
        if self.hint.is_none() && self.round.is_empty() {
            sleep(GLANCE).await;
        }
    }
}

/// Whoever says that it leads; else all that answer; else all.
async fn look_around(nodes: &[NodeAddress]) -> Result<Vec<NodeAddress>, Failure> {
    let client = target::data_client(PATIENCE)?;
    let deadline = Instant::now() + PATIENCE;
    let ask = async |node: &NodeAddress| (node.clone(), client.status(&node.url, false).await);
    let mut asked: FuturesUnordered<_> = nodes.iter().map(ask).collect();
    let mut here = Vec::new();
    while let Ok(Some((node, answer))) = timeout_at(deadline, asked.next()).await {
        match answer {
            Ok(status) if status.role == Role::Leader => return Ok(vec![node]),
            Ok(_) | Err(NoAnswer::Strange(_) | NoAnswer::Declined(_)) => here.push(node),
            Err(NoAnswer::Refused | NoAnswer::Silent(_)) => {}
        }
    }
    let order = |node: &NodeAddress| nodes.iter().position(|other| other.id == node.id);
    here.sort_by_key(order);
    Ok(if here.is_empty() {
        nodes.to_vec()
    } else {
        here
    })
}
