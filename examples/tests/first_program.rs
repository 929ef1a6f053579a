//! The program of the README, as it stands there.

mod support;

use anyhow::{Context, Result, ensure};

#[test]
fn the_readme_shows_the_program() -> Result<()> {
    let program = include_str!("../first_program.rs");
    let (_, code) = program.split_once("\n\n").context("a comment before the code")?;
    ensure!(include_str!("../../README.md").contains(code), "README.md shows another program");
    Ok(())
}

#[test]
fn the_warmest_reading_of_each_window_is_printed() -> Result<()> {
    let printed = support::succeed(env!("CARGO_BIN_EXE_first_program"), [] as [&str; 0])?;
    // The number of the subtask stands before each line if there are several cores.
    let mut lines: Vec<_> =
        printed.lines().map(|line| line.split_once("> ").map_or(line, |(_, line)| line)).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["cellar: 12 °C at second 1", "roof: 22.5 °C at second 2", "roof: 25 °C at second 12"]);
    Ok(())
}
