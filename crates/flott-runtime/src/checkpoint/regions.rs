//! Pipelined regions: which tasks must start again when one has failed.

use std::collections::{BTreeMap, BTreeSet};

use flott_core::config::FailoverStrategy;

use super::Topology;
use crate::job::TaskId;

/// The pipelined regions of a job (Flink: `PipelinedRegion`): tasks that exchange records, directly or through
/// others, are in the same one. All exchanges are pipelined, so a failure never reaches beyond its region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    /// The region of each task, named by its first task.
    region: BTreeMap<TaskId, TaskId>,
}

impl Regions {
    /// Cuts a job into regions.
    pub fn of(topology: &Topology) -> Self {
        let mut union = Union::default();
        for task in topology.tasks() {
            union.add(task);
            for sender in topology.upstream(task) {
                union.join(sender, task);
            }
        }
        Self { region: topology.tasks().map(|task| (task, union.root(task))).collect() }
    }

    /// How many regions there are.
    pub fn count(&self) -> usize {
        self.region.values().collect::<BTreeSet<_>>().len()
    }

    /// The vertices whose tasks are in several regions.
    pub fn divided_vertices(&self) -> BTreeSet<u32> {
        let mut regions: BTreeMap<u32, BTreeSet<TaskId>> = BTreeMap::new();
        for (task, region) in &self.region {
            regions.entry(task.vertex).or_default().insert(*region);
        }
        regions.into_iter().filter(|(_, regions)| regions.len() > 1).map(|(vertex, _)| vertex).collect()
    }

    /// The tasks that start again when `failed` has failed; none if the job has no such task.
    pub fn to_restart(&self, failed: TaskId, strategy: FailoverStrategy) -> BTreeSet<TaskId> {
        let Some(region) = self.region.get(&failed) else { return BTreeSet::new() };
        let members = self.region.iter();
        let members = members.filter(|(_, of)| strategy == FailoverStrategy::Full || *of == region);
        members.map(|(task, _)| *task).collect()
    }
}

/// Sets of tasks that grow together.
#[derive(Default)]
struct Union {
    parent: BTreeMap<TaskId, TaskId>,
}

impl Union {
    fn add(&mut self, task: TaskId) {
        self.parent.entry(task).or_insert(task);
    }

    /// The smallest task of the set.
    fn root(&mut self, task: TaskId) -> TaskId {
        let mut root = task;
        while let Some(parent) = self.parent.get(&root).copied().filter(|parent| *parent != root) {
            root = parent;
        }
        self.parent.insert(task, root);
        root
    }

    fn join(&mut self, a: TaskId, b: TaskId) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent.insert(a.max(b), a.min(b));
    }
}

#[cfg(test)]
mod tests;
