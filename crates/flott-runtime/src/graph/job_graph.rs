//! Chains: what becomes a task.

use serde::{Deserialize, Serialize};

use super::chaining::chained_edges;
use super::{GraphError, NodeId, NodeKind, StreamEdge, StreamGraph};
use crate::checkpoint::settings::CheckpointSettings;
use crate::exchange::Partitioning;

/// A chain of operators that run in one task, in as many subtasks as its parallelism says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobVertex {
    /// Its position in [`JobGraph::vertices`].
    pub id: u32,
    /// The names of its operators: `A -> B -> (C, D)`.
    pub name: String,
    /// The first operator.
    pub head: NodeId,
    /// All operators; each comes after the one that feeds it.
    pub nodes: Vec<NodeId>,
    /// The number of subtasks.
    pub parallelism: u32,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// The slot sharing group.
    pub slot_sharing_group: String,
}

/// An exchange between two vertices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEdge {
    /// The [`super::StreamEdge`] it stands for.
    pub edge: u32,
    /// The sending vertex.
    pub from: u32,
    /// The receiving vertex.
    pub to: u32,
    /// How records are spread.
    pub partitioning: Partitioning,
    /// Whether the receiving vertex runs inside the task of the sending one, as both have one subtask.
    pub inline: bool,
}

/// A program as chains and the exchanges between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobGraph {
    /// The chains, sources first; the position is the id.
    pub vertices: Vec<JobVertex>,
    /// The exchanges.
    pub edges: Vec<JobEdge>,
}

impl JobGraph {
    /// Checks a program and cuts it into chains.
    ///
    /// # Errors
    /// As [`StreamGraph::validate`].
    pub fn of(graph: &StreamGraph) -> Result<Self, GraphError> {
        graph.validate()?;
        let chained = chained_edges(graph);
        let mut vertex_of = vec![0; graph.nodes.len()];
        let mut vertices: Vec<JobVertex> = Vec::new();
        for node in &graph.nodes {
            let feeding = graph.inputs(node.id).find(|edge| chained[edge.id as usize]);
            let vertex = match feeding {
                Some(edge) => vertex_of[edge.from.0 as usize],
                None => {
                    vertices.push(vertex(graph, node.id, vertices.len() as u32));
                    vertices.len() - 1
                }
            };
            vertices[vertex].nodes.push(node.id);
            vertex_of[node.id.0 as usize] = vertex;
        }
        for vertex in &mut vertices {
            vertex.name = chain_name(graph, &chained, vertex.head);
        }
        let exchanges = graph.edges.iter().filter(|edge| !chained[edge.id as usize]);
        let edges = exchanges.map(|edge| {
            let [from, to] = [edge.from, edge.to].map(|node| vertex_of[node.0 as usize]);
            // A task has one number of key groups, by which its state is stored.
            let same_groups = vertices[from].max_parallelism == vertices[to].max_parallelism;
            JobEdge {
                edge: edge.id,
                from: from as u32,
                to: to as u32,
                partitioning: graph.partitioning_of(edge),
                inline: same_groups && is_inline(graph, edge),
            }
        });
        Ok(Self { edges: edges.collect(), vertices })
    }

    /// How many subtasks the vertices have together.
    pub fn task_count(&self) -> usize {
        self.vertices.iter().map(|vertex| vertex.parallelism as usize).sum()
    }

    /// The vertex whose task runs this one: itself, or the one before it if the exchange between them is inline.
    pub fn host(&self, vertex: u32) -> u32 {
        let inline = self.edges.iter().find(|edge| edge.inline && edge.to == vertex);
        inline.map_or(vertex, |edge| self.host(edge.from))
    }

    /// Whether barriers may overtake records before a vertex. Not where any input is pointwise or a broadcast, for what lies in such
    /// a channel couldn't be divided among another number of subtasks (Flink: `StreamGraphGenerator`).
    pub fn is_overtakable(&self, vertex: u32) -> bool {
        let mut inputs = self.edges.iter().filter(|edge| edge.to == vertex);
        inputs.all(|edge| {
            let pointwise = matches!(edge.partitioning, Partitioning::Forward | Partitioning::Rescale);
            !pointwise && edge.partitioning != Partitioning::Broadcast
        })
    }

    /// Checks that barriers may overtake records if they are to.
    ///
    /// # Errors
    /// When a function of the user's spreads records, unless that is forced: state need not move as it says.
    pub(crate) fn check_overtaking(
        &self,
        graph: &StreamGraph,
        settings: &CheckpointSettings,
    ) -> Result<(), GraphError> {
        let custom = self.edges.iter().find(|edge| edge.partitioning == Partitioning::Custom);
        let Some(edge) = custom.filter(|_| settings.unaligned && !settings.unaligned_forced) else {
            return Ok(());
        };
        let problem = "execution.checkpointing.unaligned.enabled is set, but a custom partitioner spreads its records, which may not \
                       fit its state when the job is restored at another parallelism: leave it out, or set \
                       execution.checkpointing.unaligned.forced to true";
        let operator = graph.node(self.vertices[edge.to as usize].head).name.clone();
        Err(GraphError::Invalid { operator, problem: problem.to_owned() })
    }

    /// How many slots the job needs: the largest parallelism of each slot sharing group, added up.
    pub fn slots_needed(&self) -> u32 {
        let mut groups = std::collections::BTreeMap::new();
        for vertex in &self.vertices {
            let slots = groups.entry(vertex.slot_sharing_group.as_str()).or_insert(0);
            *slots = vertex.parallelism.max(*slots);
        }
        groups.values().sum()
    }
}

/// Whether an exchange is a call inside one task: it leads from one subtask to one subtask that has no other input, so
/// a thread and a queue of its own would only cost. What the user has kept apart, by a slot sharing group or by not
/// chaining, stays apart, and so does a forward edge that is not chained.
fn is_inline(graph: &StreamGraph, edge: &StreamEdge) -> bool {
    let single = |id| graph.parallelism_of(graph.node(id)) == 1;
    graph.defaults.inline_exchanges
        && graph.defaults.chaining
        && single(edge.from)
        && single(edge.to)
        && !matches!(graph.partitioning_of(edge), Partitioning::Forward | Partitioning::Custom)
        && graph.inputs(edge.to).count() == 1
        && graph.slot_sharing_group_of(edge.from) == graph.slot_sharing_group_of(edge.to)
}

fn vertex(graph: &StreamGraph, head: NodeId, id: u32) -> JobVertex {
    let node = graph.node(head);
    JobVertex {
        id,
        name: String::new(),
        head,
        nodes: Vec::new(),
        parallelism: graph.parallelism_of(node),
        max_parallelism: graph.max_parallelism_of(node),
        slot_sharing_group: graph.slot_sharing_group_of(head).to_owned(),
    }
}

fn chain_name(graph: &StreamGraph, chained: &[bool], id: NodeId) -> String {
    let node = graph.node(id);
    let prefix = match node.kind {
        NodeKind::Source => "Source: ",
        NodeKind::Operator => "",
        NodeKind::Sink => "Sink: ",
    };
    let edges = graph.outputs(id).filter(|edge| chained[edge.id as usize]);
    let followers: Vec<String> = edges.map(|edge| chain_name(graph, chained, edge.to)).collect();
    match followers.as_slice() {
        [] => format!("{prefix}{}", node.name),
        [only] => format!("{prefix}{} -> {only}", node.name),
        many => format!("{prefix}{} -> ({})", node.name, many.join(", ")),
    }
}
