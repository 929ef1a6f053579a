//! `broadcast_rules`: what is reported is reported rightly, by rules that change meanwhile.

mod support;

use std::collections::BTreeSet;

use anyhow::{Context, Result};

/// Account, amount, limit, rule and report of a line.
fn numbers(line: &str) -> Result<[u64; 5]> {
    let line = line.split_once("> ").map_or(line, |(_, line)| line);
    let numbers: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    numbers.try_into().ok().with_context(|| format!("five numbers in '{line}'"))
}

#[test]
fn transactions_are_judged_by_the_rules_that_have_come_by_then() -> Result<()> {
    let arguments = ["--transactions", "20000", "--rules", "10", "--parallelism", "3"];
    let printed = support::succeed(env!("CARGO_BIN_EXE_broadcast_rules"), arguments)?;
    let mut rules = BTreeSet::new();
    for line in printed.lines() {
        let [account, amount, limit, rule, report] = numbers(line)?;
        assert!(account < 100 && amount > limit && report > 0, "{line}");
        assert_eq!(limit, 990 - 10 * (rule - 1), "{line}");
        rules.insert(rule);
    }
    assert!(rules.contains(&10), "the last rule holds for two seconds: {rules:?}");
    assert!(rules.len() > 1, "rules change while transactions flow: {rules:?}");
    Ok(())
}
