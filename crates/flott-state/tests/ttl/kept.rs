//! A state of one kind that can be restored between any two steps.

use flott_state::{CurrentKey, KeyedState};

use crate::support::{at, restored, snapshot};

type Register<H> = dyn Fn(&mut KeyedState<u64>) -> H;

/// A state of one kind, used with key 1.
pub(crate) struct Kept<H> {
    pub(crate) state: KeyedState<u64>,
    pub(crate) handle: H,
    register: Box<Register<H>>,
    now: i64,
    pub(crate) restarts: bool,
}

impl<H: Copy> Kept<H> {
    pub(crate) fn new(register: impl Fn(&mut KeyedState<u64>) -> H + 'static, restarts: bool) -> Self {
        let mut state = restored(Vec::new(), 0);
        Self { handle: register(&mut state), state, register: Box::new(register), now: 0, restarts }
    }

    /// The state and key 1 at this time, behind a snapshot and restore if asked for.
    pub(crate) fn at(&mut self, now: i64) -> (H, CurrentKey<'_, u64>) {
        if self.restarts {
            let parts = snapshot(&mut self.state);
            self.state = restored(parts, self.now);
            self.handle = (self.register)(&mut self.state);
        }
        self.now = now;
        self.state.set_processing_time(now);
        (self.handle, at(&mut self.state, &1))
    }
}
