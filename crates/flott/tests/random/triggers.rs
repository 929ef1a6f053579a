//! The triggers of a program, as one type.

use flott::prelude::*;
use flott::state::StateRegistry;
use flott::window::{OnMergeContext, TriggerResult};

use crate::program::{Event, Fires};

/// A trigger of the program's own: a multiple of 7 drops the contents, one of 5 fires and drops them, and the clock fires
/// at each multiple of 10 ms.
#[derive(Clone, Default)]
pub(crate) struct Moody {
    next: ReducingState<Timestamp>,
}

pub(crate) fn mood_of(value: i64) -> TriggerResult {
    match value {
        0 => TriggerResult::Continue,
        value if value % 7 == 0 => TriggerResult::Purge,
        value if value % 5 == 0 => TriggerResult::FireAndPurge,
        _ => TriggerResult::Continue,
    }
}

impl<W: Window> Trigger<Event, W> for Moody {
    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        let earliest = |a: &Timestamp, b: Timestamp| b.min(*a);
        self.next = state.reducing_state(ReducingStateDescriptor::new("moody-next", earliest))?;
        Ok(())
    }

    fn on_element<C: TriggerContext<W>>(
        &mut self,
        event: &Event,
        _: Timestamp,
        _: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if self.next.get(context)?.is_none() {
            let now = context.current_processing_time();
            let next = now - now % 10 + 10;
            self.next.add(context, next)?;
            context.register_processing_time_timer(next);
        }
        Ok(mood_of(event.value))
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        Ok(TriggerResult::Continue)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        _: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if self.next.get(context)?.is_none_or(|next| *next != time) {
            return Ok(TriggerResult::Continue);
        }
        self.next.clear(context)?;
        Ok(TriggerResult::Fire)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        context.merge_partitioned_state(self.next)?;
        if let Some(next) = self.next.get(context)?.copied() {
            context.register_processing_time_timer(next);
        }
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        if let Some(next) = self.next.take(context)? {
            context.delete_processing_time_timer(next);
        }
        Ok(())
    }
}

type Difference = fn(&Event, &Event) -> f64;

fn above(last: &Event, event: &Event) -> f64 {
    (event.value - last.value) as f64
}

/// A trigger that is not made of another.
#[derive(Clone)]
pub(crate) enum Simple {
    EventTime(EventTimeTrigger),
    ProcessingTime(ProcessingTimeTrigger),
    Count(CountTrigger),
    ContinuousEventTime(ContinuousEventTimeTrigger),
    ContinuousProcessingTime(ContinuousProcessingTimeTrigger),
    Delta(DeltaTrigger<Event, Difference>),
    Never(NeverTrigger),
    Moody(Moody),
}

/// Any trigger of a program.
#[derive(Clone)]
pub(crate) enum AnyTrigger {
    Simple(Simple),
    Purging(PurgingTrigger<Simple>),
    Timeout(ProcessingTimeoutTrigger<Simple>),
    TimeoutOfPurging(ProcessingTimeoutTrigger<PurgingTrigger<Simple>>),
    PurgingOfTimeout(PurgingTrigger<ProcessingTimeoutTrigger<Simple>>),
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

fn simple(fires: &Fires) -> Simple {
    match fires {
        Fires::EventTime => Simple::EventTime(EventTimeTrigger),
        Fires::ProcessingTime => Simple::ProcessingTime(ProcessingTimeTrigger),
        Fires::Count(n) => Simple::Count(CountTrigger::of(*n)),
        Fires::ContinuousEventTime(ms) => {
            Simple::ContinuousEventTime(ContinuousEventTimeTrigger::of(millis(*ms)))
        }
        Fires::ContinuousProcessingTime(ms) => {
            Simple::ContinuousProcessingTime(ContinuousProcessingTimeTrigger::of(millis(*ms)))
        }
        Fires::Delta(threshold) => Simple::Delta(DeltaTrigger::of(*threshold as f64, above as Difference)),
        Fires::Never => Simple::Never(NeverTrigger),
        Fires::Moody => Simple::Moody(Moody::default()),
        Fires::Default | Fires::Purging(_) | Fires::Timeout { .. } => panic!("not simple: {fires:?}"),
    }
}

impl AnyTrigger {
    pub(crate) fn of(fires: &Fires) -> Self {
        match fires {
            Fires::Purging(nested) => match &**nested {
                Fires::Timeout { nested, after, reset, clear } => {
                    let timeout = ProcessingTimeoutTrigger::of(simple(nested), millis(*after));
                    Self::PurgingOfTimeout(PurgingTrigger::of(
                        timeout.reset_timer_on_new_record(*reset).clear_on_timeout(*clear),
                    ))
                }
                nested => Self::Purging(PurgingTrigger::of(simple(nested))),
            },
            Fires::Timeout { nested, after, reset, clear } => match &**nested {
                Fires::Purging(nested) => {
                    let purging = PurgingTrigger::of(simple(nested));
                    let timeout = ProcessingTimeoutTrigger::of(purging, millis(*after));
                    Self::TimeoutOfPurging(timeout.reset_timer_on_new_record(*reset).clear_on_timeout(*clear))
                }
                nested => {
                    let timeout = ProcessingTimeoutTrigger::of(simple(nested), millis(*after));
                    Self::Timeout(timeout.reset_timer_on_new_record(*reset).clear_on_timeout(*clear))
                }
            },
            fires => Self::Simple(simple(fires)),
        }
    }
}

/// Hands each call to the trigger inside.
macro_rules! one_of {
    ($of:ident: $($name:ident),*) => {
        impl<W: Window> Trigger<Event, W> for $of {
            fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
                match self { $(Self::$name(inner) => Trigger::<Event, W>::open(inner, state),)* }
            }

            fn on_element<C: TriggerContext<W>>(
                &mut self,
                event: &Event,
                time: Timestamp,
                window: &W,
                context: &mut C,
            ) -> FnResult<TriggerResult> {
                match self { $(Self::$name(inner) => inner.on_element(event, time, window, context),)* }
            }

            fn on_event_time<C: TriggerContext<W>>(
                &mut self,
                time: Timestamp,
                window: &W,
                context: &mut C,
            ) -> FnResult<TriggerResult> {
                match self {
                    $(Self::$name(inner) => Trigger::<Event, W>::on_event_time(inner, time, window, context),)*
                }
            }

            fn on_processing_time<C: TriggerContext<W>>(
                &mut self,
                time: Timestamp,
                window: &W,
                context: &mut C,
            ) -> FnResult<TriggerResult> {
                match self {
                    $(Self::$name(inner) => Trigger::<Event, W>::on_processing_time(inner, time, window, context),)*
                }
            }

            fn can_merge(&self) -> bool {
                match self { $(Self::$name(inner) => Trigger::<Event, W>::can_merge(inner),)* }
            }

            fn on_merge<C: OnMergeContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
                match self { $(Self::$name(inner) => Trigger::<Event, W>::on_merge(inner, window, context),)* }
            }

            fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
                match self { $(Self::$name(inner) => Trigger::<Event, W>::clear(inner, window, context),)* }
            }
        }
    };
}

one_of!(Simple: EventTime, ProcessingTime, Count, ContinuousEventTime, ContinuousProcessingTime, Delta, Never, Moody);
one_of!(AnyTrigger: Simple, Purging, Timeout, TimeoutOfPurging, PurgingOfTimeout);
