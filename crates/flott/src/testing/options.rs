//! How a harness runs a piece of a program.

/// Setting this environment variable to `1` makes every harness take a snapshot between any two steps.
const SNAPSHOTS_VARIABLE: &str = "FLOTT_TEST_SNAPSHOTS";

/// The parallelisms through which a harness goes that rescales at every step.
const RESCALED: [u32; 3] = [1, 2, 3];

/// How a harness runs a piece of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HarnessOptions {
    parallelism: u32,
    max_parallelism: u32,
    restarts: Restarts,
    backend: Option<&'static str>,
}

/// When the operators are snapshotted, closed, and built anew from the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restarts {
    Never,
    EveryStep,
    EveryStepRescaled,
}

impl Default for HarnessOptions {
    /// One subtask, 128 key groups. No snapshots, unless the environment variable `FLOTT_TEST_SNAPSHOTS` is `1`.
    fn default() -> Self {
        let asked = std::env::var_os(SNAPSHOTS_VARIABLE).is_some_and(|value| value == "1");
        let restarts = if asked { Restarts::EveryStep } else { Restarts::Never };
        Self { restarts, ..Self::plain() }
    }
}

impl HarnessOptions {
    /// One subtask, 128 key groups and no snapshots, whatever the environment variable says.
    pub const fn plain() -> Self {
        Self { parallelism: 1, max_parallelism: 128, restarts: Restarts::Never, backend: None }
    }

    /// Runs operators that set no parallelism themselves in this many subtasks.
    pub fn parallelism(self, parallelism: u32) -> Self {
        Self { parallelism, ..self }
    }

    /// The number of key groups of operators that set none themselves.
    pub fn max_parallelism(self, max_parallelism: u32) -> Self {
        Self { max_parallelism, ..self }
    }

    /// Keeps keyed state on the backend of this name; without it that which the environment variable `FLOTT_TEST_STATE_BACKEND` names.
    pub fn state_backend(self, name: &'static str) -> Self {
        Self { backend: Some(name), ..self }
    }

    /// Between any two steps: the state is snapshotted and encoded, the operators are closed, and new ones are built
    /// from the decoded state. They are told the watermark and the idleness of their inputs, which are no state;
    /// records that this makes them emit are output, watermarks and statuses are not. So a test sees the same as
    /// without snapshots, unless state is missing from them. Only an event-time timer that was registered for a time
    /// already past fires one step earlier.
    pub fn snapshot_at_every_step(self) -> Self {
        Self { restarts: Restarts::EveryStep, ..self }
    }

    /// As [`HarnessOptions::snapshot_at_every_step`], and the parallelism changes each time: 1, 2, 3, 1 and so on.
    /// Output of different keys may then come in another order.
    pub fn rescale_at_every_step(self) -> Self {
        Self { restarts: Restarts::EveryStepRescaled, ..self }
    }

    /// Whether the operators are rebuilt between any two steps.
    pub(super) fn restarts(self) -> bool {
        self.restarts != Restarts::Never
    }

    /// The default parallelism after so many restarts.
    pub(super) fn parallelism_after(self, restarts: u64) -> u32 {
        match self.restarts {
            Restarts::Never | Restarts::EveryStep => self.parallelism,
            Restarts::EveryStepRescaled => RESCALED[(restarts % RESCALED.len() as u64) as usize],
        }
    }

    /// The state backend, if one was chosen here.
    pub(super) fn backend(self) -> Option<&'static str> {
        self.backend
    }

    pub(super) fn key_groups(self) -> u32 {
        self.max_parallelism
    }
}

/// Runs a test plainly, and with a snapshot between any two steps. The test makes its harness with these options.
///
/// ```
/// use flott::prelude::*;
/// use flott::testing::{OneInputHarness, in_both_modes};
///
/// in_both_modes(|options| {
///     let evens = |numbers: DataStream<i64>| numbers.filter(|n| n % 2 == 0);
///     let mut harness = OneInputHarness::new(evens).with_options(options);
///     for n in 0..4 {
///         harness.process(n, n).unwrap();
///     }
///     assert_eq!(harness.take_records(), [0, 2]);
/// });
/// ```
pub fn in_both_modes(mut test: impl FnMut(HarnessOptions)) {
    test(HarnessOptions::plain());
    test(HarnessOptions::plain().snapshot_at_every_step());
}

/// The settings of a harness, which count from its first step on.
macro_rules! harness_settings {
    () => {
        /// Replaces all options.
        #[must_use]
        pub fn with_options(mut self, options: $crate::testing::HarnessOptions) -> Self {
            self.harness.set_options(|_| options);
            self
        }

        /// Runs operators that set no parallelism themselves in this many subtasks (default 1).
        #[must_use]
        pub fn with_parallelism(mut self, parallelism: u32) -> Self {
            self.harness.set_options(|options| options.parallelism(parallelism));
            self
        }

        /// The number of key groups of operators that set none themselves (default 128).
        #[must_use]
        pub fn with_max_parallelism(mut self, max_parallelism: u32) -> Self {
            self.harness.set_options(|options| options.max_parallelism(max_parallelism));
            self
        }

        /// Rebuilds everything from a snapshot between any two steps
        /// ([`HarnessOptions::snapshot_at_every_step`](crate::testing::HarnessOptions::snapshot_at_every_step)).
        #[must_use]
        pub fn with_snapshot_at_every_step(mut self) -> Self {
            self.harness.set_options($crate::testing::HarnessOptions::snapshot_at_every_step);
            self
        }

        /// Captures the side output of the last operator under this tag, for
        /// [`Harness::take_side_output`](crate::testing::Harness::take_side_output).
        #[must_use]
        pub fn with_side_output<X: flott_core::Data>(
            mut self,
            tag: &flott_runtime::operator::OutputTag<X>,
        ) -> Self {
            self.harness.capture_side_output(tag);
            self
        }
    };
}

pub(super) use harness_settings;
