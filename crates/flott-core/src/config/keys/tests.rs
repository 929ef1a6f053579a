use std::collections::BTreeSet;

use super::*;

#[test]
fn every_default_is_a_value_of_its_option() {
    for option in ALL {
        if let Some(default) = option.default_text() {
            assert!(option.canonical(default).is_ok(), "default {default:?} of {}", option.key());
        }
    }
}

#[test]
fn no_spelling_names_two_options() {
    let spellings: Vec<&str> = ALL
        .iter()
        .flat_map(|o| std::iter::once(o.key()).chain(o.deprecated_keys().iter().copied()))
        .collect();
    assert_eq!(spellings.iter().collect::<BTreeSet<_>>().len(), spellings.len(), "{spellings:?}");
}

#[test]
fn every_description_is_one_sentence_on_one_line() {
    for option in ALL {
        let description = option.description();
        assert!(description.ends_with('.') && !description.contains('\n'), "{}", option.key());
    }
}

#[test]
fn an_option_is_found_by_either_spelling() {
    assert_eq!(find("state.backend").map(AnyOption::key), Some("state.backend.type"));
    assert_eq!(find("state.backend.type").map(AnyOption::key), Some("state.backend.type"));
    assert!(find("state").is_none());
}

#[test]
fn s118_checkpointing_keys_have_both_spellings() {
    for (old, new) in [
        ("execution.checkpointing.unaligned", "execution.checkpointing.unaligned.enabled"),
        ("execution.checkpointing.alignment-timeout", "execution.checkpointing.aligned-checkpoint-timeout"),
        ("state.checkpoints.num-retained", "execution.checkpointing.num-retained"),
        ("state.checkpoint-storage", "execution.checkpointing.storage"),
        ("state.checkpoints.dir", "execution.checkpointing.dir"),
        ("state.backend.fs.checkpointdir", "execution.checkpointing.dir"),
        ("state.savepoints.dir", "execution.checkpointing.savepoint-dir"),
        ("state.storage.fs.memory-threshold", "execution.checkpointing.data-inline-threshold"),
        ("state.backend.incremental", "execution.checkpointing.incremental"),
        ("restart-strategy", "restart-strategy.type"),
    ] {
        assert_eq!(find(old).map(AnyOption::key), Some(new));
    }
}

#[test]
fn a_number_that_can_not_work_is_refused_where_it_is_set() {
    for (key, value) in [
        ("execution.checkpointing.interval", "9 ms"),
        ("execution.checkpointing.timeout", "0 ms"),
        ("execution.checkpointing.max-concurrent-checkpoints", "0"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "-1"),
        ("execution.checkpointing.num-retained", "0"),
        ("execution.checkpointing.data-inline-threshold", "1025 kb"),
        ("execution.checkpointing.storage", "hdfs"),
        ("restart-strategy.exponential-delay.backoff-multiplier", "1"),
        ("restart-strategy.exponential-delay.jitter-factor", "1.1"),
        ("restart-strategy.exponential-delay.initial-backoff", "0"),
    ] {
        let option = find(key).unwrap();
        assert!(option.canonical(value).is_err(), "{key}: {value}");
    }
}
