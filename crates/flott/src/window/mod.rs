//! Windows: finite pieces of endless streams.
//!
//! An assigner says to which windows a record belongs, a trigger when a window's result is emitted; the operator keeps
//! one accumulator for each key and window, and removes it when the window can no longer change.

mod assigner;
mod operator;
mod time_window;
mod trigger;

pub use assigner::{SlidingEventTimeWindows, TumblingEventTimeWindows, WindowAssigner};
pub(crate) use operator::{Emit, EmitResult, WindowAggregate, WindowOperator, WindowSettings, WithFunction};
pub use time_window::{TimeWindow, Window};
pub use trigger::{EventTimeTrigger, Trigger, TriggerContext, TriggerResult};
