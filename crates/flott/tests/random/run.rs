//! Runs a program on flott, step by step.

use flott::prelude::*;
use flott::testing::{HarnessOptions, HarnessSnapshot, OneInputHarness};
use flott_state::SnapshotBudget;

use crate::functions::{Spanned, SumAndCount, Tell, firings};
use crate::program::{Event, Evicts, Fires, Firing, Function, Outcome, Program, Step, Windows};
use crate::triggers::AnyTrigger;

type Harness = OneInputHarness<Event, Firing>;

fn late() -> OutputTag<Event> {
    OutputTag::new("late")
}

/// What each step of the program does, and the end of its input.
pub(crate) fn run(program: &Program) -> Vec<Outcome> {
    let mut harness =
        OneInputHarness::new(|events: DataStream<Event>| built(program, events.key_by(|event| event.key)))
            .with_options(HarnessOptions::plain())
            .with_side_output(&late())
            .with_side_output(&firings());
    let mut snapshot = Snapshot::None;
    let steps = program.steps.iter().copied().map(Some).chain([None]);
    steps.map(|step| taken(&mut harness, &mut snapshot, step)).collect()
}

/// A snapshot to go back to.
enum Snapshot {
    None,
    Begun,
    Taken(HarnessSnapshot),
}

impl Snapshot {
    /// Goes on with it, a few entries at a time or to its end.
    fn drain(&mut self, harness: &mut Harness, budget: SnapshotBudget) {
        if let Self::Begun = self
            && let Some(taken) = harness.drain_snapshot(budget).unwrap()
        {
            *self = Self::Taken(taken);
        }
    }

    fn finish(&mut self, harness: &mut Harness) {
        while let Self::Begun = self {
            self.drain(harness, SnapshotBudget::unlimited());
        }
    }
}

/// Does a step, or ends the input, and takes what has come out.
fn taken(harness: &mut Harness, snapshot: &mut Snapshot, step: Option<Step>) -> Outcome {
    match step {
        Some(Step::Record(event, Some(time))) => harness.process(event, time).unwrap(),
        Some(Step::Record(event, None)) => harness.process_without_timestamp(event).unwrap(),
        Some(Step::Watermark(watermark)) => harness.watermark(watermark).unwrap(),
        Some(Step::Wait(ms)) => {
            let now = harness.processing_time();
            harness.set_processing_time(now + ms).unwrap();
        }
        Some(Step::Restart(parallelism)) => {
            snapshot.finish(harness);
            harness.rescale(parallelism).unwrap();
        }
        Some(Step::Snapshot) => {
            snapshot.finish(harness);
            harness.begin_snapshot().unwrap();
            *snapshot = Snapshot::Begun;
        }
        Some(Step::Restore(parallelism)) => {
            snapshot.finish(harness);
            let taken = match std::mem::replace(snapshot, Snapshot::None) {
                Snapshot::Taken(taken) => taken,
                Snapshot::None | Snapshot::Begun => harness.snapshot().unwrap(),
            };
            harness.restore(&taken, parallelism).unwrap();
        }
        None => {
            snapshot.finish(harness);
            harness.finish().unwrap();
        }
    }
    snapshot.drain(harness, SnapshotBudget::new(1, 1));
    let told = harness.take_side_output(&firings());
    let outcome = Outcome {
        results: harness.take_stamped(),
        firings: told.into_iter().map(|(told, _)| told).collect(),
        late: harness.take_side_output(&late()),
        dropped: harness.late_records_dropped(),
    };
    outcome.sorted()
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

fn gap_of(event: &Event) -> Duration {
    Duration::from_millis(u64::from(event.gap))
}

fn built(program: &Program, keyed: KeyedStream<u8, Event>) -> DataStream<Firing> {
    let (event_time, default) = (program.event_time, program.fires == Fires::Default);
    match program.windows {
        Windows::Tumbling { size, offset } if event_time && default => {
            let windows = TumblingEventTimeWindows::of(millis(size)).with_offset_ms(offset);
            evicted(program, keyed.window(windows))
        }
        Windows::Sliding { size, slide, offset } if event_time && default => {
            let windows = SlidingEventTimeWindows::of(millis(size), millis(slide)).with_offset_ms(offset);
            evicted(program, keyed.window(windows))
        }
        Windows::Sessions { .. } | Windows::DynamicSessions if event_time && default => {
            evicted(program, keyed.window(event_time_sessions(program.windows)))
        }
        Windows::Sessions { .. } | Windows::DynamicSessions => {
            evicted(program, keyed.window(AnySessions::of(program)).trigger(trigger(program)))
        }
        Windows::Tumbling { .. } | Windows::Sliding { .. } => {
            evicted(program, keyed.window(AnyAligned::of(program)).trigger(trigger(program)))
        }
        Windows::Global => evicted(program, keyed.window(GlobalWindows).trigger(trigger(program))),
    }
}

fn trigger(program: &Program) -> AnyTrigger {
    AnyTrigger::of(match &program.fires {
        Fires::Default if program.windows == Windows::Global => &Fires::Never,
        Fires::Default if program.event_time => &Fires::EventTime,
        Fires::Default => &Fires::ProcessingTime,
        fires => fires,
    })
}

fn evicted<A, R>(program: &Program, windowed: WindowedStream<u8, Event, A, R>) -> DataStream<Firing>
where
    A: WindowAssigner<Event>,
    A::Window: Spanned,
    R: Trigger<Event, A::Window>,
{
    let windowed = windowed.allowed_lateness(millis(program.lateness));
    let windowed = if program.late_output { windowed.side_output_late_data(&late()) } else { windowed };
    let Some((evicts, after)) = program.evicts else { return with_function(program, windowed) };
    with_function(program, windowed.evictor(AnyEvictor::of(evicts, after)))
}

fn with_function<A, R, V>(
    program: &Program,
    windowed: WindowedStream<u8, Event, A, R, V>,
) -> DataStream<Firing>
where
    A: WindowAssigner<Event>,
    A::Window: Spanned,
    R: Trigger<Event, A::Window>,
    V: Evictor<Event, A::Window>,
{
    let tell = Tell::new(program.windows.merge());
    match program.function {
        Function::Reduce => {
            let add = |a: &Event, b: Event| Event { value: a.value + b.value, count: a.count + b.count, ..b };
            let tell = |key: &u8, window: &A::Window, sum: Event, out: &mut Collector<'_, Firing>| {
                let values = vec![sum.value, sum.count];
                out.collect(Firing { key: *key, window: window.span(), firing: 0, values });
            };
            windowed.reduce_with(add, tell)
        }
        Function::Aggregate => windowed.aggregate_and_process(SumAndCount, tell),
        Function::Process => windowed.process(tell),
    }
}

fn event_time_sessions(windows: Windows) -> EventTimeSessionWindows<Event> {
    match windows {
        Windows::Sessions { gap } => EventTimeSessionWindows::with_gap(millis(gap)),
        _ => EventTimeSessionWindows::with_dynamic_gap(gap_of),
    }
}

/// Tumbling and sliding windows of both times, as one type.
#[derive(Clone)]
enum AnyAligned {
    Tumbling(TumblingEventTimeWindows),
    Sliding(SlidingEventTimeWindows),
    TumblingByClock(TumblingProcessingTimeWindows),
    SlidingByClock(SlidingProcessingTimeWindows),
}

impl AnyAligned {
    fn of(program: &Program) -> Self {
        match (program.windows, program.event_time) {
            (Windows::Tumbling { size, offset }, true) => {
                Self::Tumbling(TumblingEventTimeWindows::of(millis(size)).with_offset_ms(offset))
            }
            (Windows::Tumbling { size, offset }, false) => {
                Self::TumblingByClock(TumblingProcessingTimeWindows::of(millis(size)).with_offset_ms(offset))
            }
            (Windows::Sliding { size, slide, offset }, true) => {
                Self::Sliding(SlidingEventTimeWindows::of(millis(size), millis(slide)).with_offset_ms(offset))
            }
            (Windows::Sliding { size, slide, offset }, false) => Self::SlidingByClock(
                SlidingProcessingTimeWindows::of(millis(size), millis(slide)).with_offset_ms(offset),
            ),
            (windows, _) => panic!("not aligned: {windows:?}"),
        }
    }
}

/// Sessions of both times, as one type.
#[derive(Clone)]
enum AnySessions {
    OfEvents(EventTimeSessionWindows<Event>),
    ByClock(ProcessingTimeSessionWindows<Event>),
}

impl AnySessions {
    fn of(program: &Program) -> Self {
        match program.windows {
            windows if program.event_time => Self::OfEvents(event_time_sessions(windows)),
            Windows::Sessions { gap } => Self::ByClock(ProcessingTimeSessionWindows::with_gap(millis(gap))),
            _ => Self::ByClock(ProcessingTimeSessionWindows::with_dynamic_gap(gap_of)),
        }
    }
}

/// Hands each call to the assigner inside.
macro_rules! one_of {
    ($of:ident: $($name:ident),*; merges: $merges:literal) => {
        impl WindowAssigner<Event> for $of {
            type Window = TimeWindow;
            type DefaultTrigger = NeverTrigger;
            const MERGES: bool = $merges;

            fn assign(
                &mut self,
                event: &Event,
                time: Timestamp,
                context: &WindowAssignerContext,
                windows: &mut Vec<TimeWindow>,
            ) -> FnResult {
                match self { $(Self::$name(inner) => inner.assign(event, time, context, windows),)* }
            }

            fn default_trigger(&self) -> NeverTrigger {
                NeverTrigger
            }

            fn is_event_time(&self) -> bool {
                match self { $(Self::$name(inner) => WindowAssigner::<Event>::is_event_time(inner),)* }
            }
        }
    };
}

one_of!(AnyAligned: Tumbling, Sliding, TumblingByClock, SlidingByClock; merges: false);
one_of!(AnySessions: OfEvents, ByClock; merges: true);

type Difference = fn(&Event, &Event) -> f64;

/// The evictors of a program, as one type.
#[derive(Clone)]
enum AnyEvictor {
    Count(CountEvictor),
    Time(TimeEvictor),
    Delta(DeltaEvictor<Difference>),
}

fn below(event: &Event, last: &Event) -> f64 {
    (last.value - event.value) as f64
}

impl AnyEvictor {
    fn of(evicts: Evicts, after: bool) -> Self {
        match evicts {
            Evicts::Count(max) => {
                Self::Count(if after { CountEvictor::of(max).after() } else { CountEvictor::of(max) })
            }
            Evicts::Time(span) => {
                let evictor = TimeEvictor::of(millis(span));
                Self::Time(if after { evictor.after() } else { evictor })
            }
            Evicts::Delta(threshold) => {
                let evictor = DeltaEvictor::of(threshold as f64, below as Difference);
                Self::Delta(if after { evictor.after() } else { evictor })
            }
        }
    }
}

impl<W: Window> Evictor<Event, W> for AnyEvictor {
    fn evict_before(
        &mut self,
        elements: &mut WindowElements<Event>,
        window: &W,
        context: &EvictorContext,
    ) -> FnResult {
        match self {
            Self::Count(inner) => inner.evict_before(elements, window, context),
            Self::Time(inner) => inner.evict_before(elements, window, context),
            Self::Delta(inner) => inner.evict_before(elements, window, context),
        }
    }

    fn evict_after(
        &mut self,
        elements: &mut WindowElements<Event>,
        window: &W,
        context: &EvictorContext,
    ) -> FnResult {
        match self {
            Self::Count(inner) => inner.evict_after(elements, window, context),
            Self::Time(inner) => inner.evict_after(elements, window, context),
            Self::Delta(inner) => inner.evict_after(elements, window, context),
        }
    }
}
