use proptest::prelude::*;

use super::*;
use crate::format::{StatePart, StoreFile, StoreFiles, StoredBytes};

fn state_file() -> impl Strategy<Value = StateFile> {
    ("[a-z]{1,9}/[a-z0-9-]{1,9}", any::<u64>(), any::<u64>()).prop_map(|(path, size, checksum)| StateFile {
        path,
        size,
        checksum,
    })
}

fn store() -> impl Strategy<Value = StoreFiles> {
    let content =
        prop_oneof![any::<Vec<u8>>().prop_map(StoredBytes::Inline), state_file().prop_map(StoredBytes::File)];
    let file = (".{0,9}", content).prop_map(|(name, content)| StoreFile { name, content });
    let numbers = (any::<u64>(), any::<u128>(), any::<u128>(), 0..99_u32, 0..99_u32);
    (numbers, ".{0,9}", prop::collection::vec(file, 0..4)).prop_map(
        |((checkpoint, operator, instance, start, end), backend, files)| {
            let key_groups = flott_core::key_group::KeyGroupRange { start, end };
            StoreFiles { checkpoint, operator, backend, instance, key_groups, files }
        },
    )
}

fn state_part() -> impl Strategy<Value = StatePart> {
    prop_oneof![
        any::<Vec<u8>>().prop_map(StatePart::Inline),
        state_file().prop_map(StatePart::File),
        store().prop_map(StatePart::Store),
    ]
}

fn subtask() -> impl Strategy<Value = SubtaskState> {
    let stored =
        (prop::collection::vec(state_part(), 0..4), any::<u64>()).prop_map(|(parts, checkpointed_bytes)| {
            SubtaskState::Stored(SnapshotHandle { parts, checkpointed_bytes })
        });
    prop_oneof![3 => stored, 1 => Just(SubtaskState::Finished)]
}

fn operator() -> impl Strategy<Value = OperatorMetadata> {
    let uid = prop::option::of("[a-z]{1,9}");
    (any::<u128>(), ".{0,9}", uid, any::<Vec<u8>>())
        .prop_map(|(id, name, uid, coordinator_state)| OperatorMetadata { id, name, uid, coordinator_state })
}

fn task() -> impl Strategy<Value = TaskMetadata> {
    let (operators, subtasks) =
        (prop::collection::vec(operator(), 1..4), prop::collection::vec(subtask(), 1..5));
    (".{0,9}", 1..=32768_u32, operators, subtasks).prop_map(|(name, max_parallelism, operators, subtasks)| {
        TaskMetadata { name, max_parallelism, operators, subtasks }
    })
}

fn metadata() -> impl Strategy<Value = CheckpointMetadata> {
    let form = prop_oneof![Just(SnapshotForm::Checkpoint), Just(SnapshotForm::Savepoint)];
    let numbers = (any::<u64>(), any::<u128>(), any::<u64>(), any::<u64>());
    (numbers, form, ".{0,20}", any::<bool>(), prop::collection::vec(task(), 0..4)).prop_map(
        |((checkpoint, job, triggered_ms, completed_ms), form, job_name, aligned, tasks)| {
            CheckpointMetadata {
                checkpoint,
                form,
                job: JobKey(job),
                job_name,
                flott_version: "0.1.0".to_owned(),
                triggered_ms,
                completed_ms,
                aligned,
                tasks,
            }
        },
    )
}

fn small() -> CheckpointMetadata {
    let handle = SnapshotHandle { parts: vec![StatePart::Inline(vec![1, 2, 3])], checkpointed_bytes: 3 };
    let operators = [(1, "source"), (2, "sum")].map(|(id, name)| OperatorMetadata {
        id,
        name: name.to_owned(),
        uid: None,
        coordinator_state: Vec::new(),
    });
    let task = |operator: &OperatorMetadata, subtasks| TaskMetadata {
        name: operator.name.clone(),
        max_parallelism: 128,
        operators: vec![operator.clone()],
        subtasks,
    };
    CheckpointMetadata {
        checkpoint: 7,
        form: SnapshotForm::Checkpoint,
        job: JobKey(0xab),
        job_name: "count".to_owned(),
        flott_version: "0.1.0".to_owned(),
        triggered_ms: 1_000,
        completed_ms: 1_250,
        aligned: true,
        tasks: vec![
            task(&operators[0], vec![SubtaskState::Finished]),
            task(&operators[1], vec![SubtaskState::Stored(handle), SubtaskState::Finished]),
        ],
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(metadata in metadata()) {
        let bytes = metadata.to_bytes().unwrap();
        prop_assert_eq!(CheckpointMetadata::from_bytes(&bytes).unwrap(), metadata);
    }

    #[test]
    fn bytes_from_anywhere_are_refused_without_a_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(CheckpointMetadata::from_bytes(&bytes).is_err());
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = small().to_bytes().unwrap();
    for at in 0..bytes.len() {
        assert!(CheckpointMetadata::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(CheckpointMetadata::from_bytes(&damaged).is_err(), "bit {bit} of byte {at}");
        }
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(CheckpointMetadata::from_bytes(&longer).is_err());
}

#[test]
fn each_damage_is_called_by_its_name() {
    let bytes = small().to_bytes().unwrap();
    let read = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        CheckpointMetadata::from_bytes(&bytes).unwrap_err()
    };
    let no_metadata = Damage::NotThis { expected: "checkpoint metadata" };
    assert_eq!(read(&|bytes| bytes[0] = b'X'), no_metadata);
    assert_eq!(read(&|bytes| bytes.truncate(bytes.len() - 1)), no_metadata);
    assert_eq!(read(&|bytes| bytes[8] = 9), Damage::UnknownVersion { found: 9, known: 1 });
    assert!(matches!(read(&|bytes| bytes[20] ^= 1), Damage::Checksum { part: "body", .. }));
    assert!(matches!(
        read(&|bytes| {
            bytes.remove(20);
        }),
        Damage::Length { .. }
    ));
    let state_file = crate::format::StateFileEncoder::new().finish().unwrap().bytes;
    assert_eq!(CheckpointMetadata::from_bytes(&state_file).unwrap_err(), no_metadata);
}

#[test]
fn an_operator_is_found_with_its_task() {
    let metadata = small();
    let (task, operator) = metadata.operator(2).unwrap();
    assert_eq!((task.parallelism(), operator.name.as_str()), (2, "sum"));
    let handles: Vec<_> = task.handles().map(|(subtask, _)| subtask).collect();
    assert_eq!(handles, [0]);
    assert!(metadata.operator(3).is_none());
}

#[test]
fn a_job_key_is_spelled_with_32_digits() {
    let key = JobKey(0xab);
    assert_eq!(key.to_string().parse(), Ok(key));
    for text in ["ab", "000000000000000000000000000000AB", "+00000000000000000000000000000ab"] {
        assert_eq!(text.parse::<JobKey>(), Err(()), "{text}");
    }
}
