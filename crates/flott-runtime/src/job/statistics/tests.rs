use super::*;

fn value(statistics: &Statistics, name: &str) -> MetricValue {
    let metrics = statistics.told.metrics();
    metrics.into_iter().find(|(of, _)| *of == name).map(|(_, value)| value).unwrap()
}

fn numbers(statistics: &Statistics, names: &[&str]) -> Vec<i64> {
    let number = |name: &&str| match value(statistics, name) {
        MetricValue::Number(number) => number,
        MetricValue::Text(text) => panic!("{name} is {text}"),
    };
    names.iter().map(number).collect()
}

#[test]
fn v4_8_checkpoints_are_told_under_the_names_of_flink() {
    let mut statistics = Statistics::default();
    let last = ["lastCheckpointDuration", "lastCheckpointSize", "lastCompletedCheckpointId"];
    assert_eq!(numbers(&statistics, &last), [-1, -1, -1], "there is none yet");
    assert_eq!(value(&statistics, "lastCheckpointExternalPath"), MetricValue::Text("n/a".to_owned()));
    for (checkpoint, triggered_ms) in [(1, 1_000), (2, 2_000), (3, 3_000)] {
        statistics.triggered(checkpoint, triggered_ms, false);
    }
    let task = TaskId { vertex: 0, subtask: 0 };
    let figures =
        SubtaskCheckpoint { checkpointed_bytes: 70, state_bytes: 700, ..SubtaskCheckpoint::default() };
    statistics.stored(1, task, figures);
    statistics.completed(1, 1_250, "file:///chk-1".to_owned());
    statistics.failed(2, "it expired".to_owned());
    statistics.restored(Some(1), 4_000);
    let counts = ["total", "InProgress", "Completed", "Failed"].map(|of| match of {
        "total" => "totalNumberOfCheckpoints".to_owned(),
        of => format!("numberOf{of}Checkpoints"),
    });
    let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
    assert_eq!(numbers(&statistics, &counts), [3, 1, 1, 1]);
    assert_eq!(numbers(&statistics, &last), [250, 70, 1]);
    let more =
        ["lastCheckpointFullSize", "lastCheckpointCompletedTimestamp", "lastCheckpointRestoreTimestamp"];
    assert_eq!(numbers(&statistics, &more), [700, 1_250, 4_000]);
    assert_eq!(
        value(&statistics, "lastCheckpointExternalPath"),
        MetricValue::Text("file:///chk-1".to_owned())
    );
}
