//! A source of one subtask: what an iterator yields. It is replayed from the start and skips what was read.

use std::sync::Arc;

use flott_core::Data;
use flott_runtime::error::FnResult;
use flott_runtime::source::{
    Boundedness, EnumeratorOutput, InputStatus, ReaderContext, Source, SourceOutput, SourceReader,
    SourceSplit, SplitEnumerator,
};
use serde::{Deserialize, Serialize};

/// A source of what an iterator yields.
pub struct IteratorSource<F> {
    make: Arc<F>,
}

impl<F> IteratorSource<F> {
    /// Emits what the iterators of `make` yield. Each must yield the same.
    pub fn new(make: F) -> Self {
        Self { make: Arc::new(make) }
    }
}

/// The only split: how much was emitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    emitted: u64,
}

impl SourceSplit for Position {
    fn split_id(&self) -> String {
        "0".to_owned()
    }
}

/// Hands out the only split, once.
struct OnlySplit {
    waiting: Option<Position>,
}

impl SplitEnumerator for OnlySplit {
    type Split = Position;
    type State = Option<Position>;

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, Position>) -> FnResult {
        match self.waiting.take() {
            Some(split) => out.assign(subtask, &split)?,
            None => out.no_more_splits(subtask),
        }
        Ok(())
    }

    fn add_splits_back(&mut self, mut splits: Vec<Position>, _subtask: u32) -> FnResult {
        self.waiting = splits.pop().or(self.waiting.take());
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Option<Position>> {
        Ok(self.waiting.clone())
    }
}

/// Reads the only split from an iterator.
struct SingleReader<I> {
    records: I,
    position: Option<Position>,
    no_more_splits: bool,
    context: ReaderContext,
}

impl<T, I: Iterator<Item = T>> SourceReader<T, Position> for SingleReader<I> {
    fn start(&mut self) -> FnResult {
        self.context.request_split();
        Ok(())
    }

    fn add_splits(&mut self, splits: Vec<Position>) -> FnResult {
        for split in splits {
            for _ in 0..split.emitted {
                if self.records.next().is_none() {
                    return Err(
                        "the iterator yields less than before the restart: it must yield the same".into()
                    );
                }
            }
            self.position = Some(split);
        }
        Ok(())
    }

    fn notify_no_more_splits(&mut self) {
        self.no_more_splits = true;
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, T>) -> FnResult<InputStatus> {
        let Some(position) = &mut self.position else {
            return Ok(match self.no_more_splits {
                true => InputStatus::EndOfInput,
                false => InputStatus::NothingAvailable { retry_after: None },
            });
        };
        let mut emitted = 0;
        let wanted = out.remaining();
        out.extend(self.records.by_ref().take(wanted).inspect(|_| emitted += 1));
        position.emitted += emitted;
        if emitted < wanted as u64 {
            self.position = None;
            self.context.request_split();
        }
        Ok(InputStatus::MoreAvailable)
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Position>> {
        Ok(self.position.clone().into_iter().collect())
    }
}

fn enumerator(
    waiting: Option<Position>,
) -> FnResult<Box<dyn SplitEnumerator<Split = Position, State = Option<Position>>>> {
    Ok(Box::new(OnlySplit { waiting }))
}

impl<T, I, F> Source for IteratorSource<F>
where
    T: Data,
    I: Iterator<Item = T> + 'static,
    F: Fn() -> I + Send + Sync + 'static,
{
    type Out = T;
    type Split = Position;
    type EnumeratorState = Option<Position>;

    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn create_enumerator(
        &self,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = Position, State = Option<Position>>>> {
        enumerator(Some(Position { emitted: 0 }))
    }

    fn restore_enumerator(
        &self,
        state: Option<Position>,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = Position, State = Option<Position>>>> {
        enumerator(state)
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<T, Position>>> {
        Ok(Box::new(SingleReader { records: (self.make)(), position: None, no_more_splits: false, context }))
    }
}
