//! What checkpoints guarantee, what becomes of them, and how a failed job starts again.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::value::EnumValue;

/// Declares enums whose values have names: the first name is how a value is written, the others are read too.
macro_rules! named {
    ($($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal $(| $other:literal)*,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
            pub enum $name { $($(#[$value_doc])* $value,)* }

            impl FromStr for $name {
                type Err = ();

                fn from_str(text: &str) -> Result<Self, ()> {
                    $(if [$text $(, $other)*].iter().any(|name| name.eq_ignore_ascii_case(text)) {
                        return Ok(Self::$value);
                    })*
                    Err(())
                }
            }

            impl Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(match self { $(Self::$value => $text,)* })
                }
            }

            impl EnumValue for $name {
                const NAMES: &'static [&'static str] = &[$($text),*];
            }
        )*
    };
}

pub(super) use named;

named! {
    /// How often a record is reflected in the state after a recovery (Flink: `CheckpointingMode`).
    CheckpointingMode {
        /// Exactly once: barriers are aligned, or overtaken records become part of the checkpoint.
        ExactlyOnce = "EXACTLY_ONCE",
        /// At least once: nothing ever waits for a barrier, and some records are replayed though they are counted.
        AtLeastOnce = "AT_LEAST_ONCE",
    }

    /// Where checkpoints are kept (Flink: `CheckpointStorage`).
    CheckpointStorageKind {
        /// In the memory of the coordinator: a task may fail, the process may not.
        JobManager = "jobmanager",
        /// In files.
        FileSystem = "filesystem",
    }

    /// Who owns the snapshot that a job starts from (Flink: `RecoveryClaimMode`).
    RestoreMode {
        /// The user: it is never deleted, and no checkpoint is built on it.
        NoClaim = "NO_CLAIM",
        /// The job, which deletes it when it has newer ones.
        Claim = "CLAIM",
    }

    /// Which checkpoints stay when a job ends (Flink: `ExternalizedCheckpointRetention`).
    CheckpointRetention {
        /// None.
        None = "NO_EXTERNALIZED_CHECKPOINTS",
        /// Those of a job that has failed.
        DeleteOnCancellation = "DELETE_ON_CANCELLATION",
        /// Those of a job that has failed, was cancelled or was suspended.
        RetainOnCancellation = "RETAIN_ON_CANCELLATION",
    }

    /// Whether and when a failed job starts again (Flink: restart strategy).
    RestartStrategyKind {
        /// Never.
        None = "none" | "off" | "disable",
        /// A number of times, each after the same delay.
        FixedDelay = "fixed-delay" | "fixeddelay",
        /// As long as there are not too many failures within an interval.
        FailureRate = "failure-rate" | "failurerate",
        /// After a delay that grows with each failure.
        ExponentialDelay = "exponential-delay" | "exponentialdelay",
    }

    /// Which tasks start again after the failure of one (Flink: failover strategy).
    FailoverStrategy {
        /// Those that exchange records with it, directly or through others.
        Region = "region",
        /// All.
        Full = "full",
    }
}

#[cfg(test)]
mod tests;
