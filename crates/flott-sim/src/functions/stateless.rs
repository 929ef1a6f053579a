//! Functions without state.

use flott::prelude::*;

use crate::model;
use crate::program::Event;
use crate::world::Hands;

/// Other values under other keys.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) factor: i64,
    pub(crate) keys: u32,
    pub(crate) hands: Hands,
}

impl MapFunction<Event, Event> for Change {
    fn map(&mut self, event: Event) -> FnResult<Event> {
        self.hands.tick()?;
        Ok(model::map(event, self.factor, self.keys))
    }
}

/// Those whose value is not a multiple.
#[derive(Clone)]
pub(crate) struct Keep {
    pub(crate) multiple: i64,
    pub(crate) hands: Hands,
}

impl FilterFunction<Event> for Keep {
    fn filter(&mut self, event: &Event) -> FnResult<bool> {
        self.hands.tick()?;
        Ok(event.value % self.multiple != 0)
    }
}

/// Several of each.
#[derive(Clone)]
pub(crate) struct Copies {
    pub(crate) count: u32,
    pub(crate) hands: Hands,
}

impl FlatMapFunction<Event, Event> for Copies {
    fn flat_map(&mut self, event: Event, out: &mut Collector<'_, Event>) -> FnResult {
        self.hands.tick()?;
        (0..self.count).for_each(|copy| out.collect(model::copied(&event, copy)));
        Ok(())
    }
}
