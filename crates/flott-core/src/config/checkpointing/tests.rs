use super::*;
use crate::config::ConfigValue;

#[test]
fn a_restart_strategy_is_known_by_each_of_flinks_names() {
    for (name, kind) in [
        ("none", RestartStrategyKind::None),
        ("off", RestartStrategyKind::None),
        ("disable", RestartStrategyKind::None),
        ("fixed-delay", RestartStrategyKind::FixedDelay),
        ("fixeddelay", RestartStrategyKind::FixedDelay),
        ("failure-rate", RestartStrategyKind::FailureRate),
        ("exponential-delay", RestartStrategyKind::ExponentialDelay),
    ] {
        assert_eq!(<RestartStrategyKind as ConfigValue>::parse(name), Some(kind), "{name}");
    }
    assert_eq!(<RestartStrategyKind as ConfigValue>::parse("sometimes"), None);
    assert_eq!(RestartStrategyKind::accepts(), "one of none, fixed-delay, failure-rate, exponential-delay");
}

#[test]
fn a_mode_is_read_in_any_case_and_written_as_flink_does() {
    assert_eq!(
        <CheckpointingMode as ConfigValue>::parse("at_least_once"),
        Some(CheckpointingMode::AtLeastOnce)
    );
    assert_eq!(CheckpointingMode::ExactlyOnce.render(), "EXACTLY_ONCE");
}

#[test]
fn a_retention_is_known_by_its_long_name() {
    let parse = <CheckpointRetention as ConfigValue>::parse;
    assert_eq!(parse("NO_EXTERNALIZED_CHECKPOINTS"), Some(CheckpointRetention::None));
    assert_eq!(parse("RETAIN"), None);
}
