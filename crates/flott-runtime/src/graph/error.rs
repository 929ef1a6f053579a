//! What can be wrong with a program before it runs.

use std::collections::HashMap;

use flott_core::key_group::MAX_PARALLELISM_LIMIT;

use super::{NodeId, StreamGraph, StreamNode};
use crate::exchange::Partitioning;

/// A program that can't become a running job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// There is nothing to run.
    #[error("the program defines no operators: add a source and a sink before execute()")]
    Empty,

    /// Parallelism 0.
    #[error("operator '{operator}' has parallelism 0: it must be at least 1")]
    ZeroParallelism {
        /// The operator's name.
        operator: String,
    },

    /// More subtasks than key groups.
    #[error(
        "operator '{operator}' has parallelism {parallelism}, above its max parallelism {max_parallelism}: \
             lower the one or raise the other (at most {MAX_PARALLELISM_LIMIT})"
    )]
    AboveMaxParallelism {
        /// The operator's name.
        operator: String,
        /// What was set.
        parallelism: u32,
        /// What it must not exceed.
        max_parallelism: u32,
    },

    /// A max parallelism outside its range.
    #[error(
        "operator '{operator}' has max parallelism {max_parallelism}: it must be from 1 to \
             {MAX_PARALLELISM_LIMIT}"
    )]
    MaxParallelismOutOfRange {
        /// The operator's name.
        operator: String,
        /// What was set.
        max_parallelism: u32,
    },

    /// A parallelism above 1 for an operator that can't run in parallel.
    #[error("operator '{operator}' can't run in parallel, but its parallelism was set to {parallelism}")]
    NonParallel {
        /// The operator's name.
        operator: String,
        /// What was set.
        parallelism: u32,
    },

    /// `forward` between different parallelisms.
    #[error(
        "forward from '{from}' (parallelism {from_parallelism}) to '{to}' (parallelism {to_parallelism}) \
             needs equal parallelism: use rebalance or rescale"
    )]
    ForwardParallelism {
        /// The sending operator.
        from: String,
        /// Its parallelism.
        from_parallelism: u32,
        /// The receiving operator.
        to: String,
        /// Its parallelism.
        to_parallelism: u32,
    },

    /// Two operators with one uid.
    #[error("operators '{first}' and '{second}' have the same uid '{uid}': state could not be told apart")]
    DuplicateUid {
        /// The uid.
        uid: String,
        /// One operator.
        first: String,
        /// The other.
        second: String,
    },

    /// Two side outputs of one name and different types.
    #[error(
        "side output '{tag}' of operator '{operator}' is used with the types {first} and {second}: \
             a tag has one type"
    )]
    SideOutputType {
        /// The tag's name.
        tag: String,
        /// The operator's name.
        operator: String,
        /// One type.
        first: String,
        /// The other.
        second: String,
    },

    /// A setting of an operator that can never work.
    #[error("operator '{operator}': {problem}")]
    Invalid {
        /// The operator's name.
        operator: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

pub(super) fn validate(graph: &StreamGraph) -> Result<(), GraphError> {
    if graph.nodes.is_empty() {
        return Err(GraphError::Empty);
    }
    graph.nodes.iter().try_for_each(|node| validate_parallelism(graph, node))?;
    validate_forward(graph)?;
    validate_uids(graph)
}

fn validate_parallelism(graph: &StreamGraph, node: &StreamNode) -> Result<(), GraphError> {
    let operator = node.name.clone();
    match node.parallelism {
        Some(parallelism) if node.non_parallel && parallelism != 1 => {
            return Err(GraphError::NonParallel { operator, parallelism });
        }
        _ => {}
    }
    let parallelism = graph.parallelism_of(node);
    if parallelism == 0 {
        return Err(GraphError::ZeroParallelism { operator });
    }
    let max_parallelism = graph.max_parallelism_of(node);
    if !(1..=MAX_PARALLELISM_LIMIT).contains(&max_parallelism) {
        return Err(GraphError::MaxParallelismOutOfRange { operator, max_parallelism });
    }
    if parallelism > max_parallelism {
        return Err(GraphError::AboveMaxParallelism { operator, parallelism, max_parallelism });
    }
    Ok(())
}

fn validate_forward(graph: &StreamGraph) -> Result<(), GraphError> {
    for edge in &graph.edges {
        let (from, to) = (graph.node(edge.from), graph.node(edge.to));
        let (from_parallelism, to_parallelism) = (graph.parallelism_of(from), graph.parallelism_of(to));
        if graph.partitioning_of(edge) == Partitioning::Forward && from_parallelism != to_parallelism {
            let (from, to) = (from.name.clone(), to.name.clone());
            return Err(GraphError::ForwardParallelism { from, from_parallelism, to, to_parallelism });
        }
    }
    Ok(())
}

fn validate_uids(graph: &StreamGraph) -> Result<(), GraphError> {
    let mut owners: HashMap<&str, NodeId> = HashMap::new();
    for node in &graph.nodes {
        let Some(uid) = &node.uid else { continue };
        if let Some(first) = owners.insert(uid, node.id) {
            let (first, second) = (graph.node(first).name.clone(), node.name.clone());
            return Err(GraphError::DuplicateUid { uid: uid.clone(), first, second });
        }
    }
    Ok(())
}
