//! The enumerators of a job, which live with the coordinator.

use std::collections::{BTreeMap, BTreeSet};

use flott_core::seam::Clock;
use flott_core::watermark::WatermarkAlignment;

use super::assigned::Assigned;
use super::build::JobPlan;
use super::coordinator::TaskId;
use super::stored::RestorePoint;
use crate::error::{ChainError, FnResult, TaskFailure};
use crate::graph::JobVertex;
use crate::source::{AnyEnumerator, EnumeratorActions};
use crate::task::guard;

/// The enumerator of one source.
struct SourceHost {
    name: String,
    parallelism: u32,
    enumerator: Box<dyn AnyEnumerator>,
    alignment: Option<WatermarkAlignment>,
    tick_at_ns: Option<u64>,
    assigned: Assigned,
}

/// What becomes of an enumerator when readers start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReaderRestart {
    /// All readers do: the enumerator is as it was in the checkpoint, and is started.
    Enumerator { vertex: u32 },
    /// Only some do: it has got back the splits that this one was given since the checkpoint.
    Reader(TaskId),
}

/// The enumerators, by vertex.
pub(super) struct Sources {
    hosts: BTreeMap<u32, SourceHost>,
    /// The vertices some of whose readers may start again while others go on.
    divided: BTreeSet<u32>,
}

impl Sources {
    /// Creates the enumerators of a program, as they were in a checkpoint if there is one. `divided` names the vertices some
    /// of whose readers may start again while others go on.
    ///
    /// # Errors
    /// When a source can't be reached, or does not understand its state.
    pub(super) fn create(
        plan: &JobPlan,
        restored: Option<&RestorePoint>,
        divided: BTreeSet<u32>,
    ) -> Result<Self, TaskFailure> {
        let mut sources = Self { hosts: BTreeMap::new(), divided };
        for vertex in &plan.job_graph.vertices {
            sources.create_one(plan, restored, vertex)?;
        }
        Ok(sources)
    }

    /// Creates the enumerator of a vertex, if it is a source.
    fn create_one(
        &mut self,
        plan: &JobPlan,
        restored: Option<&RestorePoint>,
        vertex: &JobVertex,
    ) -> Result<(), TaskFailure> {
        let factory = &plan.program.operators[vertex.head.0 as usize];
        let name = plan.program.graph.node(vertex.head).name.clone();
        let id = plan.program.graph.operator_id(vertex.head);
        let state = restored.and_then(|restored| restored.enumerator(id));
        let created = guard(|| {
            let created = factory.enumerator(state).transpose();
            created.map_err(|cause| ChainError::Failed { operator: name.clone(), cause })
        });
        let enumerator = created.map_err(|end| failure(end, &name, vertex.parallelism))?;
        if let Some(enumerator) = enumerator {
            let host = SourceHost {
                name,
                parallelism: vertex.parallelism,
                enumerator: enumerator.0,
                alignment: factory.alignment().cloned(),
                tick_at_ns: None,
                assigned: Assigned::default(),
            };
            self.hosts.insert(vertex.id, host);
        }
        Ok(())
    }

    /// Prepares the enumerators for tasks that start again, from a checkpoint if there is one. Says what they must be told
    /// when the tasks have started.
    ///
    /// # Errors
    /// As [`Sources::create`], and those of an enumerator that takes splits back.
    pub(super) fn restart(
        &mut self,
        plan: &JobPlan,
        restored: Option<&RestorePoint>,
        tasks: &BTreeSet<TaskId>,
    ) -> Result<Vec<ReaderRestart>, TaskFailure> {
        let mut restarts = Vec::new();
        for vertex in &plan.job_graph.vertices {
            let readers: Vec<TaskId> =
                tasks.iter().filter(|task| task.vertex == vertex.id).copied().collect();
            if readers.len() == vertex.parallelism as usize {
                self.create_one(plan, restored, vertex)?;
                restarts.push(ReaderRestart::Enumerator { vertex: vertex.id });
                continue;
            }
            for reader in readers {
                self.take_back(reader)?;
                restarts.push(ReaderRestart::Reader(reader));
            }
        }
        Ok(restarts)
    }

    /// Gives the splits that a reader got since the last complete checkpoint back to its enumerator.
    fn take_back(&mut self, reader: TaskId) -> Result<(), TaskFailure> {
        let splits = self.hosts.get_mut(&reader.vertex).map(|host| host.assigned.take_back(reader.subtask));
        if let Some(splits) = splits.filter(|splits| !splits.is_empty()) {
            self.call(reader.vertex, |enumerator, _| enumerator.add_splits_back(splits, reader.subtask))?;
        }
        Ok(())
    }

    /// Remembers what an enumerator has assigned.
    pub(super) fn note_assigned(&mut self, vertex: u32, actions: &EnumeratorActions) {
        if self.divided.contains(&vertex)
            && let Some(host) = self.hosts.get_mut(&vertex)
        {
            host.assigned.note(&actions.assignments);
        }
    }

    /// A checkpoint is complete: what was assigned before it is in the state of the readers.
    pub(super) fn completed(&mut self, checkpoint: u64) {
        self.hosts.values_mut().for_each(|host| host.assigned.completed(checkpoint));
    }

    pub(super) fn vertices(&self) -> Vec<u32> {
        self.hosts.keys().copied().collect()
    }

    pub(super) fn alignment(&self, vertex: u32) -> Option<&WatermarkAlignment> {
        self.hosts.get(&vertex).and_then(|host| host.alignment.as_ref())
    }

    /// When the next enumerator wants to be called.
    pub(super) fn next_tick_ns(&self) -> Option<u64> {
        self.hosts.values().filter_map(|host| host.tick_at_ns).min()
    }

    /// The sources whose enumerators want to be called by now; they must ask again for another call.
    pub(super) fn take_due(&mut self, now_ns: u64) -> Vec<u32> {
        let due = self.hosts.iter_mut().filter(|(_, host)| host.tick_at_ns.is_some_and(|at| at <= now_ns));
        due.map(|(vertex, host)| {
            host.tick_at_ns = None;
            *vertex
        })
        .collect()
    }

    /// Lets the enumerator of a source act; `None` if there is none.
    pub(super) fn act(
        &mut self,
        vertex: u32,
        clock: &dyn Clock,
        act: impl FnOnce(&mut dyn AnyEnumerator, u32) -> FnResult<EnumeratorActions>,
    ) -> Result<Option<EnumeratorActions>, TaskFailure> {
        let actions = self.call(vertex, act)?;
        if let (Some(actions), Some(host)) = (&actions, self.hosts.get_mut(&vertex))
            && let Some(delay) = actions.tick_after
        {
            let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
            host.tick_at_ns = Some(clock.monotonic_ns().saturating_add(delay));
        }
        Ok(actions)
    }

    /// The states of all enumerators, for a checkpoint.
    pub(super) fn snapshot(&mut self, checkpoint: u64) -> Result<BTreeMap<u32, Vec<u8>>, TaskFailure> {
        let mut states = BTreeMap::new();
        for vertex in self.vertices() {
            let state = self.call(vertex, |enumerator, _| enumerator.snapshot_state(checkpoint))?;
            states.extend(state.map(|state| (vertex, state)));
        }
        self.hosts.values_mut().for_each(|host| host.assigned.checkpoint(checkpoint));
        Ok(states)
    }

    fn call<R>(
        &mut self,
        vertex: u32,
        act: impl FnOnce(&mut dyn AnyEnumerator, u32) -> FnResult<R>,
    ) -> Result<Option<R>, TaskFailure> {
        let Some(host) = self.hosts.get_mut(&vertex) else { return Ok(None) };
        let (enumerator, parallelism) = (host.enumerator.as_mut(), host.parallelism);
        let name = host.name.clone();
        let acted = guard(|| {
            act(enumerator, parallelism).map_err(|cause| ChainError::Failed { operator: name, cause })
        });
        match acted {
            Ok(result) => Ok(Some(result)),
            Err(end) => {
                let failure = failure(end, &host.name, host.parallelism);
                // It is asked no more: after a panic it may be in any state.
                self.hosts.remove(&vertex);
                Err(failure)
            }
        }
    }
}

fn failure(end: crate::task::Ended, name: &str, parallelism: u32) -> TaskFailure {
    let mut failure = end.into_failure(None, parallelism, name);
    // Whatever ran on this thread before, the enumerator is the source's.
    name.clone_into(&mut failure.operator);
    failure
}
