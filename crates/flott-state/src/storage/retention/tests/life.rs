//! Jobs that take, lose, subsume and claim checkpoints in any order: what is kept can always be restored, and nothing else stays.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use crate::format::{
    CheckpointMetadata, JobKey, OperatorMetadata, SnapshotForm, SnapshotHandle, StateFileEncoder, StatePart,
    SubtaskState, TaskMetadata,
};
use crate::snapshot::{OperatorStateSnapshot, RedistributionMode, SnapshotSink};
use crate::storage::{
    BlobStore, CheckpointDirectory, CheckpointStorage, FileScope, SnapshotOwner, SnapshotTarget,
    StoredSnapshot, find_checkpoints, latest_checkpoint, open,
};

const JOB: JobKey = JobKey(1);
const URL: &str = "memory://the lives of jobs";

#[derive(Clone, Debug)]
enum Step {
    /// A checkpoint begins and stores state: as a whole, or what has changed since the newest complete one.
    Begin { incremental: bool },
    /// One under way completes, and the oldest ones beyond the number retained are discarded.
    Complete { which: prop::sample::Index },
    /// One under way is given up.
    GiveUp { which: prop::sample::Index },
    /// A task stores state for a checkpoint that was given up.
    Late { which: prop::sample::Index },
    /// The process dies halfway through a write, and the job starts again from the newest checkpoint.
    Crash { claim: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(|incremental| Step::Begin { incremental }),
        4 => any::<prop::sample::Index>().prop_map(|which| Step::Complete { which }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::GiveUp { which }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Late { which }),
        1 => any::<bool>().prop_map(|claim| Step::Crash { claim }),
    ]
}

struct Job {
    store: Arc<dyn BlobStore>,
    directory: CheckpointDirectory,
    next: u64,
    retained: usize,
    pending: Vec<(SnapshotTarget, SnapshotHandle)>,
    given_up: Vec<SnapshotTarget>,
    /// Location and state of what is complete and the job's, oldest first.
    complete: Vec<(String, SnapshotHandle)>,
    /// What the user owns.
    users: BTreeSet<String>,
}

fn directory(salt: u64) -> CheckpointDirectory {
    let storage = CheckpointStorage::FileSystem { directory: URL.to_owned(), create_subdir: true };
    CheckpointDirectory::new(JOB, &storage, 0, salt).unwrap()
}

fn part(target: &SnapshotTarget, subtask: &str, scope: FileScope) -> StatePart {
    let mut encoder = StateFileEncoder::new();
    let state = OperatorStateSnapshot {
        name: "list".to_owned(),
        mode: RedistributionMode::Union,
        element_type: crate::StateType::of::<u64>(),
        elements: vec![target.checkpoint().to_le_bytes().to_vec()],
    };
    encoder.operator(1).operator_state(&state).unwrap();
    target.store(subtask, scope, encoder).unwrap()
}

fn metadata(target: &SnapshotTarget, handle: SnapshotHandle) -> CheckpointMetadata {
    let operator = OperatorMetadata { id: 1, name: String::new(), uid: None, coordinator_state: Vec::new() };
    CheckpointMetadata {
        checkpoint: target.checkpoint(),
        form: SnapshotForm::Checkpoint,
        job: JOB,
        job_name: String::new(),
        flott_version: String::new(),
        triggered_ms: 0,
        completed_ms: target.checkpoint(),
        aligned: true,
        tasks: vec![TaskMetadata {
            name: String::new(),
            max_parallelism: 128,
            operators: vec![operator],
            subtasks: vec![SubtaskState::Stored(handle)],
        }],
    }
}

impl Job {
    fn new(store: Arc<dyn BlobStore>, retained: usize) -> Self {
        Self {
            store,
            directory: directory(0),
            next: 1,
            retained,
            pending: Vec::new(),
            given_up: Vec::new(),
            complete: Vec::new(),
            users: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Begin { incremental } => self.begin(*incremental),
            Step::Complete { which } if !self.pending.is_empty() => {
                self.complete(which.index(self.pending.len()));
            }
            Step::GiveUp { which } if !self.pending.is_empty() => {
                let (target, _) = self.pending.remove(which.index(self.pending.len()));
                self.directory.discard_pending(&target).unwrap();
                self.given_up.push(target);
            }
            Step::Late { which } if !self.given_up.is_empty() => {
                let target = &self.given_up[which.index(self.given_up.len())];
                let parts = vec![
                    part(target, "late", FileScope::Shared),
                    part(target, "late-too", FileScope::Exclusive),
                ];
                let handle = SnapshotHandle { parts, checkpointed_bytes: 0 };
                self.directory.discard_late(target, &handle).unwrap();
            }
            Step::Crash { claim } => self.crash(*claim),
            _ => {}
        }
        self.check_kept();
    }

    fn begin(&mut self, incremental: bool) {
        let target = self.directory.checkpoint(self.next);
        self.next += 1;
        let mut parts = match self.complete.last() {
            Some((_, base)) if incremental => base.parts.clone(),
            _ => Vec::new(),
        };
        parts.push(part(&target, "shared", FileScope::Shared));
        // Only the newest own part: state that is stored as a whole each time.
        parts.retain(|part| !matches!(part, StatePart::File(file) if file.path.starts_with("chk-")));
        parts.push(part(&target, "own", FileScope::Exclusive));
        self.pending.push((target, SnapshotHandle { parts, checkpointed_bytes: 0 }));
    }

    fn complete(&mut self, which: usize) {
        let (target, handle) = self.pending.remove(which);
        let location = self.directory.complete(&target, &metadata(&target, handle.clone())).unwrap();
        for (older, _) in self.pending.extract_if(.., |(older, _)| older.checkpoint() < target.checkpoint()) {
            self.directory.discard_pending(&older).unwrap();
            self.given_up.push(older);
        }
        self.complete.push((location, handle));
        while self.complete.len() > self.retained {
            let (location, _) = self.complete.remove(0);
            self.directory.discard(&location).unwrap();
        }
    }

    fn crash(&mut self, claim: bool) {
        let mut torn = self.directory.checkpoint(self.next).upload("torn", FileScope::Shared);
        torn.write(&[0; 10]).unwrap();
        self.given_up.clear();
        self.pending.clear();
        self.directory = directory(self.next);
        self.users.extend(self.complete.drain(..).map(|(location, _)| location));
        if let Some(latest) = latest_checkpoint(&format!("{URL}/{JOB}")).unwrap().checkpoint {
            self.restore(&latest, claim);
        }
        self.directory.clean().unwrap();
    }

    fn restore(&mut self, stored: &StoredSnapshot, claim: bool) {
        // Found through the directory of the job, and known by the one of all jobs.
        let location = stored.location();
        assert!(self.users.contains(&location));
        self.directory.restored(stored, if claim { SnapshotOwner::Job } else { SnapshotOwner::User });
        if claim {
            self.users.remove(&location);
            let handle = match &stored.metadata.tasks[0].subtasks[0] {
                SubtaskState::Stored(handle) => handle.clone(),
                SubtaskState::Finished => unreachable!(),
            };
            self.complete.push((location, handle));
        }
    }

    /// Everything that is complete and not discarded can be restored.
    fn check_kept(&self) {
        let kept = self.complete.iter().map(|(location, _)| location).chain(&self.users);
        for location in kept {
            StoredSnapshot::open(location).and_then(|stored| stored.verify()).unwrap();
        }
        let found = find_checkpoints(URL).unwrap();
        assert_eq!(found.checkpoints.len(), self.complete.len() + self.users.len());
        assert!(found.damaged.is_empty());
    }

    /// When nothing is under way, there is only what complete checkpoints refer to.
    fn end(mut self) {
        for (target, _) in std::mem::take(&mut self.pending) {
            self.directory.discard_pending(&target).unwrap();
        }
        self.check_kept();
        let mut reachable = BTreeSet::new();
        for stored in find_checkpoints(URL).unwrap().checkpoints {
            let root = format!("{JOB}/");
            reachable.extend(stored.metadata.files().map(|file| root.clone() + &file.path));
            reachable.insert(format!("{root}chk-{}/_metadata", stored.metadata.checkpoint));
        }
        let files: BTreeSet<_> = self.store.list("").unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(files, reachable);
        // What the user owns can be disposed of, too.
        for location in self.users.into_iter().chain(self.complete.into_iter().map(|(location, _)| location))
        {
            StoredSnapshot::open(&location).unwrap().dispose().unwrap();
        }
        assert_eq!(self.store.list("").unwrap(), []);
    }
}

proptest! {
    #[test]
    fn no_reachable_file_is_deleted_and_no_unreachable_one_lives_for_ever(
        retained in 1..4_usize,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let store = open(URL).unwrap();
        let mut job = Job::new(store, retained);
        steps.iter().for_each(|step| job.step(step));
        job.end();
    }
}
