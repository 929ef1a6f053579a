//! A panic of user code becomes a value, with its place, and prints nothing: the job's error tells it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;

use super::shared::{leave_operator, running_operator};
use crate::error::ChainResult;

/// A caught panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panic {
    /// Its message, in one line.
    pub message: String,
    /// `file:line:column` where known.
    pub location: Option<String>,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(at) => write!(f, "panicked at {at}: {}", self.message),
            None => write!(f, "panicked: {}", self.message),
        }
    }
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `life` and catches a panic of it. Panics elsewhere in the process go to the hook that was there before. What `life`
/// has borrowed must not be used after a panic.
///
/// # Errors
/// The panic.
pub fn catch<R>(life: impl FnOnce() -> R) -> Result<R, Panic> {
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if CATCHING.get() {
                let at = info.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
                LOCATION.with_borrow_mut(|location| *location = at);
            } else {
                previous(info);
            }
        }));
    });
    let outer = CATCHING.replace(true);
    // The task is dropped after a panic, so nothing half-changed is seen again.
    let result = catch_unwind(AssertUnwindSafe(life));
    CATCHING.set(outer);
    result.map_err(|payload| Panic {
        message: message(payload.as_ref()),
        location: LOCATION.with_borrow_mut(Option::take),
    })
}

/// Does the one and then the other, whatever becomes of the one; the first failure or panic is told.
pub(crate) fn in_any_case(
    one: impl FnOnce() -> ChainResult,
    other: impl FnOnce() -> ChainResult,
) -> ChainResult {
    let first = catch_unwind(AssertUnwindSafe(one));
    if matches!(first, Ok(Ok(()))) {
        return other();
    }
    // A second failure would only hide the first, and so would its place.
    let (location, operator) = (LOCATION.with_borrow(Clone::clone), running_operator());
    let _ = catch_unwind(AssertUnwindSafe(other));
    LOCATION.set(location);
    leave_operator(operator);
    first.unwrap_or_else(|panic| resume_unwind(panic))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a value that is no text".to_owned())
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
