//! The tasks of a job and who sends to whom: what checkpoints and failover need to know of a program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exchange::Partitioning;
use crate::graph::JobGraph;
use crate::job::TaskId;

/// The tasks of a job and the exchanges between them. A chain that runs inside the task of another is part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    parallelism: BTreeMap<u32, u32>,
    exchanges: Vec<Exchange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Exchange {
    from: u32,
    to: u32,
    partitioning: Partitioning,
}

impl Topology {
    /// The tasks of a program.
    pub fn of(graph: &JobGraph) -> Self {
        let hosts = graph.vertices.iter().filter(|vertex| graph.host(vertex.id) == vertex.id);
        let crossing = graph.edges.iter().filter(|edge| !edge.inline);
        Self {
            parallelism: hosts.map(|vertex| (vertex.id, vertex.parallelism)).collect(),
            exchanges: crossing
                .map(|edge| Exchange {
                    from: graph.host(edge.from),
                    to: graph.host(edge.to),
                    partitioning: edge.partitioning,
                })
                .collect(),
        }
    }

    /// All tasks, by vertex and subtask.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.parallelism.iter().flat_map(|(&vertex, &parallelism)| {
            (0..parallelism).map(move |subtask| TaskId { vertex, subtask })
        })
    }

    /// How many tasks there are.
    pub fn task_count(&self) -> usize {
        self.parallelism.values().map(|parallelism| *parallelism as usize).sum()
    }

    /// The tasks that send to `task`.
    pub fn upstream(&self, task: TaskId) -> impl Iterator<Item = TaskId> {
        let entering = self.exchanges.iter().filter(move |exchange| exchange.to == task.vertex);
        entering.flat_map(move |exchange| {
            let (up, down) = (self.parallelism_of(exchange.from), self.parallelism_of(exchange.to));
            let senders = (0..up).filter(move |from| exchange.reaches(*from, up, task.subtask, down));
            senders.map(move |subtask| TaskId { vertex: exchange.from, subtask })
        })
    }

    fn parallelism_of(&self, vertex: u32) -> u32 {
        self.parallelism.get(&vertex).copied().unwrap_or(0)
    }
}

impl Exchange {
    fn reaches(&self, from: u32, up: u32, to: u32, down: u32) -> bool {
        match self.partitioning {
            Partitioning::Forward | Partitioning::Global | Partitioning::Rescale => {
                self.partitioning.targets(from, up, down).contains(&to)
            }
            Partitioning::Rebalance
            | Partitioning::Shuffle
            | Partitioning::Broadcast
            | Partitioning::Hash
            | Partitioning::Custom => true,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
