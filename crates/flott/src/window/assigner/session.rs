//! Windows that last as long as a key is active.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{WindowAssigner, WindowAssignerContext, millis};
use crate::window::{EventTimeTrigger, ProcessingTimeTrigger, TimeWindow};

/// Windows that end when a key has had no record for a gap, by the timestamps of the records (Flink:
/// `EventTimeSessionWindows`). A record exactly one gap after the last still belongs to the session.
#[derive(Debug)]
pub struct EventTimeSessionWindows<T = ()>(Gap<T>);

/// Windows that end when a key has had no record for a gap, by the clock when a record comes (Flink:
/// `ProcessingTimeSessionWindows`).
#[derive(Debug)]
pub struct ProcessingTimeSessionWindows<T = ()>(Gap<T>);

enum Gap<T> {
    Fixed(i64),
    Dynamic(Arc<dyn Fn(&T) -> Duration + Send + Sync>),
}

impl<T> Clone for Gap<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Fixed(gap_ms) => Self::Fixed(*gap_ms),
            Self::Dynamic(of_record) => Self::Dynamic(Arc::clone(of_record)),
        }
    }
}

impl<T> fmt::Debug for Gap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(gap_ms) => write!(f, "{gap_ms} ms"),
            Self::Dynamic(_) => write!(f, "dynamic"),
        }
    }
}

impl<T> Gap<T> {
    #[inline]
    fn of(&self, record: &T) -> FnResult<i64> {
        match self {
            Self::Fixed(gap_ms) => Ok(*gap_ms),
            Self::Dynamic(of_record) => {
                match millis(of_record(record)) {
                    0 => Err("the session gap of a record is zero, but sessions need a gap of at least 1 ms"
                        .into()),
                    gap_ms => Ok(gap_ms),
                }
            }
        }
    }

    fn validate(&self) -> Result<(), String> {
        match self {
            Self::Fixed(..=0) => Err("session windows need a gap of at least 1 ms".to_owned()),
            _ => Ok(()),
        }
    }
}

macro_rules! session {
    ($name:ident) => {
        impl $name {
            /// Sessions that end after this time without a record.
            pub fn with_gap<T>(gap: Duration) -> $name<T> {
                $name(Gap::Fixed(millis(gap)))
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<T> $name<T> {
            /// Sessions whose gap is what `gap` says of each record, at least 1 ms.
            pub fn with_dynamic_gap(gap: impl Fn(&T) -> Duration + Send + Sync + 'static) -> Self {
                Self(Gap::Dynamic(Arc::new(gap)))
            }
        }
    };
}

session!(EventTimeSessionWindows);
session!(ProcessingTimeSessionWindows);

#[inline]
fn assign<T>(gap: &Gap<T>, record: &T, time: Timestamp, windows: &mut Vec<TimeWindow>) -> FnResult {
    let gap_ms = gap.of(record)?;
    windows.clear();
    windows.push(TimeWindow::starting_at(time, gap_ms));
    Ok(())
}

impl<T: 'static> WindowAssigner<T> for EventTimeSessionWindows<T> {
    type Window = TimeWindow;
    type DefaultTrigger = EventTimeTrigger;
    const MERGES: bool = true;
    const OF_EVENT_TIME: bool = true;

    #[inline]
    fn assign(
        &mut self,
        record: &T,
        timestamp: Timestamp,
        _: &WindowAssignerContext,
        windows: &mut Vec<TimeWindow>,
    ) -> FnResult {
        assign(&self.0, record, timestamp, windows)
    }

    fn default_trigger(&self) -> EventTimeTrigger {
        EventTimeTrigger
    }

    fn is_event_time(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<(), String> {
        self.0.validate()
    }
}

impl<T: 'static> WindowAssigner<T> for ProcessingTimeSessionWindows<T> {
    type Window = TimeWindow;
    type DefaultTrigger = ProcessingTimeTrigger;
    const MERGES: bool = true;

    #[inline]
    fn assign(
        &mut self,
        record: &T,
        _: Timestamp,
        context: &WindowAssignerContext,
        windows: &mut Vec<TimeWindow>,
    ) -> FnResult {
        assign(&self.0, record, context.current_processing_time(), windows)
    }

    fn default_trigger(&self) -> ProcessingTimeTrigger {
        ProcessingTimeTrigger
    }

    fn is_event_time(&self) -> bool {
        false
    }

    fn validate(&self) -> Result<(), String> {
        self.0.validate()
    }
}
