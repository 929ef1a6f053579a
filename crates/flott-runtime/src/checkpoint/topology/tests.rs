use super::*;
use crate::graph::{JobEdge, JobVertex, NodeId};

/// A job of vertices with these parallelisms and of these exchanges.
pub(crate) fn job(parallelisms: &[u32], exchanges: &[(u32, u32, Partitioning)]) -> Topology {
    Topology::of(&graph(parallelisms, exchanges))
}

pub(crate) fn task(vertex: u32, subtask: u32) -> TaskId {
    TaskId { vertex, subtask }
}

fn graph(parallelisms: &[u32], exchanges: &[(u32, u32, Partitioning)]) -> JobGraph {
    let vertices = parallelisms.iter().enumerate().map(|(id, &parallelism)| JobVertex {
        id: id as u32,
        name: format!("v{id}"),
        head: NodeId(id as u32),
        nodes: vec![NodeId(id as u32)],
        parallelism,
        max_parallelism: 128,
        slot_sharing_group: "default".to_owned(),
    });
    let edges = exchanges.iter().enumerate().map(|(edge, &(from, to, partitioning))| JobEdge {
        edge: edge as u32,
        from,
        to,
        partitioning,
        inline: false,
    });
    JobGraph { vertices: vertices.collect(), edges: edges.collect() }
}

#[test]
fn behind_a_hash_exchange_every_task_hears_from_every_sender() {
    let job = job(&[2, 3], &[(0, 1, Partitioning::Hash)]);
    assert_eq!(job.task_count(), 5);
    assert_eq!(job.upstream(task(1, 2)).collect::<Vec<_>>(), [task(0, 0), task(0, 1)]);
    assert_eq!(job.upstream(task(0, 0)).count(), 0);
}

#[test]
fn behind_a_pointwise_exchange_a_task_hears_from_its_own_senders() {
    let forward = job(&[3, 3], &[(0, 1, Partitioning::Forward)]);
    assert_eq!(forward.upstream(task(1, 2)).collect::<Vec<_>>(), [task(0, 2)]);
    let rescale = job(&[4, 2], &[(0, 1, Partitioning::Rescale)]);
    assert_eq!(rescale.upstream(task(1, 1)).collect::<Vec<_>>(), [task(0, 2), task(0, 3)]);
    let global = job(&[2, 2], &[(0, 1, Partitioning::Global)]);
    assert_eq!(global.upstream(task(1, 1)).count(), 0);
}

#[test]
fn a_chain_inside_the_task_of_another_is_no_task_and_its_exchanges_are_the_others() {
    let mut graph = graph(&[1, 1, 2], &[(0, 1, Partitioning::Hash), (1, 2, Partitioning::Rebalance)]);
    graph.edges[0].inline = true;
    let job = Topology::of(&graph);
    assert_eq!(job.tasks().collect::<Vec<_>>(), [task(0, 0), task(2, 0), task(2, 1)]);
    assert_eq!(job.upstream(task(2, 1)).collect::<Vec<_>>(), [task(0, 0)]);
}
