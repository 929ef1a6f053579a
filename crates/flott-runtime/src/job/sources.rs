//! The enumerators of a job, which live with the coordinator.

use std::collections::BTreeMap;

use flott_core::seam::Clock;
use flott_core::watermark::WatermarkAlignment;

use super::build::JobPlan;
use super::stored::RestorePoint;
use crate::error::{ChainError, FnResult, TaskFailure};
use crate::source::{AnyEnumerator, EnumeratorActions};
use crate::task::guard;

/// The enumerator of one source.
struct SourceHost {
    name: String,
    parallelism: u32,
    enumerator: Box<dyn AnyEnumerator>,
    alignment: Option<WatermarkAlignment>,
    tick_at_ns: Option<u64>,
}

/// The enumerators, by vertex.
pub(super) struct Sources(BTreeMap<u32, SourceHost>);

impl Sources {
    /// Creates the enumerators of a program, as they were in a checkpoint if there is one.
    ///
    /// # Errors
    /// When a source can't be reached, or does not understand its state.
    pub(super) fn create(plan: &JobPlan, restored: Option<&RestorePoint>) -> Result<Self, TaskFailure> {
        let mut sources = BTreeMap::new();
        for vertex in &plan.job_graph.vertices {
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
                };
                sources.insert(vertex.id, host);
            }
        }
        Ok(Self(sources))
    }

    pub(super) fn vertices(&self) -> Vec<u32> {
        self.0.keys().copied().collect()
    }

    pub(super) fn alignment(&self, vertex: u32) -> Option<&WatermarkAlignment> {
        self.0.get(&vertex).and_then(|host| host.alignment.as_ref())
    }

    /// When the next enumerator wants to be called.
    pub(super) fn next_tick_ns(&self) -> Option<u64> {
        self.0.values().filter_map(|host| host.tick_at_ns).min()
    }

    /// The sources whose enumerators want to be called by now; they must ask again for another call.
    pub(super) fn take_due(&mut self, now_ns: u64) -> Vec<u32> {
        let due = self.0.iter_mut().filter(|(_, host)| host.tick_at_ns.is_some_and(|at| at <= now_ns));
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
        if let (Some(actions), Some(host)) = (&actions, self.0.get_mut(&vertex))
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
        Ok(states)
    }

    fn call<R>(
        &mut self,
        vertex: u32,
        act: impl FnOnce(&mut dyn AnyEnumerator, u32) -> FnResult<R>,
    ) -> Result<Option<R>, TaskFailure> {
        let Some(host) = self.0.get_mut(&vertex) else { return Ok(None) };
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
                self.0.remove(&vertex);
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
