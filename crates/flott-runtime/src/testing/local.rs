//! The tasks of a program, all on the present thread.

mod build;
mod tasks;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use flott_state::snapshot::SnapshotBudget;

use self::build::Build;
use self::tasks::{LocalTask, OtherTasks, Tasks};
use super::{JobSnapshot, ManualClock};
use crate::checkpoint::options::Barrier;
use crate::error::{ChainResult, JobError, TaskFailure};
use crate::graph::JobGraph;
use crate::job::{JobPlan, LaunchOptions, task_metrics};
use crate::metrics::VertexMetrics;
use crate::program::Program;
use crate::seam::with_parker;
use crate::snapshot::{SnapshotWork, TaskSnapshot};
use crate::task::Head;

/// The tasks of a program, which take turns on the present thread.
///
/// Operators, routers, channels and gates are those of a job. A task that waits lets the others work. Sources with an
/// enumerator get no splits here; a [`super::Feed`] needs none.
pub struct LocalTasks {
    tasks: Rc<Tasks>,
    plan: JobPlan,
    vertices: Vec<VertexMetrics>,
    /// The snapshot that is being written, task by task.
    writing: Vec<(u32, TaskSnapshot)>,
}

impl LocalTasks {
    /// Builds and opens the tasks, with the state of an earlier run if there was one. Time is that of `clock`.
    ///
    /// # Errors
    /// When the program is wrong, the state does not fit it, or an operator fails.
    pub fn start(
        program: Program,
        clock: Arc<ManualClock>,
        options: &LaunchOptions,
        restored: Option<&JobSnapshot>,
    ) -> Result<Self, JobError> {
        let job_graph = JobGraph::of(&program.graph)?;
        let restored = restored.map(|snapshot| snapshot.spread(&program.graph)).transpose()?;
        let metrics = Arc::new(task_metrics(&job_graph));
        let vertices = job_graph.vertices.iter().zip(metrics.iter());
        let vertices = vertices
            .map(|(vertex, tasks)| VertexMetrics { name: vertex.name.clone(), subtasks: tasks.clone() })
            .collect();
        let plan = JobPlan { program, job_graph, backend: Arc::clone(&options.backend) };
        let build = Build { plan: &plan, clock: &clock, options, metrics: &metrics, restored };
        let tasks = with_parker(Arc::new(OtherTasks::of_this_thread()), || build.tasks())?;
        let mut local = Self { tasks: Rc::new(tasks), plan, vertices, writing: Vec::new() };
        local.each(|_, head| head.open())?;
        local.run()?;
        Ok(local)
    }

    /// Lets the tasks work until none has anything to do before time passes. After a failure they are closed.
    ///
    /// # Errors
    /// The first failure of a task.
    pub fn run(&mut self) -> Result<(), TaskFailure> {
        self.tasks.enter(|tasks| while tasks.turn_all() {});
        self.told()
    }

    /// The state of all operators. The tasks must have nothing to do.
    ///
    /// # Errors
    /// When an operator fails to tell its state; the tasks are closed then.
    pub fn snapshot(&mut self, checkpoint_id: u64) -> Result<JobSnapshot, TaskFailure> {
        self.begin_snapshot(checkpoint_id)?;
        loop {
            if let Some(snapshot) = self.drain_snapshot(SnapshotBudget::unlimited())? {
                return Ok(snapshot);
            }
        }
    }

    /// Begins a snapshot of all operators as they are now, which [`LocalTasks::drain_snapshot`] writes while the tasks go on. They must
    /// have nothing to do.
    ///
    /// # Errors
    /// As [`LocalTasks::snapshot`], and when one is being written.
    pub fn begin_snapshot(&mut self, checkpoint_id: u64) -> Result<(), TaskFailure> {
        let begun = RefCell::default();
        self.each(|task, head| {
            let mut own = TaskSnapshot::new(Barrier::aligned(checkpoint_id));
            head.snapshot(&mut own)?;
            RefCell::<Vec<_>>::borrow_mut(&begun).push((task.subtask, own));
            Ok(())
        })?;
        self.writing = begun.into_inner();
        Ok(())
    }

    /// Goes on with the snapshot, in each task as far as the budget goes, and returns it once all is written.
    ///
    /// # Errors
    /// As [`LocalTasks::snapshot`].
    pub fn drain_snapshot(&mut self, budget: SnapshotBudget) -> Result<Option<JobSnapshot>, TaskFailure> {
        let writing = RefCell::new(std::mem::take(&mut self.writing));
        let (next, done) = (Cell::new(0), Cell::new(true));
        self.each(|_, head| {
            let sink = &mut writing.borrow_mut()[next.replace(next.get() + 1)].1.operators;
            done.set(head.drain_snapshot(&mut SnapshotWork { budget, sink })? && done.get());
            Ok(())
        })?;
        let writing = writing.into_inner();
        if !done.get() {
            self.writing = writing;
            return Ok(None);
        }
        let mut snapshot = JobSnapshot::default();
        let graph = &self.plan.program.graph;
        writing.into_iter().for_each(|(subtask, own)| snapshot.add(graph, subtask, own.operators));
        Ok(Some(snapshot))
    }

    /// The figures of the vertices.
    pub fn vertices(&self) -> &[VertexMetrics] {
        &self.vertices
    }

    /// Closes all operators, as at the end of a job or after a failure.
    ///
    /// # Errors
    /// The first failure of an operator to close, or of user code to be dropped.
    pub fn close(self) -> Result<(), TaskFailure> {
        self.tasks.close();
        self.tasks.take_failure().map_or(Ok(()), Err)
    }

    fn each(&mut self, call: impl Fn(&LocalTask, &mut dyn Head) -> ChainResult) -> Result<(), TaskFailure> {
        self.tasks.each(call);
        self.told()
    }

    /// Tells the failure there was; the tasks end with it.
    fn told(&mut self) -> Result<(), TaskFailure> {
        let Some(failure) = self.tasks.take_failure() else { return Ok(()) };
        self.tasks.close();
        Err(failure)
    }
}

impl Drop for LocalTasks {
    /// What is dropped without having been closed is closed, as a task does it in any case.
    fn drop(&mut self) {
        self.tasks.close();
    }
}
