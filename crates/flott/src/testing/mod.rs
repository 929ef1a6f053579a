//! Testing a piece of a program, step by step (Flink: `OneInputStreamOperatorTestHarness` and its like).
//!
//! A harness runs what its closure writes behind a stream that the test drives. Operators, exchanges and state are
//! those of a job, in as many subtasks as asked for, all on the test's own thread and with a clock that only the test
//! moves. After each step everything that follows from it has happened, and what came out can be looked at.
//!
//! * [`OneInputHarness`], [`TwoInputHarness`] — the harnesses, and their steps;
//! * [`Harness`] — what both can do: time, output, side outputs, snapshots;
//! * [`HarnessOptions`] — parallelism, and whether everything is rebuilt from a snapshot between any two steps;
//! * [`in_both_modes`] — runs a test with and without that;
//! * [`environment`] — where a test of a whole program starts, on a state backend that can be chosen from outside;
//! * [`check_restore`] — whether a savepoint still fits a program, without running it;
//! * [`VirtualTime`] — runs a whole program at once, however long it waits, in an order drawn from a seed.
//!
//! A test of a function with state and a timer, which must also hold if the job is restored at any moment:
//!
//! ```
//! use flott::prelude::*;
//! use flott::testing::{OneInputHarness, in_both_modes};
//!
//! /// Counts the clicks of each user, and tells the count a minute after the first.
//! #[derive(Clone, Default)]
//! struct Clicks {
//!     count: ValueState<u32>,
//! }
//!
//! impl KeyedProcessFunction<String, String, (String, u32)> for Clicks {
//!     fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
//!         self.count = context.value_state(ValueStateDescriptor::new("count"))?;
//!         Ok(())
//!     }
//!
//!     fn process_element(
//!         &mut self,
//!         _user: String,
//!         context: &mut KeyedContext<'_, String>,
//!         _out: &mut Collector<'_, (String, u32)>,
//!     ) -> FnResult {
//!         let count = self.count.value(context)?.unwrap_or(0);
//!         if count == 0 {
//!             context.register_event_time_timer(context.timestamp().unwrap_or(0) + 60_000);
//!         }
//!         Ok(self.count.update(context, count + 1)?)
//!     }
//!
//!     fn on_timer(
//!         &mut self,
//!         _time: Timestamp,
//!         context: &mut OnTimerContext<'_, String>,
//!         out: &mut Collector<'_, (String, u32)>,
//!     ) -> FnResult {
//!         out.collect((context.current_key().clone(), self.count.value(context)?.unwrap_or(0)));
//!         Ok(self.count.clear(context)?)
//!     }
//! }
//!
//! in_both_modes(|options| {
//!     let clicks = |users: DataStream<String>| users.key_by_ref(|user| user).process(Clicks::default());
//!     let mut harness = OneInputHarness::new(clicks).with_options(options);
//!     harness.process("ann".to_owned(), 1_000).unwrap();
//!     harness.process("ann".to_owned(), 30_000).unwrap();
//!     harness.watermark(60_999).unwrap();
//!     assert_eq!(harness.take_records(), []);
//!     harness.watermark(61_000).unwrap();
//!     assert_eq!(harness.take_stamped(), [(("ann".to_owned(), 2), Some(61_000))]);
//! });
//! ```

mod environment;
mod harness;
mod one_input;
mod options;
mod restore;
mod two_input;

pub use flott_runtime::job::RestoreReport;
pub use flott_runtime::testing::{Deadlock, JobSnapshot as HarnessSnapshot, StreamElement, VirtualTime};

pub use environment::environment;
pub use harness::Harness;
pub use one_input::OneInputHarness;
pub use options::{HarnessOptions, in_both_modes};
pub use restore::check_restore;

pub use two_input::TwoInputHarness;
