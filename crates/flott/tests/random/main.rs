//! Random programs of windows, step by step against a model that keeps every record of every window in a list: every kind
//! of window, trigger, evictor and function, with any lateness, and with restarts, restores and rescaling at random steps.
//!
//! A failing program is shrunk, and printed as text with the step at which it differs. `FLOTT_PROGRAMS` sets how many
//! are drawn.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

mod draw;
mod functions;
mod model;
mod program;
mod run;
mod triggers;

use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::program::Program;

fn config() -> Config {
    let programs = std::env::var("FLOTT_PROGRAMS").ok().and_then(|programs| programs.parse().ok());
    Config { cases: programs.unwrap_or(400), failure_persistence: None, ..Config::default() }
}

/// What the engine and the model make of each step.
fn check(program: &Program) -> Result<(), TestCaseError> {
    let (ran, expected) = (run::run(program), model::run(program));
    for (at, (ran, expected)) in ran.iter().zip(&expected).enumerate() {
        prop_assert!(ran == expected, "at step {}: flott\n{ran}but the model\n{expected}", at + 1);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_random_program_does_what_the_model_does(program in draw::program()) {
        check(&program)?;
    }

    /// The operators that most programs use keep their windows in other ways than the general one.
    #[test]
    fn a_random_program_with_default_triggers_does_what_the_model_does(program in draw::program_with_defaults()) {
        check(&program)?;
    }
}
