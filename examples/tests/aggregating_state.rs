//! `aggregating_state`: the thousandth record is not counted, so each result is 999.

mod support;

use anyhow::Result;

#[test]
fn s8_each_thousandth_record_emits_the_999_before_it() -> Result<()> {
    let program = env!("CARGO_BIN_EXE_aggregating_state");
    let printed = support::succeed(program, ["--records", "3500", "--parallelism", "1"])?;
    assert_eq!(printed, "999\n999\n999\n");
    Ok(())
}
