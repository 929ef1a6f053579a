//! A program as plain data: first as the user wrote it ([`StreamGraph`]), then as chains ([`JobGraph`]).
//!
//! Both can be printed, compared and sent to another process. The code that belongs to the nodes, the user's
//! closures, is kept beside them in a [`crate::program::Program`].

mod chaining;
mod error;
mod job_graph;
mod operator_id;

use flott_core::key_group::default_max_parallelism;
use serde::{Deserialize, Serialize};

pub use chaining::ChainingStrategy;
pub use error::GraphError;
pub use job_graph::{JobEdge, JobGraph, JobVertex};
pub use operator_id::OperatorId;

use crate::exchange::Partitioning;

/// Identifies a node within its graph: its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// The group of operators that may share a slot, if none is set.
pub const DEFAULT_SLOT_SHARING_GROUP: &str = "default";

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeKind {
    /// Reads from outside.
    Source,
    /// Transforms.
    Operator,
    /// Writes to the outside.
    Sink,
}

/// One operator of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamNode {
    /// Its position in [`StreamGraph::nodes`].
    pub id: NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// The name shown to people.
    pub name: String,
    /// The user's stable identity for the operator's state.
    pub uid: Option<String>,
    /// Parallelism, if set for this operator.
    pub parallelism: Option<u32>,
    /// Whether the operator can't run in parallel, whatever is set (Flink: `forceNonParallel`).
    pub non_parallel: bool,
    /// Number of key groups, if set for this operator.
    pub max_parallelism: Option<u32>,
    /// Whether it may be chained.
    pub chaining: ChainingStrategy,
    /// The slot sharing group, if set for this operator.
    pub slot_sharing_group: Option<String>,
}

/// A stream from one operator to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEdge {
    /// Its position in [`StreamGraph::edges`].
    pub id: u32,
    /// The sending node.
    pub from: NodeId,
    /// The receiving node.
    pub to: NodeId,
    /// Which input of the receiving node it leads to: 0, or 1 for the second of a node with two.
    pub input: u32,
    /// The side output it carries, or the main output.
    pub tag: Option<String>,
    /// How records are spread, if the user said so; else forward or rebalance, as parallelism demands.
    pub partitioning: Option<Partitioning>,
}

/// The settings of a graph as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphDefaults {
    /// Parallelism of nodes that set none.
    pub parallelism: u32,
    /// Number of key groups of nodes that set none; derived from the parallelism if `None`.
    pub max_parallelism: Option<u32>,
    /// Whether operators are chained at all.
    pub chaining: bool,
    /// Whether an exchange from one subtask to one subtask is a call inside one task.
    pub inline_exchanges: bool,
}

/// A program as its user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamGraph {
    /// The operators; the position is the id. Every edge leads from a smaller to a larger id.
    pub nodes: Vec<StreamNode>,
    /// The streams between them; the position is the id.
    pub edges: Vec<StreamEdge>,
    /// What holds where a node sets nothing.
    pub defaults: GraphDefaults,
}

impl StreamGraph {
    /// The parallelism that a node will run with.
    pub fn parallelism_of(&self, node: &StreamNode) -> u32 {
        if node.non_parallel { 1 } else { node.parallelism.unwrap_or(self.defaults.parallelism) }
    }

    /// The number of key groups that a node will have.
    pub fn max_parallelism_of(&self, node: &StreamNode) -> u32 {
        let set = node.max_parallelism.or(self.defaults.max_parallelism);
        set.unwrap_or_else(|| default_max_parallelism(self.parallelism_of(node)))
    }

    /// The partitioning of an edge: what the user said, else forward between equal parallelisms and rebalance
    /// between others.
    pub fn partitioning_of(&self, edge: &StreamEdge) -> Partitioning {
        edge.partitioning.unwrap_or_else(|| {
            let [from, to] = [edge.from, edge.to].map(|id| self.parallelism_of(self.node(id)));
            if from == to { Partitioning::Forward } else { Partitioning::Rebalance }
        })
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &StreamNode {
        &self.nodes[id.0 as usize]
    }

    /// The edges into a node, in the order in which they were made.
    pub fn inputs(&self, id: NodeId) -> impl Iterator<Item = &StreamEdge> {
        self.edges.iter().filter(move |edge| edge.to == id)
    }

    /// The edges out of a node.
    pub fn outputs(&self, id: NodeId) -> impl Iterator<Item = &StreamEdge> {
        self.edges.iter().filter(move |edge| edge.from == id)
    }

    /// The slot sharing group of a node: its own, else that of its inputs where they agree, else the default.
    pub fn slot_sharing_group_of(&self, id: NodeId) -> &str {
        self.slot_sharing_groups()[id.0 as usize]
    }

    /// [`StreamGraph::slot_sharing_group_of`] of all nodes, by id.
    pub(crate) fn slot_sharing_groups(&self) -> Vec<&str> {
        // From the sources on, for asking each node's inputs for theirs takes exponential time in stacked diamonds.
        let mut groups: Vec<&str> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut inputs = self.inputs(node.id).map(|edge| groups[edge.from.0 as usize]);
            let group = match (&node.slot_sharing_group, inputs.next()) {
                (Some(own), _) => own,
                (None, Some(first)) if inputs.all(|group| group == first) => first,
                _ => DEFAULT_SLOT_SHARING_GROUP,
            };
            groups.push(group);
        }
        groups
    }

    /// Checks what can be checked before anything runs.
    ///
    /// # Errors
    /// The first rule that is broken, with the operator's name.
    pub fn validate(&self) -> Result<(), GraphError> {
        error::validate(self)
    }
}

#[cfg(test)]
mod tests;
