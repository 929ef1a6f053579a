//! How tasks that have failed go down and start again, while the others go on.

use std::collections::BTreeSet;

use super::*;
use crate::job::sources::ReaderRestart;

impl Shell {
    pub(super) fn cancel_region(&mut self, tasks: &BTreeSet<TaskId>) {
        tasks.iter().filter_map(|task| self.tasks.get(task)).for_each(RunningTask::cancel);
        let tasks = tasks.iter().copied().collect();
        self.checkpoint_event(checkpoint::Event::TasksRestarting(tasks));
    }

    /// The tasks of `part` have ended.
    pub(super) fn wait_for_restart(&mut self, part: &Part, at_ms: u64, failure: &TaskFailure) {
        let tasks = self.tasks_of(part);
        tasks.iter().filter_map(|task| self.tasks.remove(task)).for_each(RunningTask::join);
        self.life.change(|life| life.restarting = true);
        let delay_ms = at_ms.saturating_sub(self.now_ms());
        let from = match self.checkpoints.latest() {
            Some((checkpoint, _)) => format!("from checkpoint {checkpoint}"),
            None => "from the beginning".to_owned(),
        };
        match part {
            Part::Whole => {
                tracing::warn!("the job failed and starts again {from} in {delay_ms} ms: {failure}");
            }
            Part::Region(tasks) => tracing::warn!(
                "{} of {} tasks failed and start again {from} in {delay_ms} ms, the others go on: {failure}",
                tasks.len(),
                self.attempts.len()
            ),
        }
    }

    pub(super) fn start_again(&mut self, part: &Part) {
        let tasks = self.tasks_of(part);
        for task in &tasks {
            *self.attempts.entry(*task).or_default() += 1;
        }
        self.restarts += 1;
        self.alignment.forget(&tasks);
        let latest = self.checkpoints.latest();
        self.statistics.restored(latest.as_ref().map(|(checkpoint, _)| *checkpoint), self.now_ms());
        self.tell_statistics();
        match self.try_start(&tasks, latest.map(|(_, point)| point).as_ref()) {
            Ok(restarts) => {
                let restarting = self.coordinator.is_restarting();
                self.life.change(|life| {
                    life.restarting = restarting;
                    life.restarts = self.restarts;
                    life.full_restarts += u32::from(*part == Part::Whole);
                });
                match part {
                    Part::Whole => self.begin(),
                    Part::Region(_) => self.tell_enumerators(restarts),
                }
            }
            Err(failure) => {
                self.event(Event::JobFailed(failure));
                for task in tasks {
                    self.event(Event::TaskCanceled(task));
                }
            }
        }
    }

    fn try_start(
        &mut self,
        tasks: &BTreeSet<TaskId>,
        latest: Option<&RestorePoint>,
    ) -> Result<Vec<ReaderRestart>, TaskFailure> {
        let restarts = self.sources.restart(&self.launcher.plan, latest, tasks)?;
        let attempts = tasks.iter().filter_map(|task| Some((*task, *self.attempts.get(task)?)));
        let started = self.launcher.start(&attempts.collect(), latest);
        self.tasks.append(&mut started.map_err(|error| job_failure(error.to_string()))?);
        Ok(restarts)
    }

    /// The readers of a region have been started.
    fn tell_enumerators(&mut self, restarts: Vec<ReaderRestart>) {
        for restart in restarts {
            match restart {
                ReaderRestart::Enumerator { vertex } => {
                    self.enumerate(vertex, |enumerator, parallelism| enumerator.start(parallelism));
                }
                ReaderRestart::Reader(reader) => self.enumerate(reader.vertex, |enumerator, parallelism| {
                    enumerator.on_reader_restart(reader.subtask, parallelism)
                }),
            }
        }
    }

    fn tasks_of(&self, part: &Part) -> BTreeSet<TaskId> {
        match part {
            Part::Whole => self.attempts.keys().copied().collect(),
            Part::Region(tasks) => tasks.clone(),
        }
    }
}
