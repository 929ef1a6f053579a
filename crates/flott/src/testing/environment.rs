//! Where tests of whole programs start.

use std::sync::{Arc, OnceLock};

use flott_state::testing::SortedMapStateBackend;

use crate::environment::StreamExecutionEnvironment;

/// Names the state backend on which tests run: `hashmap` without it, `rocksdb` with the feature of this name, or `sorted-map`, which treats
/// state as a backend on disk does but needs none ([`SortedMapStateBackend`]).
const BACKEND_VARIABLE: &str = "FLOTT_TEST_STATE_BACKEND";

/// An environment on the state backend that the environment variable `FLOTT_TEST_STATE_BACKEND` names, so that one suite tests them all. As
/// [`StreamExecutionEnvironment::new`] without the variable.
pub fn environment() -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.register_state_backend(Arc::new(SortedMapStateBackend::default()));
    if let Some(backend) = backend() {
        env.set_state_backend(backend);
    }
    env
}

/// The state backend that tests run on, if one was named.
pub(super) fn backend() -> Option<&'static str> {
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    NAMED.get_or_init(|| std::env::var(BACKEND_VARIABLE).ok()).as_deref()
}
