//! Faults of nodes themselves: they stand still, their clocks run wrong, their disks fail.

use crate::engine::EngineError;
use crate::runtime::cluster::Cluster;
use crate::runtime::troubles::Ordered;
use crate::types::NodeId;
use crate::wire::faults::{FaultInForce, Trouble};

impl Cluster {
    /// Whether it was made to stand still.
    pub(super) fn is_paused(&self, id: &NodeId) -> bool {
        self.book
            .list()
            .iter()
            .any(|fault| matches!(fault.trouble, Trouble::Pause { .. }) && fault.nodes.contains(id))
    }

    pub(super) async fn set_on_nodes(
        &self,
        _trouble: Trouble,
        _ordered: &Ordered,
    ) -> Result<Vec<FaultInForce>, EngineError> {
        Err(EngineError::Refused("not built yet".to_owned()))
    }

    pub(super) async fn undo_on_nodes(&self, _fault: &FaultInForce) -> Result<(), EngineError> {
        Ok(())
    }
}
