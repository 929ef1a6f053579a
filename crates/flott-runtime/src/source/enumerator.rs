//! The enumerator's side of a source: what it may do, and its type-erased form in the coordinator.

use std::any::type_name;
use std::marker::PhantomData;
use std::time::Duration;

use flott_core::encoding;
use flott_core::schema::Schema;
use flott_state::StateType;

use super::{EnumeratorState, SourceSplit, SplitEnumerator};
use crate::error::{FnResult, Unrecoverable};

/// What an enumerator has decided. Splits are encoded, as they may go to another process.
#[derive(Debug, Default)]
pub(crate) struct EnumeratorActions {
    pub(crate) assignments: Vec<(u32, Vec<u8>)>,
    pub(crate) no_more_splits: Vec<u32>,
    pub(crate) tick_after: Option<Duration>,
}

/// Through which a [`SplitEnumerator`] acts.
pub struct EnumeratorOutput<'a, S> {
    parallelism: u32,
    actions: &'a mut EnumeratorActions,
    split: PhantomData<fn(S)>,
}

impl<'a, S: SourceSplit> EnumeratorOutput<'a, S> {
    pub(crate) fn new(parallelism: u32, actions: &'a mut EnumeratorActions) -> Self {
        Self { parallelism, actions, split: PhantomData }
    }

    /// How many readers there are; their subtasks are `0..parallelism`.
    pub fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// Gives a split to a reader.
    ///
    /// # Errors
    /// When there is no such subtask, or when the split can't be encoded, which is an error of its serde
    /// implementation.
    pub fn assign(&mut self, subtask: u32, split: &S) -> FnResult {
        if subtask >= self.parallelism {
            let (split, readers) = (split.split_id(), self.parallelism);
            return Err(format!(
                "split '{split}' was assigned to subtask {subtask}, but there are {readers}: it must be below that"
            )
            .into());
        }
        let bytes = encoding::to_vec(split)?;
        self.actions.assignments.push((subtask, bytes));
        Ok(())
    }

    /// Tells a reader that no further split will come.
    pub fn no_more_splits(&mut self, subtask: u32) {
        self.actions.no_more_splits.push(subtask);
    }

    /// Asks for one call of [`SplitEnumerator::on_tick`] after this time; a new request replaces the old one.
    pub fn tick_after(&mut self, delay: Duration) {
        self.actions.tick_after = Some(delay);
    }
}

/// A [`SplitEnumerator`] whose split type is forgotten: the coordinator holds enumerators of many sources.
pub(crate) trait AnyEnumerator: Send {
    fn start(&mut self, parallelism: u32) -> FnResult<EnumeratorActions>;
    fn on_split_request(&mut self, subtask: u32, parallelism: u32) -> FnResult<EnumeratorActions>;
    fn on_tick(&mut self, parallelism: u32) -> FnResult<EnumeratorActions>;
    /// Takes encoded splits.
    fn add_splits_back(&mut self, splits: Vec<Vec<u8>>, subtask: u32) -> FnResult;
    fn on_reader_restart(&mut self, subtask: u32, parallelism: u32) -> FnResult<EnumeratorActions>;
    /// The encoded state.
    fn snapshot_state(&mut self, checkpoint_id: u64) -> FnResult<Vec<u8>>;
}

/// The state of an enumerator in a snapshot: its type, and the state in format 1.
type Stored = (StateType, Vec<u8>);

/// The type of an enumerator's state.
fn type_of<E: EnumeratorState>() -> StateType {
    StateType { name: type_name::<E>().to_owned(), schema: Schema::of::<E>() }
}

fn write_enumerator_state<E: EnumeratorState>(state: &E) -> FnResult<Vec<u8>> {
    let stored: Stored = (type_of::<E>(), encoding::to_vec(state)?);
    Ok(encoding::to_vec(&stored)?)
}

/// Reads the state of an enumerator, migrated like any other state if its type has changed.
pub(crate) fn read_enumerator_state<E: EnumeratorState>(stored: &[u8]) -> FnResult<E> {
    let read = || -> FnResult<E> {
        let (written, bytes): Stored = encoding::decode(stored)?;
        Ok(written.read_as(&type_of::<E>())?.whole(&bytes)?)
    };
    // A new attempt would read the same.
    let told = |cause| {
        Unrecoverable::new(format!("the state of its enumerator in the snapshot can't be read: {cause}"))
    };
    read().map_err(|cause| told(cause).into())
}

/// Gives a typed enumerator its erased form.
pub(crate) struct TypedEnumerator<S: SourceSplit, E>(
    pub(crate) Box<dyn SplitEnumerator<Split = S, State = E>>,
);

impl<S: SourceSplit, E: EnumeratorState> TypedEnumerator<S, E> {
    fn act(
        &mut self,
        parallelism: u32,
        act: impl FnOnce(&mut dyn SplitEnumerator<Split = S, State = E>, &mut EnumeratorOutput<'_, S>) -> FnResult,
    ) -> FnResult<EnumeratorActions> {
        let mut actions = EnumeratorActions::default();
        act(self.0.as_mut(), &mut EnumeratorOutput::new(parallelism, &mut actions))?;
        Ok(actions)
    }
}

impl<S: SourceSplit, E: EnumeratorState> AnyEnumerator for TypedEnumerator<S, E> {
    fn start(&mut self, parallelism: u32) -> FnResult<EnumeratorActions> {
        self.act(parallelism, |enumerator, out| enumerator.start(out))
    }

    fn on_split_request(&mut self, subtask: u32, parallelism: u32) -> FnResult<EnumeratorActions> {
        self.act(parallelism, |enumerator, out| enumerator.on_split_request(subtask, out))
    }

    fn on_tick(&mut self, parallelism: u32) -> FnResult<EnumeratorActions> {
        self.act(parallelism, |enumerator, out| enumerator.on_tick(out))
    }

    fn add_splits_back(&mut self, splits: Vec<Vec<u8>>, subtask: u32) -> FnResult {
        let splits: Result<Vec<S>, _> = splits.iter().map(|bytes| encoding::decode(bytes)).collect();
        self.0.add_splits_back(splits?, subtask)
    }

    fn on_reader_restart(&mut self, subtask: u32, parallelism: u32) -> FnResult<EnumeratorActions> {
        self.act(parallelism, |enumerator, out| enumerator.on_reader_restart(subtask, out))
    }

    fn snapshot_state(&mut self, checkpoint_id: u64) -> FnResult<Vec<u8>> {
        write_enumerator_state(&self.0.snapshot_state(checkpoint_id)?)
    }
}
