//! `state_ttl`: who is remembered is told of once, who is forgotten again and again.

mod support;

use anyhow::Result;

fn told(ttl_ms: &str) -> Result<Vec<u64>> {
    let arguments = ["--visitors", "50", "--visits", "10", "--rate", "1000", "--ttl-ms", ttl_ms, "-p", "1"];
    let printed = support::succeed(env!("CARGO_BIN_EXE_state_ttl"), arguments)?;
    Ok(printed.lines().map(str::parse).collect::<Result<_, _>>()?)
}

#[test]
fn each_visitor_is_new_once_while_the_state_lives() -> Result<()> {
    let mut visitors = told("1000000")?;
    visitors.sort_unstable();
    assert_eq!(visitors, (0..50).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn a_visitor_who_is_forgotten_between_two_visits_is_new_again() -> Result<()> {
    // Visits of one visitor are 50 ms apart on average, however uneven the machine is: all ten take half a second.
    let visitors = told("1")?;
    assert!(visitors.len() > 50, "{} times", visitors.len());
    Ok(())
}
