//! Windows: finite pieces of endless streams.
//!
//! * An [assigner](WindowAssigner) says to which windows a record belongs;
//! * a [trigger](Trigger) says when a window's result is emitted;
//! * an [evictor](Evictor) may drop records around the emission;
//! * a function makes the result: incrementally of an accumulator for each key and window, or of all records at once
//!   ([`ProcessWindowFunction`]).
//!
//! The operators that bring them together are in `operator`; they remove a window when it can no longer change.

mod aligned;
mod assigner;
mod evictor;
mod function;
mod global_window;
mod operator;
mod time_window;
mod trigger;

#[doc(hidden)]
pub use aligned::{AlignedShape, AlignedWindows};
pub use assigner::{
    EventTimeSessionWindows, GlobalWindows, ProcessingTimeSessionWindows, SlidingEventTimeWindows,
    SlidingProcessingTimeWindows, TumblingEventTimeWindows, TumblingProcessingTimeWindows, WindowAssigner,
    WindowAssignerContext,
};
pub use evictor::{
    CountEvictor, DeltaEvictor, Evictor, EvictorContext, NoEvictor, TimeEvictor, WindowElements,
};
pub(crate) use function::{
    Aggregate, Aggregation, AllElements, Closure, EmitResult, Evicting, Incremental, OverElements, Reduce,
    Work,
};
pub use function::{PerWindowStateRefused, ProcessWindowFunction, WindowContext, WindowOpenContext};
pub use global_window::GlobalWindow;
pub(crate) use operator::{AlignedWindowOperator, SessionWindowOperator, WindowOperator, WindowSettings};
pub use time_window::{TimeWindow, Window};
pub use trigger::{
    ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, CountTrigger, DeltaTrigger,
    EventTimeTrigger, NeverTrigger, OnMergeContext, ProcessingTimeTrigger, ProcessingTimeoutTrigger,
    PurgingTrigger, Trigger, TriggerContext, TriggerResult,
};
