//! Where barriers may overtake records, and under which identity these are stored.

use flott_core::config::Configuration;

use super::*;
use crate::checkpoint::settings::CheckpointSettings;

/// An operator behind two sources, with these partitionings.
fn two_inputs(partitionings: [Partitioning; 2]) -> StreamGraph {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    let b = add(&mut graph, NodeKind::Source, "b", &[]);
    add(&mut graph, NodeKind::Operator, "both", &[a, b]);
    for (edge, partitioning) in graph.edges.iter_mut().zip(partitionings) {
        edge.partitioning = Some(partitioning);
    }
    graph
}

#[test]
fn v3_2_no_input_is_overtaken_where_any_is_pointwise_or_a_broadcast() {
    use Partitioning::{Broadcast, Custom, Forward, Global, Hash, Rebalance, Rescale, Shuffle};
    for (other, overtakable) in [
        (Hash, true),
        (Rebalance, true),
        (Shuffle, true),
        (Global, true),
        (Custom, true),
        (Broadcast, false),
        (Rescale, false),
        (Forward, false),
    ] {
        let job = JobGraph::of(&two_inputs([Hash, other])).unwrap();
        assert_eq!(job.is_overtakable(2), overtakable, "{other}");
    }
}

fn settings(assignments: &[&str]) -> CheckpointSettings {
    let mut config = Configuration::new();
    for assignment in assignments {
        config.set_dynamic(assignment).unwrap();
    }
    CheckpointSettings::from_config(&config).unwrap()
}

#[test]
fn v3_1_a_custom_partitioner_must_be_forced_to_be_overtaken() {
    let unaligned = "execution.checkpointing.unaligned.enabled=true";
    let forced = "execution.checkpointing.unaligned.forced=true";
    let graph = two_inputs([Partitioning::Hash, Partitioning::Custom]);
    let job = JobGraph::of(&graph).unwrap();
    let check = |assignments: &[&str]| job.check_overtaking(&graph, &settings(assignments));
    assert!(check(&[]).is_ok());
    assert!(check(&[unaligned, forced]).is_ok());
    let error = check(&[unaligned]).unwrap_err().to_string();
    assert!(
        error.contains("'both'") && error.contains("unaligned.forced") && !error.contains('\n'),
        "{error}"
    );
    let graph = two_inputs([Partitioning::Hash, Partitioning::Rebalance]);
    let job = JobGraph::of(&graph).unwrap();
    assert!(job.check_overtaking(&graph, &settings(&[unaligned])).is_ok());
}

#[test]
fn exchanges_are_told_apart_by_what_they_connect() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    let b = add(&mut graph, NodeKind::Source, "b", &[]);
    add(&mut graph, NodeKind::Operator, "c", &[a, b, a, a, a]);
    add(&mut graph, NodeKind::Operator, "d", &[a]);
    graph.edges[3].tag = Some("late".to_owned());
    graph.edges[4].input = 1;
    let ids =
        |graph: &StreamGraph| graph.edges.iter().map(|edge| graph.exchange_id(edge)).collect::<Vec<_>>();
    let before = ids(&graph);
    let distinct: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(distinct.len(), graph.edges.len());
    // How records are spread follows from the parallelism, which may change.
    graph.defaults.parallelism = 7;
    graph.edges[0].partitioning = Some(Partitioning::Shuffle);
    assert_eq!(ids(&graph), before);
}

#[test]
fn the_id_of_an_exchange_stays_the_same_for_ever() {
    // Snapshots hold it.
    let mut graph = pair();
    graph.nodes[0].uid = Some("numbers".to_owned());
    graph.nodes[1].uid = Some("counts".to_owned());
    assert_eq!(graph.exchange_id(&graph.edges[0]).to_string(), "46a699cb4a60f788b2174efe7a478957");
}
