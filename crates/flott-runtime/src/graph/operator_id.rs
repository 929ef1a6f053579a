//! The identity under which an operator's state is stored and found again.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::{NodeId, StreamEdge, StreamGraph};

/// 128 bits that identify an operator across restarts.
///
/// The XXH3-128 hash of the operator's uid where it has one. Else the hash of its place in the graph, so that a
/// changed topology changes it: stateful operators should have a uid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperatorId(pub u128);

impl OperatorId {
    /// The id of an operator with this uid.
    pub fn of_uid(uid: &str) -> Self {
        Self(xxh3_128(uid.as_bytes()))
    }
}

impl std::fmt::Display for OperatorId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::fmt::Debug for OperatorId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OperatorId({self})")
    }
}

impl StreamGraph {
    /// The identity of a node.
    pub fn operator_id(&self, id: NodeId) -> OperatorId {
        // From the sources on: see `slot_sharing_groups`.
        let mut ids = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes[..id.0 as usize] {
            ids.push(self.operator_id_after(node.id, &ids));
        }
        self.operator_id_after(id, &ids)
    }

    /// The identity of an exchange, under which the records in it are stored: that of what it connects.
    pub fn exchange_id(&self, edge: &StreamEdge) -> OperatorId {
        // No uid begins with this byte either.
        let mut place = vec![0xfe];
        for node in [edge.from, edge.to] {
            place.extend_from_slice(&self.operator_id(node).0.to_le_bytes());
        }
        place.extend_from_slice(&edge.input.to_le_bytes());
        let is_same = |other: &&StreamEdge| {
            (other.from, other.input, &other.tag) == (edge.from, edge.input, &edge.tag) && other.id < edge.id
        };
        let same_before = self.inputs(edge.to).filter(is_same).count() as u32;
        place.extend_from_slice(&same_before.to_le_bytes());
        place.extend_from_slice(edge.tag.as_deref().unwrap_or_default().as_bytes());
        OperatorId(xxh3_128(&place))
    }

    /// The identity of a node, given those of all before it.
    fn operator_id_after(&self, id: NodeId, before: &[OperatorId]) -> OperatorId {
        if let Some(uid) = &self.node(id).uid {
            return OperatorId::of_uid(uid);
        }
        // No uid begins with this byte, as it is not UTF-8.
        let mut place = vec![0xff];
        place.extend_from_slice(&id.0.to_le_bytes());
        for input in self.inputs(id) {
            place.extend_from_slice(&before[input.from.0 as usize].0.to_le_bytes());
            if input.input > 0 {
                place.extend_from_slice(&input.input.to_le_bytes());
            }
        }
        OperatorId(xxh3_128(&place))
    }
}
