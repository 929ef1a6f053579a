//! A source of splits that are handed out by and by, all before the first is read.

use std::time::Duration;

use flott_runtime::error::FnResult;
use flott_runtime::source::{
    Boundedness, EnumeratorOutput, InputStatus, ReaderContext, Source, SourceOutput, SourceReader,
    SourceSplit, SplitEnumerator,
};
use serde::{Deserialize, Serialize};

use crate::program::{Event, SourcePlan};
use crate::world::Hands;

/// Reads the splits of a plan.
#[derive(Clone)]
pub(crate) struct Splits {
    pub(crate) plan: SourcePlan,
    pub(crate) hands: Hands,
}

/// A split and the position in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Position {
    split: usize,
    next: u64,
}

impl SourceSplit for Position {
    fn split_id(&self) -> String {
        self.split.to_string()
    }
}

type Enumerator = Box<dyn SplitEnumerator<Split = Position, State = Vec<Position>>>;

impl Source for Splits {
    type Out = Event;
    type Split = Position;
    type EnumeratorState = Vec<Position>;

    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn create_enumerator(&self) -> FnResult<Enumerator> {
        let waiting = (0..self.plan.splits.len()).map(|split| Position { split, next: 0 }).collect();
        Ok(Box::new(Hand { waiting, hands: self.hands.clone() }))
    }

    fn restore_enumerator(&self, waiting: Vec<Position>) -> FnResult<Enumerator> {
        Ok(Box::new(Hand { waiting, hands: self.hands.clone() }))
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<Event, Position>>> {
        let (source, splits) = (self.clone(), Vec::new());
        Ok(Box::new(Reader { source, splits, turn: 0, has_all: false, context }))
    }
}

/// Hands out splits: each reader that asks gets its share of those that wait.
struct Hand {
    waiting: Vec<Position>,
    hands: Hands,
}

impl SplitEnumerator for Hand {
    type Split = Position;
    type State = Vec<Position>;

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, Position>) -> FnResult {
        self.hands.tick()?;
        let parallelism = out.parallelism() as usize;
        let own = |position: &Position| position.split % parallelism == subtask as usize;
        for position in self.waiting.iter().filter(|position| own(position)) {
            out.assign(subtask, position)?;
        }
        self.waiting.retain(|position| !own(position));
        out.no_more_splits(subtask);
        Ok(())
    }

    fn add_splits_back(&mut self, splits: Vec<Position>, _subtask: u32) -> FnResult {
        self.waiting.extend(splits);
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Position>> {
        self.hands.tick()?;
        Ok(self.waiting.clone())
    }
}

/// Reads its splits in turn. None before it has all: a split that comes later would find the watermark far ahead.
struct Reader {
    source: Splits,
    splits: Vec<Position>,
    turn: usize,
    has_all: bool,
    context: ReaderContext,
}

impl SourceReader<Event, Position> for Reader {
    fn start(&mut self) -> FnResult {
        self.context.request_split();
        Ok(())
    }

    fn add_splits(&mut self, splits: Vec<Position>) -> FnResult {
        self.splits.extend(splits);
        Ok(())
    }

    fn notify_no_more_splits(&mut self) {
        self.has_all = true;
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, Event>) -> FnResult<InputStatus> {
        if !self.has_all {
            return Ok(InputStatus::NothingAvailable { retry_after: None });
        }
        self.source.hands.tick()?;
        if self.splits.is_empty() {
            return Ok(InputStatus::EndOfInput);
        }
        let plan = &self.source.plan;
        self.turn = (self.turn + 1) % self.splits.len();
        let position = &mut self.splits[self.turn];
        let (id, end) = (position.split_id(), plan.splits[position.split].count);
        out.set_split(&id);
        let next = end.min(position.next + plan.poll as u64);
        for index in position.next..next {
            let event = plan.event(position.split, index);
            let at = event.at;
            out.collect_with_timestamp(event, at);
        }
        position.next = next;
        if next == end {
            out.finish_split(&id);
            self.splits.remove(self.turn);
        }
        Ok(match plan.pause_ms {
            0 => InputStatus::MoreAvailable,
            ms => InputStatus::NothingAvailable { retry_after: Some(Duration::from_millis(ms)) },
        })
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Position>> {
        self.source.hands.tick()?;
        Ok(self.splits.clone())
    }
}
