use super::*;

fn settings(assignments: &[&str]) -> Result<CheckpointSettings, SettingsError> {
    let mut config = Configuration::new();
    for assignment in assignments {
        config.set_dynamic(assignment)?;
    }
    CheckpointSettings::from_config(&config)
}

#[test]
fn s53_v3_1_checkpointing_is_off_and_the_rest_has_flinks_defaults() {
    let defaults = CheckpointSettings {
        interval_ms: None,
        mode: CheckpointingMode::ExactlyOnce,
        timeout_ms: 600_000,
        min_pause_ms: 0,
        max_concurrent: 1,
        tolerable_failures: 0,
        incremental: false,
        unaligned: false,
        unaligned_forced: false,
        aligned_timeout_ms: 0,
        retention: CheckpointRetention::None,
        num_retained: 1,
        after_tasks_finish: true,
    };
    assert_eq!(settings(&[]).unwrap(), defaults);
}

#[test]
fn s53_an_interval_below_ten_milliseconds_is_refused() {
    assert!(settings(&["execution.checkpointing.interval=9"]).is_err());
    assert_eq!(settings(&["execution.checkpointing.interval=10"]).unwrap().interval_ms, Some(10));
}

#[test]
fn v3_1_unaligned_checkpoints_can_not_overlap() {
    let error = settings(&[
        "execution.checkpointing.unaligned.enabled=true",
        "execution.checkpointing.max-concurrent-checkpoints=2",
    ]);
    let error = error.unwrap_err();
    assert_eq!(error, SettingsError::UnalignedConcurrent { max_concurrent: 2 });
    assert!(!error.to_string().contains('\n'));
}

#[test]
fn v3_1_unaligned_is_switched_off_where_nothing_is_aligned() {
    let settings = settings(&[
        "execution.checkpointing.unaligned.enabled=true",
        "execution.checkpointing.mode=AT_LEAST_ONCE",
        "execution.checkpointing.max-concurrent-checkpoints=2",
    ]);
    assert!(!settings.unwrap().unaligned);
}

#[test]
fn v3_1_checkpoints_are_never_more_often_than_the_pause_allows() {
    let settings =
        settings(&["execution.checkpointing.interval=1 s", "execution.checkpointing.min-pause=5 s"]).unwrap();
    assert_eq!(settings.period_ms(), Some(5_000));
}

#[test]
fn a_pause_of_centuries_is_one_of_a_year() {
    let settings = settings(&["execution.checkpointing.min-pause=100000 d"]).unwrap();
    assert_eq!(settings.min_pause_ms, LONGEST_PAUSE_MS);
}

#[test]
fn incremental_checkpoints_are_asked_for_in_either_spelling() {
    for key in ["execution.checkpointing.incremental", "state.backend.incremental"] {
        assert!(settings(&[&format!("{key}=true")]).unwrap().incremental, "{key}");
    }
}
