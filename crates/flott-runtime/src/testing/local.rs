//! The tasks of a program, all on the present thread.

mod build;
mod tasks;

use std::cell::RefCell;
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
        let mut local = Self { tasks: Rc::new(tasks), plan, vertices };
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
        let snapshot = RefCell::new(JobSnapshot::default());
        let tasks = Rc::clone(&self.tasks);
        let graph = &self.plan.program.graph;
        tasks.each(|task, head| {
            let mut own = TaskSnapshot::new(Barrier::aligned(checkpoint_id));
            head.snapshot(&mut own)?;
            let budget = SnapshotBudget::unlimited();
            while !head.drain_snapshot(&mut SnapshotWork { budget, sink: &mut own.operators })? {}
            snapshot.borrow_mut().add(graph, task.subtask, own.operators);
            Ok(())
        });
        self.told()?;
        Ok(snapshot.into_inner())
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
