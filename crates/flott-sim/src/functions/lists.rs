//! Lists in operator state.

use flott::prelude::*;

use crate::program::{Event, FINAL, TOTAL};
use crate::world::Hands;

/// Keeps events until there are enough of them.
#[derive(Clone)]
pub(crate) struct Hoard {
    dozen: usize,
    hands: Hands,
    kept: Vec<Event>,
    list: OperatorListState<Event>,
}

impl Hoard {
    pub(crate) fn new(dozen: usize, hands: Hands) -> Self {
        Self { dozen, hands, kept: Vec::new(), list: OperatorListState::default() }
    }
}

impl FlatMapFunction<Event, Event> for Hoard {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.list = context.list_state(ListStateDescriptor::new("kept"))?;
        self.kept = self.list.get(context)?.to_vec();
        Ok(())
    }

    fn flat_map(&mut self, event: Event, out: &mut Collector<'_, Event>) -> FnResult {
        self.hands.tick()?;
        self.kept.push(event);
        if self.kept.len() >= self.dozen {
            self.kept.drain(..).for_each(|event| out.collect(event));
        }
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut FunctionSnapshotContext<'_>) -> FnResult {
        self.hands.tick()?;
        Ok(self.list.update(context, self.kept.clone())?)
    }

    fn finish(&mut self, out: &mut Collector<'_, Event>) -> FnResult {
        self.hands.tick()?;
        self.kept.drain(..).for_each(|event| out.collect(event));
        Ok(())
    }
}

/// Counts, and tells the count at the end.
#[derive(Clone)]
pub(crate) struct Census {
    hands: Hands,
    seen: i64,
    subtask: u32,
    restored: Vec<i64>,
    counts: OperatorListState<i64>,
}

impl Census {
    pub(crate) fn new(hands: Hands) -> Self {
        let (restored, counts) = (Vec::new(), OperatorListState::default());
        Self { hands, seen: 0, subtask: 0, restored, counts }
    }
}

impl FlatMapFunction<Event, Event> for Census {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.counts = context.union_list_state(ListStateDescriptor::new("counts"))?;
        self.restored = self.counts.get(context)?.to_vec();
        Ok(())
    }

    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.subtask = context.index_of_this_subtask();
        // All have got all counts: one of them goes on from there.
        let restored = std::mem::take(&mut self.restored);
        self.seen = if self.subtask == 0 { restored.iter().sum() } else { 0 };
        Ok(())
    }

    fn flat_map(&mut self, event: Event, out: &mut Collector<'_, Event>) -> FnResult {
        self.hands.tick()?;
        self.seen += 1;
        out.collect(event);
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut FunctionSnapshotContext<'_>) -> FnResult {
        self.hands.tick()?;
        Ok(self.counts.update(context, vec![self.seen])?)
    }

    fn finish(&mut self, out: &mut Collector<'_, Event>) -> FnResult {
        self.hands.tick()?;
        // It is told: a later snapshot must not hold it again.
        let value = std::mem::take(&mut self.seen);
        out.collect(Event { key: TOTAL, value, at: FINAL });
        Ok(())
    }
}
